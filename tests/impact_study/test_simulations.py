"""Size, coverage and power by simulation; the summary is written in docs/reference/simulations.md (make test-slow)."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import t as student

from essaim.engines.impact.design import power, stepped_wedge
from essaim.engines.impact.design.placebo_rollout import placebo_rollouts
from essaim.engines.impact.design.stepped_wedge import cell_covariance, effect_covariance
from essaim.engines.impact.inference.adjusted import adjusted_att
from essaim.engines.impact.inference.assignments import assignments
from essaim.engines.impact.inference.randomisation import randomisation_test
from essaim.engines.impact.inference.statistics import staggered_att_of
from essaim.engines.impact.panel import Panel

pytestmark = pytest.mark.slow
DRAWS = int(os.environ.get("ESSAIM_SIMULATIONS", "2000"))
PERMUTATIONS = 499
CLUSTERS, PERIODS, RHO = 96, 12, 0.7
TARGET = Path(__file__).parents[2] / "docs/reference/simulations.md"
ROWS: list[tuple[str, str, str, str]] = []


@pytest.fixture(scope="module", autouse=True)
def summary():
    """Write the table when every simulation has run."""
    yield
    if len(ROWS) < 10:
        return
    lines = ["# Simulations du moteur d'évaluation", "",
             f"Écrit par `make test-slow` : {DRAWS} tirages par ligne de taille et de couverture, {PERMUTATIONS} permutations par test "
             f"(variable `ESSAIM_SIMULATIONS` ; 2 000 par défaut). Graines fixes.",
             f"Panel simulé : {CLUSTERS} départements, {PERIODS} périodes, chocs AR({RHO:g}) par département. "
             f"Écart-type d'un taux de 5 % sur {DRAWS} tirages : {np.sqrt(0.05 * 0.95 / DRAWS):.4f}.", "",
             "| simulation | obtenu | attendu | tirages |", "|---|---|---|---|"]
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text("\n".join(lines + [f"| {a} | {b} | {c} | {d} |" for a, b, c, d in ROWS]) + "\n", "utf-8")


def panel(rng: np.random.Generator) -> np.ndarray:
    y = rng.normal(size=(CLUSTERS, PERIODS))
    for t in range(1, PERIODS):
        y[:, t] = RHO * y[:, t - 1] + np.sqrt(1 - RHO**2) * y[:, t]
    return y


def cohorts(treated: int) -> np.ndarray:
    """Half of the treated from period 5, the others from period 7; the never treated last."""
    cohort = np.full(CLUSTERS, np.inf)
    cohort[:treated] = np.where(np.arange(treated) < treated / 2, 5.0, 7.0)
    return cohort


@pytest.mark.parametrize("treated", [12, 4, 2])
def test_size_and_coverage_of_the_permutation_test(treated):
    """Rejection of a true null between .03 and .07, interval covering the truth 93 to 97 % of the time."""
    rng, cohort = np.random.default_rng(treated), cohorts(treated)
    periods, weight = np.arange(PERIODS, dtype=float), np.ones((CLUSTERS, PERIODS))
    rejected = covered = 0
    effect = (periods[None, :] >= cohort[:, None]) * 0.7
    for k in range(DRAWS):
        y, space = panel(rng), assignments(cohort, draws=PERMUTATIONS, seed=k, enumerate_up_to=100)
        null = randomisation_test(staggered_att_of(y, weight, cohort, periods), cohort, space=space)
        rejected += null.p_value <= 0.05
        moved = randomisation_test(staggered_att_of(y + effect, weight, cohort, periods), cohort, space=space)
        covered += moved.low <= 0.7 <= moved.high
    ROWS.append((f"taille du test par permutation, {treated} traités sur 96", f"{rejected / DRAWS:.3f}", ".03 à .07", str(DRAWS)))
    ROWS.append((f"couverture de l'intervalle par inversion, {treated} traités", f"{covered / DRAWS:.3f}", ".93 à .97", str(DRAWS)))
    assert 0.03 <= rejected / DRAWS <= 0.07
    assert 0.93 <= covered / DRAWS <= 0.97


@pytest.mark.parametrize("treated", [12, 4])
def test_size_and_coverage_of_the_adjusted_permutation_test(treated):
    """With a covariate that drives trends and differs between arms, the adjusted test keeps its size and its interval its coverage; the
    covariate is redrawn with the outcome, so that treated clusters differ by chance only, as under the design."""
    rng, cohort, draws = np.random.default_rng(200 + treated), cohorts(treated), max(200, DRAWS // 2)
    unit, time_ = np.repeat(np.arange(CLUSTERS), PERIODS), np.tile(np.arange(PERIODS), CLUSTERS)
    entry = np.where(np.isfinite(cohort), cohort, 0)
    exposed = (time_ >= cohort[unit]) * 0.7
    rejected = covered = 0
    for k in range(draws):
        x = rng.normal(size=CLUSTERS)
        y = panel(rng).ravel() + 0.3 * x[unit] * time_
        frame = pl.DataFrame({"u": unit, "t": time_, "y": y, "moved": y + exposed, "g": entry[unit], "x": x[unit]})
        space = assignments(cohort, draws=PERMUTATIONS, seed=k, enumerate_up_to=100)
        found = [randomisation_test(adjusted_att(Panel.read(frame, unit="u", time="t", outcome=o, cohort="g", covariates=["x"])), cohort, space=space)
                 for o in ("y", "moved")]  # fmt: skip
        rejected += found[0].p_value <= 0.05
        covered += found[1].low <= 0.7 <= found[1].high
    ROWS.append((f"taille du test ajusté sur une covariable, {treated} traités", f"{rejected / draws:.3f}", ".03 à .07", str(draws)))
    ROWS.append((f"couverture de l'intervalle ajusté, {treated} traités", f"{covered / draws:.3f}", ".93 à .97", str(draws)))
    assert 0.03 <= rejected / draws <= 0.07
    assert 0.93 <= covered / draws <= 0.97


@pytest.mark.parametrize("treated", [12, 4, 2])
def test_clustered_errors_reject_too_often(treated):
    """Why permutation comes first: usual clustered errors on département means reject a true null far above 5 %."""
    from essaim.engines.impact.regression import regress

    rng, cohort, draws = np.random.default_rng(100 + treated), cohorts(treated), max(200, DRAWS // 4)
    unit, time_ = np.repeat(np.arange(CLUSTERS), PERIODS), np.tile(np.arange(PERIODS), CLUSTERS)
    exposure = (time_ >= cohort[unit]).astype(float)
    rejected = 0
    for _ in range(draws):
        fit = regress(panel(rng).ravel(), {"traitement": exposure}, absorb=[unit, time_], kind="CR1S", cluster=unit)
        rejected += float(fit.p_value[0]) <= 0.05
    ROWS.append((f"taille des erreurs groupées par département, {treated} traités", f"{rejected / draws:.3f}", "au-dessus de .05", str(draws)))
    assert rejected / draws > (0.05 if treated == 12 else 0.10)


@pytest.mark.parametrize("treated", [12, 4])
def test_announced_power_of_a_rollout_is_its_simulated_power(treated):
    """At the detectable effect announced from the past of other draws, the permutation test detects about 80 % of the time."""
    rng, cohort, draws = np.random.default_rng(50 + treated), cohorts(treated), max(200, DRAWS // 4)
    periods, weight = np.arange(PERIODS, dtype=float), np.ones((CLUSTERS, PERIODS))
    starts = {5: int((cohort == 5).sum()), 7: int((cohort == 7).sum())}
    announced = float(np.mean([placebo_rollouts(panel(rng), starts, draws=999, seed=k).mde for k in range(40)]))
    effect = (periods[None, :] >= cohort[:, None]) * announced
    found = sum(randomisation_test(staggered_att_of(panel(rng) + effect, weight, cohort, periods), cohort, draws=PERMUTATIONS, seed=k,
                                   enumerate_up_to=100).p_value <= 0.05 for k in range(draws)) / draws
    ROWS.append((f"puissance au plus petit effet annoncé, {treated} traités", f"{found:.3f}", ".74 à .86", str(draws)))
    assert 0.74 <= found <= 0.86


def test_cluster_power_is_the_simulated_power():
    """Twenty clusters of fifteen, ICC .17: power of the t test on cluster means against the formula."""
    rng, draws = np.random.default_rng(9), max(2000, DRAWS)
    icc, n, j = 0.17, 15, 20
    design = power.clusters(n, j, icc)
    effect = power.mde_of(design)
    spread = np.sqrt(icc + (1 - icc) / n)
    means = rng.normal(size=(draws, j)) * spread
    means[:, : j // 2] += effect
    a, b = means[:, : j // 2], means[:, j // 2:]
    pooled = (a.var(axis=1, ddof=1) + b.var(axis=1, ddof=1)) / 2
    statistic = (a.mean(axis=1) - b.mean(axis=1)) / np.sqrt(pooled * 4 / j)
    found = float(np.mean(np.abs(statistic) > student.isf(0.025, j - 2)))
    told = power.power_of(design, effect)
    ROWS.append(("puissance par grappes, formule contre simulation", f"{found:.3f}", f"{told:.3f}", str(draws)))
    assert found == pytest.approx(told, abs=0.03)


def test_stepped_wedge_power_is_the_simulated_power():
    """Generalised least squares on simulated cluster-period means rejects as often as announced, decay and random slopes included."""
    rng, draws = np.random.default_rng(11), max(2000, DRAWS)
    x, parts = stepped_wedge.wedge([3, 3, 3]), stepped_wedge.Components(1.0, tau=0.3, eta=0.15, rho=0.2, gamma=0.1, decay=0.8)
    n = np.full(x.shape, 25.0)
    effect = stepped_wedge.wedge_power(x, n, 1.0, parts).mde
    told = stepped_wedge.wedge_power(x, n, effect, parts).power
    p = x.shape[1]
    bread, top, roots = np.zeros((p + 1, p + 1)), np.zeros((draws, p + 1)), []
    for i in range(x.shape[0]):
        rows = np.hstack([np.eye(p), x[i][:, None]])
        covariance = cell_covariance(x[i], n[i], parts)
        roots.append(np.linalg.cholesky(covariance))
        solved = np.linalg.solve(covariance, rows)
        bread += rows.T @ solved
        top += (rng.normal(size=(draws, p)) @ roots[-1].T + effect * x[i]) @ solved
    estimate = np.linalg.solve(bread, top.T)[-1]
    error = float(np.sqrt(effect_covariance(x, n, parts)[0, 0]))
    found = float(np.mean(np.abs(estimate / error) > 1.959964))
    ROWS.append(("puissance par paliers, formule contre simulation", f"{found:.3f}", f"{told:.3f}", str(draws)))
    assert found == pytest.approx(told, abs=0.03)
    assert estimate.std() == pytest.approx(error, rel=0.05)
