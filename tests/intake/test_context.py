"""What is written once for a whole table: in a title, above it, between its rows, in the name of the sheet or of the file."""

import io
from datetime import date

import openpyxl
import pytest

from essaim.engines.intake import check
from essaim.equipment.contracts import DELIVERIES, INVENTORY
from intake.test_hard_files import workbook
from intake.understanding import Register, uai

HEAD = ["N° BL", "Matériel", "Quantité", "Date de livraison"]
ROWS = [["BL-1", "Tablette", 12, "14/03/2022"], ["BL-2", "Vidéoprojecteur", 2, "15/03/2022"], ["BL-3", "PC portable", 5, "16/03/2022"]]
SCHOOLS = Register({uai(1): ("École Jean Moulin", "Laon", 120, None, None), uai(2): ("École Pasteur", "Laon", 80, None, None)})


def understood(content, filename="envoi.xlsx", contract=DELIVERIES, **inputs):
    return check(content, filename, contract, **inputs)


def told(result):
    return result.issues.filter(code="context_value")["message"].to_list()


def sheets(**named):
    """A workbook of several sheets."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in named.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    "above",
    [
        [[f"École Jean Moulin – Laon – UAI : {uai(1)}"]], [["UAI", uai(1)]], [[f"UAI : {uai(1)}"], ["Édité le 12/01/2023"]],
        [["UAI", uai(1)], ["École", "École Jean Moulin"], ["Commune", "Laon"]], [["Livraisons 2022"], [None, f"Code RNE : {uai(1)}"]],
    ],
)  # fmt: skip
def test_the_school_of_a_title_is_that_of_the_whole_table(above):
    """One right UAI above the table, whatever the way it is written: every row is its own, and it is said."""
    result = understood(workbook([*above, [], HEAD, *ROWS]))
    assert result.status == "clean" and set(result.rows["uai"]) == {uai(1)} and result.rows.height == 3
    assert any(uai(1) in message.upper() and "ligne" in message for message in told(result))
    assert "uai" not in result.tables[-1].missing


def test_the_school_of_a_sheet_or_of_a_file_is_that_of_its_rows():
    """One sheet a school, named by its UAI; one file a school too."""
    result = understood(sheets(**{f"{uai(1)} Moulin": [HEAD, *ROWS[:2]], uai(2): [HEAD, *ROWS[2:]]}))
    assert result.rows.sort("delivery_ref")["uai"].to_list() == [uai(1), uai(1), uai(2)] and len(told(result)) == 2
    text = "\n".join(";".join(map(str, row)) for row in [HEAD, *ROWS]).encode()
    assert set(understood(text, f"livraisons_{uai(2)}.csv").rows["uai"]) == {uai(2)}


@pytest.mark.parametrize("title", [f"Écoles {uai(1)} et {uai(2)}", "Écoles de Laon", f"{uai(1)[:7]}I", "Dossier 0020001"])
def test_a_title_that_names_two_schools_or_none_gives_none(title):
    """Nothing is guessed: the column is asked for."""
    result = understood(workbook([[title], [], HEAD, *ROWS]))
    assert result.rows.height == 0 and "column_missing" in set(result.issues["code"]) and not told(result)


def test_a_title_does_not_name_the_school_of_rows_that_name_several():
    """The UAI of the sender, above a list of schools, is not theirs."""
    rows = [[*HEAD, "École"], [*ROWS[0], "École Jean Moulin"], [*ROWS[1], "École Pasteur"]]
    result = understood(workbook([[f"Envoi de l'établissement {uai(3)}"], [], *rows]))
    assert result.rows.height == 0 and not told(result)


def test_headings_between_rows_give_their_school_to_the_rows_below():
    """« 0020001X – École Jean Moulin » then its lines, again and again."""
    head, rows = HEAD[1:], [row[1:] for row in ROWS]
    result = understood(workbook([head, [f"{uai(1)} – École Jean Moulin"], *rows[:2], [f"{uai(2)} – École Pasteur"], rows[2]]))
    assert result.rows["uai"].to_list() == [uai(1), uai(1), uai(2)] and result.status == "clean" and result.rows_read == 3
    named = understood(workbook([head, ["École Jean Moulin (Laon)"], *rows[:2], ["École Pasteur (Laon)"], rows[2]]), references={"establishment": SCHOOLS})
    assert named.rows["uai"].to_list() == [uai(1), uai(1), uai(2)]


def test_the_name_of_a_school_in_a_title_is_looked_up():
    """« École Pasteur – Laon » above the table, without any UAI."""
    result = understood(workbook([["École Pasteur – Laon"], [], HEAD, *ROWS]), references={"establishment": SCHOOLS})
    assert set(result.rows["uai"]) == {uai(2)} and {"reference_found", "context_value"} <= set(result.issues["code"])


@pytest.mark.parametrize(
    ("title", "contract", "day"),
    [("Livraison du 14/03/2022", DELIVERIES, date(2022, 3, 14)), ("Livraisons du 14 mars 2022", DELIVERIES, date(2022, 3, 14)),
     ("Inventaire au 31/12/2021", INVENTORY, date(2021, 12, 31)), ("Situation au 1er septembre 2021", INVENTORY, date(2021, 9, 1))],
)  # fmt: skip
def test_the_date_of_a_title_is_that_of_the_rows_when_it_says_so(title, contract, day):
    """The word before the date is one the field is called by."""
    rows = [["UAI", "Matériel", "Quantité"], *([uai(i), "Tablette", i] for i in range(1, 5))]
    result = understood(workbook([[title], [], *rows]), contract=contract)
    assert set(result.rows["delivered_on" if contract is DELIVERIES else "counted_on"]) == {day} and result.status == "clean"


@pytest.mark.parametrize("title", ["Édité le 14/03/2022", "Date : 14/03/2022", "Livraison prévue le 14/03/2022", "Livraisons du 14/03/2022 et livraison du 15/03/2022"])
def test_any_other_date_of_a_title_is_not(title):
    """A date of printing, a planned date, two dates: the column is asked for."""
    result = understood(workbook([[title], [], ["UAI", "Matériel", "Quantité"], [uai(1), "Tablette", 3]]))
    assert result.rows.height == 0 and "column_missing" in set(result.issues["code"])


def test_a_sheet_named_by_a_category_gives_it_to_its_rows():
    """One sheet for the tablets, one for the projectors."""
    head = ["UAI", "Quantité", "Date de livraison"]
    result = understood(sheets(Tablettes=[head, [uai(1), 12, "14/03/2022"]], Vidéoprojecteurs=[head, [uai(1), 2, "14/03/2022"], [uai(2), 3, "14/03/2022"]]))
    assert sorted(result.rows.select("uai", "category", "quantity").rows()) == [(uai(1), "tablette", 12), (uai(1), "videoprojecteur", 2), (uai(2), "videoprojecteur", 3)]


def test_what_a_label_above_the_table_says_fills_its_field():
    """« N° de commande : BC-22 », « Observations », in one cell or in two; never a number."""
    above = [["N° de commande : BC-22"], ["Acheteur", "217500016"], ["Quantité : 12"]]
    result = understood(workbook([*above, [], ["UAI", "Matériel", "Nombre", "Livré le"], [uai(1), "Tablette", 3, "14/03/2022"]]))
    assert result.rows.select("order_ref", "buyer_siren", "quantity").row(0) == ("BC-22", "217500016", 3)
    bare = understood(workbook([["Quantité : 12"], [], ["UAI", "Matériel", "Livré le"], [uai(1), "Tablette", "14/03/2022"]]))
    assert bare.rows.height == 0


def test_a_sheet_named_by_a_commune_places_its_schools():
    """One sheet a commune and only names of schools in it; a sheet that is no commune places nothing."""
    head = ["École", "Matériel", "Quantité", "Livré le"]
    towns = Register({uai(1): ("École Pasteur", "Laon", 120, None, None), uai(2): ("École Pasteur", "Soissons", 80, None, None)})
    rows = {"Laon": [head, ["École Pasteur", "Tablette", 3, "14/03/2022"]], "Soissons": [head, ["École Pasteur", "Tablette", 4, "14/03/2022"]]}
    result = understood(sheets(**rows), references={"establishment": towns})
    assert sorted(result.rows.select("uai", "quantity").rows()) == sorted([(uai(1), 3), (uai(2), 4)])
    assert understood(sheets(Feuil1=rows["Laon"]), references={"establishment": towns}).rows.height == 0


@pytest.mark.parametrize("name", [f"{uai(2)} - École Pasteur", f"École Pasteur ({uai(2)})", "École Pasteur (Laon)", "École Pasteur - Laon", "École Pasteur, Laon"])
def test_a_name_that_holds_its_identifier_or_its_commune_is_enough(name):
    """One column for the school and what places it."""
    rows = [["Établissement", "Matériel", "Quantité", "Livré le"], [name, "Tablette", 3, "14/03/2022"]]
    result = understood(workbook(rows), references={"establishment": SCHOOLS})
    assert result.rows["uai"].to_list() == [uai(2)] and "reference_found" in set(result.issues["code"])
