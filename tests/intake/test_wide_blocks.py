"""One column a category, and what is said of each beside it."""

import pytest

from essaim.engines.intake import check
from essaim.equipment.contracts import DELIVERIES, INVENTORY, ORDERS
from intake.test_hard_files import workbook
from intake.understanding import uai

WANTED = [(uai(i), category, quantity + i, used + i) for i in (1, 2, 3) for category, quantity, used in (("tablette", 10, 8), ("ordinateur_portable", 20, 15))]
CELLS = [[uai(i), 10 + i, 8 + i, 20 + i, 15 + i, "31/12/2022"] for i in (1, 2, 3)]


def inventory(*heads, merged=()):
    return check(workbook([*heads, *CELLS], merged), "inventaire.xlsx", INVENTORY)


def read(result):
    return sorted(result.rows.select("uai", "category", "quantity", "in_use").rows())


@pytest.mark.parametrize(
    ("heads", "merged"),
    [
        ([["UAI", "Tablettes", "dont en service", "PC portables", "dont en service", "Date de comptage"]], ()),
        ([["UAI", "Tablettes", "Tablettes en service", "PC portables", "PC portables en service", "Date de comptage"]], ()),
        ([["UAI", "Nb de tablettes", "En service", "Nb de PC portables", "En service", "Date de comptage"]], ()),
        ([["UAI", "Tablettes", None, "PC portables", None, "Date de comptage"], [None, "Total", "En service", "Total", "En service", None]], ("B1:C1", "D1:E1", "A1:A2", "F1:F2")),
        ([["UAI", "Tablettes", None, "PC portables", None, "Date de comptage"], [None, "Nombre", "Utilisés", "Nombre", "Utilisés", None]], ("B1:C1", "D1:E1", "A1:A2", "F1:F2")),
    ],
)  # fmt: skip
def test_what_follows_a_category_is_said_of_it_alone(heads, merged):
    """« dont en service » after each category, in its name, or under it: each count stays with its own category."""
    result = inventory(*heads, merged=merged)
    assert read(result) == sorted(WANTED) and result.status == "clean", result.summary


def test_a_column_said_of_one_category_is_unknown_for_the_others():
    """« Tablettes en service » says nothing of the computers."""
    rows = [["UAI", "Tablettes", "Tablettes en service", "PC portables", "Date de comptage"], [uai(1), 10, 8, 20, "31/12/2022"]]
    assert read(check(workbook(rows), "x.xlsx", INVENTORY)) == [(uai(1), "ordinateur_portable", 20, None), (uai(1), "tablette", 10, 8)]


def test_a_column_given_once_is_said_of_the_whole_row():
    """« Configuré » once, wherever it stands, holds for every delivery of the line."""
    rows = [["UAI", "Date de livraison", "Tablettes", "Configuré", "PC portables"], [uai(1), "14/03/2022", 3, "oui", 2]]
    assert check(workbook(rows), "x.xlsx", DELIVERIES).rows["configured"].to_list() == [True, True]


def test_the_fault_of_what_follows_is_told_in_its_own_column():
    """Forty in service of thirty present: told at the quantity it exceeds, not at the tablets'; a word where a number is due, at its own cell."""
    rows = [["UAI", "Tablettes", "dont en service", "PC portables", "dont en service", "Date de comptage"], [uai(1), 10, "huit", 20, 40, "31/12/2022"]]
    result = check(workbook(rows), "x.xlsx", INVENTORY)
    assert {(i["code"], i["column"], i["row"]) for i in result.issues.iter_rows(named=True)} == {("number_format", "C", 2), ("usage_superieur_au_present", "D", 2)}


def test_prices_beside_each_category_stay_with_it():
    """Orders laid out two columns a category."""
    rows = [["UAI", "Date de commande", "Tablettes", "PU HT", "PC portables", "PU HT"], [uai(1), "14/03/2022", 3, 250, 2, 600]]
    wanted = [("ordinateur_portable", 2, 600.0), ("tablette", 3, 250.0)]
    assert sorted(check(workbook(rows), "x.xlsx", ORDERS).rows.select("category", "quantity", "unit_price_eur").rows()) == wanted
    rows = [[{"PU HT": "PU (k€)"}.get(cell, cell) for cell in rows[0]], [uai(1), "14/03/2022", 3, 0.25, 2, 0.6]]
    assert sorted(check(workbook(rows), "x.xlsx", ORDERS).rows.select("category", "quantity", "unit_price_eur").rows()) == wanted
