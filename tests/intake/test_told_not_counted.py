"""Files of clerks, suppliers and statisticians where one word changes what a number counts: read as that word says, asked, or told."""

from __future__ import annotations

from datetime import date

import pytest

from essaim.engines.intake import check
from essaim.equipment.contracts import ACKNOWLEDGEMENTS, DELIVERIES, INVENTORY, ORDERS
from essaim.evaluation.contracts import SCHOOL_RESULTS
from essaim.territories.contracts import CLOSURES, ENROLMENT
from intake.test_sent_layouts import understood, workbook
from intake.understanding import uai

A, B, C = uai(1), uai(2), uai(3)
MARCH = date(2022, 3, 1)
HEAD = ["UAI", "Matériel", "Quantité", "Date de livraison"]


def told(content: bytes, contract, code: str) -> list[str]:
    """The messages of one kind that a file gets."""
    issues = check(content, "envoi.xlsx", contract).issues
    return issues.filter(code=code, severity="warning")["message"].to_list()


def test_what_lies_idle_beside_what_is_in_use_is_not_all_there_is():
    """« En service | En stock »: the stock alone was counted as the whole; the total, where there is one, is."""
    rows = [["UAI", "Matériel", "En service", "En stock", "Date d'inventaire"], [A, "Tablette", 5, 8, MARCH]]
    result = check(workbook(rows), "envoi.xlsx", INVENTORY)
    assert result.status == "refused" and any(question.holds for question in result.questions)
    (wanted,) = (question for question in result.questions if question.id.endswith(":quantity"))
    assert check(workbook(rows), "envoi.xlsx", INVENTORY, answers={wanted.id: "D"}).rows["quantity"].to_list() == [8]
    rows = [["UAI", "Matériel", "En service", "En panne", "En réserve", "Total", "Date d'inventaire"], [A, "Tablette", 5, 1, 2, 8, MARCH]]
    assert understood(workbook(rows), INVENTORY, "quantity", "in_use") == [(8, 5)]
    assert understood(workbook([["UAI", "Matériel", "Stock", "Date d'inventaire"], [A, "Tablette", 8, MARCH]]), INVENTORY, "quantity") == [(8,)]


def test_a_part_of_a_category_is_not_counted_besides_nor_left_in_silence():
    """« PC | dont portables »: told; « Ordinateurs | dont portables | dont fixes » that add up: the parts."""
    rows = [["UAI", "Date d'inventaire", "PC", "dont portables", "Tablettes"], [A, MARCH, 12, 5, 3]]
    assert "« dont portables »" in told(workbook(rows), INVENTORY, "column_matters")[0]
    rows = [["UAI", "Date d'inventaire", "Nb ordinateurs", "dont PC portables", "dont PC fixes", "Nb tablettes"], [A, MARCH, 12, 5, 7, 3], [B, MARCH, 4, 4, None, 1]]
    assert understood(workbook(rows), INVENTORY, "uai", "category", "quantity") == [
        (A, "ordinateur_fixe", 7), (A, "ordinateur_portable", 5), (A, "tablette", 3), (B, "ordinateur_portable", 4), (B, "tablette", 1),
    ]  # fmt: skip
    rows[1][5] = 3
    rows[1][4] = 6
    assert told(workbook(rows), INVENTORY, "column_matters")


def test_two_columns_of_one_category_are_asked_then_added_up():
    """« Maternelle / Tablettes » and « Élémentaire / Tablettes » of one school."""
    rows = [["UAI", "Date de livraison", "Maternelle", None, "Élémentaire", None], [None, None, "Tablettes", "VPI", "Tablettes", "VPI"], [A, MARCH, 5, 1, 3, 2], [B, MARCH, 4, 0, 6, 1]]
    content = workbook(rows, merged=("C1:D1", "E1:F1"))
    (question,) = check(content, "envoi.xlsx", DELIVERIES).questions
    assert question.holds and "« Maternelle / Tablettes »" in question.message
    assert understood(content, DELIVERIES, "uai", "category", "quantity", answers={question.id: "sum"}) == [
        (A, "tablette", 8), (A, "videoprojecteur", 3), (B, "tablette", 10), (B, "videoprojecteur", 1),
    ]  # fmt: skip


