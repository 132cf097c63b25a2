"""Columns that look like the one to count and are not: another year, what was ordered, a yes or a no, packs, cut decimals."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from essaim.engines.intake import check
from essaim.equipment.contracts import DELIVERIES, INVENTORY, ORDERS, PUBLIC_CONTRACTS
from intake.test_sent_layouts import text, understood, workbook
from intake.understanding import uai

A, B, C = uai(1), uai(2), uai(3)
MARCH = date(2022, 3, 1)


def of(rows: list[list[Any]], contract: Any = DELIVERIES, **inputs: Any) -> Any:
    return check(workbook(rows), "envoi.xlsx", contract, **inputs)


@pytest.mark.parametrize("heads", [("Nombre 2021", "Nombre 2022"), ("Nombre N-1", "Nombre N"), ("Stock au 31/12/2021", "Stock au 31/12/2022"), ("Nombre rentrée 2021", "Nombre rentrée 2022")])
def test_which_of_two_years_counts_is_asked(heads):
    """The first column was counted in silence; the answer is the letter of the right one, and remembered as such."""
    rows = [["Inventaire au 31/12/2022"], ["UAI", "Matériel", *heads], [A, "Tablette", 5, 8], [B, "VPI", 2, 3]]
    (question,) = of(rows, INVENTORY).questions
    assert question.holds and [letter for letter, _, _ in question.choices] == ["C", "D"]
    settled = of(rows, INVENTORY, answers={question.id: "D"})
    assert sorted(settled.rows["quantity"]) == [3, 8] and not settled.questions
    assert not of(rows, INVENTORY, answers={"column:D": "quantity"}).questions


def test_two_columns_of_deliveries_and_dates_are_still_two_deliveries():
    rows = [["UAI", "Matériel", "Qté livrée 1", "Date 1", "Qté livrée 2", "Date 2"], [A, "Tablette", 5, MARCH, 3, date(2022, 4, 1)]]
    assert understood(workbook(rows), DELIVERIES, "quantity", "delivered_on") == [(3, date(2022, 4, 1)), (5, MARCH)]


def test_what_was_ordered_of_each_category_is_no_delivery():
    """« Tablettes commandées | Tablettes livrées »: only the second counts, without a question; in a file of orders the first does."""
    rows = [["UAI", "Tablettes commandées", "Tablettes livrées", "PC portables commandés", "PC portables livrés", "Date"], [A, 10, 8, 5, 3, MARCH]]
    assert understood(workbook(rows), DELIVERIES, "category", "quantity") == [("ordinateur_portable", 3), ("tablette", 8)]
    rows = [["N° BC", "UAI", "Tablettes commandées", "PC portables commandés"], ["B1", A, 10, 5]]
    assert understood(workbook(rows), ORDERS, "category", "quantity") == [("ordinateur_portable", 5), ("tablette", 10)]


@pytest.mark.parametrize(("contract", "heads"), [(DELIVERIES, ("Tablettes commandées", "PC portables commandés")), (INVENTORY, ("Tablettes prévues", "PC portables prévus"))])
def test_what_was_only_ordered_or_planned_is_not_counted(contract, heads):
    result = of([["UAI", *heads, "Date"], [A, 10, 5, MARCH]], contract)
    assert result.status == "refused" and not result.rows.height


@pytest.mark.parametrize(("header", "no", "yes"), [("Livré", "non", "oui"), ("Livré ?", None, "X"), ("Réceptionné (O/N)", "N", "O"), ("Reçu", "faux", "vrai")])
def test_a_line_that_is_not_ticked_as_delivered_is_not_counted(header, no, yes):
    """A column of yes and no whose header is the act itself: what it denies is refused with its reason."""
    contract = DELIVERIES
    header = "Livrée (O/N)" if header.startswith("Réceptionné") else header
    result = of([["UAI", "Matériel", "Qté", header, "Date"], [A, "Tablette", 5, no, MARCH], [B, "VPI", 3, yes, MARCH]], contract)
    assert result.rows["uai"].to_list() == [B] and f"« {header} »" in result.issues.filter(code="row_undone")["message"][0]


def test_other_columns_of_yes_and_no_refuse_nothing():
    """Nothing ticked at all, or a tick about something else."""
    for head, cells in ((["Livré"], [None, None]), (["Garantie"], ["non", "oui"]), (["Livré par"], ["non", "oui"])):
        rows = [["UAI", "Matériel", "Qté", *head, "Date"], *([school, "Tablette", 5, cell, MARCH] for school, cell in zip((A, B), cells, strict=True))]
        assert of(rows).rows.height == 2


@pytest.mark.parametrize(("said", "counted"), [("ANNULÉ", 1), ("Annulée", 1), ("non livré", 1), ("retourné", 1), ("Livré avec retard, commande annulée puis reprise", 2), ("ok", 2)])
def test_a_remark_that_says_nothing_else_is_a_status(said, counted):
    """« ANNULÉ » alone under « Observations » is not a comment; a sentence is."""
    result = of([["UAI", "Matériel", "Qté", "Livré le", "Observations"], [A, "Tablette", 5, MARCH, said], [B, "VPI", 3, MARCH, None]])
    assert result.rows.height == counted and result.issues.filter(code="row_undone").height == 2 - counted


@pytest.mark.parametrize(("header", "pack"), [("Unité", "carton de 10"), ("UV", "LOT"), ("Unité de vente", "Boîte"), ("Conditionnement", "pack"), ("U", "lot")])
def test_a_unit_that_is_a_pack_asks_for_a_look(header, pack):
    rows = [["UAI", "Matériel", "Qté", header, "Livré le"], [A, "Tablette", 2, pack, MARCH], [B, "Tablette", 3, "unité", MARCH]]
    assert of(rows).issues.filter(code="packed")["severity"].to_list() == ["warning"]
    rows[1][3] = "unité"
    assert not of(rows).issues.filter(code="packed").height


@pytest.mark.parametrize("lines", [["B1,{A},Tablette,5,1500,50", "B2,{B},VPI,2,800,00"], ["B1,{A},Tablette,5,1500,50", "B2,{B},VPI,2,800"]])
def test_commas_that_cut_columns_and_decimals_alike_refuse_the_file(lines):
    """Cents would be lost and columns shifted: the line is named."""
    content = "\r\n".join(["N° BC,UAI,Désignation,Qté,Montant HT", *(line.format(A=A, B=B) for line in lines)]).encode()
    result = check(content, "export.csv", ORDERS)
    assert result.status == "refused" and result.issues["code"].to_list() == ["decimal_commas"] and "ligne 2" in result.issues["message"][0]


def test_a_column_of_remarks_without_header_is_no_decimal():
    content = f"UAI,Désignation,Qté,Livré le\r\n{A},Tablette,5,01/03/2022,vu\r\n{B},VPI,2,01/03/2022\r\n".encode()
    assert sorted(check(content, "export.csv", DELIVERIES).rows["quantity"]) == [2, 5]


def test_a_duration_in_years_is_no_duration_in_months():
    rows = [["N° marché", "SIRET acheteur", "Objet", "Montant HT", "Durée (années)", "Date de notification"], ["2022-1", "21350016800025", "PC", 10000, 4, "14/03/2022"]]
    assert of(rows, PUBLIC_CONTRACTS).rows["duration_months"].to_list() == [None]
    rows[0][4] = "Durée du marché en mois"
    assert of(rows, PUBLIC_CONTRACTS).rows["duration_months"].to_list() == [4]


def test_a_table_of_one_line_is_read_and_never_turned_over_and_over():
    """« Matériel | Qté | Livré le » over a single line reads the same upright and on its side: upright it stays."""
    rows = [["Livraison du collège", A], [], ["Matériel", "Qté", "Livré le"], ["Tablette", 5, "01/03/2022"]]
    assert understood(workbook(rows), DELIVERIES, "uai", "quantity") == [(A, 5)]
    assert understood(text(["Matériel", "Qté", "Livré le", "UAI"], ["Tablette", "5", "01/03/2022", A]), DELIVERIES, "quantity", name="e.csv") == [(5,)]
