"""Files of authorities that once were misread: each test keeps one repair."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from essaim.engines.intake import check
from essaim.engines.intake.reading.delimited import read_delimited
from essaim.engines.intake.tables import FileRefused, Limits
from essaim.equipment.contracts import DELIVERIES, DISPOSALS, INVENTORY, PUBLIC_CONTRACTS

HEADER = "UAI;Matériel;Qté;Date de livraison"


def deliveries(*lines, **more):
    """The check of these lines as a csv of deliveries."""
    return check("\n".join(lines).encode(), "livraisons.csv", DELIVERIES, **more)


def test_a_second_table_without_a_blank_line_and_in_another_order_is_read_too():
    """Both tables are read, with their own columns and true rows; nothing is lost without a word."""
    found = deliveries(
        HEADER, "0020002S;Tablette;3;01/03/2022", "0020004U;ENI;2;02/03/2022",
        "Livraisons complémentaires;;;",
        "Date de livraison;UAI;Qté;Matériel", "01/03/2023;0020007X;4;PC portable", "02/03/2023;0020009Z;5;PC portable",
    )  # fmt: skip
    assert found.status == "clean"
    assert [table.header_row for table in found.tables] == [1, 5]
    assert found.rows.sort("source_row").select("uai", "quantity", "source_row").rows() == [
        ("0020002S", 3, 2), ("0020004U", 2, 3), ("0020007X", 4, 6), ("0020009Z", 5, 7),
    ]  # fmt: skip


def test_two_level_headers_are_not_cut_in_two():
    """Two header lines one under the other stay one header."""
    found = deliveries("Commune;UAI;Matériel;Qté;Date", HEADER.replace("UAI", "Commune;UAI"), "Laon;0020002S;Tablette;3;01/03/2022")
    assert found.rows.height == 1 and found.rows_read == 1


def test_the_title_between_a_table_and_its_repeated_header_is_not_a_row():
    """A year above each part, totals between them: only deliveries are rows."""
    found = deliveries(
        "Livraisons 2022 – Aisne;;;", HEADER, "0020002S;Tablette;3;01/03/2022", "0020004U;ENI;2;02/03/2022", "TOTAL;;5;",
        "Livraisons 2023 – Aisne;;;", HEADER, "0020007X;Tablette;4;01/03/2023", "Sous-total;;4;", "Total général;;9;",
    )  # fmt: skip
    assert found.status == "clean" and found.rows_read == 3
    assert sum(found.rows["quantity"]) == 9
    assert (6, "intertitre") in found.tables[0].skipped


@pytest.mark.parametrize("written", ["UAI : 0020015F", "0020015f (Chauny)", "0020015F Collège Jacques Cartier", "Collège Jacques Cartier - 0020015F"])
def test_the_only_identifier_among_words_is_read_and_told(written):
    """Its key letter proves it: a warning, no refusal."""
    found = deliveries(HEADER, f"{written};Tablette;3;01/03/2022", "0020004U;ENI;2;02/03/2022")
    issue = found.issues.row(0, named=True)
    assert (issue["code"], issue["suggestion"], issue["severity"]) == ("uai_within", "0020015F", "warning")
    assert found.rows["uai"].to_list() == ["0020015F", "0020004U"]


@pytest.mark.parametrize("written", ["0020015F / 0020002S", "0020015A bis", "0020015F 0323202122 Laon"])
def test_two_identifiers_a_wrong_key_or_other_figures_are_refused(written):
    found = deliveries(HEADER, f"{written};Tablette;3;01/03/2022", "0020004U;ENI;2;02/03/2022")
    assert found.issues["severity"][0] == "blocking" and found.refused.height == 1


def test_a_line_without_end_is_refused_at_once():
    """Tens of megabytes on one line are refused before any work is done on them."""
    with pytest.raises(FileRefused) as refusal:
        read_delimited(b"UAI;x\n" + b"0" * (33 * 2**20), "s", Limits(), frozenset())
    assert refusal.value.code == "cell_too_long"


def test_tables_that_touch_side_by_side_are_read_each():
    """The same four headers twice on one line, without a blank column, are two tables."""
    found = deliveries("UAI;Matériel;Qté;Livré le;UAI;Matériel;Qté;Livré le", "0020002S;Tablette;3;01/03/2022;0020012C;ENI;2;02/03/2022")
    assert found.rows.sort("uai").select("uai", "category", "quantity").rows() == [
        ("0020002S", "tablette", 3), ("0020012C", "ecran_interactif", 2),
    ]  # fmt: skip
    assert [table.mapping[0].column for table in found.tables] == ["A", "E"]


def test_bad_cells_do_not_take_a_column_away_from_its_own_header():
    """A column called as its field is that field's, though most of its numbers are spoilt: the numbers are what is told."""
    lines = "id;acheteur.id;objet;montant;dateNotification\n2019A;2,1020408600012E+13;Achat de PC;12 000,50;2019-03-05+01:00"
    found = check(lines.encode(), "marches.csv", PUBLIC_CONTRACTS)
    assert {item.column: item.field for item in found.tables[0].mapping}["B"] == "buyer_siret"
    assert "siret_scientific" in found.issues["code"].to_list() and "column_missing" not in found.issues["code"].to_list()


def test_a_near_name_whose_cells_never_fit_is_left_out():
    """« notificationUE » holding oui and non is no date of notification."""
    lines = "id;acheteur.id;objet;notificationUE\nA;21020408600016;Achat;oui\nB;21020408600016;Achat;non"
    found = check(lines.encode(), "marches.csv", PUBLIC_CONTRACTS)
    assert "notificationUE" in found.tables[0].unmapped


def test_what_was_expected_is_said_in_plain_french():
    """Years without thousands, « au moins » for numbers, acronyms with their dots known."""
    lines = "UAI;Type;Inventaire au;Présents;Utilisés;Année d'acquisition\n0020002S;E.N.I.;02/01/2023;10;12;1985"
    expected = check(lines.encode(), "inventaire.csv", INVENTORY).issues["expected"].to_list()
    assert sorted(expected) == ["au moins « Quantité utilisée »", "entre 1990 et 2040"]
    disposal = "UAI;Désignation;Nb;Date de réforme;Devenir\n0020002S;PC;3;05/02/2022;D.E.E.E."
    assert check(disposal.encode(), "sorties.csv", DISPOSALS).rows["destination"].to_list() == ["recyclage"]


def test_a_file_that_cannot_be_read_still_has_its_report_when_a_workbook_is_asked(tmp_path):
    """A PDF called .xlsx: the whole JSON, exit code 2, no workbook, no traceback."""
    from essaim.config.cli.files import check as command

    source, target = tmp_path / "a.xlsx", tmp_path / "annote.xlsx"
    source.write_bytes(b"%PDF-1.4 x")
    arguments = [str(source), "--contract", "equipment.deliveries", "--json", "--annotated", str(target)]
    outcome = CliRunner().invoke(command, arguments, standalone_mode=False, env={"ESSAIM_HOME": str(tmp_path)})
    assert outcome.exception is None and outcome.return_value == 2
    assert json.loads(outcome.stdout)["status"] == "refused" and not target.exists()
    assert "Pas de classeur annoté" in outcome.stderr
