"""What a sender writes once for a whole table: in its title, above it, between its rows, in the name of the sheet or of the file.

A title is not a column: what is taken from it is told, and only where it can be read one way. Numbers are never taken so."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

import polars as pl

from essaim.kernel import uai
from essaim.kernel.french import folded, read_date

from .cells_readers import read_cell
from .check_batch import Part
from .contract import NUMERIC, Contract, Field, FieldType
from .mapping import known_names
from .mapping_names import FieldNames, read_header
from .mapping_units import in_unit_of_title
from .mapping_wide import without_verbs
from .tables import Column, RawTable

_UAI = re.compile(r"(?<![0-9A-Za-z])([0-9]{7}) ?([A-Za-z])(?![0-9A-Za-z])")
_DATED = re.compile(
    r"(\w+)\s*:?\s+(?:(?:du|le|au|en|de|en date du)\s+)?(\d{1,2}(?:er)?[\s/.\-]+(?:\d{1,2}|[^\W\d]+\.?)[\s/.\-]+(?:\d{4}|\d{2})\b|[^\W\d]{3,}\.? \d{4}\b|\d{4}-\d{2}-\d{2})",
)
_OTHER_ACTS = frozenset(
    ["edite", "edition", "imprime", "impression", "extrait", "extraction", "maj", "jour", "mis", "mise", "commande", "commandes", "prevue", "prevues", "prevu", "previsionnelle", "signature", "facture", "marche", "convention", "deliberation", "notification", "arrete", "conseil", "envoi", "transmis"]
)  # fmt: skip
_DATED_LATER = re.compile(r"\b(?:au|du|le|en)\s+(\d{1,2}(?:er)?[\s/.\-]+(?:\d{1,2}|[^\W\d]+\.?)[\s/.\-]+(?:\d{4}|\d{2})\b|\d{4}-\d{2}-\d{2})", re.IGNORECASE)
_A_MONTH = re.compile(r"(.*?[^\w/.-]|.*?_|)\s*([^\W\d]{3,}\.?[\s_-]+\d{4}|\d{2}[-/.]\d{4}|\d{4}[-/.]\d{2})")
_LINKS = frozenset(("de", "du", "des", "d", "mois", "en", "le", "la", "les", "pour"))
_LOT = re.compile(r"^\s*(?:lot|poste|tranche|onglet|feuille|\d+)\s*(?:n[°o]\s*)?\w{0,3}\s*[-–—:.]\s*", re.IGNORECASE)
_SPAN = re.compile(r"\b(?:du|de|entre)\b.{1,20}\d\s+(?:au|à|et)\s+(?:le\s+)?\d", re.IGNORECASE)
_ANY_DATE = re.compile(r"(?<!\d)(?:\d{1,2}(?:er)?[\s/.\-]+(?:\d{1,2}|[^\W\d]{3,}\.?)[\s/.\-]+(?:\d{4}|\d{2})|\d{4}-\d{2}-\d{2})(?!\d)")
SCHOOL = re.compile(r"(?:ecole|college|lycee|groupe scolaire|maternelle|elementaire|primaire|cite scolaire)\b")
Reading = Callable[[tuple[str, ...]], Iterable[str]]
_LONGEST, _FEW_ROWS, _FEW_COLUMNS = 120, 15, 3


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of text around a table, and how to tell where it stands."""

    cells: tuple[str, ...]
    where: str


@dataclass(frozen=True, slots=True)
class _Given:
    """A field's text from the row ``since`` on, and where it was read."""

    field: str
    text: str
    where: str
    since: int = 0


