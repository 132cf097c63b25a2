"""Excel 97-2003 workbooks read as their sender sees them."""

from __future__ import annotations

import datetime as dt
import io

import pytest

from essaim.engines.intake.annotate import annotate
from essaim.engines.intake.reading import read_file
from essaim.engines.intake.tables import FileRefused

from .grids import values

xlwt = pytest.importorskip("xlwt", reason="xlwt writes the workbooks of these tests")

HEADER = ("UAI", "Code commune", "Date", "Taux", "Résultat", "Reçu")
ERRORS = {0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!", 0x2A: "#N/A"}


def book(epoch_1904: bool = False) -> xlwt.Workbook:
    made = xlwt.Workbook(encoding="utf-8")
    made.dates_1904 = epoch_1904
    return made


def saved(made: xlwt.Workbook) -> bytes:
    output = io.BytesIO()
    made.save(output)
    return output.getvalue()


def deliveries(epoch_1904: bool = False) -> bytes:
    """A title over merged cells, a blank line, a header, and one line an error code."""
    made = book(epoch_1904)
    sheet = made.add_sheet("Livraisons")
    code, percent, day, moment = (
        xlwt.easyxf(num_format_str=shown) for shown in ("00000", "0.0%", "DD/MM/YYYY", "DD/MM/YYYY hh:mm")
    )
    sheet.write_merge(0, 0, 0, 5, "Livraisons de la rentrée")
    for column, label in enumerate(HEADER):
        sheet.write(2, column, label)
    for row, error in enumerate(ERRORS, start=3):
        sheet.write(row, 0, f"035000{row}A")
        sheet.write(row, 1, 1004, code)
        sheet.write(row, 2, dt.datetime(2021, 8, 31, 8 if row == 4 else 0, 30 if row == 4 else 0), moment if row == 4 else day)  # noqa: DTZ001
        sheet.write(row, 3, 0.035, percent)
        sheet.row(row).set_cell_error(4, error)
        sheet.write(row, 5, row % 2 == 1)
    return saved(made)


@pytest.mark.parametrize("epoch_1904", [False, True])
def test_codes_percents_errors_and_dates_of_both_epochs(epoch_1904):
    """Displayed codes and percents, error names, booleans and dates are the same whatever the epoch, which is told."""
    (table,) = read_file(deliveries(epoch_1904), "a.xls").tables
    lines = values(table)
    assert table.header_row == 3 and table.epoch_1904 is epoch_1904
    assert {line[1] for line in lines} == {"01004"} and {line[3] for line in lines} == {"3.5%"}
    assert [line[4] for line in lines] == list(ERRORS.values())
    assert [line[2] for line in lines][:2] == ["2021-08-31", "2021-08-31T08:30:00"]
    assert [line[5] for line in lines][:2] == ["true", "false"]


def test_merged_headers_name_their_columns():
    """A merged group of columns is joined to each label below it."""
    made = book()
    sheet = made.add_sheet("F")
    sheet.write_merge(0, 1, 0, 0, "UAI")
    sheet.write_merge(0, 0, 1, 2, "Effectifs")
    sheet.write(1, 1, "Filles")
    sheet.write(1, 2, "Garçons")
    for row in range(2, 6):
        for column, value in enumerate((f"035000{row}A", row, row + 1)):
            sheet.write(row, column, value)
    (table,) = read_file(saved(made), "a.xls").tables
    assert [column.header for column in table.columns] == ["UAI", "Effectifs / Filles", "Effectifs / Garçons"]
    assert values(table)[0] == ("0350002A", "2", "3")


def test_times_durations_and_small_decimals():
    """A time, a duration above a day and a decimal keep their own spelling."""
    made = book()
    sheet = made.add_sheet("F")
    for column, label in enumerate(("UAI", "Heure", "Durée", "Montant")):
        sheet.write(0, column, label)
    for row in (1, 2):
        sheet.write(row, 0, f"035000{row}A")
        sheet.write(row, 1, dt.time(8, 30), xlwt.easyxf(num_format_str="hh:mm"))
        sheet.write(row, 2, 1.5, xlwt.easyxf(num_format_str="[h]:mm:ss"))
        sheet.write(row, 3, 0.1)
    assert values(read_file(saved(made), "a.xls").tables[0])[0] == ("0350001A", "08:30:00", "36:00:00", "0.1")


def test_hidden_parts_are_read_and_told():
    """Hidden sheets, rows and columns are read like the others, and told."""
    made = book()
    sheet = made.add_sheet("Cachée")
    for row in range(4):
        for column in range(2):
            sheet.write(row, column, ("UAI", "Nombre")[column] if row == 0 else (f"035000{row}A", row)[column])
    sheet.row(2).hidden = True
    sheet.col(1).hidden = True
    made.add_sheet("Vide")
    sheet.visibility = 1
    made.set_active_sheet(1)
    result = read_file(saved(made), "a.xls")
    assert {"hidden_sheet", "hidden_rows", "hidden_columns"} <= set(dict(result.notices))
    assert len(values(result.tables[0])) == 3 and result.tables[0].hidden


def test_damaged_formats_do_not_lose_the_values():
    """A workbook cut inside its last records is read without formats or refused, never half read in silence."""
    whole = deliveries()
    for cut in (len(whole) // 2, len(whole) - 600):
        try:
            lines = values(read_file(whole[:cut], "a.xls").tables[0])
        except FileRefused as refusal:
            assert refusal.code in ("truncated_file", "no_table")
        else:
            assert len(lines) == len(ERRORS)


def test_given_back_and_read_again():
    """The annotated copy of an old workbook holds the same cells, padded codes included."""
    import polars as pl

    content = deliveries()
    first = read_file(content, "a.xls")
    text = dict.fromkeys(("code", "severity", "sheet", "column", "field", "value", "expected", "suggestion", "message"), pl.String)
    issues = pl.DataFrame({}, schema={**text, "row": pl.UInt32})
    summary = pl.DataFrame({}, schema={"code": pl.String, "severity": pl.String, "field": pl.String, "count": pl.UInt32, "message": pl.String})
    again = read_file(annotate(content, "a.xls", first, issues, summary, title="Contrôle"), "a.xlsx")
    assert values(again.tables[0]) == values(first.tables[0])
