"""Units that a column does not say: amounts whose unit stands above the table (« Montants en k€ TTC »), things sold in packs."""

from __future__ import annotations

import re
from dataclasses import replace

import polars as pl

from essaim.kernel.french import folded

from .check_batch import Part
from .check_status import beginnings, begins_with, of_status
from .contract import Contract, FieldType
from .issues_messages import MATTERS, PACKED, PARTLY, REMARKED, TITLE_UNIT
from .mapping_names import read_header
from .mapping_wide import is_part
from .masks import true_rows

_PACKS = r"(?i)\(\s*[x×]\s*\d{1,3}\s*\)|\b(?:lots?|packs?|cartons?|bo[iî]tes?|paquets?|sets?)\s+(?:de\s+)?([2-9]|[1-9]\d{1,2})\b"
_BY = r"(?i)^\s*(?:par|x|de)?\s*([2-9]|[1-9]\d{1,2})\b"
_PACKING = re.compile(r"\b(?:conditionnement|colisage|unite de vente|uv)\b")
_UNIT = re.compile(r"(?:unites?|u|um|uvc?|cond|type d unite|unite de (?:mesure|vente|facturation|commande)|conditionnement|colisage)")
_PACK = r"(?i)^\s*(?:lots?|packs?|cartons?|bo[iî]tes?|paquets?|palettes?|caisses?|colis|sets?|kits?|ctn?)\b"
_GLANCED, _FEW = 5_000, 40
LONGEST = 120
# A line that gives an amount of its own (« Total : 12 k€ ») says nothing of the others.
AMOUNT = re.compile(r"\d\s*(?:[kKM]?€|k?euros?|ttc|ht\b)", re.IGNORECASE)
_OWN_TAX = re.compile(r"\bh\.?t\b|\bt\.?t\.?c\b", re.IGNORECASE)
OWN_UNIT = re.compile(r"€|\beuros?\b|\beur\b", re.IGNORECASE)


def in_unit_of_title(part: Part, contract: Contract) -> Part:
    """The table with the thousands and the taxes that the lines above it tell of, for the columns of amounts whose header does not."""
    money = {name: place for name, place in part.mapping.fields.items() if contract.field(name).type is FieldType.MONEY}
    if not money or not part.table.prose:
        return part
    lines = [cell for _, cells in part.table.prose for cell in cells if len(cell) <= LONGEST and not AMOUNT.search(cell)]
    told = [(line, header) for line in lines if (header := read_header(line)).factor != 1 or header.tax_included]
    if not told:
        return part
    headers, remarks = list(part.mapping.headers), list(part.mapping.remarks)
    for name, place in money.items():
        text = part.table.columns[place].header
        for line, said in told:
            factor = said.factor if headers[place].factor == 1 and not OWN_UNIT.search(text) else 1
            taxed = said.tax_included and not _OWN_TAX.search(text)
            if factor != 1 or taxed:
                headers[place] = replace(headers[place], factor=factor * headers[place].factor, tax_included=taxed or headers[place].tax_included)
                if factor != 1:  # taxes are told with the amounts
                    remarks.append(("title_unit", name, TITLE_UNIT.format(label=contract.field(name).label, line=line)))
                break
    return replace(part, mapping=replace(part.mapping, headers=tuple(headers), remarks=tuple(remarks)))


_GIVEN_BACK = re.compile(r"\b(?:retourne\w*|retours?|rendus?|rendues?|repris\w*|annulee?s?|hs|voles?|manquant\w*|refus\w*|casse\w*|abimee?s?|endommage\w*|defectueu\w*|non conformes?|accepte\w*)\b")
_BACK = ("retour", "rendu", "repris", "annule", "hs", "vole", "manquant", "refus", "casse", "abime", "abîme", "endommage", "defectueu", "défectueu", "non conforme", "accepte")
_COUNTED_BACK = re.compile(r"\b\d+ (?:\w+ )?" + _GIVEN_BACK.pattern)
_OF_NOTHING = frozenset(("qte", "qtes", "quantite", "quantites", "nombre", "nb", "nbre", "total", "de", "d", "en", "unites", "totale"))
_LEFT = re.compile(r"\b(?:reste|restants?|restantes?|reliquat|a livrer)\b")