@pytest.mark.parametrize(("status", "head", "said"), [
    ("Partiellement livré", "Quantité", 1), ("Livraison partielle", "Qté", 1), ("Partiellement livré", "Quantité livrée", 0), ("Livré", "Quantité", 0),
])  # fmt: skip
def test_a_delivery_in_part_has_its_number_checked(status, head, said):
    rows = [["UAI", "Matériel", head, "Statut", "Date de livraison"], [A, "Tablette", 10, "Livré", MARCH], [B, "Tablette", 10, status, MARCH]]
    assert len(told(workbook(rows), DELIVERIES, "column_matters")) == said
    assert not told(workbook([["N° BC", *rows[0][:4], "Date BC"], *(["B1", *row] for row in rows[1:])]), ORDERS, "column_matters")


@pytest.mark.parametrize("header", ["Montant (XPF)", "Montant HT (F CFP)", "Montant ($)", "Total USD"])
def test_amounts_in_another_currency_are_not_euros(header):
    rows = [["N° BC", "UAI", "Désignation", "Qté", header, "Date BC"], ["B1", A, "Tablette", 10, 500_000, MARCH]]
    assert check(workbook(rows), "envoi.xlsx", ORDERS).rows["total_eur"].to_list() == [None]
    assert told(workbook(rows), ORDERS, "currency")
    rows[0][4] = "Montant HT"
    assert told(workbook([["Commandes 2022 (montants en F CFP)"], *rows]), ORDERS, "currency")
    assert understood(workbook([["Commandes de la commune de Francs"], *rows]), ORDERS, "total_eur") == [(500_000.0,)]


@pytest.mark.parametrize("legend", ["En rouge : non livré", "Légende : lignes rouges = annulées", "* en attente de livraison", "Les lignes surlignées sont livrées partiellement."])
def test_a_legend_that_says_which_lines_do_not_count_holds_acceptance(legend):
    """Colours and signs are not read: the sender says whether every line counts."""
    rows = [HEAD, *([school, "Tablette", 5, MARCH] for school in (A, B, C))]
    for content in (workbook([*rows, [], [legend]]), workbook([[legend], *rows])):
        (question,) = check(content, "envoi.xlsx", DELIVERIES).questions
        assert question.holds and legend in question.message
        assert understood(content, DELIVERIES, "quantity", answers={question.id: "count"}) == [(5,)] * 3
    assert understood(workbook([*rows, [], ["Les lignes en vert sont les écoles de la ville."]]), DELIVERIES, "quantity") == [(5,)] * 3


def test_twelve_with_three_decimals_among_counts_is_looked_at():
    """``12,000`` beside 7 and 9 may be twelve; beside ``12,500``, whose digits cannot be decimals of a count, it is twelve thousand."""
    assert told(workbook([HEAD, [A, "Tablette", "12,000", MARCH], [B, "Tablette", 7, MARCH]]), DELIVERIES, "number_mark_doubtful")
    assert not told(workbook([HEAD, [A, "Tablette", "12,000", MARCH], [B, "Tablette", "12,500", MARCH]]), DELIVERIES, "number_mark_doubtful")


def test_what_a_number_leaves_out_is_not_the_whole():
    """« Nb élèves (hors ULIS) » stood for all the pupils; what was received is what was found, not what was announced."""
    rows = [["UAI", "Année scolaire", "Nb élèves (hors ULIS)", "Nb élèves ULIS", "Nb élèves total"], [A, "2023-2024", 100, 10, 110]]
    assert understood(workbook(rows), ENROLMENT, "pupils") == [(110,)]
    rows = [["UAI", "Matériel", "Quantité annoncée", "Quantité constatée", "Écart", "Date de réception"], [A, "Tablette", 20, 18, -2, MARCH]]
    assert understood(workbook(rows), ACKNOWLEDGEMENTS, "quantity") == [(18,)]


def test_a_column_of_identifiers_is_no_name():
    """« repreneur » holds UAIs: under a near header they became the name of the closed school."""
    rows = [["numero_uai", "nom", "date de fermeture", "etablissement_repreneur"], [A, "x", MARCH, B]]
    assert understood(workbook(rows), CLOSURES, "name", "successor_uai") == [("x", B)]
    rows[0][3] = "etablissement_suivant"
    assert check(workbook([[*rows[0][:1], *rows[0][2:]], [A, MARCH, B]]), "envoi.xlsx", CLOSURES).rows["name"].to_list() == [None]


