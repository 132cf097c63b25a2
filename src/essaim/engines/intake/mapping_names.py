"""Headers compared with the names of a contract's fields."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from rapidfuzz import fuzz, process

from essaim.kernel.french import folded
from essaim.kernel.identity import Same

from .cells_readers import repaired_mojibake
from .contract import NUMERIC, Contract, Field, FieldType
from .mapping_english import in_french
from .mapping_short import only_meaning

# What a number leaves out is no mere detail: « Élèves (hors ULIS) » are not all the pupils.
_PARENTHESES = re.compile(r"\((?!\s*(?:hors|sans|sauf|non)\b)([^()]*)\)|\[([^\[\]]*)\]", re.IGNORECASE)
_THOUSANDS = re.compile(r"(?:\bk\s?(?:€|eur|euros?)(?!\w)|\bmilliers d'euros|\ben milliers\b)", re.IGNORECASE)
_MILLIONS = re.compile(r"(?:\bm\s?€|\bmeur\b|\bmillions d'euros)", re.IGNORECASE)
_MINUTES = re.compile(r"\b(?:min|mn|minutes?)\b", re.IGNORECASE)
_TTC = re.compile(r"\bt\.?t\.?c\b", re.IGNORECASE)
_UNIT_WORDS = frozenset(("ht", "ttc", "eur", "euros", "euro", "keur", "en", "k", "pct", "milliers", "millions", "mois", "obligatoire", "facultatif", "jj mm aaaa"))
CERTAIN_NAME = 94.0
_KNOWN, _ABBREVIATED = CERTAIN_NAME, 90.0
_INITIALS = re.compile(r"(?<=\b\w)\.")
_SUM_OF = re.compile(r"^(?:somme|sum) (?:(?:de|d|des|of) )?(?=\w)")  # how pivots name a column that they add up
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class HeaderName:
    """A header understood: spellings to compare (whole, without parentheses, each level, the lowest first) and the unit it states."""

    forms: tuple[str, ...]
    levels: tuple[str, ...]
    factor: int = 1
    tax_included: bool = False
    text: str = ""
    minutes: bool = False


@lru_cache(maxsize=8_192)
def read_header(header: str) -> HeaderName:
    """``Prix (k€)`` → ``prix``, ×1000; ``P.U. H.T.`` → ``pu ht``; ``Livrés / Tablettes`` → both levels; ``Delivery date`` → its French too; empty header →
    no form."""
    header = repaired_mojibake(header) or header
    bare = _PARENTHESES.sub(" ", header)
    levels = tuple(dict.fromkeys(key for part in reversed(re.split(r" / |\n", header)) if (key := folded(part))))
    candidates = [header, bare, _INITIALS.sub("", header), _CAMEL.sub(" ", header), *reversed(re.split(r" / |\n", bare))]
    forms = list(dict.fromkeys(key for text in candidates if (key := folded(text))))
    forms += [summed for form in tuple(forms[:1]) if (summed := _SUM_OF.sub("", form)) != form and summed not in forms]
    forms += [key for form in tuple(forms[:2]) if (key := _without_units(form)) and key not in forms]
    forms += [french for form in tuple(forms[:2]) if (french := in_french(form)) and french not in forms]
    factor = 1_000 if _THOUSANDS.search(header) else 1_000_000 if _MILLIONS.search(header) else 1
    return HeaderName(tuple(forms), levels, factor, bool(_TTC.search(header)), header, bool(_MINUTES.search(header)))


def _without_units(form: str) -> str:
    return " ".join(word for word in form.split() if word not in _UNIT_WORDS)


@dataclass(frozen=True, slots=True)
class FieldNames:
    """Every known spelling of a contract's fields, folded; ``owner[i]`` is the position of the field of ``names[i]``,
    ``words[position]`` every word of the spellings of a field."""

    names: tuple[str, ...]
    owner: np.ndarray
    own: frozenset[tuple[str, int]]
    words: tuple[frozenset[str], ...]


def field_names(contract: Contract) -> FieldNames:
    """Label, technical name and synonyms of every field."""
    names: list[str] = []
    owner: list[int] = []
    own = set()
    words = []
    for position, field in enumerate(contract.fields):
        spellings = dict.fromkeys(folded(text) for text in (field.label, field.name, *field.synonyms))
        own |= {(folded(field.label), position), (folded(field.name), position)}
        words.append(frozenset(word for name in spellings for word in name.split()))
        for name in spellings:
            if name:
                names.append(name)
                owner.append(position)
    return FieldNames(tuple(names), np.array(owner, dtype=np.int64), frozenset(own), tuple(words))


def name_scores(headers: list[HeaderName], known: FieldNames, fields: int) -> tuple[np.ndarray, dict[tuple[int, int], str]]:
    """Score 0–100 of each header (line) for each field (column), and the spelling that gave it."""
    scores = np.zeros((len(headers), fields))
    best: dict[tuple[int, int], str] = {}
    starts = np.flatnonzero(np.diff(known.owner, prepend=-1))
    for line, header in enumerate(headers):
        if not header.forms:
            continue
        matrix = _similarities(header.forms, known).max(axis=0)
        scores[line] = np.maximum.reduceat(matrix, starts)
        short = only_meaning(header.text, zip(known.names, map(str, known.owner), strict=True)) if scores[line].max() < _KNOWN else None
        if short is not None:
            scores[line, int(short)] = max(scores[line, int(short)], _ABBREVIATED)
        for position in np.flatnonzero(scores[line] >= 50):
            columns = slice(starts[position], starts[position + 1] if position + 1 < len(starts) else None)
            best[line, int(position)] = known.names[starts[position] + int(matrix[columns].argmax())]
    return scores, best


def _similarities(forms: tuple[str, ...], known: FieldNames) -> np.ndarray:
    """Equal 100 (99 for a synonym, a point less by reshaping of the header), close spelling up to 92, words contained up to 88."""
    ratio = process.cdist(forms, known.names, scorer=fuzz.ratio, score_cutoff=84)
    tokens = process.cdist(forms, known.names, scorer=fuzz.token_sort_ratio, score_cutoff=84)
    contained = process.cdist(forms, known.names, scorer=fuzz.token_set_ratio, score_cutoff=100)
    matrix = np.maximum(ratio, tokens).astype(np.float64) * 0.92
    for line, form in enumerate(forms):
        penalty = min(line, 5)
        words = form.split()
        for column in np.flatnonzero((contained[line] >= 100) | (ratio[line] >= 100)):
            name = known.names[column]
            if form == name:
                matrix[line, column] = (100 if (name, int(known.owner[column])) in known.own else 99) - penalty
            elif len(name) > 2 and len(form) > 2:
                matrix[line, column] = max(matrix[line, column], _contained(set(words), set(name.split()), form, name) - penalty)
    return matrix


def _contained(words: set[str], wanted: set[str], form: str, name: str) -> float:
    if not (wanted <= words or words <= wanted):
        return 0.0
    share = min(len(form), len(name)) / max(len(form), len(name))
    return 60 + 28 * share if wanted <= words else 54 + 28 * share


# Words that say what kind of value a column holds.
_KINDS = {
    "nb": "number", "nbre": "number", "nombre": "number", "qte": "number", "quantite": "number", "effectif": "number", "effectifs": "number",
    "date": "date", "montant": "money", "prix": "money", "cout": "money", "taux": "share", "pourcentage": "share", "part": "share",
}  # fmt: skip
_OF_TYPE = {
    FieldType.INTEGER: {"number"}, FieldType.DECIMAL: {"number", "share", "money"}, FieldType.MONEY: {"money", "number"},
    FieldType.PERCENT: {"share", "number"}, FieldType.DATE: {"date"}, FieldType.MONTH: {"date"},
}  # fmt: skip


# Words that say that a number or a date is another one than what happened: planned, ordered, invoiced, still to come.
_OTHER_STATES = frozenset(
    ("commande", "commandee", "commandes", "commandees", "cde", "cdee", "achat", "achete", "facture", "facturation", "signature", "notification", "edition", "impression", "rdv") +
    ("prevu", "prevue", "prevus", "prevues", "previsionnel", "previsionnelle", "theorique", "estime", "estimee", "revise", "revisee", "reste", "restant", "restante",
     "restants", "restantes", "annule", "annulee", "annules", "annulees", "attente", "manquant", "manquants", "manquante", "manquantes") +
    ("attendu", "attendue", "attendus", "attendues", "ecart", "ecarts", "acheter", "remplacer", "objectif", "objectifs", "cible", "cibles")
)  # fmt: skip
_STOP_WORDS = frozenset(("de", "d", "du", "des", "la", "le", "les", "l", "a", "au", "aux", "en", "et", "par", "sur", "pour", "n", "no", "dont", "total", "totale", "reel", "reelle", "effectif", "effective"))


# Units of time that are not the months of a duration.
_LASTING = frozenset(("annees", "ans", "semaines", "jours", "years", "weeks", "days"))
# How pivots call what they work out otherwise than by adding up, and the number of lines that hold a number.
_WORKED_OUT = re.compile(r"(moyenne|moy|max|maximum|min|minimum|ecart(?:s| )?t?ypes?|variance|mediane|average|avg|mean|median|stdev) (?:(?:de|d|des|du|of) )?\w")
_OF_LINES = re.compile(r"(?:nombre|nb|nbre|nbval|count)(?: (?:de|d|des|of))? (?:qtes?|quantites?|quantity|nombre|nb|montants?|prix|total)\b")


def worked_out(key: str) -> str | None:
    """The word by which a folded header says that its numbers are worked out otherwise than by adding up (« moyenne de quantité »)."""
    found = _WORKED_OUT.match(key)
    return found[1] if found else None


def of_another_state(header: HeaderName, field: Field, known: frozenset[str]) -> bool:
    """Whether the header speaks of a number or a date that is not the field's: a planned date is not the actual one, whatever it holds."""
    otherwise = worked_out(header.forms[0]) if header.forms else None
    words = {word for form in header.forms for word in form.split()} if field.type in _OF_TYPE else set()  # the French of an English header too
    states = {word for word in _OTHER_STATES.intersection(words) if word not in known and word.removesuffix("s") not in known}
    lasting = "mois" in known and not words & known.intersection(("mois", "mensuel", "mensuelle")) and bool(_LASTING.intersection(words))
    return (otherwise is not None and not known.issuperset(otherwise.split())) or bool(states) or lasting


