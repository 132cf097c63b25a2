"""Rows of a worksheet written as SpreadsheetML by whole columns: a cell at a time costs ten times more."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from ..grid import Grid, index_of, letter_of
from ..issues_messages import SEVERITIES
from .neutralise import LONGEST, neutralise
from .sheet import LINE_HEIGHT, LINE_LENGTH, MAX_LINKS, MAX_LISTED, MAX_WRAPPED, Drawn, Layout

Styles = Mapping[str, int]
CHUNK = 20_000
MAX_ROWS = 1_048_576
# What ``neutralise`` may change: a text that begins like a formula or holds a forbidden character.
_DOUBTFUL = "^[ \u00a0]*[=+\\-@\t\r\n＝＋－＠|]|[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\ufffe\uffff]"
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "_x000D_"}
_LOOKS_ESCAPED = "(_x[0-9a-fA-F]{4}_)"
# Numbers that a workbook gives back as they were written.
_NUMBER = r"^(?:-?[1-9][0-9]{0,14}|0|-?(?:0|[1-9][0-9]{0,9})\.[0-9]{0,5}[1-9])$"
_DATE = r"^(?:19|20)[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])$"
_TEXT, _END_TEXT = ' t="inlineStr"><is><t xml:space="preserve">', "</t></is></c>"


def harmless(text: pl.Series) -> pl.Series:
    """``neutralise`` of a whole column: only distinct doubtful texts are looked at one by one."""
    doubtful = text.str.contains(_DOUBTFUL) | (text.str.len_bytes() > LONGEST)
    if not doubtful.any():
        return text
    distinct = text.filter(doubtful.fill_null(False)).unique()
    return text.replace(
        distinct, pl.Series([neutralise(item) for item in distinct.to_list()], dtype=pl.String)
    )


def escaped(text: pl.Series) -> pl.Series:
    """Text as it stands inside an element; what a spreadsheet would take for its own escapes is escaped too."""
    if text.str.contains("_x", literal=True).any():
        text = text.str.replace_all(_LOOKS_ESCAPED, "_x005F$1")
    if text.str.contains_any(list(_ESCAPES)).any():
        text = text.str.replace_many(_ESCAPES)
    return text


def as_stored(text: str) -> str:
    """One text that an XML writer will escape, safe from the spreadsheet's own escapes."""
    return re.sub(_LOOKS_ESCAPED, r"_x005F\1", text).replace("\r", _ESCAPES["\r"])


def drawn_markup(cells: list[Drawn], styles: Styles) -> str:
    """A few cells, given from top to bottom and from left to right, as rows."""
    by_row: dict[int, list[str]] = {}
    for cell in cells:
        start = f'<c r="{letter_of(cell.column - 1)}{cell.row}"' + (
            f' s="{styles[cell.style]}"' if cell.style else ""
        )
        if isinstance(cell.value, str):
            text = f"{_TEXT}{escaped(pl.Series([cell.value], dtype=pl.String))[0]}{_END_TEXT}"
        elif cell.value is None:
            text = "/>"
        else:
            text = f"><v>{cell.value}</v></c>"
        by_row.setdefault(cell.row, []).append(start + text)
    return "".join(f'<row r="{row}">{"".join(texts)}</row>' for row, texts in by_row.items())


# -- the list of issues ------------------------------------------------------------------------------------------


def list_markup(layout: Layout, issues: pl.DataFrame, styles: Styles) -> Iterator[str]:
    """Rows of the list of issues, every text neutralised, by pieces."""
    wanted = issues.head(MAX_LISTED).select(
        "sheet", "row", "column", "value", "expected", "suggestion", "severity", "message", "field"
    )
    for start in range(0, wanted.height, CHUNK):
        piece = wanted.slice(start, CHUNK)
        texts = {
            name: escaped(harmless(piece[name])) for name in wanted.columns if piece.schema[name] == pl.String
        }
        yield from _joined(
            _list_cells(piece.with_columns(**texts), layout.list_row + 1 + start, start, styles)
        )


