"""Data contracts: what each kind of file must hold. Open to all."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest
from ninja import Router, Schema
from pydantic import Field

from essaim.engines.intake import table_schema
from essaim.engines.intake.contract import Contract
from essaim.foundation.contracts import UnknownContract, contract, contracts
from essaim.portal.api.access import OPEN_TO_ALL, PUBLIC
from essaim.portal.api.texts import Short

router = Router(tags=["Contrats de données"], auth=PUBLIC)


class ContractShort(Schema):
    """Un contrat de données."""

    code: str
    version: int
    title: str
    description: str
    licence: str = Field(description="Licence des données reçues ; vide quand elles ne sont pas ouvertes.")
    table_schema: str = Field(description="Adresse du schéma de données (Table Schema).")


class CodeValue(Schema):
    """Une valeur d'une liste."""

    value: str
    label: str


class ContractField(Schema):
    """Une colonne attendue."""

    name: str
    label: str
    type: str
    description: str
    required: bool
    unit: str | None
    synonyms: list[str] = Field(description="En-têtes reconnus, accents et casse ignorés.")
    codes: list[CodeValue]


class ContractFull(ContractShort):
    """Un contrat de données et ses colonnes."""

    key: list[str] = Field(description="Ce qui identifie une ligne.")
    replaces: str = Field(description="key : un nouveau fichier met à jour les lignes ; perimeter : il remplace le périmètre.")
    fields: list[ContractField]


def _short(item: Contract) -> dict[str, Any]:
    told = {name: getattr(item, name) for name in ("code", "version", "title", "description", "licence")}
    return told | {"table_schema": f"/api/v1/contracts/{item.code}/table-schema"}


def _named(code: str) -> Contract:
    try:
        return contract(code)
    except UnknownContract as error:
        raise Http404 from error


@router.get("", response=list[ContractShort], summary="Lister les contrats", openapi_extra=OPEN_TO_ALL)
def contract_list(request: HttpRequest) -> list[dict[str, Any]]:
    """Toutes les sortes de fichiers que la plateforme comprend."""
    return [_short(item) for item in contracts()]


@router.get("/{code}", response=ContractFull, summary="Décrire un contrat", openapi_extra=OPEN_TO_ALL)
def contract_detail(request: HttpRequest, code: Short) -> dict[str, Any]:
    """Les colonnes attendues, leurs types, leurs valeurs admises et les en-têtes reconnus."""
    item = _named(code)
    fields = [
        {name: getattr(field, name) for name in ("name", "label", "type", "description", "required", "unit")}
        | {"synonyms": list(field.synonyms), "codes": [{"value": c.value, "label": c.label} for c in field.codes]}
        for field in item.fields
    ]
    return _short(item) | {"key": list(item.key), "replaces": item.replaces, "fields": fields}


@router.get("/{code}/table-schema", response=dict[str, Any], summary="Obtenir le schéma de données", openapi_extra=OPEN_TO_ALL)
def contract_table_schema(request: HttpRequest, code: Short) -> dict[str, Any]:
    """Le contrat au format Table Schema, celui de schema.data.gouv.fr et de Validata."""
    return table_schema(_named(code))