# Headers of columns that hold people. They are kept nowhere, unless the field is named so.
_PEOPLE = frozenset(
    ("utilisateur", "utilisateurs", "utilisatrice", "usager", "usagers", "user", "username", "login", "prenom", "prenoms", "detenteur", "emprunteur", "eleve", "enseignant", "enseignante",
     "professeur", "technicien", "technicienne", "proprietaire", "owner", "mail", "email", "courriel", "telephone")
)  # fmt: skip
_ENTRUSTED = re.compile(r"(?:affecte|affectee|attribue|attribuee|prete|pretee|confie|confiee|remis|remise|assigned|alloue|allouee) (?:a|to)\b")


def of_a_person(header: HeaderName, field: Field, known: frozenset[str]) -> bool:
    """Whether the header says that the column holds people and the field, a text, is not known to be about them."""
    if field.type is not FieldType.TEXT or not header.forms:
        return False
    entrusted = _ENTRUSTED.match(header.forms[0])
    return bool((_PEOPLE - known).intersection(header.forms[0].split()) or (entrusted and not known.intersection(entrusted[0].split()[:1])))


# Those who sell, where an identifier is that of who buys, and those who pay, where it is that of the school.
_OTHER_PARTIES = frozenset(("fournisseur", "fournisseurs", "titulaire", "titulaires", "prestataire", "vendeur", "attributaire", "mandataire", "constructeur", "fabricant", "supplier", "vendor"))


