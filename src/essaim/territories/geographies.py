"""The files of places: the Code officiel géographique in all its vintages, intercommunalities, postal codes, former communes; and what
their publishers mean by headers that mean something else in other files."""

from __future__ import annotations

import re
from collections.abc import Sequence

from essaim.engines.intake.contract import Contract, Field, FieldType, InOrder, Severity

OPEN_LICENCE = "Licence Ouverte 2.0"


def text(name: str, label: str, *synonyms: str, description: str = "", required: bool = False) -> Field:
    """A field of plain text whose label is one of its headers."""
    return Field(name, label, FieldType.TEXT, description, required, synonyms=(label, *synonyms))


_OVERSEAS = {"COM_COMER": "code", "COMER": "departement", "LIBELLE": "name", "NATURE_ZONAGE": "kind", "LIBELLE_COMER": ""}
_GROUPS = {"SIREN": "epci_code", "RAISON_SOCIALE": "epci_name", "NATURE_JURIDIQUE": "epci_kind", "INSEE": "code", "NOM_MEMBRE": "name", "SIREN_MEMBRE": "siren"}
_OLD_TO_NEW = re.compile(r"CODGEO_(INI|20\d\d)")


def meaning(headers: Sequence[str]) -> dict[str, str]:
    """``{header: field}`` of a file of places, from its ``headers``: lists of INSEE (départements, régions, communes of overseas collectivities,
    tables of passage from one year's codes to another's) and of BANATIC (groups and their members)."""
    names = {header.strip().upper(): header for header in headers}
    for told_by, meant in (("COM_COMER", _OVERSEAS), ("SIREN_MEMBRE", _GROUPS)):
        if told_by in names:
            return {name: field for name, field in meant.items() if name in names}
    if any(_OLD_TO_NEW.fullmatch(name) for name in names):
        return _passage(names)
    return _own_code(names) | _own_name(names)


def _own_code(names: dict[str, str]) -> dict[str, str]:
    """INSEE names the code of a place after its kind: in a list of départements DEP is the code, in one of communes it is not."""
    if {"COM", "CODE", "CODGEO"} & set(names):
        return {}
    if "CHEFLIEU" in names:
        kind = next((name for name in ("ARR", "DEP", "REG", "REGION") if name in names), None)
        return {kind: "code"} if kind else {}
    for kind in ("DEPARTEMENT", "REGION"):
        if f"CODE_{kind}" in names and f"NOM_{kind}" in names:
            return {f"CODE_{kind}": "code", f"NOM_{kind}": "name"}
    return {}


def _own_name(names: dict[str, str]) -> dict[str, str]:
    """Before 2019 the only readable name is NCCENR, without its article."""
    return {"NCCENR": "name"} if "NCCENR" in names and "LIBELLE" not in names else {}


def _passage(names: dict[str, str]) -> dict[str, str]:
    """Codes of the oldest year led to those of the latest."""
    codes = sorted((match[1] if match[1] != "INI" else "", name) for name in names if (match := _OLD_TO_NEW.fullmatch(name)))
    if len(codes) < 2:
        return {}
    old, new = codes[0][1], codes[-1][1]
    labels = {f"LIBGEO_{name[-4:]}": field for name, field in ((old, "former_name"), (new, "current_name"))}
    return {old: "former_code", new: "current_code"} | {name: field for name, field in labels.items() if name in names}


