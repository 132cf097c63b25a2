"""A register of invented schools, for installations without the public files: same formats, same door, same oddities."""

from __future__ import annotations

import csv
import io
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from essaim.foundation.models import Account
from essaim.kernel.organisations import luhn_is_valid
from essaim.kernel.places import ACADEMIES, DEPARTEMENTS
from essaim.kernel.uai import key_letter

from ..reads.declared import TERRITORIES
from .loading import Progress, RegisterOutcome, load_register

_FIRST = ["Mont", "Val", "Saint-Martin", "Belle", "Fontaine", "Haute", "Ville", "Bois", "Pont", "Roche", "Clair", "Moulin", "Grand", "Plessis", "Beau"]
_LAST = ["sur-Loire", "les-Bains", "en-Forêt", "la-Rivière", "le-Château", "aux-Chênes", "du-Lac", "les-Vignes", "lès-Prés", "le-Vieux", "en-Plaine", "la-Côte"]
_PEOPLE = (
    "Jean Jaurès", "Jules Ferry", "Louise Michel", "Victor Hugo", "Marie Curie", "Jean Moulin", "Simone Veil", "Jacques Prévert",
    "Lucie Aubrac", "Antoine de Saint-Exupéry", "George Sand", "Paul Éluard", "Rosa Parks", "Albert Camus", "Les Tilleuls",
    "Le Petit Prince", "Olympe de Gouges", "Jean Zay", "Aimé Césaire", "Les Hirondelles",
)  # fmt: skip
_SAINTS = ("Saint-Joseph", "Notre-Dame", "Sainte-Anne", "Saint-Louis", "Jeanne d'Arc", "Sacré-Cœur")
_PREFIXES = {"2A": "620", "2B": "720"}
YEARS = ("2022-2023", "2023-2024", "2024-2025", "2025-2026")
_BY_CODE = {item.code: item for item in DEPARTEMENTS}
_ACADEMIES = {item.code: item.name for item in ACADEMIES}


@dataclass(frozen=True, slots=True)
class InventedSchool:
    """One invented school. ``pupils`` by school year of YEARS; ``ips`` None when not significant."""

    uai: str
    name: str
    level: str
    is_private: bool
    departement: str
    commune_code: str
    commune_name: str
    latitude: float
    longitude: float
    pupils: tuple[int, ...]
    ips: float | None
    priority: str


def synthetic_schools(*, seed: int = 2020, departements: Sequence[str] = TERRITORIES, schools: int = 60) -> list[InventedSchool]:
    """``schools`` invented schools in each département; the same arguments always give the same schools, and a département's
    schools do not depend on the others. ValueError for an unknown département or more schools than identifiers."""
    if not 1 <= schools <= 9_000:
        raise ValueError("schools: from 1 to 9000 a département")
    return [item for code in departements for item in _of_departement(seed, code, schools)]


