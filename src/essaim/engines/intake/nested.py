"""Tables whose lines stand under others: pivots in compact, outline or tabular form, and lists written like them.

Such a table says the school once for the lines under it, with their sum. Numbers that are the sums of what stands under them prove
which lines those are, and so do identifiers of schools; anything else is asked. Lines of sum are never counted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, replace
from decimal import Decimal

import polars as pl

from essaim.kernel.french import folded, read_date, read_number

from .cells_readers import read_cell
from .context import SCHOOL, identifiers
from .contract import Contract, Field, FieldType
from .issues_messages import (
    LEVEL_QUESTION,
    LEVELS_CHOICES,
    LEVELS_QUESTION,
    LEVELS_READ,
    LEVELS_SUMS,
    NONE_CHOICE,
)
from .locate.shape import DATE, MISSING, NUMBER, YEAR, kind_of
from .mapping import layout_of
from .mapping_names import worked_out
from .nested_levels import (
    Node,
    adds_up,
    by_indent,
    by_leaves,
    by_parents,
    has_children,
    is_staircase,
    paths,
    with_totals,
)
from .report import Question
from .reshaped import Reshaped
from .tables import Column, RawTable

UNKNOWN = "Regroupement {level}"
HEADING = "titre ou sous-total des lignes qui suivent"
_LEAST, _MOST, _LABELS, _SHOWN = 3, 20_000, 4, 20
_OFTEN = 0.25
_GRAND = re.compile(r"(?:(?:grand )?total|total (?:general|resultat)|resultat|totaux|ensemble)")
# Columns whose numbers are not added up under a heading.
_NO_SUM = re.compile(r"(?:prix unitaire|pu|taux)\b")
_PARTS = re.compile(r"\s*(?:/|>|»|→|\bpuis\b)\s*")
# What a label may be, beside the name of the field whose list it belongs to.
_UAI, _SCHOOL, _DATE, _OTHER, _BARE = "uai:", "school:", "date:", "", "bare:"


@dataclass(frozen=True, slots=True)
class _Lines:
    """The lines of a table with those of total back in their place: row, cells; ``labels``: the columns of texts that stand above
    one another; ``numbers``: the columns of numbers, ``counted`` those of them that are added up."""

    rows: list[int]
    cells: list[Sequence[str | None]]
    labels: tuple[int, ...]
    numbers: tuple[int, ...]
    counted: tuple[int, ...]

    def values(self, line: int) -> dict[int, Decimal]:
        found = ((place, read_number(cell)) for place in self.numbers if (cell := self.cells[line][place]))
        return {place: number.value for place, number in found if number is not None}

    def is_bare(self, line: int) -> bool:
        """Whether a line holds nothing but labels and numbers."""
        return not any(cell for place, cell in enumerate(self.cells[line]) if place not in self.labels and place not in self.numbers)


def unnested(table: RawTable, contract: Contract, answers: MappingOf[str, str]) -> Reshaped:
    """The table with what stands above each line written on it, and the lines of sum left out; itself when no line stands above others."""
    lines = _lines(table)
    if lines is None:
        return Reshaped(table)
    key = f"levels:{layout_of(table, contract)}"
    judged = [(nodes, own, sure) for nodes, own, known in _readings(table, lines, contract) if (sure := _is_sure(nodes, own, known, contract)) is not None]
    said = answers.get(key)
    if not judged or said == "":
        return Reshaped(table)
    nodes, lines, sure = max(judged, key=lambda way: way[2])
    built = _compact(table, lines, nodes, contract, answers) if len(lines.labels) == 1 else Reshaped(_filled(table, lines, nodes))
    if not sure and said is None:
        return replace(built, questions=(_question(key, table, nodes), *built.questions))
    summed = sum(parent and node.line is not None and bool(node.numbers) for node, parent in zip(nodes, has_children(nodes), strict=True))
    detail = LEVELS_READ.format(example=nodes[0].label.strip()) + (LEVELS_SUMS.format(count=summed) if summed else "")
    return replace(built, remarks=(("levels_read", "", detail),))


# -- lines and labels --------------------------------------------------------------------------------------------


def _lines(table: RawTable) -> _Lines | None:
    """The lines of a table that may be nested; None, at little cost, when every line says all by itself."""
    frame, width = table.frame, len(table.columns)
    if table.turned or width < 2 or not _LEAST <= frame.height <= _MOST:
        return None
    first = frame["c0"]
    holed = first.null_count()
    told = not table.totals and any(not frame[f"c{place}"].null_count() and not _is_number(frame[f"c{place}"][0]) for place in range(1, width))
    if told or (holed and not (first[0] and holed >= _OFTEN * frame.height)):
        return None
    found = [*zip(frame["row"].to_list(), frame.drop("row").rows(), strict=True), *((row, cells) for row, cells in table.totals if len(cells) == width)]
    found.sort(key=lambda item: item[0])
    numbers = tuple(place for place in range(1, width) if _holds_numbers(frame[f"c{place}"]))
    texts = next((place for place in range(width) if place in numbers), width)
    labels = tuple(range(min(texts, _LABELS))) if holed or (table.totals and not all(cells[0] for _, cells in found)) else (0,)
    kept = [(row, cells) for row, cells in found if any(cells[place] for place in labels) and not _GRAND.fullmatch(folded(next(cells[place] for place in labels if cells[place]) or ""))]
    if not numbers or (len(labels) == 1 and _is_number(kept[0][1][0] if kept else None)):
        return None
    keys = {place: folded(table.columns[place].header) for place in numbers}
    counted = tuple(place for place, key in keys.items() if not _NO_SUM.match(key) and worked_out(key) is None)
    return _Lines([row for row, _ in kept], [cells for _, cells in kept], labels, numbers, counted)


def _is_number(cell: str | None) -> bool:
    return cell is not None and kind_of(cell) in (NUMBER, YEAR, MISSING)


def _holds_numbers(column: pl.Series) -> bool:
    cells = column.drop_nulls().head(200).to_list()
    return bool(cells) and sum(map(_is_number, cells)) >= 0.9 * len(cells)


def _readings(table: RawTable, lines: _Lines, contract: Contract) -> Iterator[tuple[list[Node], _Lines, bool]]:
    """Each way in which labels may stand above one another, in which columns, and whether the sender's own layout says so."""
    if len(lines.labels) > 1:
        for count in range(len(lines.labels), 1, -1):  # the last ones may be on every line, as any other column
            fewer = replace(lines, labels=lines.labels[:count])
            nodes = _by_column(fewer)
            if nodes and is_staircase([node.level for node in nodes]):
                yield nodes, fewer, True
        return
    plain = [Node(line, 0, cells[0] or "", lines.values(line)) for line, cells in enumerate(lines.cells)]
    plain, _ = with_totals(plain, lines.counted.__contains__)
    kinds = {label: _kind(label, contract) for label in dict.fromkeys(node.label for node in plain)}
    told = [_SCHOOL if (kind := kinds[node.label]) == _UAI else kind for node in plain]
    if not told:
        return
    indents = dict(table.indents)
    set_in = [indents.get(lines.rows[node.line or 0], 0) + len(node.label) - len(node.label.lstrip()) for node in plain]
    bare = [_BARE if lines.is_bare(node.line or 0) else _OTHER for node in plain]
    ways = [(by_indent(set_in), True), *([(by_leaves(told), False)] if told[-1] != _OTHER else []), (by_parents(told, _SCHOOL), False), (by_parents(bare, _BARE), False)]
    for levels, known in ways:
        if is_staircase(levels):
            nodes = [replace(node, level=level) for node, level in zip(plain, levels, strict=True)]
            if all(lines.is_bare(node.line or 0) for node, parent in zip(nodes, has_children(nodes), strict=True) if parent):
                yield nodes, lines, known