def complete(parts: Sequence[Part], aside: Sequence[Part], contract: Contract, filename: str, answers: MappingOf[str, str]) -> list[Part]:
    """The same tables, with the fields they have no column for where the words around them say their value.

    ``aside``: tables of the same file that are not of the contract; a small one above a table is read as its heading.
    ``answers``: ``once:<field>`` and ``once:<layout>:<field>`` are what the sender says of the whole table."""
    names = known_names(contract)
    found = []
    for given_part in parts:
        part = _answered(given_part, contract, answers)
        around = [*_above(part, aside, _floor(part, parts)), _Line((part.table.sheet,), f"nom de la feuille « {part.table.sheet} »")]
        stem = PurePosixPath(filename).name.split(".")[0]
        alone = len(parts) == 1 and folded(stem) != folded(part.table.sheet)
        named = [_Line((stem.replace("_", " "),), f"nom du fichier « {filename} »")] if alone or len(around) == 1 else []
        given = _given(part, contract, names, around, named)
        found.append(in_unit_of_title(_with(part, given, contract) if given else part, contract))
    return found


def _answered(part: Part, contract: Contract, answers: MappingOf[str, str]) -> Part:
    wide = part.mapping.wide
    taken = set(part.mapping.fields) | (wide.fields if wide else set())
    said = {name: answers.get(f"once:{part.mapping.layout}:{name}") or answers.get(f"once:{name}") for name in contract.field_names if name not in taken}
    given = [_Given(name, text, "réponse de l'expéditeur") for name, text in said.items() if text]
    return _with(part, given, contract) if given else part


def dates_around(part: Part, filename: str) -> list[str]:
    """Every date written above a table, in the name of its sheet or of its file, whatever it is the date of."""
    texts = [cell for _, cells in part.table.prose for cell in cells]
    stem = PurePosixPath(filename.replace("\\", "/")).name.split(".")[0].replace("_", " ")
    found = (text for cell in (*texts, part.table.sheet, stem) for text in _ANY_DATE.findall(cell[:_LONGEST]))
    return [text for text in dict.fromkeys(found) if read_date(text) is not None]


def _floor(part: Part, parts: Sequence[Part]) -> int:
    """The last row of the table above in the same sheet: what is written before it is not said of this one."""
    top = part.table.header_row or 0
    others = (other.table for other in parts if other.table.sheet == part.table.sheet and not other.table.turned and other.rows)
    ends = (int(table.frame["row"][-1]) for table in others)
    return max((row for row in ends if row < top), default=0)


def _above(part: Part, aside: Sequence[Part], floor: int) -> list[_Line]:
    """Lines of prose above a table, and those of a small table left aside just above it, under the row ``floor``."""
    lines = [_Line(cells, f"ligne {row}") for row, cells in part.table.prose]
    top = part.table.header_row or 0
    for other in aside:
        table = other.table
        if table.turned and table.sheet == part.table.sheet and other.rows == 1 and floor < int(table.columns[0].letter) < top:
            lines += [_Line(cells, f"ligne {row}") for row, cells in table.prose]
            lines += [_Line((column.header, cell), f"ligne {column.letter}") for column, cell in zip(table.columns, table.frame.row(0), strict=False) if cell]
        elif table.sheet == part.table.sheet and floor < (table.header_row or 0) < top and len(table.columns) <= _FEW_COLUMNS and other.rows <= _FEW_ROWS:
            lines += [_Line(cells, f"ligne {row}") for row, cells in table.prose]
            heading = tuple(column.header for column in table.columns if column.header)
            lines.append(_Line(heading, f"ligne {table.header_row}"))
            for *cells, row in table.frame.iter_rows():
                lines.append(_Line(tuple(cell for cell in cells if cell), f"ligne {row}"))
    return lines


def lines_above(part: Part, aside: Sequence[Part], parts: Sequence[Part]) -> list[tuple[str, ...]]:
    """The cells of each line written above a table, those of a small table left aside included."""
    return [line.cells for line in _above(part, aside, _floor(part, parts))]


def _given(part: Part, contract: Contract, names: FieldNames, around: list[_Line], file: list[_Line]) -> list[_Given]:
    wide = part.mapping.wide
    taken = set(part.mapping.fields) | (wide.fields if wide else set())
    found: dict[str, list[_Given]] = {}
    for name, text, where in _labelled(around, contract, names):
        if name not in taken:
            found.setdefault(name, [_Given(name, text, where)])
    for position, field in enumerate(contract.fields):
        if field.name in taken or field.name in found:
            continue
        given = _of_kind(field, names.words[position], part, contract, around, file)
        if given:
            found[field.name] = given
    _school(part, contract, around, taken, found)
    return [item for items in found.values() for item in items]


