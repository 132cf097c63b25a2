"""Published inference and sensitivity numbers are reproduced at the tolerance stated with them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from essaim.engines.impact.inference.multiplicity import holm, sharpened_q
from essaim.engines.impact.inference.randomisation import randomisation_test
from essaim.engines.impact.inference.statistics import difference_in_means
from essaim.engines.impact.inference.wild_bootstrap import wild_cluster_bootstrap
from essaim.engines.impact.panel import Panel
from essaim.engines.impact.regression import regress
from essaim.engines.impact.sensitivity.magnitudes import magnitudes_breakdown, magnitudes_interval
from essaim.engines.impact.sensitivity.smoothness import (
    original_interval,
    smoothness_breakdown,
    smoothness_interval,
    trends,
)
from essaim.engines.impact.twfe import twfe_event_study

pytestmark = pytest.mark.data


def collapsed(cases):
    frame = pd.read_stata(cases / "collapsed.dta").dropna()
    columns = {n: frame[n].to_numpy(float) for n in ("selfemployed", "post", "post_self")}
    year = frame.year.to_numpy().astype(int)
    return regress(frame.hasinsurance.to_numpy(float), columns, kind="CR1S", cluster=year), year


def test_wild_bootstrap_enumerated(cases, expected) -> None:
    """boottest's example: the t statistic and the share of all 256 sign vectors."""
    fit, year = collapsed(cases)
    found = wild_cluster_bootstrap(fit, "post_self", year, null=0.04)
    case = expected["wcb_collapsed"]
    assert found.enumerated and found.draws.size == 256
    assert found.t == pytest.approx(case["t"], abs=1e-7)
    assert found.p_value == case["p_ge"]
    strictly = np.abs(found.draws) > abs(found.t) * np.sqrt(fit.covariance.factor) + 1e-9
    assert strictly.mean() == case["p_gt"]


def test_wild_bootstrap_webb(cases, expected) -> None:
    """Webb's six-point weights, sampled."""
    fit, year = collapsed(cases)
    p, tolerance = expected["wcb_collapsed"]["webb"]
    found = wild_cluster_bootstrap(
        fit, "post_self", year, null=0.04, weights="webb", draws=99_999, level=None
    )
    assert found.p_value == pytest.approx(p, abs=tolerance)


def test_villages(expected) -> None:
    """Gerber & Green's seven villages, all 21 assignments."""
    case = expected["ri_villages"]
    cohort = np.full(7, np.inf)
    cohort[case["treated"]] = 1
    found = randomisation_test(difference_in_means(np.array(case["y"], float)), cohort)
    assert found.enumerated and found.possible == 21
    assert found.observed == case["est"]
    assert found.p_greater == 5 / 21 and found.p_value == 8 / 21


def test_sharpened_q(expected) -> None:
    """Anderson's sharpened q values, to the thousandth of his grid."""
    case = expected["bky_sharpened_q"]
    np.testing.assert_allclose(sharpened_q(np.array(case["p"])), case["q"], atol=1e-9)
    assert (holm(np.array(case["p"])) >= np.array(case["p"])).all()


def medicaid(cases):
    frame = pd.read_csv(cases / "ehec_data.csv")
    frame = frame[(frame.year < 2016) & (frame.yexp2.isna() | (frame.yexp2 != 2015))]
    frame = frame.assign(entry=np.where(frame.yexp2 == 2014, 2014, 0))
    study = twfe_event_study(Panel.read(frame, unit="stfips", time="year", outcome="dins", cohort="entry"))
    return trends(study.event_time, study.value, study.covariance)


def test_smoothness_intervals(cases, expected) -> None:
    """HonestDiD's fixed-length intervals on the Medicaid expansion."""
    case, t = expected["honest_sd"], medicaid(cases)
    for bound, low, high in zip(case["M"], case["lb"], case["ub"], strict=True):
        found = smoothness_interval(t, bound)
        assert found.low == pytest.approx(low, abs=case["tol"])
        assert found.high == pytest.approx(high, abs=case["tol"])
    assert 0.02 < smoothness_breakdown(t) < 0.03


@pytest.mark.parametrize(
    ("bound", "low", "high"),
    [(0.5, 0.0241, 0.0673), (1, 0.0171, 0.0720), (1.5, 0.00859, 0.0796), (2, -0.00107, 0.0884)],
)
def test_relative_magnitudes(cases, bound, low, high) -> None:
    """HonestDiD's relative-magnitude intervals (its grid step is 4e-4): at M̄ = 2 zero is inside, unlike in diff-diff 3.13.0."""
    found = magnitudes_interval(medicaid(cases), bound)
    assert found.low == pytest.approx(low, abs=6e-4)
    assert found.high == pytest.approx(high, abs=6e-4)


def test_relative_magnitudes_breakdown(cases) -> None:
    """The breakdown value is where the interval starts to hold zero."""
    t = medicaid(cases)
    value = magnitudes_breakdown(t)
    assert 1.8 < value < 2
    assert magnitudes_interval(t, value - 0.05).excludes_zero
    assert not magnitudes_interval(t, value + 0.05).excludes_zero
    assert original_interval(t).excludes_zero
