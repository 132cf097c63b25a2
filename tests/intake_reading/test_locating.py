"""Where tables are in the sheets people really send."""

from __future__ import annotations

import pytest

from essaim.engines.intake.reading import read_file
from essaim.engines.intake.tables import FileRefused

from .grids import HEADER, LINES, values, workbook

TEXT = [tuple(str(cell) for cell in line) for line in LINES]


def read(content: bytes, name: str = "fichier.xlsx", **options):
    return read_file(content, name, **options)


def csv_of(*rows, sep=";") -> bytes:
    return "\n".join(sep.join("" if c is None else str(c) for c in row) for row in rows).encode()


def test_title_and_prose_before_the_header_are_left_out():
    """Prose above a table never becomes its header, and is told as skipped."""
    rows = [("Livraisons 2022 de la ville de Rennes",), (), ("Document transmis le 3 mars, sous réserve",), HEADER, *LINES]
    (table,) = read(workbook(("Feuil1", rows))).tables
    assert table.header_row == 4
    assert [c.header for c in table.columns] == list(HEADER)
    assert values(table) == TEXT
    assert table.frame["row"].to_list() == [5, 6, 7]
    assert {row for row, reason in table.skipped if reason == "texte avant le tableau"} == {1, 3}


def test_letters_and_rows_are_those_of_the_sheet():
    """A table that starts at C5 is described from column C and row 5."""
    rows = [(), (), (), (), (None, None, *HEADER), *[(None, None, *line) for line in LINES]]
    (table,) = read(workbook(("Feuil1", rows))).tables
    assert [c.letter for c in table.columns] == ["C", "D", "E", "F", "G"]
    assert table.header_row == 5 and table.frame["row"].to_list() == [6, 7, 8]


@pytest.mark.parametrize("as_csv", [False, True])
def test_two_level_header_is_joined(as_csv):
    """Group labels over merged (or blank) cells are joined with the labels beneath."""
    rows = [
        ("UAI", "Nom", "Matériel livré", None, "Date"),
        (None, None, "VPI", "Tablettes", None),
        ("0350001A", "École A", 2, 30, "2022-03-01"),
        ("0350002B", "École B", 1, 12, "2022-03-02"),
    ]
    content = csv_of(*rows) if as_csv else workbook(("F", rows), merges=("A1:A2", "B1:B2", "C1:D1", "E1:E2"))
    (table,) = read(content, "f.csv" if as_csv else "f.xlsx").tables
    expected = ["UAI", "Nom", "Matériel livré / VPI", "Matériel livré / Tablettes", "Date"]
    assert [c.header for c in table.columns] == expected
    assert table.header_row == 2 and table.frame["row"].to_list() == [3, 4]


def test_three_level_header_is_joined():
    """Three levels give three labels."""
    rows = [
        ("Identification", None, "Équipements", None, None, None),
        (None, None, "Fixes", None, "Mobiles", None),
        ("UAI", "Nom", "VPI", "ENI", "Tablettes", "Portables"),
        ("0350001A", "École A", 1, 2, 3, 4),
        ("0350002B", "École B", 1, 2, 3, 4),
    ]
    (table,) = read(workbook(("F", rows), merges=("A1:B1", "C1:F1", "A2:B2", "C2:D2", "E2:F2"))).tables
    assert [c.header for c in table.columns] == [
        "Identification / UAI",
        "Identification / Nom",
        "Équipements / Fixes / VPI",
        "Équipements / Fixes / ENI",
        "Équipements / Mobiles / Tablettes",
        "Équipements / Mobiles / Portables",
    ]
    assert table.header_row == 3


def test_a_title_merged_over_the_table_is_not_a_level():
    """A title that spans every column right above the header is prose."""
    rows = [("Livraisons 2022", None, None, None, None), HEADER, *LINES]
    (table,) = read(workbook(("F", rows), merges=("A1:E1",))).tables
    assert [c.header for c in table.columns] == list(HEADER)
    assert table.header_row == 2


def test_line_breaks_in_headers_become_spaces():
    """A header written on several lines is one label."""
    rows = [("UAI", "Nom de\nl'établissement", "Quantité\r\nlivrée"), ("0350001A", "École A", 3), ("0350002B", "École B", 4)]
    (table,) = read(workbook(("F", rows))).tables
    assert [c.header for c in table.columns] == ["UAI", "Nom de l'établissement", "Quantité livrée"]


