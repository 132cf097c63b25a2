"""Every format, found from its bytes, gives the same canonical cells."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
import zipfile

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from essaim.engines.intake.reading import read_file
from essaim.engines.intake.tables import FileRefused, Limits

from .grids import HEADER, LINES, package, sheet_xml, values, workbook

TEXT = [tuple(str(cell) for cell in line) for line in LINES]


def lines(separator: str = ";", end: str = "\n") -> str:
    return end.join(separator.join(map(str, line)) for line in (HEADER, *LINES)) + end


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("cp1252", "cp1252"),
        ("latin-1", "cp1252"),
        ("utf-16", "utf-16-le"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("mac_roman", "mac_roman"),
        ("cp850", "cp850"),
    ],
)
@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
def test_encodings_and_separators(encoding, found, separator):
    """The encoding and the separator are found whatever they are."""
    result = read_file(lines(separator).encode(encoding), "envoi.csv")
    assert (result.format, result.encoding, result.separator) == ("csv", found, separator)
    assert [c.header for c in result.tables[0].columns] == list(HEADER)
    assert values(result.tables[0]) == TEXT


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_line_ends_and_quoted_newlines(end):
    """A quoted newline stays in its cell and does not shift row numbers."""
    content = end.join(["UAI;Remarque;Nombre", '0350001A;"sur\ndeux lignes; et ""guillemets""";3', "", "0350002B;;4"]).encode()
    (table,) = read_file(content, "a.csv").tables
    text = "sur\ndeux lignes; et \"guillemets\""
    assert values(table) == [("0350001A", text, "3"), ("0350002B", None, "4")]
    assert table.frame["row"].to_list() == [2, 4]


def test_stray_quotes_and_ragged_lines():
    """Inches are not quotes, and a longer line keeps its extra cells."""
    content = 'UAI;Objet;Nombre\n0350001A;Écran 24" tactile;3\n0350002B;Écran 27";4;en trop\n'.encode()
    (table,) = read_file(content, "a.csv").tables
    assert values(table) == [("0350001A", 'Écran 24" tactile', "3", None), ("0350002B", 'Écran 27"', "4", "en trop")]


def test_decimal_commas_do_not_win_over_semicolons():
    """Prose with commas and decimal commas do not hide the separator."""
    content = "Version bêta, à relire, merci\nuai;taux;prix\n0350001A;3,5;12,50\n0350002B;1,5;1,25\n".encode()
    result = read_file(content, "a.csv")
    assert result.separator == ";" and result.tables[0].header_row == 2


def test_compressed_and_zipped_files():
    """A gzip and each member of a zip are read; the sheet tells the member."""
    text = lines().encode()
    assert values(read_file(gzip.compress(text), "a.csv.gz").tables[0]) == TEXT
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("../../etc/un.csv", text)
        archive.writestr("deux.xlsx", workbook(("Feuille", [HEADER, *LINES])))
        archive.writestr("lisez-moi.pdf", b"%PDF-1.4")
    result = read_file(packed.getvalue(), "envoi.zip")
    assert [t.sheet for t in result.tables] == ["etc/un.csv", "deux.xlsx/Feuille"]
    assert all(values(table) == TEXT for table in result.tables)
    assert "unsupported_format" in {code for code, _ in result.notices}


def test_parquet_and_json():
    """Typed and nested files become canonical text with dotted names."""
    frame = pl.DataFrame(
        {"uai": ["0350001A", None], "n": [1.0, 2.5], "quand": [dt.date(2022, 3, 1), None], "ok": [True, False], "a": [{"id": 1}, {"id": 2}]}
    )
    output = io.BytesIO()
    frame.write_parquet(output)
    (table,) = read_file(output.getvalue(), "a.parquet").tables
    assert [c.header for c in table.columns] == ["uai", "n", "quand", "ok", "a.id"]
    assert values(table) == [("0350001A", "1", "2022-03-01", "true", "1"), (None, "2.5", None, "false", "2")]
    records = [{"id": "1", "acheteur": {"id": "21"}, "titulaires": [{"id": "a"}, {"id": "b"}]}, {"id": "2", "montant": 3.50}]
    for content, kind in (
        (json.dumps(records), "json"),
        (json.dumps({"marches": records}), "json"),
        ("\n".join(map(json.dumps, records)), "jsonl"),
    ):
        result = read_file(content.encode(), "decp.json")
        assert result.format == kind
        assert [c.header for c in result.tables[0].columns] == ["id", "acheteur.id", "titulaires.id", "montant"]
        assert values(result.tables[0]) == [("1", "21", "a, b", None), ("2", None, None, "3.5")]


