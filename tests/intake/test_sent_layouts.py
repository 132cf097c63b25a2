"""Layouts that authorities, suppliers and schools send, each with what it truly says: read so, or asked; never wrong in silence."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import openpyxl
import pytest

from essaim.engines.intake import annotated_workbook, check
from essaim.equipment.contracts import DELIVERIES, DISPOSALS, INVENTORY, ORDERS
from intake.understanding import uai

A, B, C = uai(1), uai(2), uai(3)
MARCH = date(2022, 3, 1)


def workbook(rows: list[list[Any]], merged: tuple[str, ...] = (), **others: list[list[Any]]) -> bytes:
    book = openpyxl.Workbook()
    for title, lines in {"Feuil1": rows, **others}.items():
        sheet = book.active if title == "Feuil1" else book.create_sheet(title)
        for line in lines:
            sheet.append(line)
    for span in merged:
        book.active.merge_cells(span)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def text(*rows: list[str], encoding: str = "utf-8") -> bytes:
    return "\r\n".join(";".join(row) for row in rows).encode(encoding)


def understood(content: bytes, contract: Any, *fields: str, name: str = "envoi.xlsx", **inputs: Any) -> list[tuple[Any, ...]]:
    """Rows kept, nothing asked, nothing refused."""
    result = check(content, name, contract, **inputs)
    assert not result.questions and result.refused.height == 0, result.summary.rows()
    return sorted(result.rows.select(fields).rows())


def test_one_column_a_month_gives_its_month_to_each_quantity():
    """A supplier's pivot: the month of the header is the date, the total of the line is not a delivery."""
    rows = [["UAI", "Matériel", "janvier 2022", "févr-22", "Total"], [A, "Tablette", 5, 3, 8], [B, "PC portable", None, 2, 2]]
    assert understood(workbook(rows), DELIVERIES, "uai", "quantity", "delivered_on") == [
        (A, 3, date(2022, 2, 1)), (A, 5, date(2022, 1, 1)), (B, 2, date(2022, 2, 1)),
    ]  # fmt: skip


@pytest.mark.parametrize("form", [[["N° BL", "BL-{n}"], ["UAI", "{uai}"], ["Livré le", "1{n}/03/2022"]], [["BON DE LIVRAISON N°", "BL-{n}"], ["Destinataire :", "Collège Matisse ({uai})"], ["Date de livraison", "1{n}/03/2022"]]])
def test_delivery_notes_one_under_another_keep_their_own_heading(form):
    """One form and one small table a school in the same sheet: each heading goes with the table under it, and is not « unread »."""
    rows: list[list[Any]] = []
    for number, school in enumerate((A, B), start=1):
        rows += [[cell.format(n=number, uai=school) for cell in line] for line in form]
        rows += [[], ["Désignation", "Quantité"], ["Tablette", 5 + number], ["VPI", 1], [], ["Signature du réceptionnaire"], []]
    registers = {"establishment": _Known()}
    result = check(workbook(rows), "bons.xlsx", DELIVERIES, references=registers)
    found = sorted(result.rows.select("uai", "delivery_ref", "category", "quantity", "delivered_on").rows())
    assert found == [
        (A, "BL-1", "tablette", 6, date(2022, 3, 11)), (A, "BL-1", "videoprojecteur", 1, date(2022, 3, 11)),
        (B, "BL-2", "tablette", 7, date(2022, 3, 12)), (B, "BL-2", "videoprojecteur", 1, date(2022, 3, 12)),
    ]  # fmt: skip
    assert "table_ignored" not in set(result.issues["code"])


class _Known:
    """A register that knows every school and finds none by its name."""

    def known(self, values: Any) -> Any:
        import polars as pl

        schema = {"value": pl.String, "known": pl.Boolean, "replaced_by": pl.String, "closed_on": pl.Date}
        return pl.DataFrame([(value, True, None, None) for value in values], schema=schema, orient="row")

    def find(self, queries: Any) -> Any:
        import polars as pl

        return pl.DataFrame(schema={"query": pl.UInt32, "value": pl.String, "label": pl.String, "score": pl.Float64})

    def attributes(self, values: Any) -> Any:
        import polars as pl

        return pl.DataFrame({"value": values})


