"""Synthetic difference-in-differences (Arkhangelsky et al. 2021, AER 111), staggered by cohort as in Clarke et al. (2023),
inference by placebo assignments of the same roll-out to comparison units — enumerated when there are few."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from essaim.engines.impact.panel import Panel, PanelRefused
from essaim.engines.impact.regression import regress
from essaim.engines.impact.synthetic_weights import frank_wolfe, sparsify

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

KINDS = ("sdid", "sc", "did")


@dataclass(frozen=True, slots=True)
class Block:
    """One cohort: ``value``; ``omega`` (N0,) unit weights; ``lamda`` (T0,) period weights; ``path`` (T,) weighted gap between
    treated and synthetic, net of its weighted pre-treatment mean; ``zeta`` regularisations used (units, periods)."""

    value: float
    omega: Floats
    lamda: Floats
    path: Floats
    zeta: tuple[float, float]


@dataclass(frozen=True, slots=True)
class SyntheticDid:
    """``value`` averages the cohorts by treated unit-periods. ``placebos`` (B,) are the same estimator on comparison units;
    ``std_error`` their standard deviation (ddof 0), None without placebo; ``p_value`` counts |placebo| ≥ |value| (the real
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


def synthetic_block(y: Floats, treated: int, before: int, *, kind: str = "sdid", zeta: tuple[float, float] | None = None) -> Block:
    """``y`` (N, T): comparison units first, the last ``treated`` rows are treated from column ``before`` on.

    R synthdid's defaults: regularisation from the noise of first differences, 100 Frank–Wolfe steps, sparsification, 10 000 steps.
    ``kind`` ``sc`` is its ``sc_estimate`` (no period weights, no intercept), ``did`` its ``did_estimate``.
    """
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is not one of {KINDS}")
    n0, after = y.shape[0] - treated, y.shape[1] - before
    if n0 < 2 or before < 2 or after < 1:
        raise PanelRefused("synthetic", "Il faut au moins deux unités de comparaison, deux périodes avant et une après.")
    pre, post = y[:n0, :before], y[:n0, before:].mean(axis=1)
    target = y[n0:].mean(axis=0)
    noise = float(np.diff(pre, axis=1).std(ddof=1))
    used = zeta or ((treated * after) ** 0.25 * noise if kind == "sdid" else 1e-6 * noise, 1e-6 * noise)
    tolerance = 1e-5 * noise
    if kind == "did":
        omega, lamda = np.full(n0, 1 / n0), np.full(before, 1 / before)
    else:
        omega = _weights(pre.T, target[:before], used[0], kind == "sdid", tolerance)
        lamda = _weights(pre, post, used[1], True, tolerance) if kind == "sdid" else np.zeros(before)
    gap = target - (omega[:, None] * y[:n0]).sum(axis=0)
    path = gap - float((lamda * gap[:before]).sum())
    return Block(float(path[before:].mean()), omega, lamda, path, (float(used[0]), float(used[1])))


def _weights(a: Floats, b: Floats, zeta: float, intercept: bool, tolerance: float) -> Floats:
    first = frank_wolfe(a, b, zeta=zeta, intercept=intercept, tolerance=tolerance, iterations=100)
    return frank_wolfe(a, b, zeta=zeta, intercept=intercept, tolerance=tolerance, iterations=10_000, start=sparsify(first))


def synthetic_did(
    panel: Panel, *, kind: str = "sdid", level: str = "cluster", placebos: int = 200, enumerate_up_to: int = 2_000,
    seed: int = 20240901, adjust_covariates: bool = False,
) -> SyntheticDid:  # fmt: skip
    """Estimate on weighted cluster means (``level="cluster"``) or units. Comparison units are never treated.

    Placebos give the real cohort structure to comparison units: all assignments when there are at most ``enumerate_up_to``,
    else ``placebos`` random ones (0: none). ``adjust_covariates`` first removes the covariates' effect, fitted with two-way
    effects on never-treated rows (Kranz 2022).
    """
    y, cohort, names, said = outcome_matrix(panel, level, adjust_covariates)
    value, blocks, cohorts, weights = _staggered(y, cohort, panel.periods, kind)
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


def _staggered(y: Floats, cohort: Floats, periods: Floats, kind: str) -> tuple[float, tuple[Block, ...], Floats, Floats]:
    cohorts = np.unique(cohort[np.isfinite(cohort)])
    controls = np.isinf(cohort)
    blocks, weights = [], []
    for g in cohorts:
        before = int((periods < g).sum())
        treated = cohort == g
        blocks.append(synthetic_block(np.vstack([y[controls], y[treated]]), int(treated.sum()), before, kind=kind))
        weights.append(float(treated.sum() * (periods.size - before)))
    share = np.array(weights) / sum(weights)
    return float(share @ np.array([b.value for b in blocks])), tuple(blocks), cohorts, share


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
    return _staggered(y, cohort, periods, kind)[0]