def _of_departement(seed: int, code: str, schools: int) -> list[InventedSchool]:
    if code not in _BY_CODE:
        raise ValueError(f"unknown département: {code}")
    rng = random.Random(f"{seed}/{code}")
    towns = _towns(rng, code, max(2, schools // 6))
    prefix = _PREFIXES.get(code, code.zfill(3))
    numbers = rng.sample(range(1, 10_000), schools)
    return [_school(rng, code, prefix, number, rng.choice(towns[: 1 + int(len(towns) * rng.random())]), index) for index, number in enumerate(numbers)]


def _towns(rng: random.Random, code: str, count: int) -> list[tuple[str, str, float, float]]:
    names: list[str] = []
    while len(names) < count:
        name = f"{rng.choice(_FIRST)}-{rng.choice(_LAST)}"
        names.append(name if name not in names else f"{name}-{len(names)}")
    # An invented place for each département, all of them in metropolitan latitudes.
    centre = (44.0 + rng.random() * 5, -1.0 + rng.random() * 7)
    stem = code if len(code) == 3 else f"{code}0"
    width = 5 - len(stem)
    return [
        (f"{stem}{index + 1:0{width}d}", name, centre[0] + rng.uniform(-0.3, 0.3), centre[1] + rng.uniform(-0.4, 0.4))
        for index, name in enumerate(names[: 10**width - 1])
    ]


def _school(rng: random.Random, code: str, prefix: str, number: int, town: tuple[str, str, float, float], index: int) -> InventedSchool:
    level = "college" if index % 6 == 4 else "lycee" if index % 18 == 5 else "ecole"
    private = rng.random() < 0.15
    kind = {"ecole": rng.choice(("École primaire", "École élémentaire", "École maternelle")), "college": "Collège", "lycee": "Lycée"}[level]
    name = f"{kind} {'privé' + ('e' if level == 'ecole' else '') + ' ' + rng.choice(_SAINTS) if private else rng.choice(_PEOPLE)}"
    start = {"ecole": rng.randint(35, 280), "college": rng.randint(220, 750), "lycee": rng.randint(300, 1400)}[level]
    pupils = tuple(max(12, round(start * (1 + year * rng.uniform(-0.03, 0.02)))) for year in range(len(YEARS)))
    ips = round(min(155.0, max(55.0, rng.gauss(112 if private else 101, 15))), 1)
    priority = "" if private or level == "lycee" else "REP+" if ips < 78 else "REP" if ips < 86 else ""
    digits = f"{prefix}{number:04d}"
    return InventedSchool(
        digits + key_letter(digits), name, level, private, code, town[0], town[1], round(town[2] + rng.uniform(-0.02, 0.02), 6),
        round(town[3] + rng.uniform(-0.02, 0.02), 6), pupils, None if rng.random() < 0.07 else ips, priority,
    )  # fmt: skip


def synthetic_register(*, seed: int = 2020, departements: Sequence[str] = TERRITORIES, schools: int = 60) -> dict[str, bytes]:
    """File name → content, as published: directory, position, enrolment, communes. Deterministic."""
    made = synthetic_schools(seed=seed, departements=departements, schools=schools)
    return {
        "communes_synthese.csv": _csv(("code", "nom", "type", "departement", "region", "population", "siren"), _communes(made)),
        "annuaire_synthese.csv": _csv(_DIRECTORY, (_directory(item) for item in made)),
        "ips_synthese.csv": _csv(_POSITION, (_position(item, year) for item in made for year in YEARS)),
        "effectifs_synthese.csv": _csv(_ENROLMENT, (_enrolment(item, index) for item in made for index in range(len(YEARS)))),
    }


_DIRECTORY = (
    "Identifiant_de_l_etablissement", "Nom_etablissement", "Type_etablissement", "Statut_public_prive", "Code_commune", "Nom_commune",
    "Code_departement", "Libelle_departement", "Libelle_academie", "Appartenance_Education_Prioritaire", "nom_circonscription",
    "latitude", "longitude", "etat",
)  # fmt: skip
_POSITION = ("Rentrée scolaire", "Code du département", "UAI", "Nom de l'établissment", "Code INSEE de la commune", "Nom de la commune", "Secteur", "Effectifs", "IPS")
_ENROLMENT = ("Rentrée scolaire", "Département", "Commune", "UAI", "Secteur", "REP", "REP +", "Nombre total de classes", "Nombre total d'élèves", "Niveau")
_TYPES = {"ecole": "Ecole", "college": "Collège", "lycee": "Lycée"}


def _csv(header: Sequence[str], rows) -> bytes:  # type: ignore[no-untyped-def]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _communes(made: Sequence[InventedSchool]) -> list[tuple[object, ...]]:
    towns = sorted({(item.commune_code, item.commune_name, item.departement) for item in made})
    sizes = {code: 400 + 9 * sum(item.pupils[-1] for item in made if item.commune_code == code) for code, _n, _d in towns}
    return [
        (code, name, "commune-actuelle", dep, _BY_CODE[dep].region, sizes[code], _siren(index)) for index, (code, name, dep) in enumerate(towns)
    ]


def _siren(index: int) -> str:
    """A number with a valid key that no real organisation bears (series 999)."""
    body = f"999{index:05d}"
    return next(body + str(key) for key in range(10) if luhn_is_valid(body + str(key)))


def _directory(item: InventedSchool) -> tuple[object, ...]:
    home = _BY_CODE[item.departement]
    inspection = f"Circonscription d'inspection du 1er degré de {item.commune_name}" if item.level == "ecole" else ""
    return (
        item.uai, item.name, _TYPES[item.level], "Privé" if item.is_private else "Public", item.commune_code, item.commune_name,
        item.departement.zfill(3), home.name, _ACADEMIES[home.academie], item.priority, inspection,
        item.latitude, item.longitude, "OUVERT",
    )  # fmt: skip


def _position(item: InventedSchool, year: str) -> tuple[object, ...]:
    return (
        year, item.departement.zfill(3), item.uai, item.name.upper(), item.commune_code, item.commune_name.upper(),
        "privé sous contrat" if item.is_private else "public", f"{item.pupils[YEARS.index(year)]}.0", "NS" if item.ips is None else item.ips,
    )  # fmt: skip


def _enrolment(item: InventedSchool, index: int) -> tuple[object, ...]:
    pupils = item.pupils[index]
    classes = max(1, round(pupils / 24)) if item.level == "ecole" else ""
    name = _BY_CODE[item.departement].name
    flags = (int(item.priority == "REP"), int(item.priority == "REP+"))
    return (YEARS[index][:4], name.upper(), item.commune_name.upper(), item.uai, "PRIVE" if item.is_private else "PUBLIC", *flags, classes, pupils, _TYPES[item.level])


def load_synthetic_register(
    *, by: Account, progress: Progress = lambda _done, _total, _step: None, seed: int = 2020,
    departements: Sequence[str] = TERRITORIES, schools: int = 60,
) -> RegisterOutcome:
    """Load the invented register through the same door as the public files."""
    with tempfile.TemporaryDirectory(prefix="essaim-register-") as folder:
        paths = []
        for name, content in synthetic_register(seed=seed, departements=departements, schools=schools).items():
            path = Path(folder) / name
            path.write_bytes(content)
            paths.append(path)
        return load_register(files=paths, by=by, progress=progress)
