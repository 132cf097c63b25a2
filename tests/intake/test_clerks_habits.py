"""Habits of clerks and of their software that change what a file says: read as a person reads them, or asked; never in silence."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, date, datetime
from typing import Any

import openpyxl
import polars as pl
import pytest
import xlwt
from openpyxl.styles import Font

from essaim.engines.intake import check
from essaim.equipment.contracts import ACKNOWLEDGEMENTS, DELIVERIES, INVENTORY, ORDERS
from intake.test_sent_layouts import text, understood, workbook
from intake.understanding import uai

A, B, C, D = uai(1), uai(2), uai(3), uai(4)
MARCH = date(2022, 3, 1)
HEAD = ["UAI", "Matériel", "Quantité", "Date de livraison"]


def quantities(content: bytes, contract: Any = DELIVERIES, name: str = "envoi.xlsx", **inputs: Any) -> list[int]:
    return [row[0] for row in understood(content, contract, "quantity", name=name, **inputs)]


@pytest.mark.parametrize("rows", [
    [["UAI", "Matériel", "Cumul janv-22", "Cumul févr-22"], [A, "Tablette", 3, 5]],
    [["LIVRAISONS CUMULÉES"], ["UAI", "Matériel", "janvier 2022", "février 2022"], [A, "Tablette", 3, 5]],
])  # fmt: skip
def test_columns_that_add_up_what_came_before_are_no_deliveries_of_their_month(rows):
    result = check(workbook(rows), "envoi.xlsx", DELIVERIES)
    assert result.status == "refused" and result.rows.height == 0


def test_lines_that_only_an_unread_column_tells_apart_are_asked_then_added_up():
    """One line a room: three projectors are three, fifteen computers and four nineteen."""
    rows = [["UAI", "Salle", "Matériel", "Quantité", "Date d'inventaire"], *([A, f"Salle {n}", "VPI", 1, MARCH] for n in (1, 2, 3)), [B, "CDI", "PC", 4, MARCH], [B, "Techno", "PC", 15, MARCH]]
    (question,) = check(workbook(rows), "envoi.xlsx", INVENTORY).questions
    assert question.holds and "« Salle »" in question.message
    summed = check(workbook(rows), "envoi.xlsx", INVENTORY, answers={question.id: "sum"})
    assert sorted(summed.rows.select("uai", "quantity", "source_row").rows()) == [(A, 3, 2), (B, 19, 5)]
    assert summed.lines.filter(source_row=2)["line_row"].to_list() == [2, 3, 4] and summed.rows_read == 5 and not summed.rows_refused
    kept = check(workbook(rows), "envoi.xlsx", INVENTORY, answers={question.id: ""})
    assert kept.rows["quantity"].to_list() == [1] and not kept.questions


def test_repeated_lines_and_lines_numbered_apart_raise_no_such_question():
    rows = [["N°", *HEAD], [1, A, "Tablette", 5, MARCH], [2, A, "Tablette", 5, MARCH], [3, B, "Tablette", 5, MARCH]]
    assert not check(workbook(rows), "envoi.xlsx", DELIVERIES).questions
    assert not check(workbook([[*HEAD, "Salle"], [A, "Tablette", 5, MARCH, "CDI"], [A, "Tablette", 5, MARCH, "CDI"]]), "envoi.xlsx", DELIVERIES).questions


def test_a_list_of_one_line_a_device_is_counted_once_its_sender_says_so():
    """Receipts are not lists of devices (one works, another does not): each line is one when their sender says so."""
    rows = [["UAI", "Matériel", "N° de série", "Date de réception"], *([A, "Tablette", f"SN{n}", MARCH] for n in range(4)), [B, "Tablette", "SN9", MARCH]]
    (one,) = check(workbook(rows), "envoi.xlsx", ACKNOWLEDGEMENTS).questions
    assert one.choices[0][0] == "1"
    (more,) = check(workbook(rows), "envoi.xlsx", ACKNOWLEDGEMENTS, answers={one.id: "1"}).questions
    settled = check(workbook(rows), "envoi.xlsx", ACKNOWLEDGEMENTS, answers={one.id: "1", more.id: "sum"})
    assert sorted(settled.rows["quantity"].to_list()) == [1, 4] and not settled.questions


@pytest.mark.parametrize("mark", ["idem", '"', "″", "dito", "id.", "//", '-"-', "Idem ci-dessus", "’’"])
def test_marks_of_repetition_take_what_stands_above(mark):
    rows = [HEAD, [A, "Tablette", 5, MARCH], [mark, "VPI", 2, mark], [mark, "Imprimante", 1, mark], [B, "Tablette", 4, date(2022, 3, 2)]]
    found = understood(workbook(rows), DELIVERIES, "uai", "quantity", "delivered_on")
    assert found == sorted([(A, 5, MARCH), (A, 2, MARCH), (A, 1, MARCH), (B, 4, date(2022, 3, 2))])
    assert check(workbook(rows), "envoi.xlsx", DELIVERIES).issues.filter(code="cell_ditto").height == 1


def test_a_number_is_never_taken_from_the_line_above():
    result = check(workbook([HEAD, [A, "Tablette", 5, MARCH], [B, "idem", "idem", "idem"]]), "envoi.xlsx", DELIVERIES)
    assert result.rows["quantity"].to_list() == [5] and result.refused.height == 1


def test_the_midnight_of_paris_that_software_writes_in_another_zone_is_its_day():
    """A web form stores 1 March 2022 as ``2022-02-28T23:00:00.000Z``."""
    lines = [f'{{"uai": "{school}", "materiel": "Tablette", "quantite": 5, "date_livraison": "{moment}"}}' for school, moment in ((A, "2022-02-28T23:00:00.000Z"), (B, "2022-06-30T22:00:00Z"), (C, "2022-06-30T10:00:00Z"))]
    found = understood("\n".join(lines).encode(), DELIVERIES, "uai", "delivered_on", name="e.jsonl")
    assert found == [(A, MARCH), (B, date(2022, 7, 1)), (C, date(2022, 6, 30))]
    out = io.BytesIO()
    pl.DataFrame({"uai": [A], "materiel": ["Tablette"], "quantite": [3], "date_livraison": [datetime(2022, 2, 28, 23, tzinfo=UTC)]}).write_parquet(out)
    assert understood(out.getvalue(), DELIVERIES, "delivered_on", name="e.parquet") == [(MARCH,)]


def test_units_said_above_the_table_count():
    rows = [["N° BC", "UAI", "Désignation", "Qté", "Montant", "Date BC"], ["B1", A, "Tablette", 10, 3.6, MARCH]]
    assert understood(workbook([["Commandes 2022 (en k€ HT)"], *rows]), ORDERS, "total_eur") == [(3600.0,)]
    assert understood(workbook([["Commandes 2022 - montants en k€ TTC"], *rows]), ORDERS, "total_eur") == [(3000.0,)]
    assert understood(workbook([["Total de la commande : 12 k€ TTC"], *rows]), ORDERS, "total_eur") == [(3.6,)]
    rows[0][4] = "Montant HT (€)"
    assert understood(workbook([["Commandes 2022 (en k€ TTC)"], *rows]), ORDERS, "total_eur") == [(3.6,)]


@pytest.mark.parametrize(("shown", "stored"), [('0.0" k€"', 3.6), ('0.0,"k€"', 3600.0), ("#,##0.00 €", 3600.0)])
def test_a_number_format_that_writes_the_unit_is_read_with_it(shown, stored):
    book = openpyxl.Workbook()
    for row in ([["N° BC", "UAI", "Désignation", "Qté", "Montant HT", "Date BC"], ["B1", A, "Tablette", 10, stored, MARCH]]):
        book.active.append(row)
    book.active["E2"].number_format = shown
    out = io.BytesIO()
    book.save(out)
    assert understood(out.getvalue(), ORDERS, "total_eur") == [(3600.0,)]


def struck_xlsx(rows: list[list[Any]]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for cell in book.active[3]:
        cell.font = Font(strike=True)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def struck_xls(rows: list[list[Any]]) -> bytes:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Feuil1")
    struck = "font: struck_out on"
    for i, row in enumerate(rows):
        for j, cell in enumerate(row):
            sheet.write(i, j, cell, xlwt.easyxf(struck if i == 2 else "", num_format_str="dd/mm/yyyy" if isinstance(cell, date) else "General"))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize(("name", "write"), [("e.xlsx", struck_xlsx), ("e.xls", struck_xls)])
def test_a_line_struck_through_is_not_counted_and_said(name, write):
    result = check(write([HEAD, [A, "Tablette", 3, MARCH], [B, "Tablette", 4, MARCH], [C, "Tablette", 5, MARCH]]), name, DELIVERIES)
    assert sorted(result.rows["quantity"]) == [3, 5]
    assert result.issues.filter(code="row_struck")["row"].to_list() == [3]


def test_marks_that_nobody_sees_change_nothing():
    """Directions, soft hyphens and joiners copied from a web page; a byte order mark in the middle of a file."""
    rows = [HEAD, *(["\u200e" + school + "\u200f", "Tab\u00adlette", f"\u202a{n}\u202c", "\u200b01/03/2022"] for n, school in enumerate((A, B), 3)), ["\ufeff" + C, "Tablette", "5", "01/03/2022"]]
    result = check(text(*rows), "e.csv", DELIVERIES)
    assert sorted(result.rows["quantity"]) == [3, 4, 5] and result.status == "clean"


def test_two_members_of_an_archive_with_one_name_are_both_read_and_a_workbook_with_two_parts_refused():
    out = io.BytesIO()
    with pytest.warns(UserWarning), zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.csv", text(HEAD, [A, "Tablette", "3", "01/03/2022"]))
        archive.writestr("a.csv", text(HEAD, [B, "Tablette", "9", "01/03/2022"]))
    assert sorted(check(out.getvalue(), "e.zip", DELIVERIES).rows["quantity"]) == [3, 9]
    whole = io.BytesIO(workbook([HEAD, [A, "Tablette", 3, MARCH]]))
    with pytest.warns(UserWarning), zipfile.ZipFile(whole, "a") as archive:
        archive.writestr("xl/worksheets/sheet1.xml", archive.read("xl/worksheets/sheet1.xml").replace(b">3<", b">900<"))
    result = check(whole.getvalue(), "e.xlsx", DELIVERIES)
    assert result.status == "refused" and result.issues["code"][0] == "duplicate_parts"


def test_carried_forward_lines_of_printed_pages_are_no_data():
    rows = [HEAD, [A, "Tablette", "3", "01/03/2022"], [B, "Tablette", "4", "01/03/2022"], ["À reporter", "", "7", ""], ["Page 1/2", "", "", ""], HEAD, ["Report", "", "7", ""], [C, "Tablette", "5", "01/03/2022"], ["Total", "", "12", ""]]
    assert quantities(text(*rows, encoding="cp1252"), name="e.csv") == [3, 4, 5]


@pytest.mark.parametrize("groups", [
    [["Laon", None, None, None, 7, None], [None, A, "É1", "Tablette", 3, MARCH], [None, B, "É2", "Tablette", 4, MARCH], ["Guise", None, None, None, 5, None], [None, C, "É3", "Tablette", 5, MARCH]],
    [[None, A, "É1", "Tablette", 3, MARCH], [None, B, "É2", "Tablette", 4, MARCH], ["Laon", None, None, None, 7, None], [None, C, "É3", "Tablette", 5, MARCH], ["Guise", None, None, None, 5, None]],
    [["Laon", A, "É1", "Tablette", 3, MARCH], ["Laon", B, "É2", "Tablette", 4, MARCH], ["Guise", C, "É3", "Tablette", 5, MARCH], [None, None, None, None, 12, None]],
])  # fmt: skip
def test_a_line_that_is_the_sum_of_others_is_their_total_without_the_word(groups):
    """Collapsed groups by commune, above or below their schools; the sum left alone at the foot."""
    assert quantities(workbook([["Commune", "UAI", "École", "Matériel", "Quantité", "Date de livraison"], *groups])) == [3, 4, 5]


def test_a_half_empty_line_that_is_the_sum_of_nothing_is_told():
    rows = [["Commune", "UAI", "École", "Matériel", "Quantité", "Date de livraison"], ["Laon", A, "É1", "Tablette", 3, MARCH], ["Laon", B, "É2", "Tablette", 4, MARCH], ["Guise", None, None, None, 11, None]]
    assert check(workbook(rows), "e.xlsx", DELIVERIES).refused.height == 1


@pytest.mark.parametrize("line", [
    ["(texte)", "(liste)", "(unités)", "(jj/mm/aaaa)"], ["code", "libellé", "nb", "date"], ["alphanum. 8", "texte libre", "entier", "date FR"],
    ["ex : 0020011B", "ex : Tablette", "ex : 10", "ex : 01/03/2022"], ["Exemple", "Tablette", "10", "01/03/2022"],
])  # fmt: skip
def test_the_line_that_says_what_to_write_is_no_data(line):
    rows = [HEAD, line, [A, "Tablette", "3", "01/03/2022"], [B, "Tablette", "4", "01/03/2022"]]
    assert quantities(text(*rows), name="e.csv") == [3, 4]


def test_three_decimals_of_management_software_are_no_thousands():
    """``12,000`` all down a column of devices: twelve, and a look is asked."""
    rows = [HEAD, [A, "Tablette", "12,000", "12.03.2022"], [B, "Tablette", "3,000", "13.03.2022"]]
    result = check(text(*rows), "e.csv", DELIVERIES)
    assert sorted(result.rows["quantity"]) == [3, 12] and "number_mark_doubtful" in set(result.issues["code"])
    rows.append([C, "Tablette", "250", "14.03.2022"])
    assert sorted(check(text(*rows), "e.csv", DELIVERIES).rows["quantity"]) == [250, 3000, 12000]


def test_what_was_ordered_is_not_what_was_delivered_in_english_either():
    rows = [["School ID", "Item", "Ordered Qty", "Delivery date"], [A, "Tablet", "15", "12-Mar-22"]]
    assert check(text(*rows), "e.csv", DELIVERIES).rows.height == 0


def test_a_sheet_a_month_and_a_sheet_a_lot_give_what_their_name_says():
    months = {f"{month} 2022": [["UAI", "Matériel", "Quantité"], [A, "Tablette", n]] for n, month in enumerate(("Janvier", "Février"), 1)}
    first = months.pop("Janvier 2022")
    book = openpyxl.load_workbook(io.BytesIO(workbook(first, **months)))
    book.worksheets[0].title = "Livraisons janvier 2022"
    out = io.BytesIO()
    book.save(out)
    assert understood(out.getvalue(), DELIVERIES, "quantity", "delivered_on") == [(1, date(2022, 1, 1)), (2, date(2022, 2, 1))]
    lots = {"Lot 2 - PC portables": [["UAI", "Quantité", "Date de livraison"], [A, 2, MARCH]], "Lot n°3 : Vidéoprojecteurs".replace(":", "–"): [["UAI", "Quantité", "Date de livraison"], [A, 3, MARCH]]}
    found = understood(workbook([["Consignes de saisie"]], **lots), DELIVERIES, "category", "quantity")
    assert found == [("ordinateur_portable", 2), ("videoprojecteur", 3)]


@pytest.mark.parametrize("rows", [
    [["N° BC", "UAI", "Désignation", "Qté", "Date BC"], ["B1", A, "Tablettes (lot de 10)", 2, MARCH]],
    [["N° BC", "UAI", "Désignation", "Conditionnement", "Qté", "Date BC"], ["B1", A, "Tablette", "par 10", 2, MARCH]],
])  # fmt: skip
def test_quantities_that_may_count_packs_ask_for_a_look(rows):
    assert check(workbook(rows), "e.xlsx", ORDERS).issues.filter(code="packed")["severity"].to_list() == ["warning"]


class _Aisne:
    """A register of two schools of one name in two communes."""

    def known(self, values: Any) -> Any:
        schema = {"value": pl.String, "known": pl.Boolean, "replaced_by": pl.String, "closed_on": pl.Date}
        return pl.DataFrame([(value, True, None, None) for value in values], schema=schema, orient="row")

    def find(self, queries: Any) -> Any:
        there = {"laon": A, "guise": B}
        found = [(row["query"], there[place], place, 100.0) for row in queries.iter_rows(named=True) if row["name"].endswith("Jean Moulin") and (place := (row["commune"] or "").casefold()) in there]
        return pl.DataFrame(found, schema={"query": pl.UInt32, "value": pl.String, "label": pl.String, "score": pl.Float64}, orient="row")

    def attributes(self, values: Any) -> Any:
        return pl.DataFrame({"value": values})


@pytest.mark.parametrize("written", ["École Jean Moulin ({})", "École Jean Moulin - {}", "École Jean Moulin à {}", "{} - École Jean Moulin", "{} : Ecole Jean Moulin", "{}, Clg Jean Moulin"])
def test_a_commune_written_with_the_name_of_the_school_leads_to_it(written):
    rows = [["Établissement", "Matériel", "Quantité", "Date de livraison"], [written.format("Laon"), "Tablette", 3, MARCH], [written.format("GUISE"), "Tablette", 4, MARCH]]
    assert understood(workbook(rows), DELIVERIES, "uai", "quantity", references={"establishment": _Aisne()}) == [(A, 3), (B, 4)]
