"""Pivots and lists written like them: schools above their articles, subtotals among the lines, labels written once a group.

A subtotal is never counted; what stands above a line is read when sums or identifiers prove it, asked otherwise."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import openpyxl
import pytest
import xlwt
from openpyxl.styles import Alignment

from essaim.engines.intake import annotated_workbook, check
from essaim.equipment.contracts import DELIVERIES, DISPOSALS, INVENTORY, ORDERS
from intake.test_sent_layouts import text, understood, workbook
from intake.understanding import Register, uai

A, B, C = uai(1), uai(2), uai(3)
DAY = ["Livraison du 01/03/2022"]
HEAD = ["Étiquettes de lignes", "Somme de Quantité"]
NAMES = {A: "École Jean Moulin", B: "Collège Matisse", C: "École Zola"}
REGISTER = {"establishment": Register({code: (name, "Laon", 400, None, None) for code, name in NAMES.items()})}
TRUTH = [(A, "ordinateur_portable", 3), (A, "tablette", 5), (B, "tablette", 4), (B, "videoprojecteur", 2)]
Rows = list[list[Any]]


def compact(first: str = A, second: str = B, sums: tuple[Any, Any] = (8, 6)) -> Rows:
    return [DAY, [], HEAD, [first, sums[0]], ["Tablette", 5], ["PC portable", 3], [second, sums[1]], ["Tablette", 4], ["VPI", 2], ["Total général", 14]]


def set_in(rows: Rows, indents: dict[int, int]) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(workbook(rows)))
    for row, indent in indents.items():
        book.active.cell(row, 1).alignment = Alignment(horizontal="left", indent=indent)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def set_in_xls(rows: Rows, indents: dict[int, int]) -> bytes:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Feuil1")
    for i, row in enumerate(rows):
        for j, cell in enumerate(row):
            sheet.write(i, j, cell, xlwt.easyxf(f"align: indent {indents.get(i + 1, 0) if not j else 0}"))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def of(rows: Rows, contract: Any = DELIVERIES, **inputs: Any) -> Any:
    return check(workbook(rows), "envoi.xlsx", contract, references=REGISTER, **inputs)


def counted(result: Any) -> list[tuple[Any, ...]]:
    return sorted(result.rows.select("uai", "category", "quantity").rows())


@pytest.mark.parametrize("rows", [
    compact(), compact(NAMES[A], NAMES[B]), compact(f"{A} - École Jean Moulin", f"{B} - Collège Matisse"),
    [*compact()[:3], ["Aisne", 14], *compact()[3:]],
    [*compact(NAMES[A], NAMES[B])[:3], ["Aisne", 8], *compact(NAMES[A])[3:6], ["Oise", 6], *compact(second=NAMES[B])[6:]],
], ids=["identifiers", "names", "both", "a territory above", "two territories"])  # fmt: skip
@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_articles_take_the_school_above_them_and_subtotals_are_not_counted(rows, kind):
    """Excel's compact form, the indents lost or not: the sums of the schools prove which lines they head."""
    content = workbook(rows) if kind == "xlsx" else text(*[[str(cell) for cell in row] for row in rows])
    result = check(content, f"envoi.{kind}", DELIVERIES, references=REGISTER)
    assert counted(result) == TRUTH and not result.questions and not result.rows_refused
    assert result.issues.filter(code="levels_read").height == 1


def test_each_line_of_a_pivot_keeps_its_own_row_and_the_annotated_workbook_opens():
    """The lineage is the line of the article; the lines of the schools are told as headings."""
    rows = compact()
    rows[4][0] = "Tablete"
    result = of(rows)
    assert sorted(result.rows["source_row"]) == [6, 8, 9]
    assert [row for row, reason in result.tables[0].skipped if reason.startswith("titre")] == [4, 7]
    assert result.issues.filter(code="code_unknown").select("row", "column").rows() == [(5, "A")]
    assert openpyxl.load_workbook(io.BytesIO(annotated_workbook(workbook(rows), "envoi.xlsx", result))).worksheets[1]["A5"].comment