def _by_column(lines: _Lines) -> list[Node]:
    """Labels in successive columns, each written on the first of its lines only; none when the lowest is not on every line that is
    not a heading."""
    found: list[Node] = []
    deepest = len(lines.labels) - 1
    for line, cells in enumerate(lines.cells):
        written = [place for place in lines.labels if cells[place]]
        if not written or any(not cells[place] for place in range(written[0], written[-1])):
            return []
        found += [Node(None, place, cells[place] or "", {}) for place in written[:-1]]
        found.append(Node(line, written[-1], cells[written[-1]] or "", lines.values(line)))
        if written[-1] < deepest and not lines.is_bare(line):
            return []
    nodes, _ = with_totals(found, lines.counted.__contains__)
    return nodes


def _kind(label: str, contract: Contract) -> str:
    if any(identifiers([label])):
        return _UAI
    if SCHOOL.match(folded(label)):
        return _SCHOOL
    code = next((field.name for field in _codes(contract) if read_cell(label.strip(), field).value is not None), None)
    if code is not None:
        return code
    return _DATE if kind_of(label) == DATE and read_date(label) else _OTHER


def _codes(contract: Contract) -> list[Field]:
    return [field for field in contract.fields if field.type is FieldType.CODE and field.required]


# -- proof -------------------------------------------------------------------------------------------------------