def _of_kind(field: Field, words: frozenset[str], part: Part, contract: Contract, around: list[_Line], file: list[_Line]) -> list[_Given]:
    """A field that its content alone tells: an identifier of school, a date said to be its own, a value of its list."""
    if field.type is FieldType.UAI and field.required:
        if not _one_school(part, field):
            return []
        between = [_Given(field.name, code, f"ligne {row}", row) for row, text in part.table.sections if (code := _only(identifiers([text])))]
        return [*_first(field, identifiers, around, file), *between]
    if field.type is FieldType.DATE and field.required:
        return _first(field, lambda cells: _dates(cells, words), around) or _first(field, lambda cells: _month(cells, words), around)
    if field.type is FieldType.CODE and field.required:
        return _first(field, lambda cells: _codes(cells, field), around[::-1])
    return []


def _first(field: Field, reading: Reading, *sources: list[_Line]) -> list[_Given]:
    """What the nearest source says, when it says one thing only. Sheet and file names are sources of their own."""
    for source in sources:
        for lines in (source[:-1], source[-1:]):
            told = [(text, line.where) for line in lines for text in reading(line.cells)]
            if len({text for text, _ in told}) > 1:
                return []
            if told:
                return [_Given(field.name, *told[0])]
    return []


def _one_school(part: Part, field: Field) -> bool:
    """Whether a table may be about one school only: it names none, or one."""
    columns = [f"c{part.mapping.fields[name]}" for name in field.references_with if name in part.mapping.fields and "name" in name]
    return all(part.table.frame[column].drop_nulls().n_unique() <= 1 for column in columns)


def identifiers(cells: Iterable[str]) -> Iterator[str]:
    for cell in cells:
        for digits, letter in _UAI.findall(cell[:_LONGEST]):
            if uai.key_letter(digits) == letter.upper():
                yield digits + letter.upper()


def _only(texts: Iterable[str]) -> str | None:
    found = set(texts)
    return found.pop() if len(found) == 1 else None


def _dates(cells: Iterable[str], words: frozenset[str]) -> Iterator[str]:
    """``Livraison du 14/03/2022`` where the field is called a livraison; a date of printing is not one."""
    for cell in cells:
        if _SPAN.search(cell[:_LONGEST]):  # « du 01/09/2021 au 31/12/2022 » says no date
            continue
        pairs = ((folded(word), text) for word, text in _DATED.findall(cell[:_LONGEST]))
        own = [text for key, text in pairs if key not in ("date", "du", "le", "au", "en") and (key in words or key.removesuffix("s") in words)]
        yield from own or _later_date(cell[:_LONGEST], words)


def _month(cells: Iterable[str], words: frozenset[str]) -> Iterator[str]:
    """« Mars 2022 », « Livraisons mars 2022 », « 03-2022 » as the name of a sheet: the month of its lines."""
    for cell in cells:
        found = _A_MONTH.fullmatch(cell[:_LONGEST].strip())
        before = folded(found[1] or "").split() if found else []
        if found and all(word in _LINKS or word in words or word.removesuffix("s") in words for word in before) and read_date(found[2]):
            yield found[2]


def _later_date(cell: str, words: frozenset[str]) -> Iterator[str]:
    """``INVENTAIRE DES COLLÈGES AU 31/12/2022``: the only date of a line that begins with the field's own word and says of no other act."""
    dates = list(_DATED_LATER.finditer(cell))
    if len(dates) != 1:
        return
    before = folded(cell[: dates[0].start()]).split()
    own = any(len(word) > 4 and (word in words or word.removesuffix("s") in words) for word in before)
    if own and not _OTHER_ACTS.intersection(before):
        yield dates[0][1]