PLACES = Contract(
    "territories.places",
    1,
    "Code officiel géographique",
    "Communes (actuelles, déléguées, associées, arrondissements, anciens codes), intercommunalités et leurs membres, "
    "départements, régions, codes postaux.",
    (
        text("code", "Code", "code", "COM", "codgeo", "codeCommune", "code_commune", "code_insee", "code_commune_insee", "commune", "Code commune", "insee", required=True),
        text("name", "Nom", "nom", "LIBELLE", "libelle", "libgeo", "nomCommune", "commune_nom", "nom_commune", "nom de la commune", "nom_de_la_commune"),
        text("kind", "Type", "type", "TYPECOM", "type de commune"),
        text("parent_code", "Commune de rattachement", "chef_lieu", "COMPARENT", "commune parente", "chefLieu", "CHEFLIEU"),
        text("departement", "Département", "departement", "DEP", "code_departement", "code département"),
        text("region", "Région", "region", "REG", "code_region", "code région"),
        text("arrondissement", "Arrondissement", "arrondissement", "ARR"),
        text("epci_code", "Code EPCI", "epci", "siren_epci", "code_epci", "codeEpci", "EPCI", "siren epci"),
        text("epci_name", "Nom de l'EPCI", "epci_nom", "nom_epci", "libepci", "raison_sociale", "libellé EPCI"), text("epci_kind", "Type d'EPCI", "epci_type", "nature_juridique", "nature_epci", "type epci"),
        Field("population", "Population", FieldType.INTEGER, synonyms=("population", "pmun", "population municipale", "ptot", *(f"pmun_{year}" for year in range(2016, 2031))), unit="habitants", minimum=0),
        text("siren", "SIREN", "siren", "siren_commune"), text("postal_codes", "Codes postaux", "codes_postaux", "codePostal", "code_postal", "cp"),
        text("former_codes", "Anciens codes", "anciens_codes", "anciens codes INSEE"),
        Field("valid_from", "Depuis le", FieldType.DATE, synonyms=("date_debut", "debut")),
        Field("valid_to", "Jusqu'au", FieldType.DATE, synonyms=("date_fin", "fin")),
        text("link_type", "Article (TNCC)", "typeLiaison", "TNCC"),
    ),
    key=("sender", "kind", "code", "epci_code", "departement", "region", "postal_codes"),
    licence=OPEN_LICENCE,
    source="https://www.insee.fr/fr/information/2560452",
    together=meaning,
)  # fmt: skip

FORMER_COMMUNES = Contract(
    "territories.former_communes",
    1,
    "Communes devenues d'autres communes",
    "Une ligne par événement : le code d'avant, celui d'après (fusion, changement de code ou de nom). Mouvements de communes ou table de "
    "passage de l'Insee.",
    (
        text("former_code", "Code d'avant", "COM_AV", "CODGEO_INI", "ancien code", "code avant", "code_ancien", required=True),
        text("current_code", "Code d'après", "COM_AP", "nouveau code", "code après", "code_nouveau", required=True),
        text("former_name", "Nom d'avant", "LIBELLE_AV", "ancien nom", "nom avant"), text("current_name", "Nom d'après", "LIBELLE_AP", "nouveau nom", "nom après"),
        Field("effective_on", "Date d'effet", FieldType.DATE, synonyms=("DATE_EFF", "date d'effet", "date")),
        text("event", "Événement", "MOD", "type d'événement"),
        text("former_kind", "Type d'avant", "TYPECOM_AV"), text("current_kind", "Type d'après", "TYPECOM_AP"),
    ),
    key=("sender", "former_code", "current_code", "former_kind", "current_kind", "effective_on", "event"),
    licence=OPEN_LICENCE,
    source="https://www.insee.fr/fr/information/2560452",
    together=meaning,
)  # fmt: skip

DATED_COMMUNES = Contract(
    "territories.dated_communes",
    1,
    "Communes depuis 1943",
    "Une ligne par commune et par période, avec le nom qu'elle portait : la liste de l'Insee des communes qui existent ou ont existé. Une "
    "ligne sans fin est d'aujourd'hui ; une commune dont toutes les lignes ont une fin n'existe plus.",
    (
        text("code", "Code", "COM", "code_commune", "code_insee", "Code commune", "insee", required=True),
        text("name", "Nom", "LIBELLE", "libelle", "nom_commune", "nom de la commune"),
        text("kind", "Type", "TYPECOM", "type de commune"), text("departement", "Collectivité", "COMER", "DEP", "code_departement"),
        Field("valid_from", "Depuis le", FieldType.DATE, "Premier jour de la période.", required=True, synonyms=("DATE_DEBUT", "date de début", "debut")),
        Field("valid_to", "Jusqu'au", FieldType.DATE, "Jour où la période s'achève ; vide si elle dure.", synonyms=("DATE_FIN", "date de fin", "fin")),
        text("link_type", "Article (TNCC)", "TNCC"), text("upper_name", "Nom en majuscules", "NCC"), text("rich_name", "Nom sans article", "NCCENR"),
    ),
    key=("sender", "kind", "code", "valid_from"),
    rules=(InOrder("fin_avant_debut", "La période s'achève avant d'avoir commencé.", "valid_from", "valid_to", severity=Severity.BLOCKING),),
    licence=OPEN_LICENCE,
    source="https://www.insee.fr/fr/information/2560452",
    together=meaning,
)  # fmt: skip
