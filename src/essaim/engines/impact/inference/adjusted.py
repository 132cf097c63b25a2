"""Permutation of clusters with covariates: outcomes are cleared, period by period, of what baseline covariates explain of everybody's
outcome — a fit that no assignment enters, hence an exact test (Rosenbaum 2002) — and the contrast is divided by what the same clearing
leaves of the treatment, hence the coefficient of an analysis of covariance (Frisch–Waugh) under each assignment.

Cluster × period sums of outcomes, covariates and their products are sufficient, as without covariates.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from essaim.engines.impact import panel_checks as checks
from essaim.engines.impact.inference.statistics import LinearStatistic, staggered_att_of
from essaim.engines.impact.panel import Panel
from essaim.engines.impact.stable import cross

Floats = NDArray[np.float64]

SMALLEST = 1e-6  # what must be left of the treatment, as a share


@dataclass(frozen=True, slots=True)
class AdjustedStatistic:
    """``plain``: contrasts of cleared outcomes. ``covariates`` (C, T, k) cluster × period sums of constant and covariates, ``inverse``
    (T, k, k) inverses of their Gram matrices, ``means``: the same contrasts of their cluster means, one a period and column."""

    plain: LinearStatistic
    means: LinearStatistic
    covariates: Floats
    inverse: Floats
    weight: Floats
    cohort: Floats
    periods: Floats
    anticipation: int
    weighting: str

    def __call__(self, assignment: Floats) -> Floats:
        """(B, C) cohorts → (B, 1) adjusted effects."""
        return self.plain(assignment)[:, :1] / self._left(assignment)[:, None]

    def constant_effect(self, cohort: Floats) -> Callable[[Floats], Floats]:
        """The same effect, applied to the real treatment itself as an outcome."""
        treated = (self.periods >= cohort[:, None]) * 1.0
        fitted = np.einsum("tij,tj->ti", self.inverse, np.einsum("ctk,ct->tk", self.covariates, treated))
        cleared = treated - np.einsum("ctk,tk->ct", self.covariates, fitted) / self.weight
        own = staggered_att_of(cleared, self.weight, self.cohort, self.periods, anticipation=self.anticipation, weighting=self.weighting)

        def unit(assignment: Floats) -> Floats:
            return own(assignment)[:, :1] / self._left(assignment)[:, None]

        return unit

    def _left(self, assignment: Floats) -> Floats:
        """(B,) contrast of the cleared treatment of each assignment."""
        contrast = self.means(assignment).reshape(len(assignment), self.periods.size, -1)
        totals = np.zeros_like(contrast)
        for g in self.plain.cohorts:
            after = (self.periods >= g)[:, None] * 1.0
            totals += np.einsum("bc,ctk->btk", (assignment == g) * 1.0, self.covariates * after)
        taken = np.einsum("btk,tkj,btj->b", contrast, self.inverse, totals)
        return np.maximum(1.0 - taken, SMALLEST)


def adjusted_att(panel: Panel, *, anticipation: int = 0, weighting: str = "size") -> AdjustedStatistic:
    """Overall effect against never-treated clusters, adjusted for the panel's covariates at each unit's first observation. Covariates
    collinear among themselves count once."""
    checks.covariates_known(panel.covariates, panel.covariate_names)
    x = panel.covariates if panel.is_repeated_cross_section else panel.covariates[panel.first_row()][panel.unit]
    columns = [np.ones(panel.rows), *x.T]
    sums = [panel.cluster_sums(c) for c in columns]
    z = np.stack([s.weighted_outcome for s in sums], axis=2)
    outcome = panel.cluster_sums()
    inverse, fitted = _fits(panel, np.array(columns))
    cohort, weight = panel.cluster_cohort(), outcome.weight
    with np.errstate(divide="ignore", invalid="ignore"):
        cleared = (outcome.weighted_outcome - np.einsum("ctk,tk->ct", z, fitted)) / weight
        means = z / weight[:, :, None]
    plain = staggered_att_of(cleared, weight, cohort, panel.periods, anticipation=anticipation, weighting=weighting)
    return AdjustedStatistic(
        plain, _means(plain, means, weight, cohort, panel.periods, anticipation, weighting), z, inverse, weight, cohort, panel.periods,
        anticipation, weighting,
    )  # fmt: skip


def _fits(panel: Panel, columns: Floats) -> tuple[Floats, Floats]:
    """Pseudo-inverse Gram matrices (T, k, k) and coefficients (T, k) of each period's outcome on constant and covariates."""
    inverse, fitted = [], []
    for t in range(panel.periods.size):
        rows = np.flatnonzero(panel.period == t)
        x = columns[:, rows]
        weighted = x * panel.weights[rows]
        scale = np.sqrt(np.maximum(np.einsum("kn,kn->k", weighted, x), 1e-300))
        gram = cross(weighted, x) / np.outer(scale, scale)
        inverse.append(np.linalg.pinv(gram, rcond=1e-10, hermitian=True) / np.outer(scale, scale))
        fitted.append(inverse[-1] @ cross(weighted, panel.outcome[rows][None])[:, 0])
    return np.array(inverse), np.array(fitted)


def _means(
    plain: LinearStatistic, means: Floats, weight: Floats, cohort: Floats, periods: Floats, anticipation: int, weighting: str
) -> LinearStatistic:
    """Contrasts of covariate means, each period apart: (T·k) statistics in one."""
    scores = []
    for t in range(periods.size):
        alone = (np.arange(periods.size) == t) * 1.0
        for k in range(means.shape[2]):
            part = staggered_att_of(means[:, :, k] * alone, weight, cohort, periods, anticipation=anticipation, weighting=weighting)
            scores.append(part.score[0])
    length = np.repeat(plain.length[:1], len(scores), axis=0)
    return LinearStatistic(np.array(scores), plain.mass, length, plain.cohorts, plain.overlap)
