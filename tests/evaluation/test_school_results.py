"""Published results: weighted by candidates, missing when not published, never a mean of percentages."""

from __future__ import annotations

import pytest

from essaim.evaluation.reads import figures
from essaim.foundation import acts
from essaim.territories.acts import load_synthetic_register
from essaim.territories.reads import establishments

HEAD = "Session;UAI;Nom de l'établissement;Secteur;Nb candidats - G;Taux de réussite - G;VA du taux de réussite - G;Note à l'écrit - G;Nb mentions global - G"


@pytest.mark.django_db(transaction=True)
def test_rates_are_weighted_by_candidates_and_nd_is_missing(stores) -> None:
    """Two collèges of 100 and 300 candidates: the rate is that of their 400 pupils; a third one, not published, lowers the
    coverage and changes nothing else; the session counts from the September that follows it."""
    admin = acts.local_administrator()
    load_synthetic_register(by=admin, departements=("02",), schools=24)
    first, second, third = establishments().filter(level="college").order_by("uai").values_list("uai", flat=True)[:3]
    rows = (
        f"2023;{first};A;PU;100;80,0;-4,0;10,0;60", f"2023;{second};B;PU;300;96,0;+2,0;12,0;", f"2023;{third};C;PR;50;ND;ND;ND;ND",
    )  # fmt: skip
    content = "\n".join((HEAD, *rows)) + "\n"
    found = acts.receive(content=content.encode(), filename="ivac.csv", contract="evaluation.school_results", sender="depp", by=admin)
    found = acts.check(submission=found, by=admin, contain=False)
    assert found.rows_accepted == 3, found.report["summary"]
    acts.accept(submission=found, by=admin)
    codes = [f"evaluation.{name}" for name in ("success_rate", "success_added", "written_mark", "mentions_share")]
    shown = {
        (row["indicator"].split(".")[1], row["period"]): row
        for row in figures(codes, level="departement", units=["02"], period=["2023-07", "2023-09"]).rows()
    }
    assert all(shown[name, "2023-07"]["value"] is None for name, _ in shown)
    rate = shown["success_rate", "2023-09"]
    assert (rate["numerator"], rate["denominator"], rate["value"]) == (368.0, 400.0, 92.0)
    assert rate["coverage"] == pytest.approx(2 / 3)
    assert shown["success_added", "2023-09"]["value"] == pytest.approx(0.5)
    assert shown["written_mark", "2023-09"]["value"] == pytest.approx(11.5)
    assert shown["mentions_share", "2023-09"]["value"] == pytest.approx(60)