def test_articles_may_stand_above_their_schools():
    rows = [DAY, [], HEAD, ["Tablette", 9], [NAMES[A], 5], [NAMES[B], 4], ["PC portable", 3], [NAMES[A], 3], ["VPI", 2], [NAMES[B], 2], ["Total général", 14]]
    assert counted(of(rows)) == TRUTH


def test_categories_in_columns_and_communes_above_their_schools():
    """The sums of the communes are not counted; no question is asked about the column of totals."""
    rows = [DAY, [], ["Somme de Quantité", "Étiquettes de colonnes"], ["Étiquettes de lignes", "Tablette", "PC portable", "Total général"],
            ["Laon", 8, 2, 10], [NAMES[A], 5, 1, 6], [NAMES[C], 3, 1, 4], ["Guise", 1, 1, 2], [NAMES[B], 1, 1, 2], ["Total général", 9, 3, 12]]  # fmt: skip
    result = of(rows)
    assert counted(result) == [(A, "ordinateur_portable", 1), (A, "tablette", 5), (B, "ordinateur_portable", 1), (B, "tablette", 1), (C, "ordinateur_portable", 1), (C, "tablette", 3)]
    assert not result.questions


def test_several_columns_of_values_and_a_void_label():
    """Amounts are proved with the quantities, a mean proves nothing; « (vide) » is no school."""
    head = ["Étiquettes de lignes", "Somme de Qté", "Somme de Montant HT", "Moyenne de PU HT"]
    rows = [["Bon de commande", "BC1"], [], head, [A, 8, 3000, 375], ["Tablette", 5, 1500, 300], ["PC portable", 3, 1500, 500], ["(vide)", 2, 600, 300], ["Tablette", 2, 600, 300], ["Total général", 10, 3600, 360]]
    result = check(workbook(rows), "envoi.xlsx", ORDERS)
    assert sorted(result.rows.select("uai", "category", "quantity", "total_eur").rows()) == [(A, "ordinateur_portable", 3, 1500.0), (A, "tablette", 5, 1500.0)]
    assert result.rows_refused == 1


def test_subtotals_at_the_foot_of_each_group():
    rows = [DAY, [], HEAD, [NAMES[A], None], ["Tablette", 5], ["PC portable", 3], [f"Total {NAMES[A]}", 8], [NAMES[B], None], ["Tablette", 4], ["VPI", 2], [f"Total {NAMES[B]}", 6], ["Total général", 14]]
    assert counted(of(rows)) == TRUTH


@pytest.mark.parametrize("rows", [
    [["UAI", "Matériel", "Quantité", "Livré le"], [A, None, 8, None], [None, "Tablette", 5, date(2022, 3, 1)], [None, "PC portable", 3, date(2022, 3, 1)], [B, None, 6, None],
     [None, "Tablette", 4, date(2022, 3, 1)], [None, "VPI", 2, date(2022, 3, 1)], ["Total général", None, 14, None]],
    [DAY, ["École", "Matériel", "Quantité"], [NAMES[A], "Tablette", 5], [None, "PC portable", 3], [f"Total {NAMES[A]}", None, 8], [NAMES[B], "Tablette", 4], [None, "VPI", 2], [f"Total {NAMES[B]}", None, 6], ["Total général", None, 14]],
    [DAY, ["Commune", "École", "Matériel", "Quantité"], ["Laon", NAMES[A], "Tablette", 5], [None, None, "PC portable", 3], [None, f"Total {NAMES[A]}", None, 8], [None, NAMES[B], "Tablette", 4], [None, None, "VPI", 2],
     [None, f"Total {NAMES[B]}", None, 6], ["Total Laon", None, None, 14], ["Total général", None, None, 14]],
    [DAY, ["Commune", "École", "Matériel", "Quantité"], ["Laon", None, None, 14], [None, NAMES[A], None, 8], [None, None, "Tablette", 5], [None, None, "PC portable", 3], [None, NAMES[B], None, 6], [None, None, "Tablette", 4], [None, None, "VPI", 2]],
    [DAY, ["UAI", "Matériel", "Quantité"], [A, None, None], [None, "Tablette", 5], [None, "PC portable", 3], [B, None, None], [None, "Tablette", 4], [None, "VPI", 2]],
    [DAY, ["Matériel", "École", "Quantité"], ["Tablette", NAMES[A], 5], [None, NAMES[B], 4], ["Total Tablette", None, 9], ["PC portable", NAMES[A], 3], ["Total PC portable", None, 3], ["VPI", NAMES[B], 2], ["Total VPI", None, 2]],
], ids=["outline", "tabular", "tabular with three levels", "outline with three levels", "identifiers without sums", "articles first"])  # fmt: skip
def test_labels_written_once_a_group_are_proved_by_the_sums(rows):
    """Outline and tabular forms: nothing is asked, no subtotal counted, no line refused."""
    result = of(rows)
    assert counted(result) == TRUTH and not result.questions and not result.rows_refused


