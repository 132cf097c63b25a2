"""Synthetic difference-in-differences (Arkhangelsky et al. 2021, AER 111), staggered by cohort as in Clarke et al. (2023),
inference by placebo assignments of the same roll-out to comparison units — enumerated when there are few."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from essaim.engines.impact.panel import Panel, PanelRefused
from essaim.engines.impact.regression import regress
from essaim.engines.impact.synthetic_blocks import KINDS, Block, staggered, synthetic_block
from essaim.engines.impact.synthetic_errors import bootstrap_error, jackknife_error

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

__all__ = ["KINDS", "Block", "SyntheticDid", "outcome_matrix", "synthetic_block", "synthetic_did"]

ERRORS = ("placebo", "jackknife", "bootstrap")


@dataclass(frozen=True, slots=True)
class SyntheticDid:
    """``value`` averages the cohorts by treated unit-periods. ``placebos`` (B,) are the same estimator on comparison units (or
    on bootstrap draws of all units, when ``errors`` says so); ``std_error`` their standard deviation (ddof 0), None without placebo; ``p_value`` counts |placebo| ≥ |value| (the real
    assignment counts once); ``enumerated`` says all placebo assignments were used."""

    kind: str
    value: float
    std_error: float | None
    p_value: float | None
    cohorts: Floats
    cohort_values: Floats
    cohort_weights: Floats
    blocks: tuple[Block, ...] = field(repr=False)
    units: tuple[str, ...] = field(repr=False)
    placebos: Floats = field(repr=False)
    enumerated: bool
    warnings: tuple[str, ...]
    errors: str = "placebo"


def synthetic_did(
    panel: Panel, *, kind: str = "sdid", level: str = "cluster", placebos: int = 200, enumerate_up_to: int = 2_000,
    seed: int = 20240901, adjust_covariates: bool = False, errors: str = "placebo",
) -> SyntheticDid:  # fmt: skip
    """Estimate on weighted cluster means (``level="cluster"``) or units. Comparison units are never treated.

    Placebos give the real cohort structure to comparison units: all assignments when there are at most ``enumerate_up_to``,
    else ``placebos`` random ones (0: none). ``adjust_covariates`` first removes the covariates' effect, fitted with two-way
    effects on never-treated rows (Kranz 2022). ``errors``: ``placebo`` (the default: the only one with one treated unit),
    ``jackknife`` at fixed weights, or ``bootstrap`` (``placebos`` draws of units); the last two give a normal p-value.
    """
    if errors not in ERRORS:
        raise ValueError(f"{errors!r} is not one of {ERRORS}")
    y, cohort, names, said = outcome_matrix(panel, level, adjust_covariates)
    value, blocks, cohorts, weights = staggered(y, cohort, panel.periods, kind)
    if errors != "placebo":
        drawn = np.empty(0)
        if errors == "jackknife":
            error = jackknife_error(y, cohort, panel.periods, blocks, cohorts)
        else:
            error, drawn = bootstrap_error(y, cohort, panel.periods, blocks, cohorts, kind, placebos, seed)
        p_normal = float(2 * stats.norm.sf(abs(value / error))) if error > 0 else None
        parts = np.array([b.value for b in blocks])
        return SyntheticDid(kind, value, error, p_normal, cohorts, parts, weights, blocks, names, drawn, False, said, errors)
    controls = np.flatnonzero(np.isinf(cohort))
    sizes = [int((cohort == g).sum()) for g in cohorts]
    draws, enumerated = _placebo_assignments(controls.size, sizes, placebos, enumerate_up_to, seed)
    found = np.array([_placebo(y[controls], d, cohorts, sizes, panel.periods, kind) for d in draws])
    if placebos and not found.size:
        said += ("Trop peu d'unités de comparaison pour des placebos : aucune incertitude n'est calculée.",)
    p_value = (1 + int((np.abs(found) >= abs(value) - 1e-12).sum())) / (1 + found.size) if found.size else None
    return SyntheticDid(
        kind, value, float(found.std()) if found.size else None, p_value, cohorts, np.array([b.value for b in blocks]), weights,
        blocks, names, found, enumerated, said,
    )  # fmt: skip


def outcome_matrix(
    panel: Panel, level: str = "cluster", adjust_covariates: bool = False
) -> tuple[Floats, Floats, tuple[str, ...], tuple[str, ...]]:
    """(N, T) outcomes of clusters (weighted means) or units, their cohorts (N,), labels, and what was said in French."""
    if panel.cohort is None:
        raise PanelRefused("cohort", "Cet estimateur demande une colonne de cohorte (première période traitée).")
    outcome = _adjusted(panel) if adjust_covariates and panel.covariates.shape[1] else panel.outcome
    panel = panel.with_outcome(outcome)
    if level == "cluster":
        y, cohort, labels = panel.cluster_sums().mean, panel.cluster_cohort(), panel.cluster_labels
    else:
        y, cohort, labels = panel.wide(), panel.unit_table()[1], panel.unit_labels
    if panel.periods.size < 3:
        raise PanelRefused("synthetic", "Il faut au moins deux périodes avant traitement et une après.")
    said = panel.report.warnings
    complete = np.isfinite(y).all(axis=1)
    early = cohort <= panel.periods[1]
    if not complete.all():
        said += (f"{int((~complete).sum())} unité(s) incomplètes écartées.",)
    if early.any():
        said += (f"{int(early.sum())} unité(s) écartées : moins de deux périodes avant traitement.",)
    kept = complete & ~early
    cohort = np.where(cohort > panel.periods[-1], np.inf, cohort)[kept]
    if not np.isfinite(cohort).any():
        raise PanelRefused("treated", "Aucune unité traitée n'a deux périodes avant traitement.")
    if np.isinf(cohort).sum() < 2:
        raise PanelRefused("never", "Il faut au moins deux unités jamais traitées.")
    return y[kept], cohort, tuple(str(x) for x in labels[kept]), said


def _adjusted(panel: Panel) -> Floats:
    assert panel.cohort is not None
    never = panel.keep(~(panel.cohort <= panel.periods[-1]))
    columns = {name: never.covariates[:, j] for j, name in enumerate(never.covariate_names)}
    fit = regress(never.outcome, columns, absorb=[never.unit, never.period], weights=never.weights, kind="HC1")
    out = panel.outcome.copy()
    for name, slope in zip(fit.names, fit.value, strict=True):
        out -= slope * panel.covariates[:, panel.covariate_names.index(name)]
    return out


def _placebo_assignments(
    controls: int, sizes: list[int], placebos: int, enumerate_up_to: int, seed: int
) -> tuple[list[Ints], bool]:
    """Which comparison units play the treated (concatenated by cohort), leaving at least two of them as comparison."""
    total = sum(sizes)
    if placebos == 0 or controls - total < 2:
        return [], False
    if len(sizes) == 1 and comb(controls, total) <= enumerate_up_to:
        return [np.array(c) for c in combinations(range(controls), total)], True
    rng = np.random.default_rng(seed)
    return [rng.permutation(controls)[:total] for _ in range(placebos)], False


def _placebo(y: Floats, chosen: Ints, cohorts: Floats, sizes: list[int], periods: Floats, kind: str) -> float:
    cohort = np.full(y.shape[0], np.inf)
    cohort[chosen] = np.repeat(cohorts, sizes)
    return staggered(y, cohort, periods, kind)[0]
