"""The reference of the API as a plain page, made from its OpenAPI schema: nothing to load from elsewhere, no script."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from essaim.portal.api.application import DESCRIPTION, api

METHODS = ("get", "post", "put", "patch", "delete")
PLACES = {"query": "adresse", "path": "chemin", "header": "en-tête"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter or a field of a body or an answer."""

    name: str
    place: str
    type: str
    is_required: bool
    description: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: what it does, what it takes, what it gives."""

    anchor: str
    method: str
    path: str
    summary: str
    description: str
    is_open: bool
    parameters: tuple[Parameter, ...]
    body_type: str
    body: tuple[Parameter, ...]
    answer: str
    answer_fields: tuple[Parameter, ...]


@cache
def operations() -> dict[str, tuple[Operation, ...]]:
    """Every operation, by group, in the order of the schema."""
    schema = api.get_openapi_schema(path_prefix="/api/v1/")
    found: dict[str, list[Operation]] = {}
    for path, methods in schema["paths"].items():
        for method, told in methods.items():
            if method in METHODS:
                found.setdefault(told.get("tags", ["Autres"])[0], []).append(_operation(schema, path, method, told))
    return {group: tuple(items) for group, items in found.items()}


def _operation(schema: dict[str, Any], path: str, method: str, told: dict[str, Any]) -> Operation:
    media, body = next(iter(told.get("requestBody", {}).get("content", {}).items()), ("", {}))
    answers = [(code, item) for code, item in told["responses"].items() if str(code).startswith("2")]
    code, answer = answers[0] if answers else ("200", {})
    kind = next(iter(answer.get("content", {})), "")
    inner = answer.get("content", {}).get(kind, {}).get("schema", {})
    return Operation(
        anchor=told["operationId"],
        method=method.upper(),
        path=path,
        summary=told.get("summary", ""),
        description=told.get("description", ""),
        is_open={} in told.get("security", []),
        parameters=tuple(
            Parameter(item["name"], PLACES.get(item["in"], item["in"]), _type(schema, item["schema"]), item.get("required", False),
                      item.get("description", "") or item["schema"].get("description", ""))
            for item in told.get("parameters", [])
        ),
        body_type=media,
        body=_fields(schema, body.get("schema", {})),
        answer=f"{code} {kind} {_type(schema, inner)}".strip(),
        answer_fields=_fields(schema, inner),
    )  # fmt: skip


def _resolved(schema: dict[str, Any], item: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in item:
        item = schema["components"]["schemas"][item["$ref"].rsplit("/", 1)[-1]]
    return item


def _fields(schema: dict[str, Any], item: dict[str, Any]) -> tuple[Parameter, ...]:
    item = _resolved(schema, item)
    if item.get("type") == "array":
        item = _resolved(schema, item["items"])
    required = item.get("required", [])
    return tuple(
        Parameter(name, "corps", _type(schema, inner), name in required, inner.get("description", ""))
        for name, inner in item.get("properties", {}).items()
    )


_TYPES = {"integer": "entier", "number": "nombre", "string": "texte", "boolean": "vrai ou faux", "object": "objet", "null": "nul"}
_FORMATS = {"date": "date", "date-time": "date et heure", "binary": "fichier"}


def _type(schema: dict[str, Any], item: dict[str, Any]) -> str:
    """A type in French."""
    if "$ref" in item:
        return item["$ref"].rsplit("/", 1)[-1]
    if "anyOf" in item:
        return " ou ".join(_type(schema, part) for part in item["anyOf"])
    if "enum" in item:
        return " | ".join(str(value) for value in item["enum"])
    if item.get("type") == "array":
        return f"liste de {_type(schema, item.get('items', {}))}"
    return _FORMATS.get(item.get("format", ""), _TYPES.get(item.get("type", ""), "JSON"))


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """The reference of the API."""
    return render(request, "portal/api/reference.html", {"groups": operations(), "paragraphs": DESCRIPTION.split("\n\n")})