def test_cells_that_the_fast_reader_loses():
    """Errors keep their text, codes their zeros, percents their displayed form, dates their day."""

    def shape(book):
        sheet = book.worksheets[0]
        for row, value in ((2, 1004), (3, 35238)):
            sheet.cell(row, 2, value).number_format = "00000"
        for row, value in ((2, 0.035), (3, 0.5)):
            sheet.cell(row, 3, value).number_format = "0.0%"
        sheet.cell(2, 4, dt.datetime(2022, 3, 1))  # noqa: DTZ001
        sheet.cell(3, 4, dt.datetime(2022, 3, 1, 14, 30))  # noqa: DTZ001
        sheet.cell(2, 5, "#DIV/0!").data_type = "e"
        sheet.cell(3, 5, 1.5)
        sheet.cell(2, 6, True)
        sheet.cell(3, 6, 21010034300016)

    rows = [("UAI", "Commune", "Taux", "Date", "Prix", "Divers"), ("0350001A",), ("0350002B",)]
    (table,) = read_file(workbook(("F", rows), prepare=shape), "a.xlsx").tables
    assert values(table) == [
        ("0350001A", "01004", "3.5%", "2022-03-01", "#DIV/0!", "true"),
        ("0350002B", "35238", "50%", "2022-03-01T14:30:00", "1.5", "21010034300016"),
    ]


def test_both_epochs():
    """A workbook of the 1904 epoch gives the same days."""

    def epoch(book):
        book.epoch = dt.datetime(1904, 1, 1)  # noqa: DTZ001
        book.worksheets[0].cell(2, 2).value = dt.datetime(2021, 8, 31)  # noqa: DTZ001

    (table,) = read_file(workbook(("F", [("UAI", "Date"), ("0350001A", None)]), prepare=epoch), "a.xlsx").tables
    assert values(table) == [("0350001A", "2021-08-31")] and table.epoch_1904


def test_wrong_extension_is_told():
    """A csv called .xls and a workbook called .csv are read, with a notice."""
    for content, name in ((lines().encode(), "a.xls"), (workbook(("F", [HEADER, *LINES])), "a.csv")):
        result = read_file(content, name)
        assert values(result.tables[0]) == TEXT
        assert "wrong_extension" in {code for code, _ in result.notices}


def test_html_and_spreadsheetml_called_xls():
    """The web pages and XML that applications export as .xls are read when they hold a simple table."""
    rows = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in line) + "</tr>" for line in (HEADER, *LINES))
    page = f'<html><head><meta charset="utf-8"></head><body><h1>Export</h1><table>{rows}</table></body></html>'
    result = read_file(page.encode(), "a.xls")
    assert result.format == "html" and values(result.tables[0]) == TEXT
    cells = "".join(
        "<Row>" + "".join(f'<Cell><Data ss:Type="String">{cell}</Data></Cell>' for cell in line) + "</Row>" for line in (HEADER, *LINES)
    )
    xml = (
        '<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
        f'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet ss:Name="F"><Table>{cells}</Table></Worksheet></Workbook>'
    )
    result = read_file(xml.encode(), "a.xls")
    assert result.format == "xmlss" and values(result.tables[0]) == TEXT


def test_ods_cells():
    """OpenDocument values keep dates, percents, padded codes and repeated cells."""
    from odf.opendocument import OpenDocumentSpreadsheet
    from odf.table import Table, TableCell, TableRow
    from odf.text import P

    book = OpenDocumentSpreadsheet()
    sheet = Table(name="Envoi")

    def add(*cells, repeated=1):
        row = TableRow(numberrowsrepeated=repeated)
        for shown, attributes in cells:
            cell = TableCell(**attributes)
            if shown:
                cell.addElement(P(text=shown))
            row.addElement(cell)
        sheet.addElement(row)

    text = {"valuetype": "string"}
    add(("UAI", text), ("Taux", text), ("Commune", text), ("Date", text), ("Prix", text))
    add(
        ("0350001A", text),
        ("3,5 %", {"valuetype": "percentage", "value": "0.035"}),
        ("01004", {"valuetype": "float", "value": "1004"}),
        ("01/03/22", {"valuetype": "date", "datevalue": "2022-03-01"}),
        ("#DIV/0!", {"valuetype": "float", "value": "0"}),
    )
    add(("", {"numbercolumnsrepeated": "16384"}), repeated=1048000)
    book.spreadsheet.addElement(sheet)
    output = io.BytesIO()
    book.write(output)
    (table,) = read_file(output.getvalue(), "a.ods").tables
    assert values(table) == [("0350001A", "3.5%", "01004", "2022-03-01", "#DIV/0!")]


