"""The panel accepts three kinds of frame and refuses, in French, what cannot be analysed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from tests.impact_estimation.rollouts import rollout

from essaim.engines.impact.panel import Panel, PanelRefused


def frame(schools: int = 12, departments: int = 4, periods: int = 5) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    rows = [
        (
            f"09{s:05d}A",
            f"{s % departments:02d}",
            2018 + t,
            rng.normal(),
            [2021, 2022, 0, 0][s % departments],
            rng.normal(),
        )
        for s in range(schools)
        for t in range(periods)
    ]
    return pd.DataFrame(rows, columns=["uai", "dep", "annee", "score", "entree", "ips"])


ROLES = {"unit": "uai", "cluster": "dep", "time": "annee", "outcome": "score", "cohort": "entree"}


@pytest.mark.parametrize("convert", [lambda f: f, pl.from_pandas, lambda f: pl.from_pandas(f).to_arrow()])
def test_three_kinds_of_frame_give_the_same_panel(convert) -> None:
    """pandas, polars and Arrow are the same input, in any row order."""
    data = frame()
    panel = Panel.read(convert(data.sample(frac=1, random_state=1)), **ROLES, covariates=["ips"])
    direct = Panel.read(data, **ROLES, covariates=["ips"])
    assert np.array_equal(panel.outcome, direct.outcome)
    assert np.array_equal(panel.unit, direct.unit)
    assert panel.periods.tolist() == [2018, 2019, 2020, 2021, 2022]
    assert panel.cohorts.tolist() == [2021, 2022]
    assert panel.report.balanced


def test_single_department_cohorts_are_named() -> None:
    """A cohort of one département is told to the reader, since its variance is not estimable."""
    panel = Panel.read(frame(), **ROLES)
    assert panel.report.single_cluster_cohorts == (2021.0, 2022.0)
    assert any("variance" in w for w in panel.report.warnings)


def test_missing_outcomes_are_set_aside_and_counted_by_period() -> None:
    """An outcome not measured is reported, never imputed nor counted as zero."""
    data = frame()
    data.loc[(data.uai == data.uai[0]) & (data.annee == 2019), "score"] = np.nan
    panel = Panel.read(data, **ROLES)
    assert panel.report.missing_by_period == (("2019", 1),)
    assert panel.report.units_incomplete == 1 and not panel.report.balanced
    assert panel.balanced().unit_labels.size == 11


def spoil_duplicate(d: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([d, d.iloc[[0]]])


def spoil_move(d: pd.DataFrame) -> pd.DataFrame:
    d.loc[d.index[0], "dep"] = "03"
    return d


def spoil_lost(d: pd.DataFrame) -> pd.DataFrame:
    return d[~((d.dep == "02") & (d.annee == 2020))]


def spoil_never(d: pd.DataFrame) -> pd.DataFrame:
    return d.assign(entree=2021)


def spoil_constant(d: pd.DataFrame) -> pd.DataFrame:
    return d.assign(score=4.0)


def spoil_covariate(d: pd.DataFrame) -> pd.DataFrame:
    d.loc[d.index[3], "ips"] = np.nan
    return d


def spoil_cohort(d: pd.DataFrame) -> pd.DataFrame:
    d.loc[d.index[0], "entree"] = 2022
    return d


def spoil_label(d: pd.DataFrame) -> pd.DataFrame:
    d.loc[d.index[0], "uai"] = None
    return d


@pytest.mark.parametrize(
    ("spoil", "reason", "word"),
    [
        (spoil_duplicate, "duplicate", "double"),
        (spoil_move, "moved", "changent de département"),
        (spoil_lost, "lost", "disparaissent"),
        (spoil_never, "never", "jamais traitée"),
        (spoil_constant, "constant", "constant"),
        (spoil_covariate, "covariates", "covariables"),
        (spoil_cohort, "cohort", "dates d'entrée"),
        (spoil_label, "label", "identifiée"),
    ],
)
def test_what_cannot_be_analysed_is_refused(spoil, reason, word) -> None:
    """Each refusal has a stable reason and a French sentence."""
    with pytest.raises(PanelRefused, match=word) as refused:
        Panel.read(spoil(frame()), **ROLES, covariates=["ips"])
    assert refused.value.code == reason


def test_weights_must_be_positive() -> None:
    """A null weight is a hidden exclusion: refused."""
    data = frame().assign(eleves=0.0)
    with pytest.raises(PanelRefused, match="poids"):
        Panel.read(data, **ROLES, weights="eleves")


def test_lost_departments_may_be_dropped_on_request() -> None:
    """Dropping a lost département is possible, said, and removes all of its rows."""
    panel = Panel.read(spoil_lost(frame()), **ROLES, lost_clusters="drop")
    assert panel.report.lost_clusters == ("02",)
    assert "02" not in panel.cluster_labels


def test_text_periods_are_ranked_and_cohorts_follow() -> None:
    """School years written as text keep their names and order."""
    data = frame()
    data["annee"] = data.annee.map(lambda y: f"{y}-{y + 1}")
    data["entree"] = data.entree.map(lambda y: f"{y}-{y + 1}" if y else None)
    panel = Panel.read(data, **ROLES)
    assert panel.period_labels[3] == "2021-2022"
    assert panel.cohorts.tolist() == [3.0, 4.0]


def test_cluster_sums_hold_the_weighted_means() -> None:
    """Sums by département and period are what the permutations use."""
    data = frame()
    panel = Panel.read(data, **ROLES)
    expected = data.pivot_table(index="dep", columns="annee", values="score").to_numpy()
    assert np.allclose(panel.cluster_sums().mean, expected)
    assert panel.cluster_cohort().tolist() == [2021, 2022, np.inf, np.inf]


def test_a_mixed_department_has_no_cohort() -> None:
    """Assignment below the département is refused where the département's cohort is asked."""
    data = frame()
    data.loc[data.uai == data.uai[0], "entree"] = 0
    with pytest.raises(PanelRefused, match="mêlent"):
        Panel.read(data, **ROLES).cluster_cohort()


