"""Lines of one key that only unread columns, or their sheet, tell apart: asked once they are read, added up with their lineage."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from essaim.engines.intake import check
from essaim.equipment.contracts import DELIVERIES, INVENTORY, ORDERS
from intake.test_sent_layouts import workbook
from intake.understanding import Register, uai

A, B = uai(1), uai(2)
MARCH = date(2022, 3, 1)
HEAD = ["UAI", "Salle", "Matériel", "Quantité", "Date d'inventaire"]


def answered(content: bytes, contract: Any, choice: str, **inputs: Any) -> Any:
    (question,) = check(content, "envoi.xlsx", contract, **inputs).questions
    assert question.id.startswith("add:") and question.holds
    return check(content, "envoi.xlsx", contract, answers={question.id: choice}, **inputs)


@pytest.mark.parametrize("second", [[A.lower(), "CDI", "Tablettes", "5", "1er mars 2022"], [f"{A} Collège Matisse", "CDI", "tablette", 5, "01/03/2022"]])
def test_lines_are_compared_as_they_are_read_not_as_they_are_written(second):
    """The same school, kind and day spelled two ways: one key, which only the room tells apart."""
    content = workbook([HEAD, [A, "Salle 1", "Tablette", 5, MARCH], second])
    assert answered(content, INVENTORY, "sum").rows["quantity"].to_list() == [10]
    assert answered(content, INVENTORY, "").rows["quantity"].to_list() == [5]


def test_schools_found_by_their_name_are_compared_too():
    register = {"establishment": Register({A: ("Collège Matisse", "Laon", 400, None, None)})}
    rows = [["Établissement", "Commune", *HEAD[1:]], ["Collège Matisse", "Laon", "Salle 1", "Tablette", 5, MARCH], ["Collège Matisse", None, "CDI", "Tablette", 5, MARCH]]
    assert answered(workbook(rows), INVENTORY, "sum", references=register).rows.select("uai", "quantity").rows() == [(A, 10)]


def test_every_line_of_a_sum_is_kept_with_its_place():
    """The lineage of a sum is its lines: none is left out, each is read and accepted."""
    rows = [HEAD, [A, "S1", "Tablette", 5, MARCH], [B, "S1", "Tablette", 2, MARCH], [A, "S2", "Tablette", 7, MARCH]]
    result = answered(workbook(rows), INVENTORY, "sum")
    assert sorted(result.rows.select("uai", "quantity", "source_row").rows()) == [(A, 12, 2), (B, 2, 3)]
    assert result.lines.rows() == [("Sheet", 2, "Sheet", 2), ("Sheet", 2, "Sheet", 4)] or result.lines["line_row"].to_list() == [2, 4]
    assert (result.rows_read, result.rows_refused, result.extra["added"], result.extra["sums"]) == (3, 0, 2, 1)
    assert result.issues.filter(code="rows_added").height == 1


def test_what_the_lines_do_not_agree_on_is_left_empty_and_told_and_amounts_are_added():
    rows = [["N° BC", "UAI", "Bâtiment", "Désignation", "Qté", "PU HT", "Montant HT"], ["B1", A, "Nord", "Tablette", 2, 300, 600], ["B1", A, "Sud", "Tablette", 3, 310, 930]]
    result = answered(workbook(rows), ORDERS, "sum")
    assert result.rows.select("quantity", "unit_price_eur", "total_eur").rows() == [(5, None, 1530.0)]
    assert result.issues.filter(code="lines_differ").height == 1


def test_a_line_that_is_refused_is_in_no_sum():
    """A quantity nobody can read, a cancelled line: refused where they stand, the others added."""
    rows = [["UAI", "Salle", "Matériel", "Quantité", "Livré le", "Statut"], *([A, f"S{n}", "Tablette", quantity, MARCH, status] for n, (quantity, status) in enumerate([(5, "Livré"), ("beaucoup", "Livré"), (9, "Annulé"), (2, "Livré")]))]
    result = answered(workbook(rows), DELIVERIES, "sum")
    assert result.rows["quantity"].to_list() == [7] and result.rows_refused == 2


def test_the_same_line_in_two_sheets_is_asked_not_merged_in_silence():
    """« Bât A » and « Bât B » both say five tablets: five or ten, only their sender knows."""
    head = [head for head in HEAD if head != "Salle"]
    content = workbook([["Consignes"]], **{sheet: [head, [A, "Tablette", 5, MARCH]] for sheet in ("Bât A", "Bât B")})
    (question,) = check(content, "envoi.xlsx", INVENTORY).questions
    assert question.holds and "la feuille" in question.message
    both = check(content, "envoi.xlsx", INVENTORY, answers={question.id: "sum"})
    assert both.rows["quantity"].to_list() == [10] and sorted(both.lines["line_sheet"]) == ["Bât A", "Bât B"]
    assert check(content, "envoi.xlsx", INVENTORY, answers={question.id: ""}).rows["quantity"].to_list() == [5]


def test_other_quantities_of_one_key_in_two_sheets_are_asked_too():
    head = [head for head in HEAD if head != "Salle"]
    content = workbook([["Consignes"]], **{sheet: [head, [A, "Tablette", number, MARCH]] for sheet, number in (("Bât A", 5), ("Bât B", 3))})
    assert answered(content, INVENTORY, "sum").rows["quantity"].to_list() == [8]
    assert answered(content, INVENTORY, "").rows.height == 0


def test_sizes_of_schools_are_compared_with_sums():
    """Two rooms of twenty for ten pupils: each alone passes, the sum is worth a look."""
    register = {"establishment": Register({A: ("Collège Matisse", "Laon", 10, None, None)})}
    rows = [HEAD, [A, "S1", "Tablette", 20, MARCH], [A, "S2", "Tablette", 20, MARCH]]
    result = answered(workbook(rows), INVENTORY, "sum", references=register)
    assert result.issues.filter(code="quantite_invraisemblable").height == 1
