"""Files of one line a thing: recognised by what identifies each (a serial number), or asked; never because a quantity is missing.

A table understood so has its count on every line, and the columns that speak of one thing (its name, its user) left aside. Lines are
added up once they are read and checked (``check_sums``)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import replace

import polars as pl

from essaim.kernel.french import folded, format_date, read_date

from .check_batch import Each, Part
from .check_status import with_status
from .contract import Contract, Listing
from .issues_messages import DATES_CHOICES, DATES_QUESTION, EACH_CHOICES, EACH_QUESTION
from .listing_columns import Column, columns_of, columns_told, identifying, own_fields, with_columns, without
from .mapping_content import fit, sample_of
from .report import Mapping, Question

_FILLED, _REPEATED, _FEW = 0.5, 0.1, 2
_SEVERAL = re.compile(r"[,;\n]|\S / \S|\s(?:à|au|et)\s", re.IGNORECASE)
# What makers and spreadsheets leave in the place of a serial number, letters and digits only.
_BLANK = frozenset(
    ("TOBEFILLEDBYOEM", "SYSTEMSERIALNUMBER", "DEFAULTSTRING", "NOTSPECIFIED", "NOTAPPLICABLE", "NOTAVAILABLE", "UNKNOWN", "NONE", "NULL", "NAN", "ILLISIBLE", "ABSENT", "ABSENTE", "INCONNU",
     "INCONNUE", "PASDENUMERO", "SANSNUMERO", "SANS", "AUCUN", "AUCUNE", "NEANT", "ND", "NA", "NC", "NS", "NR", "SO", "SN", "REF", "VIDE", "NONRENSEIGNE", "NONRENSEIGNEE", "NONDISPONIBLE",
     "NONCOMMUNIQUE", "NONCONNU", "ACOMPLETER", "ASAISIR", "AVENIR", "0123456789", "123456789", "1234567890")
)  # fmt: skip
_COUNT_WORDS = frozenset(("qte", "qtes", "quantite", "quantites", "nb", "nbre", "nombre", "effectif", "stock", "unites", "volume"))
_OTHER_NUMBERS = frozenset(
    ("id", "prix", "pu", "cout", "montant", "valeur", "ht", "ttc", "annee", "an", "ans", "age", "garantie", "duree", "mois", "ram", "memoire", "go", "gb", "mo", "disque", "ssd", "hdd",
     "stockage", "capacite", "taille", "pouce", "pouces", "ecran", "ghz", "mhz", "processeur", "cpu", "code", "cp", "postal", "salle", "etage", "batiment", "piece", "numero", "n", "num", "no",
     "ref", "reference", "port", "vlan", "ip", "version", "os", "windows", "ligne", "poste", "lot", "telephone", "poids", "marche", "facture", "commande", "bon", "bl", "bc", "engagement",
     "cost", "price", "value", "amount", "year", "memory", "disk", "size", "storage", "warranty", "months", "room", "floor", "number", "zip", "postcode", "eol", "rate")
)  # fmt: skip


def listed(parts: Sequence[Part], contract: Contract, answers: MappingOf[str, str]) -> list[Part]:
    """The tables of a file, those of one line a thing counted so; those that may be ask it."""
    return [_listed(part, contract, contract.listing, answers) if contract.listing else part for part in parts]


def _listed(part: Part, contract: Contract, listing: Listing, answers: MappingOf[str, str]) -> Part:
    wide = part.mapping.wide
    if (wide and listing.count in wide.fields) or part.table.turned or not part.rows:
        return part
    if listing.count in part.mapping.fields:
        return _with_quantity(part, contract, listing)
    key = f"each:{part.mapping.layout}"
    said = answers.get(key)
    once = answers.get(f"once:{part.mapping.layout}:{listing.count}") or answers.get(f"once:{listing.count}")
    if said == "" or once not in (None, "1"):
        return part
    position = _identifier(part, contract, listing)
    if said is None and once is None and not _is_certain(part, contract, listing, position):
        return _asking(part, contract, listing, position, key)
    return _counted(part, contract, listing, position, answers, with_count=once is None)


def _identifier(part: Part, contract: Contract, listing: Listing) -> int | None:
    """The column of serial numbers, else of inventory numbers, else none; an empty one is none."""
    return next((position for names in (listing.serials, listing.tags) for position in identifying(part, contract, names)), None)


def _with_quantity(part: Part, contract: Contract, listing: Listing) -> Part:
    """A table with a quantity and a serial number on every line, each another one: lines alike in everything else are as many things,
    not one line given twice. Its quantities are kept, and added up."""
    position = next(iter(identifying(part, contract, listing.serials)), None)
    identity = identity_of(part.table.frame[f"c{position}"]) if position is not None else None
    if position is None or identity is None or identity.null_count() or len(identity) - identity.n_unique() > max(_FEW, _REPEATED * len(identity)):
        return part
    column = part.table.columns[position]
    kept = without(part, contract, [name for name, place in part.mapping.fields.items() if place == position])
    return replace(kept, each=Each(identity, column.letter, " ".join(column.header.split()), counts=False))


def identity_of(texts: pl.Series) -> pl.Series:
    """A number a line for what its text names, spaces, dashes and case ignored; null where it names nothing."""
    key = texts.alias("key").str.to_uppercase().str.replace_all(r"[^\p{L}\p{N}]", "")
    one_letter = pl.DataFrame(key).select(pl.col("key").str.strip_chars(pl.col("key").str.slice(0, 1)) == "")["key"]
    return key.hash().set((one_letter | key.is_in(list(_BLANK))).fill_null(True), None).alias("identity")


def _is_certain(part: Part, contract: Contract, listing: Listing, position: int | None) -> bool:
    """Whether each line names one thing, most another one, and no column may be a quantity."""
    if position is None:
        return False
    texts = part.table.frame[f"c{position}"]
    named = identity_of(texts).drop_nulls()
    repeated = len(named) - named.n_unique()
    if len(named) < _FILLED * part.rows or repeated > max(_FEW, _REPEATED * len(named)):
        return False
    several = any(_SEVERAL.search(text) for text in texts.drop_nulls().head(500).to_list())
    return not several and not any(_rivals(part, contract, listing, position))


def _rivals(part: Part, contract: Contract, listing: Listing, identifier: int) -> Iterator[int]:
    """Columns that nothing took and that may be a quantity."""
    used = {identifier, *part.mapping.fields.values()}
    field = contract.field(listing.count)
    for position, column in enumerate(part.table.columns):
        texts = sample_of(part.table.frame[f"c{position}"])
        if position in used or not column.letter or not texts or set(texts) == {"1"}:
            continue
        words = set(folded(column.header).split())
        known = any(position in columns_of(part, names, [position]) for names in (listing.serials, listing.tags, listing.names))
        if words & _COUNT_WORDS or (not known and not words & _OTHER_NUMBERS and fit(texts, field) >= 0.8):
            yield position


def _asking(part: Part, contract: Contract, listing: Listing, position: int | None, key: str) -> Part:
    """The table with the question whether each line is one thing, where it may be: something identifies lines, or alike lines repeat."""
    if position is None and not _repeats(part, contract, listing):
        return part
    one, several = listing.word
    choices = tuple((value, label.format(one=one, several=several), 0.0) for value, label in EACH_CHOICES)
    message = EACH_QUESTION.format(label=contract.field(listing.count).label, one=one)
    question = Question(key, "mapping", part.table.sheet, contract.field(listing.count).label, message, choices, True)
    return replace(part, mapping=replace(part.mapping, questions=(*part.mapping.questions, question)))


def _repeats(part: Part, contract: Contract, listing: Listing) -> bool:
    """Whether lines of the same kind in the same place follow one another: a list of things, rather than of quantities."""
    places = [part.mapping.fields[name] for name in contract.key if name in part.mapping.fields]
    if contract.place not in part.mapping.fields:
        named = [part.mapping.fields[name] for item in contract.fields for name in item.references_with if name in part.mapping.fields]
        places += [position for position in named if not columns_of(part, listing.names, [position])]
    if not places or part.rows < 2:
        return False
    return part.table.frame.select(f"c{place}" for place in dict.fromkeys(places)).n_unique() < part.rows


def _counted(part: Part, contract: Contract, listing: Listing, position: int | None, answers: MappingOf[str, str], *, with_count: bool) -> Part:
    texts = part.table.frame[f"c{position}"] if position is not None else pl.Series([None], dtype=pl.String).new_from_index(0, part.rows)
    column = part.table.columns[position] if position is not None else None
    each = Each(identity_of(texts), column.letter if column else "", " ".join(column.header.split()) if column else "")
    part = with_status(without(part, contract, own_fields(part, contract, listing)), contract)
    if with_count:
        reason = f"une ligne par {listing.word[0]} : chacune compte pour un"
        mapped = Mapping(each.letter, each.header, listing.count, 100.0, reason) if each.letter else None
        one = pl.Series(["1"], dtype=pl.String).new_from_index(0, part.rows)
        part = with_columns(part, [Column(listing.count, one, mapped)])
    part = with_columns(part, columns_told(part, contract, listing))
    return _dated(replace(part, each=each), listing, contract, answers)


def _dated(part: Part, listing: Listing, contract: Contract, answers: MappingOf[str, str]) -> Part:
    """The table with the one date of its list, when its lines of one place give several: the last for all, or each its own, as the
    sender says. Taken as they are, they would be as many lists of a few things each."""
    position = part.mapping.fields.get(listing.dated or "")
    if position is None:
        return part
    frame, column = part.table.frame, f"c{position}"
    days = pl.col(column).str.slice(0, 10)
    places = [f"c{part.mapping.fields[name]}" for name in (contract.place, listing.place) if name in part.mapping.fields]
    counted = frame.group_by(places).agg(days.n_unique().alias("n"))["n"] if places else frame.select(days.n_unique())[:, 0]
    if not (counted > 1).any():
        return part
    key = f"dates:{part.mapping.layout}:{listing.dated}"
    answer = answers.get(key)
    found = {text: read.value for text in frame[column].drop_nulls().unique().to_list() if (read := read_date(text[:10]) or read_date(text)) and read.value}
    if answer == "last" and found:
        last = max(found.values())
        return replace(part, table=replace(part.table, frame=frame.with_columns(pl.lit(last.isoformat()).alias(column))))
    if answer is not None or not found:
        return part
    letter = next((item.column for item in part.mapping.mapping if item.field == listing.dated), "")
    choices = tuple((value, label.format(day=format_date(max(found.values()))), 0.0) for value, label in DATES_CHOICES)
    message = DATES_QUESTION.format(label=contract.field(str(listing.dated)).label)
    question = Question(key, "mapping", part.table.sheet, letter, message, choices, True)
    return replace(part, mapping=replace(part.mapping, questions=(*part.mapping.questions, question)))
