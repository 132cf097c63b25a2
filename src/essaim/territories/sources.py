"""The sources of the register: who tells what, and whom to believe first when several tell."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """A published data set. ``told_by``: fields of the contract whose presence tells it from the others (any of them);
    ``named_by``: a pattern of its other headers or of its file name, folded, for an extract that lacks those fields.
    ``rank``: the lower, the more believed. ``track``: for enrolment, the part of a school that it counts; tracks of one
    school add up, except ``all`` which counts everything and only serves where no detail is known."""

    code: str
    title: str
    contract: str
    told_by: frozenset[str] = frozenset()
    rank: int = 5
    track: str = ""
    named_by: str = ""

    @property
    def whole(self) -> frozenset[str]:
        """What each of its published vintages tells of a school; a file without one of them is an extract."""
        return _WHOLE.get(self.code, _WHOLE.get(self.contract, frozenset()))


# An extract is handed in under a name of its own, and believed last: it adds what it knows and erases nothing of the whole file.
EXTRACT = "-extrait"
_WHOLE = {
    "annuaire": frozenset(("name", "kind", "sector", "commune_code", "departement_code", "latitude", "state", "priority_education", "opened_on")),
    "geolocalisation": frozenset(("name", "sector", "commune_code", "departement_code", "latitude")),
    "ips-annuaire": frozenset(),
    "effectifs-compiles": frozenset(),
    "territories.social_position": frozenset(("name", "sector", "commune_code", "departement_name")),
    "territories.enrolment": frozenset(("sector", "commune_name", "departement_name")),
}  # fmt: skip


def _source(code: str, title: str, contract: str, *told_by: str, rank: int = 5, track: str = "", named_by: str = "") -> Source:
    return Source(code, title, f"territories.{contract}", frozenset(told_by), rank, track, named_by)


# The order matters: the first source of the contract with one of its fields present is the one.
SOURCES = (
    _source("education-prioritaire", "Établissements de l'éducation prioritaire", "establishments", "network_uai", rank=3),
    _source("annuaire", "Annuaire de l'éducation", "establishments", "circonscription", "circonscription_code", "parent_uai", rank=1),
    _source("base-nationale", "Base nationale des établissements", "establishments", "levels", rank=4),
    _source("geolocalisation", "Adresse et géolocalisation", "establishments", "nature", "nature_code", "denomination", rank=2),
    _source("etablissements", "Autre liste d'établissements", "establishments", rank=6),
    _source("fermetures", "Établissements fermés", "closures"),
    _source("ips-lycees", "IPS des lycées", "social_position", "ips_gt", "ips_pro", rank=1),
    _source("ips-annuaire", "IPS joints à un annuaire", "social_position", "latitude", rank=3),
    _source("ips", "IPS des écoles et des collèges", "social_position", rank=2),
    _source("effectifs-lycees-gt", "Effectifs des lycées généraux et technologiques", "enrolment", "pupils_second_gt", rank=1, track="gt",
            named_by=r"lycees? gt|(2ndes|secondes) gt|(1eres|terminales) (g|stmg|sti2d|st2s)"),
    _source("effectifs-lycees-pro", "Effectifs des lycées professionnels", "enrolment", "pupils_second_pro", rank=1, track="pro",
            named_by=r"lycees? pro|(2ndes|secondes|1eres|terminales) pro|cap 1ere annee|bma"),
    _source("effectifs-colleges", "Effectifs des collèges", "enrolment", "pupils_sixth", rank=1, track="college", named_by=r"colleges?|[3-6]emes?"),
    _source("effectifs-ecoles", "Effectifs et classes des écoles", "enrolment", "classes", "pupils_nursery", "pupils_elementary", rank=1, track="ecole", named_by=r"ecoles?|(cp|ce1|ce2|cm1|cm2)"),
    _source("effectifs-compiles", "Effectifs compilés de tous niveaux", "enrolment", rank=2, track="all"),
    _source("fragilite-numerique", "Indice de fragilité numérique", "fragility"),
    _source("organismes", "Noms d'organismes", "organisations"),
    _source("cog-mouvements", "Communes devenues d'autres communes", "former_communes"),
    _source("cog-historique", "Code officiel géographique : communes depuis 1943", "dated_communes"),
    _source("cog-epci", "Composition des intercommunalités", "places", "epci_code"),
    _source("cog-communes", "Code officiel géographique : communes", "places", "kind", "population", "former_codes"),
    _source("cog-communes", "Code officiel géographique : communes", "places", named_by="^com$"),
    _source("cog-codes-postaux", "Codes postaux", "places", "postal_codes"),
    _source("cog-arrondissements", "Arrondissements départementaux", "places", "departement", "arrondissement"),
    _source("cog-departements", "Départements", "places", "region"),
    _source("cog-regions", "Régions", "places"),
)  # fmt: skip
BY_CODE = {item.code: item for item in SOURCES}
OTHER = Source("autre", "Autre source", "", rank=7, track="all")


def source_of(contract: str, fields: frozenset[str], names: tuple[str, ...] = ()) -> Source:
    """The source that a set of understood fields betrays, else its ``names`` (headers and file name, folded); a file that says
    the level of each row counts several."""
    own = [item for item in SOURCES if item.contract == contract]
    named = [item for item in own if item.named_by and any(re.search(rf"\b({item.named_by})\b", name) for name in names)]
    told = [item for item in own if item.told_by & fields]
    if "level" in fields:
        named = []
    unnamed = [item for item in own if not item.told_by and not item.named_by]
    return next(iter((*(item for item in named if not item.told_by), *told, *named, *unnamed)), OTHER)


def sent_by(sender: str) -> tuple[Source, str | None]:
    """The source and the year told by the name under which a file was handed in (``effectifs-compiles@2024-2025``)."""
    code, _, year = sender.partition("@")
    return BY_CODE.get(code.removesuffix(EXTRACT), OTHER), year or None


def is_extract(sender: str) -> bool:
    """Whether a file was handed in as an extract of its source."""
    return sender.partition("@")[0].endswith(EXTRACT)
