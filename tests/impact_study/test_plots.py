"""Plots: well-formed, described, with the same numbers in the drawing and in the table."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from essaim.engines.impact.design.balance import balance
from essaim.engines.impact.plots import charts, svg

SVG = "{http://www.w3.org/2000/svg}"


def figures() -> list[svg.Figure]:
    x = np.random.default_rng(0).normal(size=(20, 3))
    return [
        charts.event_study([-2, -1, 0, 1], [0.1, 0.0, 0.5, 0.6], [0.0, None, 0.2, 0.3], [0.2, None, 0.8, 0.9], unit="points"),
        charts.placebo_ranks(0.9, np.random.default_rng(0).normal(size=200).tolist(), p_value=0.004),
        charts.sensitivity([("original", 0.0, 0.1, 0.4), ("relative", 0.5, -0.1, 0.6), ("relative", 2.0, None, None)]),
        charts.balance_plot(balance(["<IPS>", "taille", "rural"], x, [True] * 8 + [False] * 12)),
    ]


@pytest.mark.parametrize("figure", figures(), ids=lambda f: f.name)
def test_every_plot_is_accessible(figure):
    """Role, title, description referenced, no script, a table with as many columns as headers, text escaped."""
    root = ET.fromstring(figure.svg)
    assert root.attrib["role"] == "img"
    names = root.attrib["aria-labelledby"].split()
    assert {e.attrib.get("id") for e in root.iter() if "id" in e.attrib} == set(names)
    assert root.find(f"{SVG}title").text == figure.title and len(root.find(f"{SVG}desc").text) > 30
    assert not list(root.iter(f"{SVG}script")) and "nan" not in figure.svg
    assert figure.rows and all(len(row) == len(figure.header) for row in figure.rows)
    html = figure.to_html()
    assert "<caption>" in html and "<IPS>" not in html and html.count("<tr>") == len(figure.rows) + 1


def test_marks_stand_where_the_numbers_say():
    """Before treatment hollow, after full; higher values higher up; unbounded intervals said in words."""
    event, _, sensitive, _ = figures()
    circles = list(ET.fromstring(event.svg).iter(f"{SVG}circle"))
    assert [c.attrib["fill"] == "#fff" for c in circles] == [True, True, False, False]
    heights = [float(c.attrib["cy"]) for c in circles]
    assert heights[3] < heights[2] < heights[0] < heights[1]
    assert "sans borne" in sensitive.svg
    assert [row[-1] for row in sensitive.rows] == ["oui", "non", "non"]


def test_placebo_bars_count_every_draw():
    """The table of the histogram holds every pretended roll-out."""
    _, placebo, _, _ = figures()
    assert sum(int(row[1]) for row in placebo.rows) == 200


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_ticks_are_round_and_inside(low, width):
    """Three to a dozen round values inside the interval."""
    found = svg.ticks(low, low + width)
    assert 2 <= len(found) <= 14
    slack = 1e-6 * (abs(low) + width)
    assert all(low - slack <= v <= low + width + slack for v in found)


def test_numbers_are_written_in_french():
    """Decimal comma, true minus sign, dash when absent."""
    assert svg.number(-1234.5678) == "−1\u202f235" and svg.number(0.25) == "0,25"
    assert svg.number(None) == "–" and svg.number(float("nan")) == "–"


def test_report_tables_scroll_and_years_are_one_word() -> None:
    """Further analyses: French names, one table a list of rows with its columns named, years without a thousands separator, and nothing
    that makes the page wider than the screen."""
    from essaim.engines.impact.study.report import _analysis

    page = _analysis({"name": "cs", "label": "Callaway–Sant'Anna", "kind": "callaway_santanna", "values": {
        "simple": [-0.04, 0.012], "dynamic_parts": [[-1.0, 0.5, 0.1], [2004.0, 12345.5, None]], "p_value_exact": "1/7", "treated": "uai"}})  # fmt: skip
    assert "<th scope=\"col\">ancienneté</th>" in page and ">2004<" in page and "12\u202f345,5" in page and "p, exactement" in page
    assert page.count('class="defile" tabindex="0"') == 4 and page.count("<svg") == 1  # two tables, the plot and its data


def test_analyses_have_their_plots() -> None:
    """An event study alone and a sensitivity analysis are drawn, with their data, under names that are files'."""
    from essaim.engines.impact.study.figures import figures_of_analysis

    rows = [[-2.0, 0.1, 0.2], [-1.0, 0.0, 0.0], [0.0, 1.0, 0.3]]
    study = figures_of_analysis({"name": "à l'essai", "kind": "sun_abraham", "values": {"event_study": rows}}, "points")
    assert [f.name for f in study] == ["anciennete-à-l-essai"] and "un à un" in study[0].svg and study[0].rows[1][2:] == ("–", "–")
    band = figures_of_analysis({"name": "cs", "kind": "callaway_santanna", "values": {
        "dynamic_parts": rows, "band": {"critical_value": 2.5, "limits": [[-2.0, -0.4, 0.6], [-1.0, None, None], [0.0, 0.25, 1.75]]}}})  # fmt: skip
    assert "simultanés" in band[0].svg and band[0].rows[2][2:] == ("0,25", "1,75")
    both = figures_of_analysis({"name": "rm", "kind": "relative_magnitudes", "values": {"original": [0.1, 1.0], "intervals": [[0.5, None, 2.0]]}})
    assert "sans borne" in both[0].svg and len(both[0].rows) == 2
    assert figures_of_analysis({"name": "alpha", "kind": "reliability", "values": {"alpha": 0.8}}) == []
