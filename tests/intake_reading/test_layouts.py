"""Layouts seen in the files of French authorities: groups of columns, units, pages, sub-totals, footnotes."""

from __future__ import annotations

import pytest

from essaim.engines.intake.reading import read_file

from .grids import values, workbook


def lines(count: int, shape: str) -> str:
    return "".join(shape.format(i=i) + "\n" for i in range(1, count + 1))


SUBTOTALS = "".join(
    f"{name};035000{i}A;École {i};{i}\n{name};035001{i}A;École {i}0;{i}\nSous-total {name};;;{2 * i}\n"
    for i, name in enumerate(("Rennes", "Bréal", "Vitré"), start=1)
)
# text, header row, headers, data rows, reasons of the lines left out
LAYOUTS = {
    "groups above": (
        ";Livraison;;Prix;\nUAI;Date;Quantité;HT;TTC\n" + lines(6, "035000{i}A;0{i}/09/2021;{i};{i}0,5;{i}2,6"),
        2,
        ["UAI", "Livraison / Date", "Livraison / Quantité", "Prix / HT", "Prix / TTC"],
        6,
        [],
    ),
    "units below": (
        "UAI;Désignation;Prix;Délai\n;;(en €);(en jours)\n" + lines(6, "035000{i}A;VPI;{i}0,5;{i}"),
        2,
        ["UAI", "Désignation", "Prix / (en €)", "Délai / (en jours)"],
        6,
        [],
    ),
    "short pages": (
        "UAI;Nom;Quantité\n0350001A;École A;3\n0350002B;École B;4\n" * 3,
        1,
        ["UAI", "Nom", "Quantité"],
        6,
        ["répétition de l'en-tête"] * 2,
    ),
    "long pages": (
        ("UAI;Nom;Quantité\n" + lines(30, "03500{i:02}A;École {i};{i}")) * 5,
        1,
        ["UAI", "Nom", "Quantité"],
        150,
        ["répétition de l'en-tête"] * 4,
    ),
    "sub-totals by commune": (
        "Commune;UAI;Nom;Quantité\n" + SUBTOTALS + "Total général;;;12\n",
        1,
        ["Commune", "UAI", "Nom", "Quantité"],
        6,
        ["ligne de total"] * 4,
    ),
    "footnotes": (
        "UAI;Nom;Quantité;Date\n"
        + lines(6, "035000{i}A;École {i};{i};0{i}/09/2021")
        + "* hors matériel reconditionné;;;\n** chiffres provisoires au 31/12;;;\n",
        1,
        ["UAI", "Nom", "Quantité", "Date"],
        6,
        ["note"] * 2,
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layout(layout):
    """The header, its levels, every data line and the reason of each line left out."""
    text, header_row, headers, rows, reasons = LAYOUTS[layout]
    (table,) = read_file(text.encode(), "a.csv").tables
    assert (table.header_row, [column.header for column in table.columns]) == (header_row, headers)
    assert table.frame.height == rows
    assert [reason for _, reason in table.skipped] == reasons
    assert all(line[0] for line in values(table))


def located(rows):
    width = max(len(row) for row in rows)
    content = workbook(("F", [[*row, *[None] * (width - len(row))] for row in rows]))
    return read_file(content, "envoi.xlsx", vocabulary=frozenset({"uai", "quantite", "materiel", "date de livraison"})).tables


def test_a_blank_column_does_not_make_two_tables():
    """A total in one half and a note below do not: one table, each line once; a list of choices beside it stays apart."""
    head = ["UAI", "Quantité", None, "Matériel", "Date de livraison"]
    rows = [[f"002000{i}X", str(i), None, "Tablette", "2022-03-14"] for i in range(1, 9)]
    lines = [["Livraisons 2022"], head, *rows, ["TOTAL", "36"], [], ["Source : service informatique"]]
    (found,) = located(lines)
    assert found.frame.height == 8 and [column.header for column in found.columns] == ["UAI", "Quantité", "Matériel", "Date de livraison"]
    choices = [[*head, None, "Code", "Libellé"], *([*row, None, *(("T", "Tablette"), ("E", "ENI"))[i]] if i < 2 else row for i, row in enumerate(rows))]
    apart = located(choices)
    assert [table.frame.height for table in apart] == [8, 2] and [len(table.columns) for table in apart] == [4, 2]
