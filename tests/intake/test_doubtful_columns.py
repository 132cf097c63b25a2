"""Columns that look like a field without being it: left out or asked, never taken in silence."""

import pytest

from essaim.engines.intake import check
from essaim.equipment.contracts import DELIVERIES, INVENTORY, ORDERS
from intake.test_hard_files import workbook
from intake.understanding import CONTRACT, numbered, run, table, uai


def mapped(result):
    return {m.header: m.field for m in result.tables[0].mapping}


def asked(result):
    return {question.about for question in result.questions}


def deliveries(head, *cells, contract=DELIVERIES):
    lines = [";".join([uai(i), "Tablette", *cells]) for i in range(1, 9)]
    return check("\n".join([f"UAI;Matériel;{head}", *lines]).encode(), "envoi.csv", contract)


@pytest.mark.parametrize("header", ["Année du bilan", "Nombre d'appels", "Code postal", "Téléphone"])
def test_a_column_of_numbers_is_no_identifier_of_schools(header):
    """Years, counts and postal codes are not UAI that lost their letter."""
    rows = numbered(12)
    for number, row in enumerate(rows):
        row.pop("UAI")
        row[header] = str(2010 + number)
    assert "uai" not in mapped(run(table(rows))).values()


@pytest.mark.parametrize("header", ["Date de livraison prévue", "Date prévisionnelle de livraison", "Livraison estimée (date)"])
def test_a_planned_date_is_not_the_date_of_delivery(header):
    """Planned, revised and actual are three data: a planned date never stands for the actual one."""
    result = deliveries(f"Quantité;{header}", "3", "14/03/2022")
    assert header not in mapped(result) and result.rows.height == 0 and "column_missing" in set(result.issues["code"])


@pytest.mark.parametrize(("planned", "actual"), [("Date de livraison (prévue)", "Date de livraison (réelle)"), ("Livraison\nprévue", "Livraison\neffective")])
def test_the_qualifier_of_a_known_header_counts(planned, actual):
    """The planned column stands first and its header holds that of the field: the actual one is read all the same."""
    result = deliveries(f'Quantité;"{planned}";"{actual}"', "3", "01/12/2023", "14/03/2022")
    assert set(result.rows["delivered_on"].cast(str)) == {"2022-03-14"} and result.status == "clean"
    levels = [["UAI", "Matériel", "Quantité", "Date de livraison", None], [None, None, None, "prévue", "effective"], [uai(1), "Tablette", 3, "01/12/2023", "14/03/2022"]]
    stacked = check(workbook(levels, ["D1:E1", "A1:A2", "B1:B2", "C1:C2"]), "envoi.xlsx", DELIVERIES)
    assert stacked.rows["delivered_on"].cast(str).to_list() == ["2022-03-14"]


@pytest.mark.parametrize("header", ["Quantité restante", "Quantité restant à livrer", "Qté manquante", "Quantité prévue"])
def test_what_remains_to_be_delivered_is_not_what_was(header):
    """A number of another state is never the quantity delivered."""
    assert header not in mapped(deliveries(f"{header};Date", "3", "14/03/2022"))


def test_a_number_of_something_else_is_asked():
    """« Nombre d'élèves » could be a clumsy quantity where there is no other: asked; left out where there is one."""
    alone = deliveries("Nombre d'élèves;Date", "120", "14/03/2022")
    assert asked(alone) == {"C"}
    beside = deliveries("Nombre d'élèves;Nombre;Date", "120", "3", "14/03/2022")
    assert "Nombre d'élèves" not in mapped(beside) and not beside.questions and set(beside.rows["quantity"]) == {3}


def test_a_column_of_pupils_beside_columns_of_categories_is_not_asked():
    """Quantities come from the columns of categories: nothing is left to ask."""
    head = "UAI;Nombre d'élèves;Date;Tablettes;PC portables"
    result = check("\n".join([head, *(f"{uai(i)};120;14/03/2022;{i};2" for i in range(1, 7))]).encode(), "x.csv", DELIVERIES)
    assert not result.questions and result.rows.height == 12 and result.tables[0].unmapped == ("Nombre d'élèves",)


def test_dates_under_a_header_that_says_something_else_are_asked():
    """Only an identifier speaks for itself under a foreign header."""
    result = deliveries("Quantité;Dernière maintenance", "3", "14/03/2022", contract=INVENTORY)
    assert asked(result) == {"D"}


def test_an_identifier_under_a_foreign_header_is_taken_and_texts_under_a_number_header_are_not():
    """Right UAI under « Numéro national » need no question; words under « Série » are no number of candidates."""
    rows = numbered(12)
    for number, row in enumerate(rows):
        row["Numéro national"] = uai(number)
        row.pop("UAI")
        row["Prix proposé"] = "élevé" if number % 2 else "bas"
        row.pop("Prix unitaire HT")
    result = run(table(rows), contract=CONTRACT)
    assert mapped(result)["Numéro national"] == "uai" and "Prix proposé" not in mapped(result) and not result.questions


@pytest.mark.parametrize("header", ["Date de commande", "Date de facture", "Qté commandée", "Livraison prévue", "Référent", "Date de mise à jour", "Livraison partielle le"])
def test_columns_of_other_things_take_no_field_and_refuse_no_row(header):
    """A date of order is no date of installation before the delivery; nothing is asked about what the contract does not hold."""
    cell = {"Qté commandée": "40", "Référent": "référent numérique"}.get(header, "03/01/2022")
    result = deliveries(f"Quantité;Date de livraison;{header}", "3", "14/03/2022", cell)
    assert result.status == "clean" and result.rows.height == 8 and result.tables[0].unmapped == (header,)
    assert set(result.rows["delivered_on"].cast(str)) == {"2022-03-14"} and set(result.rows["quantity"]) == {3}


@pytest.mark.parametrize(("header", "field"), [("P.U. H.T.", "unit_price_eur"), ("Total H.T.", "total_eur"), ("N° B.C.", "order_ref"), ("Nom étab.", "school_name"), ("Qté cdée", "quantity"), ("Obs.", "comment")])
def test_initials_and_abbreviations_of_headers_are_read(header, field):
    """Dots between initials count for nothing."""
    cell = {"unit_price_eur": "100", "total_eur": "300", "quantity": "3"}.get(field, "x")
    rest = "Date de commande" if field == "quantity" else "Quantité;Date de commande"
    cells = ("14/03/2022",) if field == "quantity" else ("3", "14/03/2022")
    assert mapped(deliveries(f"{rest};{header}", *cells, cell, contract=ORDERS))[header] == field
