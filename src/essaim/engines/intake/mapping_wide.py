"""Files with one column per category or per month: such columns become rows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass

import numpy as np
import polars as pl
from rapidfuzz import fuzz, process

from essaim.kernel.french import folded

from .cells_codes import code_spellings
from .cells_readers import read_cell, repaired_mojibake
from .contract import Contract, Field, FieldType, Wide
from .issues_messages import IGNORE_CHOICE, MAPPING_QUESTION
from .mapping_content import fit, sample_of
from .mapping_names import FieldNames, HeaderName, of_another_state, read_header
from .mapping_short import only_meaning
from .report import Mapping, Question
from .tables import RawTable

_CERTAIN = 94.0
_LONGEST = 120
IGNORED = ""


@dataclass(frozen=True, slots=True)
class WideColumns:
    """``codes``: position of the column → text written into the field ``into`` for its cells, whose content goes to ``value``.
    ``beside``: position of such a column → field → position of the column that says it of the same code (« dont en service »)."""

    into: str
    value: str
    codes: dict[int, str]
    beside: dict[int, dict[str, int]]

    @property
    def fields(self) -> set[str]:
        """Every field that the block gives."""
        return {self.into, self.value, *(name for found in self.beside.values() for name in found)}

    @property
    def positions(self) -> set[int]:
        return {*self.codes, *(place for found in self.beside.values() for place in found.values())}

    def mapping(self, table: RawTable) -> tuple[Mapping, ...]:
        """One line a column: the cell is the value, the header gives the category."""
        lines = [(i, self.value, code) for i, code in self.codes.items()]
        lines += [(place, name, self.codes[i]) for i, found in self.beside.items() for name, place in found.items()]
        return tuple(
            Mapping(table.columns[i].letter, table.columns[i].header, name, 95.0, f"une colonne par valeur : « {code} »", code) for i, name, code in sorted(lines)
        )


def wide_columns(
    table: RawTable, contract: Contract, headers: tuple[HeaderName, ...], names: np.ndarray, settled: dict[int, str], known: FieldNames,
    given: MappingOf[str, str], least: int = 2,
) -> WideColumns | None:
    """The block of ``least`` columns or more named after values of a Wide field, when the table has no column for that field itself.

    ``given``: letter of a column → the code that the sender says it is of (``""``: none)."""
    positions = {name: i for i, name in enumerate(contract.field_names)}
    for wide in contract.wide:
        if wide.into in settled.values() or (names[:, positions[wide.into]] >= _CERTAIN).any():
            continue
        field = contract.field(wide.into)
        if _titled_otherwise(table, contract, wide):
            continue
        if field.type in (FieldType.DATE, FieldType.MONTH) and _adds_up(table):
            continue
        codes: dict[int, str] = {}
        others: dict[int, tuple[str | None, str]] = {}
        for line, header in enumerate(headers):
            if line in settled or of_another_state(header, contract.field(wide.value), known.words[positions[wide.value]]):
                continue
            other = contract.field_names[int(names[line].argmax())] if names[line].max(initial=0.0) >= _CERTAIN else None
            code, said = _code_and_field(header, table.columns[line].header, field, wide, contract, known)
            code = given.get(table.columns[line].letter, code) or None
            said = said or (other if other not in (wide.into, wide.value) else None)
            if said is not None and (code is not None or other is not None):
                others[line] = (code, said)
            elif code is not None and not (other is not None and len(header.levels) < 2) and not _of_other_measure(header.text, contract.field(wide.value)):
                codes[line] = code
        codes = _parts_for_whole(table, headers, codes, field, wide)
        if len(codes) >= least:
            return WideColumns(wide.into, wide.value, codes, _beside(codes, others))
    return None


def is_part(header: str) -> bool:
    """Whether a column counts things that the one before it counts too: « PC | dont portables »."""
    return folded(header).startswith("dont ")


def _parts_for_whole(table: RawTable, headers: tuple[HeaderName, ...], codes: dict[int, str], field: Field, wide: Wide) -> dict[int, str]:
    """« Ordinateurs | dont portables | dont fixes »: the parts instead of the whole that they add up to; nothing changed where they do not."""
    found: dict[int, str] = {}
    for place, code in codes.items():
        parts: dict[int, str] = {}
        for other in range(place + 1, len(headers)):
            rest = read_header(folded(table.columns[other].header).removeprefix("dont "))
            named = _named(rest, rest.text, field, wide) if is_part(table.columns[other].header) and field.type is FieldType.CODE else None
            if named is None:
                break
            parts[other] = named
        found |= parts if len(parts) > 1 and _add_up_to(table, place, parts) else {place: code}
    return found


def _add_up_to(table: RawTable, place: int, parts: Iterable[int]) -> bool:
    sums = table.frame.select(whole=_number(place), parts=pl.sum_horizontal(_number(at) for at in parts))
    return sums["whole"].equals(sums["parts"], check_names=False)


def _number(place: int) -> pl.Expr:
    return pl.col(f"c{place}").cast(pl.Float64, strict=False).fill_null(0.0)


def _titled_otherwise(table: RawTable, contract: Contract, wide: Wide) -> bool:
    """« Budget alloué (€) » above a table none of whose columns is of amounts by its header: its numbers are no numbers of things."""
    value = contract.field(wide.value)
    lines = [cell for _, cells in table.prose for cell in cells if len(cell) <= _LONGEST and not any(map(str.isdigit, cell.replace("20", "")))]
    return any(_of_other_measure(line, value) for line in lines) and not any(_of_other_measure(column.header, value) for column in table.columns)


_MEASURE = re.compile(r"[%€]|\b(?:montants?|budgets?|co[uû]ts?|prix|d[ée]penses?|taux|pourcentages?|t\.?t\.?c|h\.?t)\b", re.IGNORECASE)


def _of_other_measure(text: str, value: Field) -> bool:
    """Whether a header or a title speaks of amounts or shares where the columns of the block should hold numbers of things."""
    return value.type is FieldType.INTEGER and bool(_MEASURE.search(text))


def _adds_up(table: RawTable) -> bool:
    """Whether the columns or what stands above them say that each date holds what came before too (« cumul au 31/03 »)."""
    texts = [table.sheet, *(column.header for column in table.columns), *(cell for _, cells in table.prose for cell in cells)]
    return any("cumul" in text.casefold() for text in texts)


def doubtful_codes(
    table: RawTable, contract: Contract, headers: tuple[HeaderName, ...], block: WideColumns, layout: str, given: MappingOf[str, str], known: FieldNames
) -> Iterator[tuple[str, Question]]:
    """Columns of numbers beside a block whose header nearly names a code: letter and question. Left out in silence, they would be
    equipment that nobody counts."""
    field, value = contract.field(block.into), contract.field(block.value)
    if field.type is not FieldType.CODE:
        return
    for position, column in enumerate(table.columns):
        if of_another_state(headers[position], value, known.words[contract.field_names.index(block.value)]):
            continue
        if position in block.positions or (position + 1 in block.codes and is_part(table.columns[position + 1].header)):
            continue
        if column.letter in given or is_part(column.header) or _of_other_measure(column.header, value) or not (near := _nearly(headers[position], field)):
            continue
        texts = sample_of(table.frame[f"c{position}"], few=True)
        if texts and fit(texts, value) >= 0.8:
            labels = {code.value: code.label for code in field.codes}
            choices = tuple((code, label, 0.0) for code, label in sorted(labels.items(), key=lambda item: item[0] != near))
            message = MAPPING_QUESTION.format(letter=column.letter, header=column.header)
            yield column.letter, Question(f"code:{layout}:{column.letter}", "mapping", table.sheet, column.letter, message, (*choices, (IGNORED, IGNORE_CHOICE, 0.0)), True)


def _nearly(header: HeaderName, field: Field) -> str | None:
    """The code whose spelling is close to the header, or that its first words name."""
    spellings = code_spellings(field)
    for form in (*header.forms[:1], *without_verbs(header.forms[:1])):
        reading = read_cell(form, field)
        if reading.remark == "code_head":
            return str(reading.value)
        close = process.extractOne(form, spellings.keys(), scorer=fuzz.ratio, score_cutoff=78) if len(form) > 4 else None
        if close:
            return spellings[close[0]]
    return None


def _code_and_field(header: HeaderName, text: str, field: Field, wide: Wide, contract: Contract, known: FieldNames) -> tuple[str | None, str | None]:
    """The code a header names, and the other field it speaks of too (``tablettes en service``, ``Tablettes / En service``)."""
    code = _named(header, text, field, wide)
    if field.type is not FieldType.CODE or not header.forms:
        return code, None
    spellings = code_spellings(field)
    words = header.forms[0].split()
    for cut in range(1, len(words)):
        for one, rest in ((words[:cut], words[cut:]), (words[cut:], words[:cut])):
            found = spellings.get(" ".join(one))
            name = _spelled(" ".join(rest), contract, known) if found else None
            if name not in (None, wide.into, wide.value):
                return found, name
    return code, None


def _spelled(text: str, contract: Contract, known: FieldNames) -> str | None:
    return contract.field_names[int(known.owner[known.names.index(text)])] if text in known.names else None


def _beside(codes: dict[int, str], others: dict[int, tuple[str | None, str]]) -> dict[int, dict[str, int]]:
    """Columns that say something of one code: those that name it, and those that come again after each (« dont en service »)."""
    found: dict[int, dict[str, int]] = {}
    times = Counter(name for code, name in others.values() if code is None)
    for place, (code, name) in others.items():
        if code is not None:
            owner = next((i for i, other in codes.items() if other == code), None)
        else:
            owner = max((i for i in codes if i < place), default=None) if times[name] > 1 else None
        if owner is not None:
            found.setdefault(owner, {}).setdefault(name, place)
    return found


def _named(header: HeaderName, text: str, field: Field, wide: Wide) -> str | None:
    extra = {folded(key): value for key, value in wide.extra_headers.items()}
    forms = (*header.levels, *header.forms, *without_verbs(header.forms))
    for form in forms:
        if form in extra:
            return extra[form]
    if field.type is FieldType.CODE:
        spellings = code_spellings(field)
        for form in forms:
            reading = read_cell(form, field)
            if form in spellings or (reading.value is not None and reading.remark is None):
                return str(spellings.get(form) or reading.value)
        return only_meaning(text, spellings.items())
    if field.type is FieldType.UAI and (suggestion := read_cell(text, field).suggestion):  # « Collège Matisse (0020007X) »
        return suggestion if read_cell(suggestion, field).value is not None and any(map(str.isalpha, text)) else None
    for part in reversed((repaired_mojibake(text) or text).split(" / ")):
        if not part.strip():
            continue
        written = read_cell(part, field)
        if written.value is not None and written.remark != "date_serial":
            return part
    return None


_VERBS = frozenset(("nb", "nombre", "de", "d", "qte", "quantite", "livre", "livres", "livree", "livrees", "commande", "commandes", "commandee", "commandees", "total", "des", "les",
    "combien", "avez", "vous", "y", "a", "t", "il", "nbre", "recu", "recus", "recue", "recues"))


def without_verbs(forms: tuple[str, ...]) -> list[str]:
    """``nb de tablettes livrées`` → ``tablettes``."""
    found = []
    for form in forms:
        words = [word for word in form.split() if word not in _VERBS]
        if words and len(words) < len(form.split()):
            found.append(" ".join(words))
    return found