def _list_cells(piece: pl.DataFrame, first: int, offset: int, styles: Styles) -> pl.DataFrame:
    place = pl.int_range(first, first + piece.height, dtype=pl.UInt32, eager=True)
    order = pl.int_range(offset, offset + piece.height, dtype=pl.UInt32, eager=True)
    linked = (order < MAX_LINKS) & piece["sheet"].is_not_null() & (piece["row"] > 0)
    severity = pl.col("severity").replace_strict(SEVERITIES, default=pl.col("severity"))
    colour = pl.col("severity").replace_strict(
        {name: _styled(styles[name]) for name in SEVERITIES}, default=_styled(styles["notice"])
    )
    number = pl.concat_str(
        pl.lit('<c r="B'),
        place,
        pl.when(linked).then(pl.lit(_styled(styles["link"]))).otherwise(pl.lit('"')),
        pl.lit("><v>"),
        "row",
        pl.lit("</v></c>"),
    )
    wrapped = pl.when(order < MAX_WRAPPED).then(pl.lit(_styled(styles["wrap"]))).otherwise(pl.lit('"'))
    top = pl.when(order < MAX_WRAPPED).then(pl.lit(_styled(styles["top"]))).otherwise(pl.lit('"'))
    cells = [
        _text(letter, place, pl.col(name), top)
        for letter, name in (
            ("A", "sheet"),
            ("C", "column"),
            ("D", "value"),
            ("E", "expected"),
            ("F", "suggestion"),
            ("I", "field"),
        )
    ]
    cells[1:1] = [number.fill_null("")]
    cells[6:6] = [_text("G", place, severity, colour), _text("H", place, pl.col("message"), wrapped)]
    return piece.select(
        pl.concat_str(pl.lit('<row r="'), place, _height(pl.col("message"), order)).alias("start"),
        *(cell.alias(str(number)) for number, cell in enumerate(cells)),
    )  # fmt: skip


def _height(message: pl.Expr, order: pl.Series) -> pl.Expr:
    """The end of a row's tag: as high as its message, which spreadsheets would not work out by themselves."""
    lines = (message.str.len_chars().fill_null(0) / LINE_LENGTH).ceil().clip(1, 12).cast(pl.Int32)
    tall = pl.concat_str(pl.lit('" ht="'), lines * LINE_HEIGHT, pl.lit('" customHeight="1">'))
    return pl.when((order < MAX_WRAPPED) & (lines > 1)).then(tall).otherwise(pl.lit('">'))


def list_links(layout: Layout, issues: pl.DataFrame, names: Mapping[str, str]) -> str:
    """Links from the numbers of the first rows of the list to the cells; ``names``: sheet of the file → sheet of the workbook."""
    wanted = issues.head(min(MAX_LINKS, MAX_LISTED)).select("sheet", "row", pl.col("column").fill_null("A"))
    sheets = {
        name: f"'{names.get(name, name)}'".replace("'", "''")[1:-1]
        for name in wanted["sheet"].drop_nulls().unique()
    }
    quoted = pl.Series(list(sheets.values()), dtype=pl.String)
    safe = escaped(quoted).str.replace_all('"', "&quot;", literal=True)
    found = wanted.with_columns(
        pl.int_range(
            layout.list_row + 1, layout.list_row + 1 + wanted.height, dtype=pl.UInt32, eager=True
        ).alias("place"),
        pl.col("sheet")
        .replace_strict(pl.Series(list(sheets), dtype=pl.String), safe, return_dtype=pl.String)
        .alias("sheet"),
    ).filter(pl.col("sheet").is_not_null() & (pl.col("row") > 0))
    links = found.select(
        pl.format(
            '<hyperlink ref="B{}" location="{}!{}{}" display="{}"/>', "place", "sheet", "column", "row", "row"
        )
    )
    return f"<hyperlinks>{''.join(links.to_series().to_list())}</hyperlinks>" if links.height else ""


# -- the sheets of the file --------------------------------------------------------------------------------------


def grid_markup(grid: Grid, marks: Mapping[tuple[int, str | None], str], styles: Styles) -> Iterator[str]:
    """Rows of a sheet, its plain numbers and dates typed and every other text neutralised; ``marks``: (row, column letter or
    None for the first) → severity."""
    first = grid.columns[0] if grid.columns else 0
    frame = grid.frame.with_columns(grid.rows.alias("row")).filter(pl.col("row") <= MAX_ROWS)
    severities = _severities(marks, first, frame["row"])
    places = {column: frame.columns[at] for at, column in enumerate(grid.columns)}
    hidden = frame["row"].is_in(list(grid.hidden_rows)) if grid.hidden_rows else None
    struck = frame["row"].is_in(list(grid.struck_rows)) if grid.struck_rows else None
    for start in range(0, frame.height, CHUNK):
        piece = frame.slice(start, CHUNK)
        rows = piece["row"]
        shown = (
            pl.lit('">')
            if hidden is None
            else pl.when(hidden.slice(start, CHUNK)).then(pl.lit('" hidden="1">')).otherwise(pl.lit('">'))
        )
        cells = [piece.select(pl.concat_str(pl.lit('<row r="'), rows, shown).alias("start")).to_series()]
        for column in sorted({*places, *severities}):
            text = (
                piece[places[column]]
                if column in places
                else pl.repeat(None, piece.height, dtype=pl.String, eager=True)
            )
            mark = severities[column].slice(start, CHUNK) if column in severities else None
            through = struck.slice(start, CHUNK) if struck is not None else None
            cells.append(_column(letter_of(column), rows, text, mark, through, styles).alias(str(column)))
        yield from _joined(pl.DataFrame(cells))