def test_rates_between_nought_and_one_are_told_in_a_short_file_too():
    rows = [["Session", "UAI", "Taux de réussite - G"], *([2023, school, rate] for school, rate in ((A, 0.953), (B, 0.87), (C, 0.91)))]
    assert told(workbook(rows), SCHOOL_RESULTS, "percent_share")


@pytest.mark.parametrize(("header", "cells"), [("Taux TVA", ("8,5 %", "20 %")), ("TVA", (0.085, 0.2)), ("Taux de TVA (%)", (8.5, 20)), ("Montant TVA", (85, 20)), ("TVA", ("85,00 €", "20,00 €"))])
def test_the_tax_of_each_line_is_that_the_table_says(header, cells):
    """1 085 € TTC at 8,5 %, as in Guadeloupe, are 1 000 € HT: they were brought back at 20 %."""
    rows = [["N° engagement", "UAI", "Désignation", "Qté", "Montant TTC", header, "Date d'engagement"], ["E1", A, "Tablette", 10, "1 085,00", cells[0], MARCH], ["E2", B, "VPI", 1, 120, cells[1], MARCH]]
    assert understood(workbook(rows), ORDERS, "order_ref", "total_eur") == [("E1", 1000.0), ("E2", 100.0)]
    assert not told(workbook(rows), ORDERS, "amount_ttc")
    bad = check(workbook([*rows, ["E3", C, "VPI", 1, "douze", cells[1], MARCH]]), "envoi.xlsx", ORDERS).issues.filter(severity="blocking")
    assert bad.select("row", "column", "value").rows() == [(4, "E", "douze")]


def test_without_a_tax_that_explains_the_amounts_the_standard_rate_is_told():
    rows = [["N° BC", "UAI", "Désignation", "Qté", "Montant TTC", "TVA", "Date BC"], ["E1", A, "Tablette", 10, 1200, 777, MARCH]]
    assert check(workbook(rows), "envoi.xlsx", ORDERS).rows["total_eur"].to_list() == [1000.0]
    assert told(workbook(rows), ORDERS, "amount_ttc")


def test_two_dates_under_names_of_the_same_field_are_asked():
    """« Date BL », « Date de réception »: the first was taken in silence; equal, or beside the field's own name, nothing is asked."""
    rows = [["UAI", "Matériel", "Quantité", "Date BL", "Date de réception"], [A, "Tablette", 10, MARCH, date(2022, 4, 2)]]
    (question,) = check(workbook(rows), "envoi.xlsx", DELIVERIES).questions
    assert question.holds and [choice[0] for choice in question.choices] == ["D", "E"]
    assert understood(workbook(rows), DELIVERIES, "delivered_on", answers={question.id: "E"}) == [(date(2022, 4, 2),)]
    rows[1][4] = MARCH
    assert understood(workbook(rows), DELIVERIES, "delivered_on") == [(MARCH,)]
    rows[0][4], rows[1][4] = "Date de livraison", date(2022, 4, 2)
    assert understood(workbook(rows), DELIVERIES, "delivered_on") == [(date(2022, 4, 2),)]


def test_an_appointment_is_no_delivery():
    result = check(workbook([["UAI", "Matériel", "Quantité", "RDV livraison"], [A, "Tablette", 10, MARCH]]), "envoi.xlsx", DELIVERIES)
    assert result.status == "refused" and result.rows.height == 0


@pytest.mark.parametrize("header", ["Qté refusée", "Qté acceptée", "dont non conformes", "Nb cassés"])
def test_numbers_refused_or_broken_are_told(header):
    rows = [["UAI", "Matériel", "Qté livrée", header, "Date de livraison"], [A, "Tablette", 10, 2, MARCH]]
    assert told(workbook(rows), DELIVERIES, "column_matters")


@pytest.mark.parametrize(("remark", "said"), [("2 retournées le 15/03", 1), ("non livré, voir mail", 1), ("dont 3 tablettes cassées", 1), ("RAS", 0), ("Reçu par M. Martin le 2 mars", 0), ("Salle 12", 0)])
def test_remarks_that_change_the_number_are_told(remark, said):
    rows = [[*HEAD, "Observations"], [A, "Tablette", 10, MARCH, remark], [B, "Tablette", 5, MARCH, "RAS"]]
    assert len(told(workbook(rows), DELIVERIES, "column_matters")) == said