def test_prefixed_sheet_xml_is_read_exactly():
    """A producer that prefixes its XML elements is read like the others."""
    rows = '<x:row r="1"><x:c r="A1" t="inlineStr"><x:is><x:t>UAI</x:t></x:is></x:c><x:c r="B1" t="inlineStr"><x:is><x:t>Nombre</x:t></x:is></x:c></x:row>'
    rows += '<x:row r="2"><x:c r="A2" t="inlineStr"><x:is><x:t>0350001A</x:t></x:is></x:c><x:c r="B2"><x:v>3</x:v></x:c></x:row>'
    xml = f'<x:worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><x:sheetData>{rows}</x:sheetData></x:worksheet>'
    content = package(workbook(("F", [("a",)])), xl__worksheets__sheet1_xml=xml.encode())
    (table,) = read_file(content, "a.xlsx").tables
    assert values(table) == [("0350001A", "3")]


def test_far_away_cells_cost_nothing():
    """A huge declared dimension, and a stray cell in the last corner, are read as the few cells they are."""
    row = '<row r="{0}"><c r="A{0}" t="inlineStr"><is><t>{1}</t></is></c><c r="B{0}" t="inlineStr"><is><t>{2}</t></is></c></row>'
    body = row.format(1, "UAI", "Nom") + row.format(2, "0350001A", "École A")
    base = workbook(("F", [("a",)]))
    content = package(base, xl__worksheets__sheet1_xml=sheet_xml(body, "A1:XFD1048576"))
    (table,) = read_file(content, "a.xlsx").tables
    assert values(table) == [("0350001A", "École A")]
    far = body + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    tables = read_file(package(base, xl__worksheets__sheet1_xml=sheet_xml(far)), "a.xlsx").tables
    assert [row for row in values(tables[0]) if row[0] == "0350001A"]


CELL = st.text(st.characters(codec="cp1252", exclude_categories=("Cc", "Cs", "Zs", "Cf")), min_size=1, max_size=12)
GRID = st.integers(2, 5).flatmap(
    lambda width: st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=2, max_size=8)
)


def quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


@settings(max_examples=120, deadline=None)
@given(GRID, st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16"]), st.sampled_from(";,\t|"), st.sampled_from(["\n", "\r\n"]))
def test_written_csv_reads_back(grid, encoding, separator, end):
    """Any quoted grid comes back cell for cell under a known header."""
    header = [f"colonne {'abcde'[i]}" for i in range(len(grid[0]))]
    rows = [header, *([f"id{i:03d}x", *row[1:]] for i, row in enumerate(grid))]
    text = end.join(separator.join(map(quoted, row)) for row in rows) + end
    result = read_file(text.encode(encoding), "a.csv", vocabulary=frozenset(header))
    back = [list(row) for table in result.tables for row in values(table)]
    expected = [[None if not cell.strip() else unshielded(cell) for cell in row] for row in rows[1:]]
    if encoding != "cp1252" or text.isascii():
        assert back == expected
    else:
        assert [len(row) for row in back] == [len(row) for row in expected]


def unshielded(cell: str) -> str:
    return cell[1:] if len(cell) > 1 and cell[0] == "'" and cell[1] in "=+-@|" else cell


@settings(max_examples=40, deadline=None)
@given(GRID)
def test_written_xlsx_reads_back(grid):
    """Any grid of text written as xlsx comes back cell for cell."""
    header = [f"colonne {'abcde'[i]}" for i in range(len(grid[0]))]
    rows = [header, *([f"id{i:03d}x", *row[1:]] for i, row in enumerate(grid))]

    def plain(book):
        for line in book.worksheets[0].iter_rows():
            for cell in line:
                cell.data_type = "s"

    content = workbook(("F", rows), prepare=plain)
    (table,) = read_file(content, "a.xlsx", vocabulary=frozenset(header)).tables
    assert [list(row) for row in values(table)] == [[unshielded(cell) for cell in row] for row in rows[1:]]


def test_limits_refuse():
    """Files, rows, columns and cells above the limits are refused by name."""
    wide = ";".join(f"colonne {i}" for i in range(10_000)) + "\n" + ";".join("1" * 10_000) + "\n"
    tall = "uai;n\n" + "0350001A;1\n" * 50
    for content, limits, code in (
        (wide.encode(), Limits(), "too_many_columns"),
        (workbook(("F", [["x"] * 3000])), Limits(), "too_many_columns"),
        (tall.encode(), Limits(rows=10), "too_many_rows"),
        (f"uai;n\n0350001A;{'x' * 2**20}\n".encode(), Limits(), "cell_too_long"),
        (tall.encode(), Limits(file_bytes=100), "file_too_large"),
    ):
        with pytest.raises(FileRefused) as refusal:
            read_file(content, "a.csv", limits=limits)
        assert refusal.value.code == code