def test_a_number_written_once_above_lines_that_say_the_rest_is_that_of_all_of_them():
    """« B1 » on the first line of an order and a total for each order: the other lines are of the same order."""
    rows = [["N° BC", "UAI", "Désignation", "Qté", "Montant HT"], ["B1", A, "Tablette", 5, 1500], [None, B, "VPI", 1, 500], ["Total B1", None, None, 6, 2000], ["B2", C, "Tablette", 2, 600], ["Total B2", None, None, 2, 600]]
    assert understood(workbook(rows), ORDERS, "order_ref", "uai", "quantity") == [("B1", A, 5), ("B1", B, 1), ("B2", C, 2)]


def test_labels_written_once_without_any_sum_are_asked_as_before():
    result = of([DAY, ["École", "Matériel", "Quantité"], [NAMES[A], "Tablette", 5], [None, "PC portable", 3], [NAMES[B], "Tablette", 4], [None, "VPI", 2]])
    assert [question.id.split(":")[0] for question in result.questions] == ["fill"]


@pytest.mark.parametrize("sums", [(9, 6), (8, None), (5, 6)])
def test_sums_that_do_not_agree_are_asked_and_nothing_counted_meanwhile(sums):
    """A subtotal somebody typed over may be the school's own number: the sender says what it is."""
    rows = compact(NAMES[A], NAMES[B], sums)
    (question,) = of(rows).questions
    assert question.holds and "École Jean Moulin" in question.message
    assert counted(of(rows, answers={question.id: "nested"})) == TRUTH
    apart = of(rows, answers={question.id: ""})
    assert not apart.questions and not apart.rows.height


@pytest.mark.parametrize("write", [set_in, set_in_xls])
def test_indents_tell_the_school_that_no_word_tells(write):
    """« Jean Moulin » set out, « Zorglub 3000 » set in, which is no category we know; what the outer labels are is asked."""
    rows = [DAY, [], HEAD, ["Jean Moulin", 8], ["Tablette", 5], ["Zorglub 3000", 3], ["Matisse", 6], ["Tablette", 4], ["VPI", 2], ["Total général", 14]]
    content, name = write(rows, dict.fromkeys((5, 6, 8, 9), 1)), "envoi.xlsx" if write is set_in else "envoi.xls"
    register = {"establishment": Register({A: ("Jean Moulin", "Laon", 400, None, None), B: ("Matisse", "Laon", 400, None, None)})}
    (question,) = check(content, name, DELIVERIES, references=register).questions
    assert question.id.startswith("level:") and question.holds and "« Jean Moulin », « Matisse »" in question.message
    settled = check(content, name, DELIVERIES, references=register, answers={question.id: "school_name"})
    assert counted(settled) == [(A, "tablette", 5), (B, "tablette", 4), (B, "videoprojecteur", 2)] and settled.issues.filter(code="code_unknown").height == 1