def _severities(
    marks: Mapping[tuple[int, str | None], str], first: int, rows: pl.Series
) -> dict[int, pl.Series]:
    """Sheet column → severity of the cell of each row, null where there is none."""
    by_column: dict[int, dict[int, str]] = {}
    for (row, letters), severity in marks.items():
        by_column.setdefault(index_of(letters) if letters else first, {})[row] = severity
    return {
        column: rows.replace_strict(pl.Series(list(found), dtype=pl.UInt32), pl.Series(list(found.values()), dtype=pl.String), default=None, return_dtype=pl.String)
        for column, found in by_column.items()
    }  # fmt: skip


def _column(
    letter: str, rows: pl.Series, text: pl.Series, mark: pl.Series | None, struck: pl.Series | None, styles: Styles
) -> pl.Series:
    number = text.str.contains(_NUMBER).fill_null(False)
    dated = text.str.contains(_DATE).fill_null(False)
    serial = _serials(text.set(~dated, None)) if dated.any() else None
    style, of_date = (_style_of(mark, struck, kind, styles) for kind in ("", "date"))
    start = pl.concat_str(pl.lit(f'<c r="{letter}'), rows)
    cell: Any = pl.when(number).then(pl.concat_str(start, style, pl.lit("><v>"), text, pl.lit("</v></c>")))
    if serial is not None:
        cell = cell.when(serial.is_not_null()).then(
            pl.concat_str(start, of_date, pl.lit("><v>"), serial, pl.lit("</v></c>"))
        )
    plain = number if serial is None else number | serial.is_not_null()
    if not plain.all():
        safe = escaped(harmless(text.set(plain, None)))
        cell = cell.when(safe.is_not_null()).then(
            pl.concat_str(start, style, pl.lit(_TEXT), safe, pl.lit(_END_TEXT))
        )
    if mark is not None:
        cell = cell.when(mark.is_not_null()).then(pl.concat_str(start, style, pl.lit("/>")))
    return pl.select(cell.otherwise(pl.lit(""))).to_series()


def _serials(text: pl.Series) -> pl.Series:
    """Days as workbooks count them: from 1 on 1 January 1900, a 29 February 1900 that never was counted too."""
    days = text.str.to_date("%Y-%m-%d", strict=False).to_physical() + 25_568
    return days + (days > 59).cast(pl.Int32)


def _style_of(mark: pl.Series | None, struck: pl.Series | None, kind: str, styles: Styles) -> pl.Expr:
    if struck is not None:
        through = _style_of(mark, None, f"struck:{kind}" if kind else "struck", styles)
        return pl.when(struck).then(through).otherwise(_style_of(mark, None, kind, styles))
    plain = _styled(styles[kind]) if kind else '"'
    if mark is None:
        return pl.lit(plain)
    prefix = f"{kind}:" if kind else ""
    return pl.lit(
        mark.replace_strict(
            {name: _styled(styles[prefix + name]) for name in SEVERITIES},
            default=plain,
            return_dtype=pl.String,
        )
    )


def _styled(number: int) -> str:
    """The end of a cell's reference, and its style."""
    return f'" s="{number}"'


def _text(letter: str, place: pl.Series, text: pl.Expr, style: pl.Expr | None = None) -> pl.Expr:
    """A cell of text, nothing where there is none."""
    return pl.concat_str(
        pl.lit(f'<c r="{letter}'),
        place,
        pl.lit('"') if style is None else style,
        pl.lit(_TEXT),
        text,
        pl.lit(_END_TEXT),
    ).fill_null("")


def _joined(cells: pl.DataFrame) -> Iterator[str]:
    """Cells of each row laid one after the other: one text."""
    if cells.height:
        yield cells.select(pl.concat_str([*cells.columns, pl.lit("</row>")]).str.join("")).item()