def test_repeated_cross_sections_have_no_unit() -> None:
    """Rows may be different persons each year."""
    panel = Panel.read(frame(), **(ROLES | {"unit": None}))
    assert panel.is_repeated_cross_section and panel.unit_labels.size == panel.rows


def test_the_doors_open() -> None:
    """Every name exported by the engine exists, and nothing else does."""
    import essaim.engines.impact as impact

    for name in impact.__all__:
        assert callable(getattr(impact, name))
    with pytest.raises(AttributeError):
        impact.nothing  # noqa: B018


def test_cohort_zero_is_never_as_in_r() -> None:
    """Zero means never treated even when periods are counted from zero; when they are counted from below, zero is a date."""
    frame = rollout(2, units=20, clusters=5, periods=4, entries=(3,)).assign(t=lambda f: f.t - 1, g=lambda f: np.where(f.g > 0, f.g - 1, 0))
    panel = Panel.read(frame, unit="uai", cluster="dep", time="t", outcome="y", cohort="g")
    assert np.isinf(panel.cohort).any() and set(panel.cohorts) == {2.0}
    shifted = frame.assign(t=frame.t - 2, g=np.where(frame.g > 0, 0.0, np.inf))
    assert set(Panel.read(shifted, unit="uai", cluster="dep", time="t", outcome="y", cohort="g").cohorts) == {0.0}


def test_columns_held_by_numpy_read_as_any_other() -> None:
    """Pandas columns read in place, nullable or small integers, Arrow and polars tables, sorted or not: the same panel, bit for bit."""
    frame = rollout(3, units=24, clusters=6, entries=(3, 5))
    roles = {"unit": "uai", "cluster": "dep", "time": "t", "outcome": "y", "cohort": "g", "covariates": ["x"]}
    expected = Panel.read(frame, **roles)
    small = frame.astype({"uai": "int16", "dep": "uint8", "t": "Int64", "y": "float64"})
    far = frame.assign(uai=frame.uai * 10**12 - 5)
    for other in (small, frame.sample(frac=1, random_state=1), pl.from_pandas(frame), pa.Table.from_pandas(frame), far, frame.astype({"dep": str})):
        found = Panel.read(other, **roles)
        for name in ("unit", "cluster", "period", "outcome", "cohort", "covariates", "weights", "periods"):
            np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    frame.loc[0, "y"] = 99.0  # the panel does not change with the table it was read from
    assert expected.outcome[0] != 99.0


@pytest.mark.parametrize(("spoil", "words"), [
    (lambda f: pd.concat([f, f[["y"]]], axis=1), "plusieurs fois"), (lambda f: f.astype({"uai": "Int64"}).assign(uai=lambda g: g.uai.mask(g.index == 3)), "vides"),
])  # fmt: skip
def test_tables_that_cannot_be_read_are_refused(spoil, words) -> None:
    """A column met twice, an identifier missing in a nullable column: told, no traceback."""
    with pytest.raises(PanelRefused, match=words):
        Panel.read(spoil(rollout(3, units=12, clusters=4)), unit="uai", cluster="dep", time="t", outcome="y", cohort="g")