def test_spaces_before_labels_are_indents_too():
    rows = [[*DAY, ""], HEAD, ["Jean Moulin", "8"], ["   Tablette", "5"], ["   Zorglub 3000", "3"], ["Matisse", "4"], ["   Tablette", "4"]]
    (question,) = check(text(*rows), "e.csv", DELIVERIES).questions
    assert question.id.startswith("level:")


def test_a_school_shown_without_its_articles_is_not_counted_in_silence():
    """A collapsed group has a number and no article: its line stays, and is refused for want of a category."""
    rows = [*compact()[:-1], [C, 7], ["Total général", 21]]
    result = of(rows)
    assert counted(result) == TRUTH and result.refused["uai"].to_list() == [C]


def test_lists_that_stand_under_nothing_are_left_as_they_are():
    """An unknown article whose number is by chance that of the next one heads nothing."""
    rows = [["Inventaire au 31/12/2022"], ["Collège Matisse", B], [], ["Matériel", "Quantité"], ["Zorglub", 2], ["VPI", 2], ["Tablette", 4]]
    result = of(rows, INVENTORY)
    assert sorted(result.rows["quantity"]) == [2, 4] and result.rows_refused == 1 and not [q for q in result.questions if q.id.startswith("level")]
    assert understood(workbook([["UAI", "Matériel", "Quantité", "Livré le"], [A, "Tablette", 5, "01/03/2022"], [A, "VPI", 5, "01/03/2022"]]), DELIVERIES, "quantity") == [(5,), (5,)]


@pytest.mark.parametrize("header", ["Moyenne de Quantité", "Max de Quantité", "Min. de Quantité", "Écartype de Quantité", "Moyenne - Quantité", "Average of Quantité", "Nombre de Quantité", "NB de Quantité", "Count of Quantity"])
def test_what_a_pivot_works_out_otherwise_than_by_adding_is_no_quantity(header):
    """A mean, a greatest value, a number of lines: asked or refused, never counted."""
    result = of([["UAI", "Matériel", header, "Livré le"], [A, "Tablette", 5, date(2022, 3, 1)], [B, "VPI", 3, date(2022, 3, 1)]])
    assert result.status == "refused" or any(question.holds and question.about == "C" for question in result.questions)


@pytest.mark.parametrize("header", ["Somme de Qté", "Somme - Qté", "Sum of Quantité", "Somme de Quantité livrée"])
def test_the_sum_of_a_known_column_is_that_column(header):
    rows = [["UAI", "Matériel", header, "Livré le"], [A, "Tablette", 5, "01/03/2022"], [B, "VPI", 3, "02/03/2022"]]
    assert understood(workbook(rows), DELIVERIES, "quantity") == [(3,), (5,)]
    rows[0][2] = "Somme de Qté commandée"
    assert not of(rows).rows.height


@pytest.mark.parametrize("order", [("day", "school", "article"), ("school", "article", "day")])
def test_a_day_may_be_one_of_the_levels(order):
    """Dates above schools, or under articles: each line takes its own."""
    day = date(2022, 3, 1)
    rows = {("day", "school", "article"): [[day, 8], [A, 8], ["Tablette", 5], ["PC portable", 3]], ("school", "article", "day"): [[A, 8], ["Tablette", 5], [day, 5], ["PC portable", 3], [day, 3]]}[order]
    result = of([HEAD, *rows, ["Total général", 8]])
    assert sorted(result.rows.select("category", "quantity", "delivered_on").rows()) == [("ordinateur_portable", 3, day), ("tablette", 5, day)]


