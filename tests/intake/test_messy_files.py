"""Files of authorities that once were misread: each test keeps one repair."""

from __future__ import annotations

import pytest

from essaim.engines.intake import check
from essaim.engines.intake.reading.delimited import read_delimited
from essaim.engines.intake.tables import FileRefused, Limits
from essaim.equipment.contracts import DELIVERIES

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


@pytest.mark.parametrize(
    ("written", "proposed"),
    [("UAI : 0020015F", "0020015F"), ("0020015f (Chauny)", "0020015F"), ("0020015F / 0020002S", None), ("0020015A bis", None)],
)
def test_the_uai_inside_a_longer_text_is_proposed_when_alone_and_valid(written, proposed):
    """The row is refused all the same: the correction is the sender's."""
    found = deliveries(HEADER, f"{written};Tablette;3;01/03/2022", "0020004U;ENI;2;02/03/2022")
    issue = found.issues.row(0, named=True)
    assert (issue["code"], issue["suggestion"], issue["severity"]) == ("uai_format", proposed, "blocking")
    assert found.refused.height == 1


def test_a_line_without_end_is_refused_at_once():
    """Tens of megabytes on one line are refused before any work is done on them."""
    with pytest.raises(FileRefused) as refusal:
        read_delimited(b"UAI;x\n" + b"0" * (33 * 2**20), "s", Limits(), frozenset())
    assert refusal.value.code == "cell_too_long"
