"""Errors of the API: problem details (RFC 9457), in French, saying what, where and what to do."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from ninja import Schema
from ninja.errors import AuthenticationError, HttpError, Throttled, ValidationError
from pydantic import Field

from essaim.foundation.acts import ActForbidden, ActRefused

if TYPE_CHECKING:
    from ninja import NinjaAPI

LOG = logging.getLogger("essaim.api")
MEDIA_TYPE = "application/problem+json"
TITLES = {
    400: "Requête illisible", 401: "Jeton d'accès manquant ou refusé", 403: "Acte non permis", 404: "Introuvable",
    405: "Méthode non permise", 409: "Acte impossible", 413: "Envoi trop volumineux", 422: "Paramètres refusés",
    429: "Trop de requêtes", 500: "Erreur du serveur",
}  # fmt: skip
NOT_FOUND = "Rien à cette adresse, ou rien que votre jeton permette de voir."
_WORDS = {
    "missing": "valeur obligatoire absente", "int_parsing": "un nombre entier est attendu", "int_type": "un nombre entier est attendu",
    "bool_parsing": "« true » ou « false » est attendu", "bool_type": "« true » ou « false » est attendu",
    "date_from_datetime_parsing": "une date AAAA-MM-JJ est attendue", "date_parsing": "une date AAAA-MM-JJ est attendue",
    "date_type": "une date AAAA-MM-JJ est attendue", "string_type": "un texte est attendu", "list_type": "une liste est attendue",
    "dict_type": "un objet JSON est attendu", "model_attributes_type": "un objet JSON est attendu", "json_invalid": "JSON illisible",
    "extra_forbidden": "nom inconnu", "enum": "valeur hors de la liste", "literal_error": "valeur hors de la liste",
}  # fmt: skip
_BOUNDS = {
    "greater_than_equal": "au moins {ge}", "less_than_equal": "au plus {le}", "string_too_long": "au plus {max_length} caractères",
    "string_too_short": "au moins {min_length} caractères", "too_long": "au plus {max_length} éléments",
    "too_short": "au moins {min_length} éléments", "string_pattern_mismatch": "forme attendue : {pattern}",
}  # fmt: skip


class Wrong(Schema):
    """One parameter refused."""

    where: str = Field(description="Où : query, path, body, form ou file, puis le nom du paramètre.")
    message: str = Field(description="Ce qui était attendu.")


class Problem(Schema):
    """Une erreur (RFC 9457, application/problem+json)."""

    type: str = Field("about:blank", description="Toujours about:blank : le titre et le statut suffisent.")
    title: str
    status: int
    detail: str = Field(description="Ce qui ne va pas et ce qu'il faut faire.")
    errors: list[Wrong] = Field(default_factory=list)


def problem(status: int, detail: str, errors: list[dict[str, str]] | None = None) -> HttpResponse:
    """A problem as a response."""
    content = {"type": "about:blank", "title": TITLES.get(status, "Erreur"), "status": status, "detail": detail, "errors": errors or []}
    response = HttpResponse(json.dumps(content, ensure_ascii=False), status=status, content_type=MEDIA_TYPE)
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="essaim"'
    return response


def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    if isinstance(error, Throttled):
        return problem(429, "Trop de requêtes en une minute : attendez le délai donné par l'en-tête Retry-After.")
    if isinstance(error, AuthenticationError):
        return problem(401, "Donnez un jeton valable dans l'en-tête « Authorization: Bearer … » ; il a pu expirer ou être révoqué.")
    if error.status_code == 400 and error.message.startswith("Cannot parse"):
        return problem(400, "Le corps de la requête n'est pas du JSON lisible.")
    return problem(error.status_code, error.message)


def _wrong(item: dict[str, Any]) -> dict[str, str]:
    where = ".".join(str(part) for part in item["loc"] if part != "payload")
    kind = item["type"]
    if kind in _BOUNDS:
        message = _BOUNDS[kind].format_map({"ge": "", "le": "", "max_length": "", "min_length": "", "pattern": ""} | item.get("ctx", {}))
    elif kind == "value_error":
        message = str(item.get("ctx", {}).get("error", "valeur refusée"))
    else:
        message = _WORDS.get(kind, "valeur refusée")
    return {"where": where, "message": message}


def _validation(request: HttpRequest, error: ValidationError) -> HttpResponse:
    wrong = [_wrong(item) for item in error.errors]
    said = " ; ".join(f"{item['where']} : {item['message']}" for item in wrong[:5])
    return problem(422, f"Paramètres à corriger — {said}.", wrong)


def _unexpected(request: HttpRequest, error: Exception) -> HttpResponse:
    LOG.error("unexpected error on %s", request.path, exc_info=error)
    return problem(500, "Une erreur inattendue s'est produite ; elle a été consignée. Réessayez, puis signalez-la à l'administration.")


def install(api: NinjaAPI) -> None:
    """Every exception leaves the API as a problem."""

    def told(status: int) -> Any:
        return lambda request, error: problem(status, str(error.args[0]) if error.args else TITLES[status])

    api.add_exception_handler(Exception, _unexpected)
    api.add_exception_handler(HttpError, _http_error)
    api.add_exception_handler(ValidationError, _validation)
    api.add_exception_handler(Http404, lambda request, error: problem(404, NOT_FOUND))
    api.add_exception_handler(ActForbidden, told(403))
    api.add_exception_handler(ActRefused, told(409))
    api.add_exception_handler(RequestDataTooBig, lambda request, error: problem(413, "La requête dépasse la taille permise."))
    unreadable = "La requête n'a pas pu être lue : vérifiez sa forme (multipart/form-data pour un fichier, JSON sinon)."
    api.add_exception_handler(SuspiciousOperation, lambda request, error: problem(400, unreadable))
    api.add_exception_handler(BadRequest, lambda request, error: problem(400, unreadable))