def test_a_filter_that_says_commanded_above_a_pivot_holds_it():
    """« Statut : Commandé » in the filter of a pivot handed in as deliveries: held, then left or counted."""
    for heading in ([["Statut", "Commandé"]], [["Statut", "Commandé"], ["Année", "(Tous)"]], [["Statut : En attente"]]):
        rows = [*heading, [], *compact()[2:]]
        (question,) = of(rows, answers={"once:delivered_on": "01/03/2022"}).questions
        assert question.holds and question.id.startswith("table:")
    assert not of([["Statut", "Livré"], [], *compact()[2:]], answers={"once:delivered_on": "01/03/2022"}).questions


def test_lines_that_say_less_than_the_others_and_add_them_up_are_headings():
    """Communes without identifier above their schools, with their sum: no school of that name."""
    rows = [["Inventaire au 31/12/2022"], ["École", "UAI", "Tablettes", "PC portables"], ["LAON", None, 8, 2], ["Jean Moulin", A, 5, 1], ["Zola", C, 3, 1], ["GUISE", None, 1, 1], ["Matisse", B, 1, 1]]
    found = understood(workbook(rows), INVENTORY, "uai", "school_name", "category", "quantity")
    assert found == sorted([(A, "Jean Moulin", "tablette", 5), (A, "Jean Moulin", "ordinateur_portable", 1), (C, "Zola", "tablette", 3), (C, "Zola", "ordinateur_portable", 1), (B, "Matisse", "tablette", 1), (B, "Matisse", "ordinateur_portable", 1)])
    rows[2][2] = 9
    assert of(rows, INVENTORY).rows_refused or of(rows, INVENTORY).questions


def test_the_results_of_other_spreadsheets_are_subtotals_too():
    """LibreOffice: « 0020001R Résultat », « Total Résultat »."""
    rows = [DAY, [], ["UAI", "Matériel", "Somme - Qté"], [A, "Tablette", 5], [None, "PC portable", 3], [f"{A} Résultat", None, 8], [B, "Tablette", 4], [None, "VPI", 2], [f"{B} Résultat", None, 6], ["Total Résultat", None, 14]]
    result = of(rows)
    assert counted(result) == TRUTH and not result.questions and not result.rows_refused


def test_schools_with_their_sum_above_articles_of_many_columns():
    """A hand-made list: the line of the school has its sum only, its articles have prices and dates."""
    head = ["Désignation", "Marque", "N° BC", "Livré le", "Qté", "PU HT", "Obs"]
    rows = [head, [f"Collège A {A}", None, None, None, 8, None, None], *([name, "Apple", "B1", "01/03/2022", n, 300, "x"] for name, n in (("Tablette", 5), ("PC portable", 3))),
            [f"Collège B {B}", None, None, None, 6, None, None], *([name, "Apple", "B2", "01/03/2022", n, 300, "y"] for name, n in (("Tablette", 4), ("VPI", 2)))]  # fmt: skip
    assert counted(of(rows)) == TRUTH


def test_a_deviation_beside_its_measure_is_of_no_field():
    """« ecart_type_de_l_ips » of published files is neither the index nor a type: left aside without a question."""
    rows = [["UAI", "Matériel", "Quantité", "Écart type de la quantité", "Livré le"], [A, "Tablette", 5, 2, "01/03/2022"], [B, "VPI", 3, 1, "02/03/2022"]]
    assert understood(workbook(rows), DELIVERIES, "quantity") == [(3,), (5,)]


def test_a_pivot_of_disposals_by_destination():
    """Destination, then article: both are lists of words, each level is of the list that reads it."""
    rows = [["Matériel réformé le 30/06/2022"], ["Collège Matisse", B], [], HEAD, ["Recyclage", 5], ["Tablette", 2], ["VPI", 3], ["Don", 4], ["Tablette", 4], ["Total général", 9]]
    result = of(rows, DISPOSALS)
    assert sorted(result.rows.select("uai", "category", "destination", "quantity").rows()) == [(B, "tablette", "recyclage", 2), (B, "tablette", "reemploi", 4), (B, "videoprojecteur", "recyclage", 3)]