def _is_sure(nodes: Sequence[Node], lines: _Lines, known: bool, contract: Contract) -> bool | None:
    """True: sums or identifiers of schools prove it; False: it looks so, and is asked; None: nothing says so."""
    parents = has_children(nodes)
    if len(lines.labels) > 1 and not any(parent and node.line is not None for node, parent in zip(nodes, parents, strict=True)) and adds_up(nodes, lines.counted) is None:
        return None  # repeated labels left blank, without any sum: see ``fill_down``
    lowest = max(node.level for node in nodes)
    above = {_kind(node.label, contract) for node, parent in zip(nodes, parents, strict=True) if parent and node.level == lowest - 1}
    below = {_kind(node.label, contract) for node, parent in zip(nodes, parents, strict=True) if not parent}
    several = any(after.level == node.level and not parent for node, after, parent in zip(nodes, nodes[1:], parents, strict=False))
    proved = adds_up(nodes, lines.counted)
    told_apart = bool(above - {_DATE, _OTHER}) and not above & below
    if proved and several and (known or told_apart or sum(parents) > 1):
        return True
    if proved is None and above == {_UAI} and not below & {_UAI, _SCHOOL}:
        return True
    return False if told_apart or (known and len(lines.labels) == 1) else None


def _question(key: str, table: RawTable, nodes: Sequence[Node]) -> Question:
    top, under = nodes[0].label.strip(), next((node.label.strip() for node in nodes[1:]), "")
    return Question(key, "mapping", table.sheet, table.columns[0].letter, LEVELS_QUESTION.format(top=top, under=under), LEVELS_CHOICES, True)


# -- the table, one line a thing ---------------------------------------------------------------------------------


def _compact(table: RawTable, lines: _Lines, nodes: Sequence[Node], contract: Contract, answers: MappingOf[str, str]) -> Reshaped:
    """One column a level in place of the only one; a heading without anything under it stays, lower columns empty."""
    depth = max(node.level for node in nodes) + 1
    written = [(node, path) for node, path, parent in zip(nodes, paths(nodes), has_children(nodes), strict=True) if not parent]
    levels = [pl.Series(f"c{level}", [path[level] if level < len(path) else None for _, path in written], dtype=pl.String) for level in range(depth)]
    fields = [_field_of(nodes, level, contract) for level in range(depth)]
    pieces = _PARTS.split(table.columns[0].header)
    letter = table.columns[0].letter
    headers = [field.label if field else pieces[level] if len(pieces) == depth else UNKNOWN.format(level=level + 1) for level, field in enumerate(fields)]
    told = any(any(identifiers(cell for cell in lines.cells[node.line or 0][1:] if cell)) for node, _ in written[:_SHOWN])
    if told and fields[-1] is None:  # the lowest labels are what the column says, their school stands beside
        headers[-1] = table.columns[0].header
    question = None if told else _unknown(table, nodes, fields, headers, contract, answers)
    columns = (*(Column(letter, header) for header in headers), *table.columns[1:])
    others = [[lines.cells[node.line or 0][place] for node, _ in written] for place in range(1, len(table.columns))]
    frame = pl.DataFrame([*levels, *(pl.Series(f"c{depth + place}", cells, dtype=pl.String) for place, cells in enumerate(others)),
                          pl.Series("row", [lines.rows[node.line or 0] for node, _ in written], dtype=pl.UInt32)])  # fmt: skip
    return Reshaped(_left(table, columns, frame), (question,) if question else ())


