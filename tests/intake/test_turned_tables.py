"""Tables lying on their side, and one column a school: read, and every cell told where the sender wrote it."""

import io

import openpyxl
import pytest

from essaim.engines.intake import annotated_workbook, check
from essaim.equipment.contracts import DELIVERIES, INVENTORY, ORDERS
from intake.test_hard_files import workbook
from intake.understanding import uai

HEAD = ["N° BL", "UAI", "École", "Matériel", "Quantité", "Date de livraison"]
ROWS = [[f"BL-{i}", uai(i), f"École n° {i}", ("Tablette", "PC portable", "ENI")[i % 3], i + 2, f"{i + 12}/03/2022"] for i in range(1, 8)]
WANTED = [(uai(i), ("tablette", "ordinateur_portable", "ecran_interactif")[i % 3], i + 2) for i in range(1, 8)]


def side(rows):
    return [list(line) for line in zip(*rows, strict=True)]


def read(result):
    return sorted(result.rows.select("uai", "category", "quantity").rows())


@pytest.mark.parametrize("above", [[], [["Livraisons 2022"], []], [["Livraisons 2022"]]])
def test_a_table_on_its_side_is_read_upright(above):
    """Fields in lines, schools in columns, with or without a title; said once."""
    result = check(workbook([*above, *side([HEAD, *ROWS])]), "envoi.xlsx", DELIVERIES)
    assert read(result) == sorted(WANTED) and result.status == "clean"
    assert result.issues["code"].to_list() == ["table_turned"] and result.tables[0].header_row is None
    assert [m.column for m in result.tables[0].mapping] == [str(len(above) + i) for i in range(1, 7)]


def test_a_form_for_one_delivery_is_one_row():
    """A label, a value, line after line."""
    result = check(workbook(side([HEAD, ROWS[0]])), "fiche.xlsx", DELIVERIES)
    assert read(result) == WANTED[:1]


def test_lines_of_categories_under_a_line_of_schools_are_quantities():
    """UAI, school and date of each column, then one line a category."""
    rows = [["UAI", uai(1), uai(2)], ["École", "A", "B"], ["Date de livraison", "14/03/2022", "15/03/2022"], ["Tablettes", 3, 4], ["Vidéoprojecteurs", None, 2]]
    result = check(workbook(rows), "envoi.xlsx", DELIVERIES)
    assert read(result) == [(uai(1), "tablette", 3), (uai(2), "tablette", 4), (uai(2), "videoprojecteur", 2)]


@pytest.mark.parametrize("contract", [DELIVERIES, INVENTORY, ORDERS])
def test_one_column_a_school_is_unpivoted(contract):
    """« Matériel | 0020001X | 0020002Y »: the header names the school, the cell counts."""
    rows = [["Matériel", "Date", uai(1), uai(2), uai(3)], ["Tablette", "14/03/2022", 3, 4, None], ["PC portable", "14/03/2022", 1, None, 2]]
    rows[0][1] = {"equipment.orders": "Date de commande"}.get(contract.code, "Date")
    result = check(workbook(rows), "envoi.xlsx", contract)
    assert read(result) == sorted([(uai(1), "tablette", 3), (uai(2), "tablette", 4), (uai(1), "ordinateur_portable", 1), (uai(3), "ordinateur_portable", 2)])


def test_the_fault_of_a_cell_is_told_where_the_sender_wrote_it():
    """Column of the school, line of the field; the annotated workbook colours that very cell."""
    rows = side([HEAD, *ROWS])
    rows[4][3], rows[1][5] = "beaucoup", uai(5)[:7]
    content = workbook(rows)
    result = check(content, "envoi.xlsx", DELIVERIES)
    faults = {(i["code"], f"{i['column']}{i['row']}") for i in result.issues.iter_rows(named=True) if i["severity"] == "blocking"}
    assert faults == {("number_format", "D5"), ("uai_letter_missing", "F2")} and result.refused.height == 2
    book = openpyxl.load_workbook(io.BytesIO(annotated_workbook(content, "envoi.xlsx", result)))
    sheet = book.worksheets[1]
    assert {cell.coordinate for line in sheet.iter_rows() for cell in line if cell.comment} == {"D5", "F2"}


@pytest.mark.parametrize(
    "rows",
    [
        [["Matériel", "UAI", "Quantité", "Date"], *([category, uai(i), i, "14/03/2022"] for i, category in enumerate(["Tablette", "ENI", "PC portable", "Imprimante"], 1))],
        [[category, uai(i), i, f"{i + 12}/03/2022"] for i, category in enumerate(["Tablette", "ENI", "PC portable", "Imprimante"], 1)],
        [["UAI", "Matériel", "Quantité", "Date"], [uai(1), "Tablette", 3, "14/03/2022"]],
    ],
)  # fmt: skip
def test_a_table_that_stands_is_left_standing(rows):
    """Categories down the first column, with or without header, and one-row tables, are ordinary tables."""
    result = check(workbook(rows), "envoi.xlsx", DELIVERIES)
    assert "table_turned" not in set(result.issues["code"]) and result.rows_read == len([row for row in rows if row[0] not in ("Matériel", "UAI")])