def test_thousands_and_cents_of_a_header_are_no_euros():
    rows = [["N° BC", "UAI", "Désignation", "Qté", "Montant en milliers", "Date BC"], ["B1", A, "Tablette", 10, "1,5", MARCH]]
    assert understood(workbook(rows), ORDERS, "total_eur") == [(1500.0,)]
    rows[0][4] = "Montant HT (centimes)"
    assert told(workbook(rows), ORDERS, "currency")


@pytest.mark.parametrize("head", [["UAI établissement payeur", "UAI établissement livré"], ["Collège de secteur (UAI)", "École (UAI)"]])
def test_two_columns_of_schools_of_which_no_header_says_which_are_asked(head):
    """The first was taken in silence: deliveries were counted in the school that pays."""
    rows = [[*head, "Matériel", "Quantité", "Date de livraison"], [A, B, "Tablette", 5, MARCH]]
    (question,) = check(workbook(rows), "envoi.xlsx", DELIVERIES).questions
    assert question.holds and [choice[0] for choice in question.choices] == ["A", "B"]
    assert understood(workbook(rows), DELIVERIES, "uai", answers={question.id: "B"}) == [(B,)]
    rows[0][:2] = ["UAI tête de réseau", "Code RNE"]
    assert understood(workbook(rows), DELIVERIES, "uai") == [(B,)]


@pytest.mark.parametrize("header", ["SIRET fournisseur", "SIRET du titulaire", "SIREN prestataire"])
def test_the_identifier_of_the_seller_is_not_that_of_the_buyer(header):
    rows = [["N° BC", "UAI", header, "Désignation", "Qté", "Date BC"], ["B1", A, "21350016800025", "Tablette", 5, MARCH]]
    assert check(workbook(rows), "envoi.xlsx", ORDERS).rows["buyer_siren"].to_list() == [None]


def test_lines_of_title_apart_from_the_table_are_not_told_as_an_unread_table():
    rows = [["Département du Cher – Direction des systèmes d'information"], ["Dotation : livraisons arrêtées au 30/06/2022"], [], HEAD, [A, "Tablette", 5, MARCH]]
    result = check(workbook(rows), "envoi.xlsx", DELIVERIES)
    assert result.status == "clean" and result.issues.height == 0


def test_what_was_expected_and_the_gap_are_not_counted_with_what_came():
    over = [["UAI", "Date de livraison", "Tablettes", None, None, "VPI"], [None, None, "Attendu", "Reçu", "Écart", "Reçu"]]
    rows = [*over, [A, MARCH, 30, 28, -2, 1], [B, MARCH, 10, 10, 0, 2], [C, MARCH, 10, 12, 2, 3]]
    found = understood(workbook(rows, merged=("C1:E1",)), DELIVERIES, "uai", "category", "quantity")
    assert found == [(school, kind, n) for school, *numbers in ((A, 28, 1), (B, 10, 2), (C, 12, 3)) for kind, n in zip(("tablette", "videoprojecteur"), numbers, strict=True)]


def test_what_is_to_be_bought_is_neither_there_nor_asked_about():
    rows = [["UAI", "Date d'inventaire", "Tablettes", "VPI", "Tablettes à acheter", "VPI à acheter"], [A, MARCH, 30, 6, 4, 2]]
    assert understood(workbook(rows), INVENTORY, "category", "quantity") == [("tablette", 30), ("videoprojecteur", 6)]


def test_a_multiple_beside_the_name_of_a_thing_may_be_a_pack():
    assert told(workbook([HEAD, [A, "Tablette (x10)", 4, MARCH]]), DELIVERIES, "packed")


@pytest.mark.parametrize("head", [["Tablettes élèves", "Tablettes enseignants"], ["Tablettes neuves", "Tablettes reconditionnées"], ["Nb tablettes cycle 2", "Nb tablettes cycle 3"]])
def test_columns_of_nearly_one_category_are_asked_one_by_one_then_added_up(head):
    """Only « what is the category of the whole table » was asked, to which no answer was right."""
    rows = [["UAI", "Date de livraison", *head], [A, MARCH, 5, 3], [B, MARCH, 2, 1]]
    answers: dict[str, str] = {}
    asked = check(workbook(rows), "envoi.xlsx", DELIVERIES).questions
    assert asked and all(question.holds and question.id.startswith("code:") and question.choices[0][0] == "tablette" for question in asked)
    answers |= {question.id: "tablette" for question in asked}
    (add,) = check(workbook(rows), "envoi.xlsx", DELIVERIES, answers=answers).questions
    assert understood(workbook(rows), DELIVERIES, "uai", "category", "quantity", answers={**answers, add.id: "sum"}) == [(A, "tablette", 8), (B, "tablette", 3)]


