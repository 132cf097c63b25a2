"""Columns that change what a number means: read as their header says, asked or told; no other number is counted in their place."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any

import pytest

from essaim.engines.intake import check
from essaim.equipment.contracts import DELIVERIES, DISPOSALS, INVENTORY, ORDERS
from essaim.resources.contracts import USES
from essaim.training.contracts import ATTENDANCE
from intake.test_sent_layouts import text, understood, workbook
from intake.understanding import uai

A, B = uai(1), uai(2)
MARCH, APRIL = date(2022, 3, 1), date(2022, 4, 2)


@pytest.mark.parametrize(("rows", "fields", "truth"), [
    ([["UAI", "Matériel", "Date livraison 1", "Qté livrée 1", "Date livraison 2", "Qté livrée 2"], [A, "Tablette", MARCH, 5, APRIL, 3], [B, "Tablette", MARCH, 6, None, None]],
     ("uai", "quantity", "delivered_on"), [(A, 3, APRIL), (A, 5, MARCH), (B, 6, MARCH)]),
    ([["UAI", "Date de livraison", "Matériel n°1", "Quantité n°1", "Matériel n°2", "Quantité n°2"], [A, MARCH, "Tablette", 5, "VPI", 1]], ("category", "quantity"), [("tablette", 5), ("videoprojecteur", 1)]),
])  # fmt: skip
def test_columns_that_come_again_with_a_number_are_lines_of_their_own(rows, fields, truth):
    assert understood(workbook(rows), DELIVERIES, *fields) == truth


def test_first_and_second_deliveries_over_two_levels_are_two_deliveries():
    rows = [["UAI", "Matériel", "1ère livraison", None, "2ème livraison", None], [None, None, "Date", "Qté", "Date", "Qté"], [A, "Tablette", MARCH, 5, APRIL, 3]]
    assert understood(workbook(rows, merged=("C1:D1", "E1:F1")), DELIVERIES, "quantity", "delivered_on") == [(3, APRIL), (5, MARCH)]


@pytest.mark.parametrize("head", [["UAI", "Tablettes (%)", "PC portables (%)", "Date inventaire"], ["UAI", "Tablettes (€)", "PC portables (€)", "Date inventaire"], ["UAI", "Coût tablettes", "Coût PC portables", "Date inventaire"]])
def test_shares_and_amounts_by_category_are_no_quantities(head):
    assert check(workbook([head, [A, 12, 30, MARCH]]), "e.xlsx", INVENTORY).rows.height == 0


def test_amounts_said_by_the_title_or_by_the_line_below_are_no_quantities():
    rows: list[list[Any]] = [["UAI", "Tablettes", "PC portables", "Date d'inventaire"], [A, 12, 30, MARCH]]
    assert check(workbook([["Budget alloué par école (€)"], *rows]), "e.xlsx", INVENTORY).rows.height == 0
    assert check(workbook([rows[0], [None, "Montant HT", "Montant HT", None], rows[1]]), "e.xlsx", INVENTORY).rows.height == 0
    assert check(workbook([["Inventaire 2022"], *rows]), "e.xlsx", INVENTORY).rows.height == 2


@pytest.mark.parametrize(("head", "told"), [
    (["UAI", "Matériel", "Qté livrée", "Qté retournée", "Date livraison"], True), (["UAI", "Matériel", "Qté", "Reste à livrer", "Date livraison"], True),
    (["UAI", "Matériel", "Qté livrée", "Reste à livrer", "Date livraison"], False), (["UAI", "Matériel", "Qté livrée", "Nb de classes", "Date livraison"], False),
])  # fmt: skip
def test_numbers_left_unread_that_change_the_quantity_are_told(head, told):
    result = check(workbook([head, [A, "Tablette", 10, 2, MARCH], [B, "Tablette", 7, 0, MARCH]]), "e.xlsx", DELIVERIES)
    assert ("column_matters" in set(result.issues["code"])) is told
    assert "column_matters" not in set(check(workbook([head, [A, "Tablette", 10, 0, MARCH]]), "e.xlsx", DELIVERIES).issues["code"])


def test_returns_and_credit_notes_are_not_counted_as_what_they_undo():
    rows = [["UAI", "Mouvement", "Matériel", "Quantité", "Date"], [A, "Livraison", "Tablette", 10, MARCH], [A, "Retour", "Tablette", 2, APRIL]]
    result = check(workbook(rows), "e.xlsx", DELIVERIES)
    assert result.rows["quantity"].to_list() == [10] and result.issues.filter(code="row_undone").height == 1
    rows = [["N° BC", "Type de pièce", "UAI", "Désignation", "Qté", "Date BC"], ["B1", "Commande", A, "Tablette", 10, MARCH], ["B2", "Avoir", A, "Tablette", 2, APRIL]]
    assert check(workbook(rows), "e.xlsx", ORDERS).rows["quantity"].to_list() == [10]


def test_what_has_happened_is_not_dated_in_the_future():
    later = date.today() + timedelta(days=40)  # noqa: DTZ011
    rows = [["UAI", "Matériel", "Quantité", "Date de livraison"], [A, "Tablette", 3, later], [B, "Tablette", 4, MARCH]]
    told = check(workbook(rows), "e.xlsx", DELIVERIES).issues.filter(code="date_future")
    assert told["row"].to_list() == [2] and told["severity"].to_list() == ["warning"]


@pytest.mark.parametrize(("header", "written", "hours"), [
    ("Durée", "3h", 3.0), ("Durée", "2 h 30", 2.5), ("Durée", "6h00", 6.0), ("Durée", "90 min", 1.5), ("Durée", time(2, 30), 2.5), ("Durée (min)", 180, 3.0), ("Durée (heures)", "1,5", 1.5),
])  # fmt: skip
def test_durations_are_hours_however_they_are_written(header, written, hours):
    rows = [["N° session", "Date", "UAI", "Profil", "Présents", header], ["S1", MARCH, A, "PE", 10, written]]
    assert understood(workbook(rows), ATTENDANCE, "hours") == [(hours,)]


def test_two_months_are_no_date():
    rows = [["N° session", "Date", "UAI", "Présents"], ["S1", "mars-avril 2022", A, 10], ["S2", "mardi 1 mars 2022", B, 9]]
    assert check(workbook(rows), "e.xlsx", ATTENDANCE).rows["attended"].to_list() == [9]


def test_profiles_destinations_and_months_may_be_columns():
    rows = [["N° session", "Date", "UAI", "Professeurs des écoles", "Directeurs", "Total"], ["S1", MARCH, A, 10, 1, 11]]
    assert understood(workbook(rows), ATTENDANCE, "profile", "attended") == [("direction", 1), ("enseignant_1d", 10)]
    rows = [["UAI", "Matériel", "Date de réforme", "Don", "DEEE"], [A, "PC fixe", MARCH, 3, 10]]
    assert understood(workbook(rows), DISPOSALS, "destination", "quantity") == [("recyclage", 10), ("reemploi", 3)]
    rows = [["UAI", "Identifiant ressource", "sept-21", "oct-21"], [A, "ark:/1/A", 10, 20]]
    assert understood(workbook(rows), USES, "month", "openings") == [(date(2021, 9, 1), 10), (date(2021, 10, 1), 20)]


def test_a_month_of_six_digits_is_read():
    rows = [["uai", "mois", "id_ressource", "nb_acces"], [A, "202203", "ark:/1/A", "5"]]
    assert understood(text(*rows), USES, "month", name="e.csv") == [(MARCH,)]


def test_the_rule_of_a_table_written_in_plain_text_is_no_line():
    lines = f"| UAI | Matériel | Qté | Livré le |\n|---|:---|---:|---|\n| {A} | Tablette | 3 | 01/03/2022 |\n"
    assert understood(lines.encode(), DELIVERIES, "quantity", name="e.md") == [(3,)]
