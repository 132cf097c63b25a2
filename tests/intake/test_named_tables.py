"""Tables whose own name says that they may not count: orders beside deliveries, examples, former versions, summaries, hidden sheets."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import openpyxl
import pytest

from essaim.engines.intake import check
from essaim.equipment.contracts import DELIVERIES, ORDERS
from intake.understanding import uai

HEAD = ["UAI", "Matériel", "Quantité", "Date"]
REAL = [HEAD, *([uai(n), "Tablette", n, date(2022, 3, n)] for n in (1, 2, 3))]
OTHER = [HEAD, *([uai(n), "Tablette", 50 + n, date(2022, 1, n)] for n in (1, 2, 3))]


def workbook(hidden: str = "", **sheets: list[list[Any]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title.replace("_", " "))
        sheet.sheet_state = "veryHidden" if title == hidden else "visible"
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def quantities(result: Any) -> list[int]:
    return sorted(result.rows["quantity"])


@pytest.mark.parametrize("sheet", ["Commandes", "Prévisionnel 2023", "Besoins", "Inventaire"])
def test_a_sheet_of_another_act_beside_the_right_one_is_left_aside_and_may_be_brought_back(sheet):
    content = workbook(**{sheet.replace(" ", "_"): OTHER, "Livraisons": REAL})
    result = check(content, "suivi.xlsx", DELIVERIES)
    assert quantities(result) == [1, 2, 3]
    assert [q.holds for q in result.questions] == [False] and sheet.split()[0] in result.questions[0].message
    assert sheet in result.issues.filter(code="table_left")["message"][0]
    back = check(content, "suivi.xlsx", DELIVERIES, answers={result.questions[0].id: "count"})
    assert quantities(back) == [1, 2, 3, 51, 52, 53] and not back.questions


def test_the_same_workbook_handed_in_as_orders_counts_the_orders():
    rows = [["N° commande", *HEAD], *(["BC1", *line] for line in OTHER[1:])]
    result = check(workbook(Commandes=rows, Livraisons=[["N° commande", *HEAD], *(["BC1", *line] for line in REAL[1:])]), "suivi.xlsx", ORDERS)
    assert quantities(result) == [51, 52, 53]


def test_titles_between_two_tables_of_the_same_columns_tell_them_apart():
    """« COMMANDES » above the first, « LIVRAISONS » above the second, one sheet."""
    result = check(workbook(Suivi=[["COMMANDES"], *OTHER, [], ["LIVRAISONS"], *REAL]), "suivi.xlsx", DELIVERIES)
    assert quantities(result) == [1, 2, 3] and result.issues.filter(code="table_left").height == 1


def test_a_table_named_after_another_act_is_not_counted_without_an_answer():
    """« COMMANDES 2022 » above generic columns, alone in its file: held, then counted or left as the sender says."""
    content = workbook(Feuil1=[["COMMANDES 2022"], *OTHER])
    (question,) = check(content, "envoi.xlsx", DELIVERIES).questions
    assert question.holds
    assert quantities(check(content, "envoi.xlsx", DELIVERIES, answers={question.id: "count"})) == [51, 52, 53]
    assert check(content, "envoi.xlsx", DELIVERIES, answers={question.id: "leave"}).rows.height == 0


@pytest.mark.parametrize("title", ["Suivi des commandes et des livraisons", "Commande n° 4500123", "Commande : 4500123", "Livraisons de nos commandes 2022"])
def test_a_title_that_also_speaks_of_the_act_or_only_gives_a_number_raises_no_question(title):
    assert not check(workbook(Feuil1=[[title], *REAL]), "envoi.xlsx", DELIVERIES).questions


def test_columns_that_say_what_they_count_are_believed():
    rows = [["UAI", "Matériel", "Quantité livrée", "Date de livraison"], *REAL[1:]]
    assert not check(workbook(Commandes_UGAP=rows), "envoi.xlsx", DELIVERIES).questions


@pytest.mark.parametrize("sheet", ["Livraisons (old)", "Récap", "Archives 2021", "Livraisons (2)", "Modèle", "Brouillon"])
def test_a_former_version_or_a_summary_beside_the_table_holds_acceptance(sheet):
    content = workbook(**{"Livraisons": REAL, sheet.replace(" ", "_"): OTHER})
    (question,) = check(content, "suivi.xlsx", DELIVERIES).questions
    assert question.holds
    assert quantities(check(content, "suivi.xlsx", DELIVERIES, answers={question.id: "leave"})) == [1, 2, 3]
    assert not check(workbook(**{sheet.replace(" ", "_"): REAL}), "suivi.xlsx", DELIVERIES).questions


@pytest.mark.parametrize("sheet", ["Exemple", "Mode d'emploi", "Aide"])
def test_an_example_is_never_counted(sheet):
    result = check(workbook(**{sheet.replace(" ", "_"): OTHER, "Saisie": REAL}), "suivi.xlsx", DELIVERIES)
    assert quantities(result) == [1, 2, 3] and not any(q.holds for q in result.questions)


def test_a_hidden_sheet_beside_visible_ones_holds_acceptance():
    content = workbook(hidden="Cache", Saisie=REAL, Cache=OTHER)
    (question,) = check(content, "suivi.xlsx", DELIVERIES).questions
    assert question.holds and "masquée" in question.message
    assert quantities(check(content, "suivi.xlsx", DELIVERIES, answers={question.id: "leave"})) == [1, 2, 3]
