"""Dates shared out in several columns: joined when day, month and year agree on what they date, asked where a year may be another."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from essaim.engines.intake import check
from essaim.equipment.contracts import DELIVERIES, INVENTORY, ORDERS
from intake.test_sent_layouts import text, understood, workbook
from intake.understanding import uai

A, B = uai(1), uai(2)


@pytest.mark.parametrize("head", [
    ["Jour", "Mois", "Année"], ["JJ", "MM", "AAAA"], ["Jour de livraison", "Mois de livraison", "Année de livraison"], ["Date de livraison (jour)", "Date de livraison (mois)", "Date de livraison (année)"],
])  # fmt: skip
@pytest.mark.parametrize("days", [[("14", "3", "2022"), ("1", "12", "2021")], [("14", "mars", "2022"), ("1", "déc.", "2021")], [("14", "03", "22"), ("01", "12", "21")]])
def test_day_month_and_year_are_one_date(head, days):
    rows = [["UAI", "Matériel", *head, "Qté"], *([school, "Tablette", *day, "5"] for school, day in zip((A, B), days, strict=True))]
    assert understood(text(*rows), DELIVERIES, "uai", "delivered_on", name="e.csv") == [(A, date(2022, 3, 14)), (B, date(2021, 12, 1))]


def test_a_header_in_two_lines_says_the_date_above_its_parts():
    """« Date de livraison » merged over « Jour | Mois | Année »: two dates in one table keep apart."""
    rows: list[list[Any]] = [["N° BC", "UAI", "Matériel", "Qté", "Date de commande", None, None, "Date de livraison prévue", None, None], [None, None, None, None, "Jour", "Mois", "Année", "Jour", "Mois", "Année"],
            ["B1", A, "Tablette", 5, 3, 1, 2022, 14, 3, 2022], ["B2", B, "VPI", 2, 4, 1, 2022, 15, 3, 2022]]  # fmt: skip
    content = workbook(rows, merged=("E1:G1", "H1:J1"))
    assert understood(content, ORDERS, "ordered_on", "planned_on") == [(date(2022, 1, 3), date(2022, 3, 14)), (date(2022, 1, 4), date(2022, 3, 15))]


def test_month_and_year_are_a_month_and_said():
    """The first of the month is kept, with the remark that any month without its day has; the columns read together are named."""
    result = check(text(["UAI", "Matériel", "Qté", "Année", "Mois"], [A, "Tablette", "5", "2022", "3"], [B, "VPI", "2", "2022", "11"]), "e.csv", DELIVERIES)
    assert sorted(result.rows["delivered_on"]) == [date(2022, 3, 1), date(2022, 11, 1)] and not result.questions
    assert {"date_parts", "date_month_only"} <= set(result.issues["code"]) and "D « Année », E « Mois »" in result.issues.filter(code="date_parts")["message"][0]


@pytest.mark.parametrize(("day", "code"), [(("31", "2", "2022"), "date_impossible"), (("", "2", "2022"), "date_format"), (("14", "", "2022"), "date_format")])
def test_a_part_that_is_missing_or_impossible_refuses_its_row_at_the_cell(day, code):
    """Never the first of the month, never another day; the remark is placed in the column of days."""
    rows = [["UAI", "Matériel", "Qté", "Jour", "Mois", "Année"], [A, "Tablette", "5", "1", "3", "2022"], *([uai(n), "VPI", "2", "5", "3", "2022"] for n in range(3, 15)), [B, "VPI", "2", *day]]
    result = check(text(*rows), "e.csv", DELIVERIES)
    (told,) = result.issues.filter(severity="blocking").to_dicts()
    assert (told["code"], told["row"], told["column"]) == (code, 15, "D") and B not in result.rows["uai"].to_list()


def test_a_year_that_may_be_of_the_purchase_is_asked():
    """An inventory has a year of purchase: « Année » and « Mois » are one date only if their sender says so."""
    content = text(["UAI", "Matériel", "Qté", "Année", "Mois"], [A, "Tablette", "5", "2022", "3"])
    (question,) = (question for question in check(content, "e.csv", INVENTORY).questions if question.id.startswith("parts:"))
    assert question.holds
    assert check(content, "e.csv", INVENTORY, answers={question.id: "joined"}).rows.select("counted_on", "purchase_year").rows() == [(date(2022, 3, 1), None)]
    apart = check(content, "e.csv", INVENTORY, answers={question.id: "", "once:counted_on": "31/12/2022"})
    assert apart.rows.select("counted_on", "purchase_year").rows() == [(date(2022, 12, 31), 2022)]


@pytest.mark.parametrize("head", [["Livré le", "Mois", "Année"], ["Livré le", "Garantie (mois)", "Année"], ["Livré le", "Durée en mois", "Année scolaire"]])
def test_a_month_beside_a_whole_date_or_of_something_else_is_no_date(head):
    rows = [["UAI", "Matériel", "Qté", *head], [A, "Tablette", "5", "14/03/2022", "3", "2022"], [B, "VPI", "2", "15/04/2022", "4", "2022"]]
    assert understood(text(*rows), DELIVERIES, "delivered_on", name="e.csv") == [(date(2022, 3, 14),), (date(2022, 4, 15),)]