def test_totals_are_left_out_but_not_a_school_called_total():
    """Total lines go with their reason; « Collège Total » and « Ensemble scolaire » stay."""
    rows = [
        HEADER,
        *LINES,
        ("Sous-total Rennes", None, None, 36, None),
        ("0350004D", "Ensemble scolaire Saint-Jean", "VPI", 1, "2022-03-09"),
        ("0350005E", "Total", "VPI", 1, "2022-03-09"),
        ("TOTAL GÉNÉRAL", None, None, 38, None),
    ]
    (table,) = read(workbook(("F", rows))).tables
    assert table.frame["row"].to_list() == [2, 3, 4, 6, 7]
    assert table.skipped == ((5, "ligne de total"), (8, "ligne de total"))


def test_blank_rows_repeated_headers_and_notes():
    """Blank lines and repeated headers inside the table, and notes at its foot, are left out with their reasons."""
    rows = [HEADER, LINES[0], (), HEADER, LINES[1], LINES[2], (), ("Source : direction de l'éducation",), ("* hors maternelles",)]
    (table,) = read(workbook(("F", rows))).tables
    assert values(table) == TEXT
    reasons = dict(table.skipped)
    assert reasons[4] == "répétition de l'en-tête"
    assert reasons[8] == reasons[9] == "note"


def test_stacked_tables_are_separate():
    """Two tables with different headers in one sheet are two tables."""
    second = [("Commune", "Code INSEE", "Élèves"), ("Rennes", "35238", 1200), ("Betton", "35024", 300)]
    rows = [HEADER, *LINES, (), ("Effectifs par commune",), (), *second]
    first, other = read(workbook(("F", rows))).tables
    assert values(first) == TEXT
    assert [c.header for c in other.columns] == ["Commune", "Code INSEE", "Élèves"]
    assert values(other) == [("Rennes", "35238", "1200"), ("Betton", "35024", "300")]
    assert other.header_row == 8


def test_side_by_side_tables_are_separate():
    """Two tables next to each other, of different heights, are two tables."""
    rows = [
        ("UAI", "VPI", None, "UAI", "Tablettes"),
        ("0350001A", 1, None, "0350002B", 30),
        ("0350003C", 2, None, "0350004D", 12),
        ("0350005E", 3, None, None, None),
    ]
    left, right = read(workbook(("F", rows))).tables
    assert values(left) == [("0350001A", "1"), ("0350003C", "2"), ("0350005E", "3")]
    assert [c.letter for c in right.columns] == ["D", "E"]
    assert values(right) == [("0350002B", "30"), ("0350004D", "12")]


def test_no_header_gives_data_from_the_first_row():
    """A file without header keeps its first line as data."""
    (table,) = read(csv_of(*LINES), "f.csv").tables
    assert table.header_row is None and values(table) == TEXT
    assert {c.header for c in table.columns} == {""}


def test_several_sheets_hidden_ones_included():
    """Every sheet is read, hidden ones are flagged and told."""

    def hide(book):
        book["Cachée"].sheet_state = "hidden"
        book["Vue"].row_dimensions[3].hidden = True

    result = read(workbook(("Vue", [HEADER, *LINES]), ("Cachée", [HEADER, *LINES]), prepare=hide))
    assert [(t.sheet, t.hidden) for t in result.tables] == [("Vue", False), ("Cachée", True)]
    assert {code for code, _ in result.notices} == {"hidden_sheet", "hidden_rows"}
    assert values(result.tables[0]) == TEXT


def test_vocabulary_settles_an_all_text_header():
    """Expected words make a header of a line that nothing else tells from data."""
    rows = [("rne", "intitulé", "remarque"), ("aa", "bb", "cc"), ("dd", "ee", "ff")]
    (table,) = read(csv_of(*rows), "f.csv", vocabulary=frozenset({"rne", "intitule", "remarque"})).tables
    assert table.header_row == 1


def test_numbered_columns_and_units_under_the_header():
    """A line that numbers the columns is left out; units join the header."""
    rows = [("UAI", "Prix", "Quantité"), ("", "(€ HT)", "(nombre)"), ("1", "2", "3"), ("0350001A", "12,5", "3"), ("0350002B", "13", "4")]
    (table,) = read(csv_of(*rows), "f.csv").tables
    assert [c.header for c in table.columns] == ["UAI", "Prix / (€ HT)", "Quantité / (nombre)"]
    assert table.skipped == ((3, "numéros de colonnes"),)


def test_a_sheet_of_prose_is_refused():
    """A document without any table is refused with advice."""
    with pytest.raises(FileRefused) as refusal:
        read(workbook(("F", [("Bonjour,",), ("Veuillez trouver ci-joint le tableau des livraisons de cette année scolaire, merci de votre retour.",)])))
    assert refusal.value.code == "no_table"


def test_header_only_template_is_an_empty_table():
    """A model without any line is a table of zero rows."""
    (table,) = read(csv_of(("identifiant_indic", "zone_id", "zone_nom", "date_valeur")), "f.csv").tables
    assert table.header_row == 1 and table.frame.height == 0