def test_headings_of_tables_side_by_side_go_with_their_own_table():
    """« Tablettes » above the first, « PC portables » above the second."""
    rows = [["Tablettes", None, None, None, "PC portables", None, None], [*["UAI", "Nombre", "Date d'inventaire"], None, *["UAI", "Nombre", "Date d'inventaire"]], [A, 5, MARCH, None, A, 2, MARCH], [B, 6, MARCH, None, B, 3, MARCH]]
    assert understood(workbook(rows), INVENTORY, "uai", "category", "quantity") == [
        (A, "ordinateur_portable", 2), (A, "tablette", 5), (B, "ordinateur_portable", 3), (B, "tablette", 6),
    ]  # fmt: skip


def test_the_title_of_the_first_block_counts_like_those_between_the_others():
    """« Collège Matisse - UAI » above each block of the same columns."""
    rows: list[list[Any]] = []
    for number, school in enumerate((A, B, C), start=1):
        rows += [[f"Collège Matisse - {school} - Laon"], ["Matériel", "Qté", "Livré le"], ["Tablette", number, MARCH], ["VPI", 1, MARCH], ["Total", number + 1, None], []]
    assert understood(workbook(rows), DELIVERIES, "uai", "category", "quantity") == sorted([(s, "tablette", n) for n, s in enumerate((A, B, C), 1)] + [(s, "videoprojecteur", 1) for s in (A, B, C)])


@pytest.mark.parametrize("title", ["INVENTAIRE DES COLLÈGES AU 31/12/2022", "Inventaire du matériel numérique au 31 décembre 2022"])
def test_the_date_of_a_title_may_stand_after_other_words(title):
    """The field's own word begins the line, the only date ends it."""
    rows = [[title], [], ["UAI", "Matériel", "Nombre"], [A, "Tablette", 5]]
    assert understood(workbook(rows), INVENTORY, "uai", "counted_on") == [(A, date(2022, 12, 31))]


@pytest.mark.parametrize("title", ["Inventaire édité le 31/12/2022", "Inventaire des commandes au 31/12/2022", "Inventaire du 01/09/2021 au 31/12/2022"])
def test_a_date_of_another_act_in_a_title_is_not_taken(title):
    """Printed on, ordered by, or two dates: asked."""
    rows = [[title], [], ["UAI", "Matériel", "Nombre"], [A, "Tablette", 5]]
    result = check(workbook(rows), "envoi.xlsx", INVENTORY)
    assert result.status == "refused" and result.rows.height == 0


def test_abbreviated_headers_are_read_and_near_ones_asked():
    """« PC port. », « Impr. », « Date inv. » have one meaning; « Tabletes » has nearly one."""
    rows = [["RNE", "TBI", "PC port.", "Vidéoproj.", "Impr.", "Date inv."], [A, 1, 5, 2, 3, MARCH], [B, 2, 4, 6, 1, MARCH]]
    assert [row[1:] for row in understood(workbook(rows), INVENTORY, "uai", "category", "quantity") if row[0] == A] == [
        ("ecran_interactif", 1), ("imprimante_reseau", 3), ("ordinateur_portable", 5), ("videoprojecteur", 2),
    ]  # fmt: skip
    rows[0][2] = "Tabletes"
    result = check(workbook(rows), "envoi.xlsx", INVENTORY)
    (question,) = result.questions
    assert question.about == "C" and question.holds and question.choices[0][0] == "tablette"
    assert 5 in check(workbook(rows), "envoi.xlsx", INVENTORY, answers={question.id: "tablette"}).rows.filter(category="tablette")["quantity"]
    assert not check(workbook(rows), "envoi.xlsx", INVENTORY, answers={question.id: ""}).questions


