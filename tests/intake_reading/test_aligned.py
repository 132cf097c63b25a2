"""Text aligned by spaces: read where every line agrees on the columns, refused with the line that does not."""

from __future__ import annotations

from datetime import date

import pytest

from essaim.engines.intake import check
from essaim.engines.intake.reading import read_grids
from essaim.engines.intake.tables import FileRefused
from essaim.equipment.contracts import DELIVERIES, ORDERS
from intake.understanding import uai

A, B, C = uai(1), uai(2), uai(3)
TRUTH = [(A, "tablette", 5, date(2022, 3, 1)), (B, "ordinateur_portable", 12, date(2022, 3, 2)), (C, "videoprojecteur", 1, date(2022, 3, 3))]
PLAIN = f"""
UAI       Matériel            Qté  Livré le
{A}  Tablette              5  01/03/2022
{B}  PC portable          12  02/03/2022
{C}  Vidéoprojecteur       1  03/03/2022
"""
RULED = f"""
Livraisons 2022

UAI      Matériel        Quantité Date
-------- --------------- -------- ----------
{A} Tablette               5 01/03/2022
{B} PC portable           12 02/03/2022
{C} Vidéoprojecteur        1 03/03/2022
                         --------
Total                          18
"""
PRINTED = f"""
                 COMMUNE DE LAON
État des livraisons de matériel numérique

UAI        ÉCOLE                   MATÉRIEL         QTÉ   DATE LIV.
{A}   École Jean Moulin       TABLETTE           5   01/03/2022
{B}   École Jules Ferry       PC PORTABLE       12   02/03/2022

UAI        ÉCOLE                   MATÉRIEL         QTÉ   DATE LIV.
{C}   École Zola              VPI                1   03/03/2022
TOTAL                                           18
Édité le 04/03/2022
"""


@pytest.mark.parametrize("text", [PLAIN, RULED, PRINTED], ids=["plain", "a line of dashes", "a printed listing"])
@pytest.mark.parametrize(("name", "encoding", "end"), [("liste.txt", "utf-8", "\n"), ("liste.prn", "cp1252", "\r\n"), ("liste.txt", "cp850", "\r\n")])
def test_aligned_columns_are_a_table(text, name, encoding, end):
    """Titles, repeated headers, totals and the line of dashes are no data; the way of reading is said."""
    result = check(text.strip("\n").replace("\n", end).encode(encoding), name, DELIVERIES)
    assert sorted(result.rows.select("uai", "category", "quantity", "delivered_on").rows()) == TRUTH and not result.rows_refused and not result.questions
    assert (result.extra["format"], "aligned_text" in dict(result.notices), "wrong_extension" in dict(result.notices)) == ("txt", True, False)


def test_rows_are_those_of_the_lines_of_the_file():
    """The lineage is the number of the line, blank ones counted."""
    result = check(PRINTED.strip("\n").encode(), "liste.txt", DELIVERIES)
    assert sorted(result.rows["source_row"]) == [5, 6, 9]


def test_amounts_with_spaces_between_thousands_stay_whole():
    text = f"""
UAI       Matériel            Qté       Montant HT  Date BC     BC
{A}  Tablette              5         1 500,00  01/03/2022  B1
{B}  PC portable          12        12 000,00  02/03/2022  B2
{C}  Vidéoprojecteur       1           900,50  03/03/2022  B3
"""
    result = check(text.strip("\n").encode(), "liste.txt", ORDERS)
    assert sorted(result.rows["total_eur"]) == [900.5, 1500.0, 12000.0]


@pytest.mark.parametrize("line", [f"{B}  Ordinateur portable 14 pouces  12  02/03/2022", f"{B} PC portable 12  02/03/2022"])
def test_a_line_that_does_not_agree_with_the_others_refuses_the_file(line):
    """A longer text pushes the figures under another header: nothing is cut at a guess, and the line is named."""
    lines = PLAIN.strip("\n").split("\n")
    result = check("\n".join([*lines[:2], line, lines[3]]).encode(), "liste.txt", DELIVERIES)
    assert result.status == "refused" and result.issues["code"].to_list() == ["columns_unclear"] and "(ligne 3)" in result.issues["message"][0]


def test_a_line_that_crosses_the_dashes_refuses_the_file():
    with pytest.raises(FileRefused) as refusal:
        read_grids(RULED.replace("PC portable    ", "Ordinateur portable").encode(), "liste.txt")
    assert refusal.value.code == "columns_unclear"


@pytest.mark.parametrize("text", ["UAI;Matériel   ;Qté\n{0};Tablette   ;5\n", "UAI\tMatériel     \tQté\n{0}\tTablette     \t5\n", "UAI,Matériel   ,Qté\n{0},Tablette   ,5\n", "UAI   \n{0}   \n"])
def test_padded_cells_of_separated_files_are_not_alignment(text):
    assert read_grids(text.format(A).encode(), "liste.csv").format == "csv"