_IDENTIFIER_ALONE = re.compile(r"(?:(?:n|no|num|numero) )?(?:siren|siret)")


def read_headers(written: Sequence[str]) -> tuple[HeaderName, ...]:
    """The headers of a table; « SIREN » alone just after « Fournisseur » is the SIREN of the supplier."""
    read = [read_header(text) for text in written]
    for place in range(1, len(read)):
        if read[place].forms and _IDENTIFIER_ALONE.fullmatch(read[place].forms[0]):
            party = _OTHER_PARTIES.intersection(" ".join(read[place - 1].forms).split())
            read[place] = read_header(f"{written[place]} {min(party)}") if party else read[place]
    return tuple(read)


def of_another_party(header: HeaderName, field: Field, known: frozenset[str]) -> bool:
    """Whether an identifier is under a header that says whose it is, and not of the one the field is about."""
    identifies = field.type in (FieldType.SIREN, FieldType.SIRET)
    return identifies and bool((_OTHER_PARTIES - known).intersection(word for form in header.forms for word in form.split()))


_PARTICIPLE = re.compile(r"[^\W\d]+ée?s?(?!\w)")


def accented_otherwise(header: str, field: Field) -> bool:
    """Whether a word of the header is a participle that the names of a text field only have without its accent."""
    if field.type is not FieldType.TEXT or "é" not in header.casefold():
        return False
    own = {word for text in (field.label, *field.synonyms) for word in re.findall(r"\w+", text.casefold())}
    return any(word not in own and folded(word) in own for word in _PARTICIPLE.findall(header.casefold()))


def qualified_otherwise(header: HeaderName, field: Field, known: frozenset[str]) -> float:
    """What to take from the score of a near name: the header says another kind of value (``nb titulaires`` is not a text), or
    qualifies a number or a date by a word the field never uses (``nombre d'élèves``)."""
    words = header.forms[0].split() if header.forms else []
    if field.type in NUMERIC and words and _OF_LINES.match(header.forms[0]):
        return 12.0
    said = _KINDS.get(words[0]) if words else None
    if said is not None and said not in _OF_TYPE.get(field.type, set()):
        return 30.0
    if field.type not in _OF_TYPE:
        return 0.0
    left = [word for word in words if word not in known and word not in _STOP_WORDS and word not in _UNIT_WORDS and not word.isdigit()]
    return 12.0 if left and words[0] in known and not any(_alike(word, known) for word in left) else 0.0


def _alike(word: str, known: frozenset[str]) -> bool:
    """Whether a word is a misspelling or an inflection of one the field uses."""
    return len(word) > 3 and process.extractOne(word, known, scorer=fuzz.ratio, score_cutoff=75) is not None


def vocabulary(contract: Contract) -> frozenset[str]:
    """Header words that reading may expect, lower case, with and without accents; codes too where columns are categories."""
    return _vocabulary(Same(contract))


@lru_cache(maxsize=64)
def _vocabulary(same: Same[Contract]) -> frozenset[str]:
    contract = same.value
    texts = [text for field in contract.fields for text in (field.name, field.label, *field.synonyms)]
    for wide in contract.wide:
        texts += [text for code in contract.field(wide.into).codes for text in (code.value, code.label, *code.aliases)]
        texts += list(wide.extra_headers)
    lowered = (" ".join("".join(ch if ch.isalnum() else " " for ch in text.casefold()).split()) for text in texts)
    return frozenset(folded(text) for text in texts) | frozenset(lowered)