def test_what_a_status_says_did_not_happen_is_not_counted():
    """Cancelled and awaited deliveries are refused with the status; an unknown status changes nothing."""
    rows = [["UAI", "Matériel", "Quantité", "Statut", "Date de livraison"]]
    rows += [[A, "Tablette", 5, "Livré", MARCH], [B, "Tablette", 6, "Annulé", MARCH], [C, "Tablette", 7, "En attente de livraison", MARCH], [uai(4), "Tablette", 8, "Soldé", MARCH]]
    result = check(workbook(rows), "envoi.xlsx", DELIVERIES)
    assert sorted(result.rows["quantity"]) == [5, 8]
    told = result.issues.filter(code="row_undone")
    assert told["row"].to_list() == [3, 4] and told["value"].to_list() == ["Annulé", "En attente de livraison"] and set(told["severity"]) == {"blocking"}
    assert "« Statut »" in told["message"][0]


def test_a_participle_is_not_the_noun_it_resembles():
    """« Commandé » beside « Livré » counts what was ordered; it is no order number."""
    rows = [["UAI", "Matériel", "Commandé", "Livré", "Date de livraison"], [A, "Tablette", 10, 8, MARCH]]
    assert understood(workbook(rows), DELIVERIES, "uai", "quantity", "order_ref") == [(A, 8, None)]


def test_an_identifier_under_a_near_header_is_the_identifier():
    """« Code étab. » that holds UAIs is not the name of the school; « Mt HT », « Date eng. » are understood."""
    rows = [["N° engagement", "Date eng.", "Libellé", "Qté", "Mt HT", "Mt TTC", "Code étab."], ["E22-001", "05/01/2022", "Tablette", "4", "2 000,00", "2 400,00", A]]
    assert understood(text(*rows, encoding="cp1252"), ORDERS, "uai", "order_ref", "ordered_on", "total_eur", name="ciril.csv") == [(A, "E22-001", date(2022, 1, 5), 2000.0)]


def test_subtotals_lots_and_taxes_are_no_rows():
    """A schedule of prices by lot: headings, sub-totals, VAT and totals are left out whatever the size of the table."""
    rows = [["Lot", "Article", "Établissement", "UAI", "Qté", "PU HT", "Montant HT"], ["LOT 1 - TABLETTES"]]
    rows += [[1, "Tablette", "Collège X", A, 10, "300 €", "3 000 €"], ["Sous-total lot 1", None, None, None, 10, None, "3 000 €"]]
    rows += [["LOT 2 - VIDÉO"], [2, "VPI", "Collège X", A, 1, "1 000 €", "1 000 €"], ["TOTAL HT", None, None, None, 11, None, "4 000 €"], ["TVA 20 %", *[None] * 5, "800 €"], ["TOTAL TTC", *[None] * 5, "4 800 €"]]
    assert understood(workbook(rows), ORDERS, "uai", "category", "quantity", "total_eur") == [(A, "tablette", 10, 3000.0), (A, "videoprojecteur", 1, 1000.0)]


def test_schools_named_with_their_identifier_may_head_columns():
    """« Collège Matisse\\n0020001X » above a column of quantities."""
    rows = [["Inventaire au 15 juin 2022"], [], ["Équipement", f"Collège Matisse\n{A}", f"Collège Pasteur ({B})", "Total"], ["Tablettes", 5, 6, 11], ["Vidéoprojecteurs", 4, None, 4], ["Total", 9, 6, 15]]
    assert understood(workbook(rows), INVENTORY, "uai", "category", "quantity") == [(A, "tablette", 5), (A, "videoprojecteur", 4), (B, "tablette", 6)]


def test_a_school_named_in_a_line_of_data_does_not_make_it_a_header():
    """An export whose cells hold « Entité > Collège (UAI) »: its first line is the header."""
    head = ["Nom", "Statut", "Entité", "Type", "Lieu", "Dernière modification"]
    rows = [head, *[[f"PC-{n}", "En service", f"Collèges > Collège Matisse ({A})", "Portable", "S1", "2022-09-01"] for n in range(4)]]
    assert check(text(*rows), "parc.csv", INVENTORY).tables[0].header_row == 1