def _field_of(nodes: Sequence[Node], level: int, contract: Contract) -> Field | None:
    """What the labels of a level are, as most of them read."""
    labels = [node.label for node in nodes if node.level == level]
    kinds = [_kind(label, contract) for label in dict.fromkeys(labels)]
    most = max(dict.fromkeys(kinds), key=kinds.count, default=_OTHER)
    if most == _OTHER or 2 * kinds.count(most) < len(kinds):
        return None
    school = next((field for field in contract.fields if field.type is FieldType.UAI), None)
    if most == _UAI:
        return school
    if most == _SCHOOL:
        return next((contract.field(name) for name in school.references_with if "commune" not in name), None) if school else None
    if most == _DATE:
        return next((field for field in contract.fields if field.type is FieldType.DATE and field.required), None)
    return contract.field(most)


def _unknown(
    table: RawTable, nodes: Sequence[Node], fields: Sequence[Field | None], headers: list[str], contract: Contract, answers: MappingOf[str, str]
) -> Question | None:
    """What the labels above articles are, asked where nothing says which school lines are of; ``headers`` is completed by the answer."""
    school = next((field for field in contract.fields if field.type is FieldType.UAI and field.required), None)
    level = next((level for level, header in reversed(list(enumerate(headers))) if header == UNKNOWN.format(level=level + 1)), None)
    if school is None or level is None or any(field and (field is school or field.name in school.references_with) for field in fields) or table.sections:
        return None
    identity = f"level:{layout_of(table, contract)}:{level}"
    answer = answers.get(identity)
    if answer is not None:
        headers[level] = contract.field(answer).label if answer in school.references_with else headers[level]
        return None
    shown = ", ".join(f"« {label} »" for label in list(dict.fromkeys(node.label.strip() for node in nodes if node.level == level))[:3])
    choices = (*((name, contract.field(name).label, 0.0) for name in school.references_with), ("", NONE_CHOICE, 0.0))
    return Question(identity, "mapping", table.sheet, table.columns[0].letter, LEVEL_QUESTION.format(examples=shown), choices, True)


def _filled(table: RawTable, lines: _Lines, nodes: Sequence[Node]) -> RawTable:
    """What is written once in each column of labels, on all of its lines."""
    written = [(node, path) for node, path, parent in zip(nodes, paths(nodes), has_children(nodes), strict=True) if node.line is not None and not parent]
    columns = [
        [path[place] if place < len(path) else None for _, path in written] if place in lines.labels else [lines.cells[node.line or 0][place] for node, _ in written]
        for place in range(len(table.columns))
    ]
    rows = pl.Series("row", [lines.rows[node.line or 0] for node, _ in written], dtype=pl.UInt32)
    return _left(table, table.columns, pl.DataFrame([*(pl.Series(f"c{place}", cells, dtype=pl.String) for place, cells in enumerate(columns)), rows]))


def _left(table: RawTable, columns: tuple[Column, ...], frame: pl.DataFrame) -> RawTable:
    """The table with these cells; rows that are no longer in it are left out as headings."""
    gone = table.frame.filter(~pl.col("row").is_in(frame["row"].implode()))["row"].to_list()
    return replace(table, columns=columns, frame=frame, merged=(), totals=(), indents=(), skipped=(*table.skipped, *((row, HEADING) for row in gone)))
