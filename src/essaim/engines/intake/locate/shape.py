"""What a cell looks like: the evidence on which headers, totals and notes are told from data."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_NUMBER = re.compile(r"\(?[-+−]?\s?\d[\d\s\u00a0\u202f.,]*(?:[eE][+-]?\d+)?\)?\s?(?:%|€|k€|M€|euros?)?(?:\s?(?:HT|TTC))?$")
_DATE = re.compile(r"\d{4}-\d{2}(?:-\d{2})?(?:[T+ ].*)?$|\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}(?:\s.*)?$")
_YEAR = re.compile(r"(?:19|20)\d\d(?:\s?[-/]\s?(?:20)?\d\d)?$")
_LONGEST = 160
_APART = re.compile(r"[\W_]+")
_MISSING = frozenset({"-", "–", "—", "nd", "ns", "nc", "n.d.", "n.s.", "n.c.", "n.s", "n.d", "n.c", "na", "n/a", "#n/a", "x", "✓"})
_WORDS = frozenset(
    ["uai", "rne", "code", "nom", "libelle", "commune", "ville", "departement", "academie", "region", "adresse", "date", "annee", "mois", "montant", "prix", "quantite", "qte", "nombre", "nb", "nbre", "effectif", "effectifs", "type", "nature", "categorie", "statut", "etat", "numero", "no", "n°", "reference", "siret", "siren", "fournisseur", "designation", "description", "objet", "marque", "modele", "etablissement", "ecole", "college", "lycee", "secteur", "valeur", "taux", "commentaire", "observations", "remarque", "remarques", "id", "identifiant", "total", "ips", "classe", "classes", "eleves", "postal", "insee", "epci"]
)

TEXT, NUMBER, DATE, CODE, YEAR, MISSING, PROSE, BOOLEAN = "text", "number", "date", "code", "year", "missing", "prose", "bool"
DATA = frozenset({NUMBER, DATE, CODE, MISSING, BOOLEAN})


def kind_of(cell: str) -> str:
    """The shape of a non-empty cell."""
    return _kind(cell) if len(cell) <= _LONGEST else PROSE if len(text := cell.strip()) > _LONGEST else _kind(text)


@lru_cache(maxsize=16_384)
def _kind(cell: str) -> str:
    text = cell.strip()
    if text.isdecimal():
        return YEAR if len(text) == 4 and text[:2] in ("19", "20") else NUMBER
    if text[:1].isdecimal():
        if text.replace(".", "", 1).isdecimal():
            return NUMBER
        if len(text) == 10 and text[4] == text[7] == "-" and text.replace("-", "").isdecimal():
            return DATE
    if not text[:1].isalpha():  # no number nor date begins with a letter
        if _YEAR.match(text):
            return YEAR
        if _NUMBER.match(text):
            return NUMBER
        if _DATE.match(text):
            return DATE
    folded = text.casefold()
    if folded in _MISSING or folded.startswith("#"):
        return MISSING
    if folded in ("oui", "non", "true", "false", "vrai", "faux"):
        return BOOLEAN
    digits = sum(map(str.isdigit, text))
    if digits >= 2 and digits >= 0.4 * len(text):
        return CODE
    if ("@" in text and "." in text) or folded.startswith(("http://", "https://")):
        return CODE
    return TEXT


def words_of(cell: str) -> str:
    """A header as the vocabulary spells it: lower case, no accents, single spaces between words."""
    plain = cell.casefold()
    if not plain.isascii():
        plain = unicodedata.normalize("NFKD", cell.replace("œ", "oe").replace("Œ", "oe").casefold())
        plain = "".join(character for character in plain if not unicodedata.combining(character))
    return " ".join(_APART.sub(" ", plain).split())


def is_expected(cell: str, vocabulary: frozenset[str]) -> bool:
    """Whether a cell is a header of the contract."""
    first = cell[:1]
    if not vocabulary or (first.isascii() and first.isalnum() and first.lower() not in _initials(vocabulary)):
        return False
    simple = words_of(cell)
    return simple in vocabulary or " ".join(cell.split()).casefold() in vocabulary


@lru_cache(maxsize=64)
def _initials(vocabulary: frozenset[str]) -> frozenset[str]:
    return frozenset(word[:1] for word in vocabulary)


def is_usual(cell: str) -> bool:
    """Whether a cell holds a word usual in headers of school and purchasing files."""
    return any(word in _WORDS for word in words_of(cell).split())


def one_line(cell: str) -> str:
    """A header cell on one line."""
    return " ".join(cell.split())