def _codes(cells: Sequence[str], field: Field) -> Iterator[str]:
    if len(cells) == 1 and len(cells[0]) <= _LONGEST:
        named = _LOT.sub("", cells[0])  # « Lot 1 - Tablettes »
        for text in (named, *without_verbs((folded(named),))):
            if len(text) <= _LONGEST and read_cell(text, field).value is not None:
                yield text
                return


def _labelled(lines: list[_Line], contract: Contract, names: FieldNames) -> Iterator[tuple[str, str, str]]:
    """``Commune : Laon``, in one cell or two: the field, its text, where."""
    for line in lines:
        pairs = list(zip(line.cells, line.cells[1:], strict=False))
        pairs += [(label, text) for cell in line.cells for label, mark, text in (cell.partition(":"),) if mark]
        for label, text in pairs:
            field = _named(label.rstrip(" :"), contract, names)
            if field is not None and _may_be(text.strip(), field):
                yield field.name, text.strip(), line.where


def _named(label: str, contract: Contract, names: FieldNames) -> Field | None:
    key = folded(label).removesuffix(" n") if len(label) <= _LONGEST else ""
    if key not in names.names:
        return None
    field = contract.fields[int(names.owner[names.names.index(key)])]
    return None if field.type in NUMERIC or (field.type is FieldType.DATE and " " not in key) else field


def _may_be(text: str, field: Field) -> bool:
    return 0 < len(text) <= _LONGEST and read_cell(text, field).value is not None


def _school(part: Part, contract: Contract, around: list[_Line], taken: set[str], found: dict[str, list[_Given]]) -> None:
    """The name of the school in a title, in the sheet's name or between rows, where nothing identifies it better."""
    for field in contract.fields:
        name = next((other for other in field.references_with if "name" in other and "commune" not in other), None)
        if field.type is not FieldType.UAI or name is None or {field.name, name} & (taken | set(found)):
            continue
        between = [_Given(name, text, f"ligne {row}", row) for row, text in part.table.sections if SCHOOL.match(folded(text))]
        given = _first(contract.field(name), lambda cells: [cell for cell in cells if len(cell) <= _LONGEST and SCHOOL.match(folded(cell))], around)
        given += between
        if given:
            found[name] = given


def _with(part: Part, given: list[_Given], contract: Contract) -> Part:
    """The table with one more column a field, filled from the row where each text begins."""
    table, mapping = part.table, part.mapping
    columns, fields, remarks = list(table.columns), dict(mapping.fields), list(mapping.remarks)
    frame = table.frame
    for name in dict.fromkeys(item.field for item in given):
        items = [item for item in given if item.field == name]
        fields[name] = len(columns)
        frame = frame.with_columns(_spread(items, frame["row"]).alias(f"c{len(columns)}"))
        columns.append(Column("", ""))
        remarks.append(("context_value", name, _told(items, contract.field(name).label)))
    headers = (*mapping.headers, *[read_header("")] * (len(columns) - len(table.columns)))
    filled: RawTable = replace(table, columns=tuple(columns), frame=frame)
    missing = tuple(name for name in mapping.missing if name not in fields)
    return replace(part, table=filled, mapping=replace(mapping, fields=fields, missing=missing, headers=headers, remarks=tuple(remarks)))


def _spread(items: list[_Given], rows: pl.Series) -> pl.Series:
    starts = pl.Series([item.since for item in items], dtype=rows.dtype)
    texts = pl.Series([None, *(item.text for item in items)], dtype=pl.String)
    return texts.gather(starts.search_sorted(rows, side="right"))


def _told(items: list[_Given], label: str) -> str:
    shown = ", ".join(f"« {item.text} » ({item.where})" for item in items[:3]) + ("…" if len(items) > 3 else "")
    return f"« {label} » n'a pas de colonne : {shown} " + ("a été retenu pour tout le tableau." if len(items) == 1 else "ont été retenus pour les lignes qui suivent.")
