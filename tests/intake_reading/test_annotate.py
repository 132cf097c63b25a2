"""The sender's own workbook back, marked, safe and readable again."""

from __future__ import annotations

import datetime as dt
import io
import re
import warnings
from xml.sax.saxutils import escape

import openpyxl
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.comments import Comment
from openpyxl.styles import Font

from essaim.engines.intake.annotate import (
    ANNOTATION_MARK,
    annotate,
    annotate_contained,
    annotated_name,
    neutralise,
)
from essaim.engines.intake.annotate.markup import escaped, harmless
from essaim.engines.intake.annotate.rebuilt import annotate_rebuilt
from essaim.engines.intake.grid import Grid
from essaim.engines.intake.reading import read_file

from .grids import HEADER, LINES, SUMMARY, issues, package, values, workbook

NO_SUMMARY = pl.DataFrame(schema=SUMMARY)
TWO = issues(
    ("uai_unknown", "blocking", "Envoi", 2, "A", "uai", "0350001A", "un UAI connu", "0350001B", "UAI inconnu"),
    ("row_duplicate", "warning", "Envoi", 3, None, None, None, None, None, "Ligne en double"),
)
COUNTED = pl.DataFrame([("uai_unknown", "blocking", "uai", 1, "UAI inconnu")], schema=SUMMARY, orient="row")