@pytest.mark.parametrize(("written", "read"), [("’6", 6), ('="7"', 7), ("8*", 8), ("9 **", 9)])
def test_marks_of_spreadsheets_and_of_notes_are_no_part_of_a_number(written, read):
    """How exports keep texts, how notes are called."""
    content = text(["UAI", "Matériel", "Qté", "Date de livraison"], [f'="{A}"', "Tablette", written, '="01/02/2022"'])
    assert understood(content, DELIVERIES, "uai", "quantity", "delivered_on", name="export.csv") == [(A, read, date(2022, 2, 1))]


def test_questions_of_a_survey_name_what_they_count():
    """« Combien de tablettes ? » is a column of tablets."""
    rows = [["Code UAI", "Date d'inventaire", "Combien de tablettes ?", "Combien d'ordinateurs portables ?"], [A, "05/09/2022", "10", "5"]]
    assert understood(text(*rows), INVENTORY, "uai", "category", "quantity", name="enquete.csv") == [(A, "ordinateur_portable", 5), (A, "tablette", 10)]


def test_currency_before_the_amount():
    """EUR 890.50 as suppliers write it."""
    rows = [["UAI", "Article", "Quantité", "PU HT", "Total HT"], [A, "VPI", "3", "EUR 890.50", "EUR 2,671.50"]]
    assert understood(text(*rows), ORDERS, "unit_price_eur", "total_eur", name="devis.csv") == [(890.5, 2671.5)]


def test_a_disposal_said_in_its_title_is_asked_for_what_it_does_not_say():
    """The date is in the title; the destination is asked once for the whole table, and no guess is made."""
    rows = [["Matériel réformé le 30/06/2022"], [], ["UAI", "Matériel", "Quantité réformée"], [A, "PC", 4]]
    result = check(workbook(rows), "reforme.xlsx", DISPOSALS)
    (question,) = result.questions
    assert result.status == "refused" and question.id.startswith("once:") and question.id.endswith(":destination")
    given = check(workbook(rows), "reforme.xlsx", DISPOSALS, answers={"once:destination": "D3E"})
    assert given.rows.select("retired_on", "destination").rows() == [(date(2022, 6, 30), "recyclage")]


FORM = [["Inventaire"], [], ["UAI", A, B, C], ["Établissement", "Collège X", "Collège Y", "Collège Z"], ["Matériel", "Tablette", "Tablette", "Tablete"], ["Quantité", 5, "beaucoup", 7], ["Date de comptage", *["01/09/2022"] * 3]]


def test_the_cells_of_a_table_on_its_side_are_coloured_where_the_sender_wrote_them():
    """A line of categories near the top does not make the table stand; row and column of an issue are those of the sheet."""
    content = workbook(FORM)
    result = check(content, "fiche.xlsx", INVENTORY)
    assert result.rows.select("uai", "quantity").rows() == [(A, 5)]
    assert result.issues.filter(severity="blocking").select("row", "column").rows() == [(5, "D"), (6, "C")]
    book = openpyxl.load_workbook(io.BytesIO(annotated_workbook(content, "fiche.xlsx", result)))
    marked = [cell.coordinate for line in book.worksheets[1].iter_rows() for cell in line if cell.comment]
    assert marked == ["D5", "C6"]


@pytest.mark.parametrize("name", ["fiche.xlsx", "fiche.csv"])
def test_the_list_of_anomalies_speaks_of_fields_by_their_label_and_prints_on_one_width(name):
    """What a person reads, in the sender's workbook as in one made for a text file."""
    rows = [["UAI", "Matériel", "Quantité", "Date de comptage"], [A, "Tablette", "beaucoup", "01/09/2022"]]
    content = workbook(rows) if name.endswith("xlsx") else text(*rows)
    book = openpyxl.load_workbook(io.BytesIO(annotated_workbook(content, name, check(content, name, INVENTORY))))
    sheet = book["Anomalies"]
    written = {cell.value for line in sheet.iter_rows() for cell in line}
    assert "Quantité présente" in written and "quantity" not in written
    assert sheet.page_setup.orientation == "landscape" and sheet.sheet_properties.pageSetUpPr.fitToPage