def test_the_date_that_follows_each_category_is_its_own():
    """« Tablettes | Livrées le | VPI | Livrés le »: tablets took the date of the projectors."""
    rows = [["UAI", "Tablettes", "Livrées le", "VPI", "Livrés le"], [A, 6, MARCH, 1, date(2022, 3, 10)], [B, 8, MARCH, 2, date(2022, 3, 11)]]
    assert understood(workbook(rows), DELIVERIES, "uai", "category", "delivered_on") == [
        (A, "tablette", MARCH), (A, "videoprojecteur", date(2022, 3, 10)), (B, "tablette", MARCH), (B, "videoprojecteur", date(2022, 3, 11)),
    ]  # fmt: skip
    rows[0][2], rows[0][4] = "Reçues le", "Reçus le"
    assert any(question.holds for question in check(workbook(rows), "envoi.xlsx", DELIVERIES).questions)


@pytest.mark.parametrize("cell", [f"{A} / {B}", f"{A}\n{B}", f"{A} et {B}"])
def test_two_schools_in_a_cell_are_told_to_take_a_line_each(cell):
    """They were said not to be a UAI, which both are."""
    issues = check(workbook([HEAD, [cell, "Tablette", 10, MARCH], [C, "Tablette", 5, MARCH]]), "envoi.xlsx", DELIVERIES).issues
    assert issues.select("code", "row").rows() == [("uai_several", 2)]


@pytest.mark.parametrize(("heads", "siren"), [
    (("Fournisseur", "SIREN"), None), (("Titulaire du marché", "N° SIRET"), None), (("SIREN", "Fournisseur"), "210207007"), (("Collectivité", "SIREN"), "210207007"),
])  # fmt: skip
def test_the_siren_beside_a_supplier_is_not_the_buyers(heads, siren):
    """« Fournisseur | SIREN » was read as who buys, in silence; it is left and told."""
    given = {"SIREN": "210207007", "N° SIRET": "21020700700019"}
    rows = [["N° BC", "UAI", "Matériel", "Quantité", "Date de commande", *heads], ["B1", A, "Tablette", 5, MARCH, *(given.get(head, "Mairie de Laon") for head in heads)]]
    result = check(workbook(rows), "envoi.xlsx", ORDERS)
    assert result.rows["buyer_siren"].to_list() == [siren]
    assert siren or heads[1] in result.tables[0].unmapped


@pytest.mark.parametrize(("header", "word"), [("Motif", "Échange SAV"), ("Type de mouvement", "Échange standard"), ("Statut", "SAV"), ("Mouvement", "Matériel de prêt")])
def test_a_device_exchanged_or_lent_is_no_delivery(header, word):
    """It takes the place of one already counted, or goes back: its row is refused and told."""
    rows = [[*HEAD, header], [A, "Tablette", 5, MARCH, "Dotation"], [B, "Tablette", 1, MARCH, word]]
    issues = check(workbook(rows), "envoi.xlsx", DELIVERIES).issues
    assert issues.filter(severity="blocking").select("code", "row").rows() == [("row_undone", 3)]
    rows[2][4] = "Prêt à l'emploi"
    assert understood(workbook(rows), DELIVERIES, "quantity") == [(1,), (5,)]


def test_a_number_too_small_to_be_told_is_missing_and_says_why():
    """« <5 » is kept as statistical secrecy; the star of a footnote leaves the number."""
    rows = [["UAI", "Session", "Nb candidats - G", "Taux de réussite - G"], [A, 2023, "<5", "ND"], [B, 2023, "41*", "98,7*"]]
    result = check(workbook(rows), "envoi.xlsx", SCHOOL_RESULTS)
    assert result.rows.select("candidates_general", "success_general_pct").rows() == [(None, None), (41, 98.7)]
    assert result.missing_why.select("source_row", "field", "why").rows() == [(2, "candidates_general", "secret"), (2, "success_general_pct", "non_disponible")]
    assert set(result.issues["code"]) == {"number_words"}
