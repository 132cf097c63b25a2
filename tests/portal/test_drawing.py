"""Curves are read without a ruler: round marks, French months, the minus sign."""

from __future__ import annotations

import re

from essaim.portal.drawing import trend
from essaim.portal.templatetags.essaim import figure, figures_of_column


def _texts(drawn: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", drawn)


def test_the_axis_of_a_curve_has_round_marks_and_french_months():
    """No 22 nor 11 beside a target of 20, no « 2025-11 »; every value, and the target, within the marks."""
    drawn = trend([("2025-11", 3.1), ("2025-12", 3.5), ("2026-01", 4.2)], title="Terminaux", target=20)
    assert _texts(drawn) == ["0", "5", "10", "15", "20", "nov. 2025", "déc. 2025", "janv. 2026"]
    assert "novembre 2025 : 3,1" in drawn and not re.search(r"\d{4}-\d\d", drawn)


def test_a_curve_below_zero_keeps_zero_and_writes_the_minus_sign():
    """Deliveries ahead of their date are negative days."""
    assert _texts(trend([("2025-11", -6.5), ("2025-12", 22.0)], title="Délai"))[:5] == ["−10", "0", "10", "20", "30"]


def test_large_numbers_are_not_cut_at_the_edge():
    """The pupils of the country: the margin is as wide as its widest mark."""
    drawn = trend([("2025-11", 11_900_000.0), ("2025-12", 12_000_000.0)], title="Élèves")
    edge = float(re.findall(r'<text x="([\d.]+)"', drawn)[0])
    assert edge >= 7 * len(_texts(drawn)[0].replace("\u202f", " "))


def test_figures_of_a_column_have_their_commas_one_under_another():
    """22 beside 21,5 is written 22,0; a minus is no hyphen; what is missing stays a dash."""
    assert figures_of_column([22, 21.5, None, -1]) == ["22,0", "21,5", "—", "−1,0"]
    assert figures_of_column([12, 3]) == ["12", "3"] and figure(-1.5) == "−1,5"