def opened(content: bytes, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return openpyxl.load_workbook(io.BytesIO(content), **options)


def given_back(content: bytes, name: str, found=TWO, summary=COUNTED):
    read = read_file(content, name)
    return annotate(content, name, read, found, summary, title="Contrôle de vos livraisons"), read


def styled(book):
    sheet = book["Envoi"]
    sheet["D2"].number_format = "0.00"
    sheet["B2"].font = Font(bold=True)
    sheet["F1"], sheet["F2"] = "Double", "=D2*2"
    sheet["B3"].comment = Comment("vu avec la mairie", "Mairie")
    sheet.column_dimensions["B"].width = 41
    book.create_sheet("Autre")["A1"] = "conservée"


def test_the_workbook_keeps_what_it_held():
    """Formats, formulas, comments, widths and other sheets stay; bad cells are coloured and commented."""
    out, _ = given_back(workbook(("Envoi", [HEADER, *LINES]), prepare=styled), "a.xlsx")
    book = opened(out)
    sheet = book["Envoi"]
    assert book.sheetnames == ["Anomalies", "Envoi", "Autre"]
    assert sheet["D2"].number_format == "0.00" and sheet["B2"].font.bold and sheet["F2"].value == "=D2*2"
    assert sheet["B3"].comment.text == "vu avec la mairie" and sheet.column_dimensions["B"].width == 41
    assert sheet["A2"].fill.fgColor.rgb == "FFFFC7CE" and "0350001B" in sheet["A2"].comment.text
    assert sheet["A3"].fill.fgColor.rgb == "FFFFE699"
    assert book["Autre"]["A1"].value == "conservée"


@pytest.mark.parametrize("name", ["a.xlsx", "a.csv"])
def test_the_anomalies_sheet(name):
    """Counts, grouped summary, then the whole list with links, filter and frozen header."""
    content = workbook(("Envoi", [HEADER, *LINES])) if name == "a.xlsx" else "\n".join(";".join(map(str, line)) for line in (HEADER, *LINES)).encode()
    found = TWO if name == "a.xlsx" else TWO.with_columns(sheet=pl.lit("a"))
    out, _ = given_back(content, name, found)
    sheet = opened(out).worksheets[0]
    rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    assert rows[0][0] == "Contrôle de vos livraisons" and ANNOTATION_MARK in rows[0]
    head = next(i for i, row in enumerate(rows) if row[:3] == ["Feuille", "Ligne", "Colonne"])
    assert rows[head + 1][3:8] == ["0350001A", "un UAI connu", "0350001B", "Bloquant", "UAI inconnu"]
    assert str(rows[head + 2][1]) == "3" and rows[head + 2][6] == "À vérifier"
    link = sheet.cell(head + 2, 2).hyperlink
    assert "A2" in ((link.location or "") + (link.target or ""))
    assert sheet.auto_filter.ref.startswith(f"A{head + 1}:") and sheet.freeze_panes == f"A{head + 2}"


FILES = {
    "a.xlsx": lambda: workbook(("Envoi", [("Titre du fichier",), (), HEADER, *LINES, ("Total", None, None, 36)])),
    "a.csv": lambda: ("Prose avant, oui\n" + ";".join(HEADER) + '\n0350001A;"=1+1";-;12,50;01004\n0350002B;@x;x;1e5;2022-03-01\n').encode(),
    "a.json": lambda: b'[{"uai": "0350001A", "n": 1.5, "a": {"b": "007"}}, {"uai": "0350002B", "n": -2, "a": {"b": "+33"}}]',
    "a.html": lambda: b"<html><table><tr><th>UAI</th><th>n</th></tr><tr><td>0350001A</td><td>1</td></tr></table></html>",
}


@pytest.mark.parametrize("name", FILES)
def test_the_annotated_workbook_reads_like_the_original(name):
    """Re-reading ignores the added sheet and gives the same tables, rows, letters and cells."""
    content = FILES[name]()
    first = read_file(content, name)
    table = first.tables[0]
    found = issues(("x", "blocking", table.sheet, int(table.frame["row"][0]), "A", "uai", "v", "e", "s", "m"))
    out, _ = given_back(content, name, found)
    again = read_file(out, annotated_name(name, first))
    assert len(again.tables) == len(first.tables)
    for before, after in zip(first.tables, again.tables, strict=False):
        assert after.frame.equals(before.frame, null_equal=True)
        assert (after.columns, after.header_row, after.skipped) == (before.columns, before.header_row, before.skipped)


def test_annotating_twice_replaces_the_first_marks():
    """A second annotation drops the sheet, colours and comments of the first."""
    content = workbook(("Envoi", [HEADER, *LINES]), prepare=styled)
    out, _ = given_back(content, "a.xlsx")
    again, _ = given_back(out, "a.xlsx", issues(), NO_SUMMARY)
    book = opened(again)
    assert book.sheetnames == ["Anomalies", "Envoi", "Autre"]
    assert book["Envoi"]["A2"].comment is None and book["Envoi"]["A2"].fill.fill_type is None
    assert book["Envoi"]["B3"].comment.text == "vu avec la mairie"


def test_macros_survive():
    """An xlsm comes back with its macro project and its type."""
    content = package(workbook(("Envoi", [HEADER, *LINES])), **{"xl__vbaProject.bin": b"macro"})
    out, read = given_back(content, "a.xlsm")
    assert read.format == "xlsm" and annotated_name("x/a.xlsm", read) == "a_anomalies.xlsm"
    assert opened(out, keep_vba=True).vba_archive.read("xl/vbaProject.bin") == b"macro"


def test_nothing_we_write_can_run():
    """Formula injection is neutralised in the list, the comments and the copied cells."""
    evil = "=HYPERLINK(\"http://x\")"
    csv = f'uai;nom;n\n0350001A;"{evil.replace(chr(34), chr(34) * 2)}";1\n0350002B;@SUM(1);2\n'.encode()
    out, _ = given_back(csv, "a.csv", issues(("x", "blocking", "a", 2, "B", evil, evil, "+cmd|x", "-cmd", "\tmsg")))
    for sheet in opened(out).worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f"
                assert not (isinstance(cell.value, str) and cell.value[:1] in "=+-@\t\r")
                assert cell.comment is None or cell.comment.text[:1] not in "=+-@"


@given(st.text(max_size=40))
def test_neutralise(text):
    """Whatever the text, what is written never starts a formula, and neutralising twice changes nothing more."""
    safe = neutralise(text)
    assert safe == neutralise(safe)
    assert safe[:1] not in ("=", "@", "\t", "\r")
    assert safe[:1] not in ("+", "-") or not any(character.isalpha() for character in safe.rstrip("kK€eE+-0123456789"))


@pytest.mark.parametrize("plain", ["-1,1", "+1", "-", "-12 %", "École", "-1 234,50", "2022-03-01"])
def test_neutralise_leaves_figures_alone(plain):
    """Signed figures and the dash of a missing value are written as they are."""
    assert neutralise(plain) == plain


def test_merged_cells_and_odd_places():
    """Marks on merged cells go to their anchor; issues without row or about an unknown sheet are only listed."""
    content = workbook(("Envoi", [HEADER, *LINES]), merges=("A2:B2",))
    found = issues(
        ("a", "warning", "Envoi", 2, "B", None, None, None, None, "sous une fusion"),
        ("b", "notice", "Absente", 4, "A", None, None, None, None, "autre feuille"),
        ("c", "notice", "Envoi", None, None, None, None, None, None, "tout le fichier"),
    )
    out, _ = given_back(content, "a.xlsx", found)
    book = opened(out)
    assert "sous une fusion" in book["Envoi"]["A2"].comment.text
    assert {"autre feuille", "tout le fichier"} <= {cell.value for cell in book.worksheets[0]["H"]}


@pytest.mark.slow
def test_a_hundred_thousand_issues():
    """A very faulty file comes back with its whole list and a stated limit on comments."""
    count = 100_000
    found = pl.DataFrame(
        {
            "code": ["x"] * count,
            "severity": ["blocking"] * count,
            "sheet": ["a"] * count,
            "row": pl.int_range(2, count + 2, dtype=pl.UInt32, eager=True),
            "column": ["B"] * count,
            "field": ["n"] * count,
            "value": ["?"] * count,
            "expected": ["un nombre"] * count,
            "suggestion": [None] * count,
            "message": ["Ce n'est pas un nombre"] * count,
        },
        schema_overrides={"suggestion": pl.String},
    )
    csv = ("uai;n\n" + "0350001A;?\n" * count).encode()
    out, _ = given_back(csv, "a.csv", found)
    book = opened(out, read_only=True)
    texts = [row[0] for row in book["Anomalies"].iter_rows(max_col=1, max_row=8, values_only=True)]
    assert any(text and "commentaire" in text for text in texts)
    assert sum(1 for row in book["Anomalies"].iter_rows(min_col=8, max_col=8, values_only=True) if row[0] == "Ce n'est pas un nombre") == count


def test_dates_stay_dates():
    """Dates of a text file become real dates of the workbook, and read back the same."""
    out, _ = given_back(b"uai;jour\n0350001A;2022-03-01\n", "a.csv", issues(), NO_SUMMARY)
    assert opened(out)["a"]["B2"].value == dt.datetime(2022, 3, 1)  # noqa: DTZ001
    assert values(read_file(out, "a.xlsx").tables[0]) == [("0350001A", "2022-03-01")]


def test_the_contained_door_gives_the_same_workbook():
    """Marking in a process of its own gives the same cells and comments as in place."""
    content = workbook(("Envoi", [HEADER, *LINES]))
    inside, read = given_back(content, "a.xlsx")
    outside = annotate_contained(content, "a.xlsx", read, TWO, COUNTED, title="Contrôle de vos livraisons")
    mine, theirs = opened(inside), opened(outside)
    assert mine.sheetnames == theirs.sheetnames
    assert mine["Envoi"]["A2"].comment.text == theirs["Envoi"]["A2"].comment.text


def test_a_comment_of_the_sender_comes_back_as_it_was():
    """Ours goes above it, and goes away with the fault: annotating again and again adds nothing."""

    def noted(book):
        book["Envoi"]["A2"].comment = Comment("vu avec la mairie", "Mairie")

    first, _ = given_back(workbook(("Envoi", [HEADER, *LINES]), prepare=noted), "a.xlsx")
    text = opened(first)["Envoi"]["A2"].comment.text
    assert "UAI inconnu" in text and text.endswith("vu avec la mairie")
    again, _ = given_back(first, "a.xlsx")
    assert opened(again)["Envoi"]["A2"].comment.text == text
    clean, _ = given_back(again, "a.xlsx", TWO.clear(), COUNTED.clear())
    assert opened(clean)["Envoi"]["A2"].comment.text == "vu avec la mairie"


def test_the_two_writers_draw_the_same_sheet():
    """A workbook and the same cells as csv give the same « Anomalies », cell for cell."""
    odd = issues(*[("x", ("blocking", "warning", "notice")[i % 3], "a", i % 3 + 2, "A", "uai", f"=cmd|{i}", "<b>&\u0001", None, "é" * 300) for i in range(40)])
    text = "\n".join(";".join(map(str, line)) for line in (HEADER, *LINES)).encode()
    sheets = []
    for content, name in ((workbook(("a", [HEADER, *LINES])), "a.xlsx"), (text, "a.csv")):
        sheet = opened(given_back(content, name, odd)[0]).worksheets[0]
        rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
        head = next(i for i, row in enumerate(rows) if row[0] == "Feuille")
        colours = {cell.fill.fgColor.rgb for cell in sheet["G"][head + 1 :]}
        links = [cell.hyperlink.location for cell in sheet["B"][head + 1 :]]
        sheets.append((rows[head:], colours, links, sheet.auto_filter.ref.split(":")[0][0], sheet.sheet_properties.tabColor.rgb))
    for one, other in zip(*sheets, strict=True):
        assert one == other
    assert len(sheets[0][0]) == 41 and sheets[0][2][0] == "'a'!A2"


def test_every_faulty_cell_of_a_text_file_has_its_comment():
    """The first row as much as the last one, and a cell outside what the file holds."""
    found = issues(*[("x", "blocking", "a", row, "B" if row < 5 else "F", "n", "?", None, None, f"faute {row}") for row in range(2, 6)])
    out, _ = given_back(b"uai;n\n" + b"0350001A;?\n" * 4, "a.csv", found)
    sheet = opened(out)["a"]
    assert [sheet[place].comment.text for place in ("B2", "B3", "B4", "F5")] == [f"Bloquant : faute {row}" for row in range(2, 6)]
    assert {sheet[place].fill.fgColor.rgb for place in ("B2", "B3", "B4", "F5")} == {"FFFFC7CE"} and sheet["B5"].fill.fill_type is None


@settings(deadline=None)
@given(st.lists(st.one_of(st.text(max_size=20), st.from_regex(r"[-+]?[0-9]{1,16}([.,][0-9]{1,6})?", fullmatch=True), st.sampled_from(("=1+1", "\u00a0@x", "_x0041_", "a & <b>", " x ")))))
def test_whole_columns_are_written_as_each_cell_would_be(texts):
    """The columnar writing neutralises and escapes exactly as one text at a time."""
    column = pl.Series([text.replace("\x00", "") for text in texts], dtype=pl.String)
    assert harmless(column).to_list() == [neutralise(text) for text in column]
    written = [escape(re.sub("(_x[0-9a-fA-F]{4}_)", r"_x005F\1", text)).replace("\r", "_x000D_") for text in column]
    assert escaped(column).to_list() == written


def test_odd_cells_of_a_text_file_come_back_as_they_were():
    """Numbers that a workbook would change stay text; those it keeps become numbers, dates become dates."""
    cells = ["007", "12", "-1.5", "1.50", "123456789012345", "1234567890123456", "1900-01-01", "1900-03-01", "2022-02-31", "_x0041_", "a & <b>"]
    out, _ = given_back(("uai;n\n" + "".join(f"0350001A;{cell}\n" for cell in cells)).encode(), "a.csv", issues(), NO_SUMMARY)
    assert [row[1] for row in values(read_file(out, "a.xlsx").tables[0])] == cells
    kinds = [type(cell.value).__name__[0] for cell in opened(out)["a"]["B"][1:]]
    assert "".join(kinds) == "sifsisddsss"


def test_a_rebuilt_workbook_keeps_merged_cells_and_struck_lines_and_shows_its_dates():
    """What a clerk sees in the sheet given back says the same as the file: else the repaired workbook would not."""
    grid = Grid(
        "Livraisons", pl.DataFrame({"a": ["UAI", "0020011B", None, "0020012C"], "b": ["Livré le", "2022-03-01", "2022-03-02", "2022-03-03"]}),
        pl.Series([1, 2, 3, 4], dtype=pl.UInt32), (0, 1), merged=((2, 0, 3, 0),), struck_rows=frozenset([4]),
    )  # fmt: skip
    found = issues(("x", "blocking", "Livraisons", 4, "B", "jour", None, None, None, "Non"))
    book = opened(annotate_rebuilt((grid,), found, COUNTED, "Livraisons"))
    sheet = book["Livraisons"]
    assert [str(span) for span in sheet.merged_cells.ranges] == ["A2:A3"]
    assert [cell.font.strike or False for cell in (sheet["A2"], sheet["A4"], sheet["B3"], sheet["B4"])] == [False, True, False, True]
    assert sheet["B2"].number_format == "dd/mm/yyyy" and sheet["B4"].fill.fgColor.rgb == "FFFFC7CE"
    assert sheet.column_dimensions["B"].width >= 11


def test_the_sheet_of_anomalies_is_readable_as_it_opens():
    """A long message has the height of its lines, and no text of the summary is cut by its neighbour."""
    found = issues(("x", "blocking", "S", 1, "A", "uai", None, None, None, "Valeur refusée. " * 20))
    grid = Grid("S", pl.DataFrame({"a": ["UAI"]}), pl.Series([1], dtype=pl.UInt32), (0,))
    sheet = opened(annotate_rebuilt((grid,), found, COUNTED, "Livraisons"))["Anomalies"]
    last = sheet.max_row
    assert sheet.row_dimensions[last].height >= 60
    heads = next(row for row in sheet.iter_rows() if row[0].value == "Gravité")
    assert [cell.column for cell in heads if cell.value] == [1, 2, 4, 5, 9]