def speaks_of_less(key: str) -> bool:
    """Whether a folded text says that something was given back, is missing or still to come."""
    return bool(_GIVEN_BACK.search(key) or _LEFT.search(key))


def beside_quantities(part: Part, contract: Contract) -> Part:
    """The table with a remark when numbers that nothing took may change those to count: « Qté retournée », « Reste à livrer » beside
    a quantity that does not say of what."""
    wide = part.mapping.wide
    place = next((part.mapping.fields[name] for name in contract.adds if name in part.mapping.fields), None)
    if place is None and wide is None:
        return part
    plain = place is not None and set(folded(part.table.columns[place].header).split()) <= _OF_NOTHING
    used, remarks = {*part.mapping.fields.values(), *(wide.positions if wide else ())}, []
    for other, column in enumerate(part.table.columns):
        key = folded(column.header)
        if plain and other not in used and of_status(column.header) and (partly := _partly(part, other, contract)):
            remarks.append(("column_matters", contract.adds[0], PARTLY.format(header=" ".join(column.header.split()), example=partly, label=contract.field(contract.adds[0]).label)))
        if other in used or not (_GIVEN_BACK.search(key) or (plain and _LEFT.search(key)) or (wide and is_part(column.header))):
            continue
        cells = part.table.frame[f"c{other}"].head(_GLANCED).cast(pl.Float64, strict=False)
        if (cells != 0).any():
            first = true_rows(cells != 0)[0]
            example = f"{cells[first]:g}, ligne {part.table.frame['row'][first]}"
            label = contract.field(contract.adds[0]).label
            remarks.append(("column_matters", contract.adds[0], MATTERS.format(header=" ".join(column.header.split()), example=example, label=label)))
    return part.remarked([*remarks, *_in_remarks(part, contract)])


def _in_remarks(part: Part, contract: Contract) -> list[tuple[str, str, str]]:
    """What free remarks say that may change the number of their line: « 2 retournées », « non livré, en attente »."""
    place = part.mapping.fields.get("comment")
    texts = part.table.frame[f"c{place}"].head(_GLANCED) if place is not None else pl.Series(dtype=pl.String)
    void = (*contract.undone, *contract.partly)
    near = texts.filter(texts.str.contains_any(beginnings((*void, *_BACK)), ascii_case_insensitive=True).fill_null(False)) if len(texts) else texts
    said = [text for text in near.unique() if (key := folded(text)) not in void and (begins_with(text, void) or _COUNTED_BACK.search(key))]
    first = texts.is_in(said).arg_max() if said else None
    if first is None or place is None:
        return []
    header, label = " ".join(part.table.columns[place].header.split()), contract.field(contract.adds[0]).label
    return [("column_matters", contract.adds[0], REMARKED.format(header=header, example=texts[first], row=part.table.frame["row"][first], label=label))]


def _partly(part: Part, place: int, contract: Contract) -> str | None:
    """What a column of status says first of a row that only happened in part, and where."""
    texts = part.table.frame[f"c{place}"].head(_GLANCED)
    said = [text for text in texts.drop_nulls().unique().head(_FEW).to_list() if begins_with(text, contract.partly)]
    first = texts.is_in(said).fill_null(False).arg_max() if said else None
    return None if first is None else f"« {texts[first]} », ligne {part.table.frame['row'][first]}"


def in_packs(part: Part, contract: Contract) -> Part:
    """The table with a remark when what is counted may be packs: « Tablettes (lot de 10) », a column « Conditionnement »."""
    if not contract.adds:
        return part
    head, remarks = part.table.frame.head(_GLANCED), []
    texts = {place for name, place in part.mapping.fields.items() if contract.field(name).type in (FieldType.CODE, FieldType.TEXT)}
    used = set(part.mapping.fields.values())
    for place, column in enumerate(part.table.columns):
        key, free = folded(column.header), place not in used
        kinds = [_PACKS] if place in texts else [*([_PACKS, _BY] if free and _PACKING.search(key) else []), *([_PACK] if free and _UNIT.fullmatch(key) else [])]
        if kinds:
            cells = head[f"c{place}"]
            said = cells.filter(cells.str.contains("|".join(kinds)).fill_null(False))
            if len(said):
                remarks.append(("packed", contract.adds[0], PACKED.format(header=" ".join(column.header.split()) or column.letter, example=said[0])))
    return part.remarked(remarks)
