"""The REST API: its routers, its schema, its errors."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any

from django.http import HttpRequest
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.renderers import JSONRenderer
from ninja.responses import NinjaJSONEncoder

from essaim import __version__
from essaim.portal.api import contracts, figures, problems, register, submissions
from essaim.portal.api.access import PerMinute

DESCRIPTION = """Déposer des fichiers, lire des chiffres, remonter à leurs sources, consulter le registre.

Les contrats, les indicateurs et les chiffres publics se lisent sans jeton. Le reste demande un jeton, créé depuis le portail
(« Mes jetons d'accès ») et envoyé dans l'en-tête `Authorization: Bearer …` : il donne exactement les droits du mandat choisi.
Hors de ce périmètre, tout se passe comme si rien n'existait (404). Les erreurs suivent la RFC 9457, en français."""


class Renderer(JSONRenderer):
    """JSON with accents as they are; a NaN is null."""

    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> str:
        return json.dumps(_finite(data), cls=NinjaJSONEncoder, ensure_ascii=False, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


class Api(NinjaAPI):
    """The API, whose schema says that every operation may answer with a problem."""

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        """Written once a process for the same ``options``: operations do not change while it runs. To read, not to change."""
        key = repr(sorted(options.items()))
        if key not in self._schemas:
            self._schemas[key] = self._schema(**options)
        return self._schemas[key]

    @cached_property
    def _schemas(self) -> dict[str, OpenAPISchema]:
        return {}

    def _schema(self, **options: Any) -> OpenAPISchema:
        schema = super().get_openapi_schema(**options)
        schemas = schema.setdefault("components", {}).setdefault("schemas", {})
        schemas["Problem"] = problems.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= schemas["Problem"].pop("$defs", {})
        refusal = {"description": "Refus, expliqué en français.", "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
        for path in schema["paths"].values():
            for operation in path.values():
                operation["responses"]["4XX"] = refusal
        return schema


api = Api(
    title="API d'Essaim", version=__version__, description=DESCRIPTION, docs_url=None, throttle=PerMinute(), renderer=Renderer(),
    urls_namespace="api-v1", openapi_extra={"info": {"license": {"name": "EUPL-1.2", "identifier": "EUPL-1.2"}}},
)  # fmt: skip
problems.install(api)
api.add_router("/contracts", contracts.router)
api.add_router("/submissions", submissions.router)
api.add_router("/register", register.router)
api.add_router("", figures.router)
