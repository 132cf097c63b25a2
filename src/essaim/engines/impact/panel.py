"""The one validated input of every estimator: rows of (unit, cluster, period, outcome, cohort or exposure).

A ``unit`` is what is observed repeatedly (a school), a ``cluster`` is what was assigned (a département), a ``cohort`` is the
period from which a unit is treated (``inf`` = never). What cannot be analysed is refused with a sentence, never turned into NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from essaim.engines.impact import panel_checks as checks
from essaim.engines.impact.panel_checks import PanelRefused
from essaim.engines.impact.panel_columns import as_floats, cohort_values, compact, encode, period_codes

__all__ = ["ClusterSums", "Panel", "PanelRefused", "PanelReport"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PanelReport:
    """What reading did. Counts are rows unless said otherwise; ``warnings`` are French sentences for the reader."""

    rows_read: int
    rows_kept: int
    missing_outcomes: int
    missing_by_period: tuple[tuple[str, int], ...]
    missing_covariates: int
    units: int
    units_incomplete: int
    balanced: bool
    single_cluster_cohorts: tuple[float, ...]
    lost_clusters: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClusterSums:
    """Cluster × period sufficient statistics, shapes (C, T). ``mean`` is NaN where a cell holds no row."""

    weighted_outcome: Floats
    weight: Floats
    rows: Ints
    cohort: Floats  # (C,), NaN where the cohort varies inside the cluster

    @property
    def mean(self) -> Floats:
        """Weighted mean outcome of each cell, (C, T)."""
        out = np.full(self.weight.shape, np.nan)
        np.divide(self.weighted_outcome, self.weight, out=out, where=self.weight > 0)
        return out


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """Rows sorted by unit label then period, so that no result depends on the order of the file.

    ``unit``, ``cluster``, ``period``: (n,) codes into ``unit_labels`` (U,), ``cluster_labels`` (C,), ``periods`` (T,), the sorted
    numeric values (ranks 0…T−1 when the file's periods are text, then ``period_labels`` tells their names).
    ``cohort``: (n,) in the units of ``periods``, ``inf`` for never treated; None for an exposure-only panel.
    ``exposure``: (n,) dose or 0/1 treatment of that row, or None. ``covariates``: (n, k). ``weights``: (n,), positive.
    """

    unit: Ints
    cluster: Ints
    period: Ints
    outcome: Floats
    cohort: Floats | None
    exposure: Floats | None
    covariates: Floats
    weights: Floats
    unit_labels: NDArray[Any]
    cluster_labels: NDArray[Any]
    periods: Floats
    period_labels: tuple[str, ...]
    covariate_names: tuple[str, ...]
    outcome_name: str
    report: PanelReport
    is_repeated_cross_section: bool = False
    is_weighted: bool = field(default=False)

    @classmethod
    def read(
        cls,
        frame: Any,
        *,
        unit: str | None,
        cluster: str | None = None,
        time: str,
        outcome: str,
        cohort: str | None = None,
        exposure: str | None = None,
        covariates: Sequence[str] = (),
        weights: str | None = None,
        missing_covariates: str = "refuse",
        lost_clusters: str = "refuse",
        require_never_treated: bool = True,
    ) -> Panel:
        """Read a pandas, polars or Arrow frame.

        ``unit=None`` declares repeated cross-sections (each row its own unit); ``cluster=None`` means the unit is the cluster.
        ``cohort``: first treated period, with 0, null, NaN or inf for never. ``missing_covariates`` and ``lost_clusters`` are
        ``"refuse"``, ``"drop"`` (reported) or ``"keep"`` (predictors of a synthetic control averaged over time may lack some
        years; other estimators then refuse). Rows without outcome are set aside and counted.
        Raises ``PanelRefused`` (message in French) on everything listed in ``panel_checks``.
        """
        names = [n for n in (unit, cluster, time, outcome, cohort, exposure, weights, *covariates) if n is not None]
        checks.columns_present(frame, names)
        checks.treatment_declared(cohort, exposure)
        checks.rows_present(frame)
        columns = _Columns.of(frame, unit, cluster, time, outcome, cohort, exposure, tuple(covariates), weights)
        return columns.to_panel(missing_covariates, lost_clusters, require_never_treated)

    @property
    def rows(self) -> int:
        """Number of rows kept."""
        return int(self.outcome.size)

    @property
    def is_balanced(self) -> bool:
        """Whether every unit is observed at every period, in the panel as it now stands."""
        return self.rows == self.unit_labels.size * self.periods.size

    @property
    def period_value(self) -> Floats:
        """(n,) value of each row's period."""
        return self.periods[self.period]

    @property
    def cohorts(self) -> Floats:
        """Sorted cohorts treated at or before the last period, without the never treated."""
        if self.cohort is None:
            return np.empty(0)
        values = np.unique(self.cohort)
        return values[np.isfinite(values) & (values <= self.periods[-1])]

    @property
    def treated(self) -> Floats:
        """(n,) 0/1: the row is in or after its cohort's period (or the exposure itself when no cohort is given)."""
        if self.cohort is None:
            assert self.exposure is not None
            return self.exposure
        return (self.period_value >= self.cohort).astype(np.float64)

    def first_row(self) -> Ints:
        """(U,) position of the first row of each unit."""
        if self.is_balanced and not self.is_repeated_cross_section:
            return np.arange(0, self.rows, self.periods.size)
        first = np.empty(self.unit_labels.size, np.int64)
        first[self.unit[::-1]] = np.arange(self.rows)[::-1]
        return first

    def unit_table(self) -> tuple[Ints, Floats]:
        """Cluster code and cohort of each unit, (U,), (U,)."""
        first = self.first_row()
        cohort = np.full(first.size, np.inf) if self.cohort is None else self.cohort[first]
        return self.cluster[first], cohort

    def wide(self, values: Floats | None = None) -> Floats:
        """(U, T) matrix of ``values`` (default the outcome), NaN where a unit is not observed."""
        shown = self.outcome if values is None else values
        if self.is_balanced and not self.is_repeated_cross_section:  # rows are sorted by unit, then period
            return shown.reshape(self.unit_labels.size, self.periods.size)
        out = np.full((self.unit_labels.size, self.periods.size), np.nan)
        out[self.unit, self.period] = shown
        return out

    def cluster_cohort(self) -> Floats:
        """(C,) cohort of each cluster (``inf`` never). Refuses a cluster whose units have several cohorts."""
        sums = self.cluster_sums()
        checks.cohort_constant_in_clusters(sums.cohort, self.cluster_labels)
        return sums.cohort

    def cluster_sums(self, values: Floats | None = None) -> ClusterSums:
        """Cluster × period sums of ``values`` (default the outcome) weighted by ``weights``."""
        y = self.outcome if values is None else values
        shape = (self.cluster_labels.size, self.periods.size)
        cell = self.cluster * shape[1] + self.period
        size = shape[0] * shape[1]
        total = np.asarray(np.bincount(cell, self.weights * y, size), np.float64).reshape(shape)
        weight = np.asarray(np.bincount(cell, self.weights, size), np.float64).reshape(shape)
        rows = np.bincount(cell, minlength=size).reshape(shape).astype(np.int64)
        cohort = np.full(shape[0], np.inf)
        if self.cohort is not None:
            cohort[self.cluster] = self.cohort
            mixed = np.bincount(self.cluster, cohort[self.cluster] != self.cohort, shape[0]) > 0
            cohort[mixed] = np.nan
        return ClusterSums(total, weight, rows, cohort)

    def collapsed(self) -> Panel:
        """One row a cluster and period: weighted mean outcome and covariates, weights summed.

        When treatment is constant in clusters and the panel balanced, two-way effects, imputation, synthetic DiD, wild bootstrap and
        their clustered errors (without small-sample factor) are the same on these few rows. Refuses mixed clusters.
        """
        cohort, sums = self.cluster_cohort(), self.cluster_sums()
        cluster, period = np.nonzero(sums.rows)
        x = [self.cluster_sums(column).mean[cluster, period] for column in self.covariates.T]
        exposure = None if self.exposure is None else self.cluster_sums(self.exposure).mean[cluster, period]
        return replace(
            self, unit=cluster, cluster=cluster, period=period, outcome=sums.mean[cluster, period],
            cohort=None if self.cohort is None else cohort[cluster], exposure=exposure,
            covariates=np.column_stack(x) if x else np.empty((cluster.size, 0)), weights=sums.weight[cluster, period],
            unit_labels=self.cluster_labels, is_repeated_cross_section=False, is_weighted=True,
        )  # fmt: skip

    def keep(self, mask: NDArray[np.bool_] | Ints) -> Panel:
        """The rows of ``mask`` (n,) or at those positions, codes rebuilt so that labels hold only what remains; the report is kept as it was."""
        unit_kept, unit = compact(self.unit[mask], self.unit_labels.size)
        cluster_kept, cluster = compact(self.cluster[mask], self.cluster_labels.size)
        period_kept, period = compact(self.period[mask], self.periods.size)
        return replace(
            self, unit=unit, cluster=cluster, period=period, outcome=self.outcome[mask],
            cohort=None if self.cohort is None else self.cohort[mask],
            exposure=None if self.exposure is None else self.exposure[mask],
            covariates=self.covariates[mask], weights=self.weights[mask],
            unit_labels=self.unit_labels[unit_kept], cluster_labels=self.cluster_labels[cluster_kept],
            periods=self.periods[period_kept], period_labels=tuple(self.period_labels[i] for i in period_kept),
        )  # fmt: skip

    def with_outcome(self, outcome: Floats, name: str | None = None) -> Panel:
        """The same panel with another outcome (n,)."""
        return replace(self, outcome=np.asarray(outcome, np.float64), outcome_name=name or self.outcome_name)

    def with_cohort(self, cohort: Floats) -> Panel:
        """The same panel with another cohort (n,), as placebo dates and permutations need."""
        return replace(self, cohort=np.asarray(cohort, np.float64))

    def balanced(self) -> Panel:
        """Only the units observed at every period."""
        if self.is_balanced:
            return self
        counts = np.bincount(self.unit, minlength=self.unit_labels.size)
        return self.keep(counts[self.unit] == self.periods.size)


@dataclass(frozen=True, slots=True)
class _Columns:
    """Encoded columns before the checks; rows in file order."""

    unit: Ints
    unit_labels: NDArray[Any]
    cluster: Ints
    cluster_labels: NDArray[Any]
    period: Ints
    periods: Floats
    period_labels: tuple[str, ...]
    outcome: Floats
    outcome_name: str
    cohort: Floats | None
    exposure: Floats | None
    covariates: Floats
    covariate_names: tuple[str, ...]
    weights: Floats
    is_cross_section: bool
    is_cluster_unit: bool
    is_weighted: bool

    @classmethod
    def of(
        cls, frame: Any, unit: str | None, cluster: str | None, time: str, outcome: str, cohort: str | None,
        exposure: str | None, covariates: tuple[str, ...], weights: str | None,
    ) -> _Columns:  # fmt: skip
        period, periods, labels = period_codes(frame, time)
        n = period.size
        if unit is None:
            unit_code, unit_labels = np.arange(n, dtype=np.int64), np.arange(n)
        else:
            unit_code, unit_labels = encode(frame, unit)
        cluster_code, cluster_labels = encode(frame, cluster) if cluster is not None else (unit_code, unit_labels)
        x = [as_floats(frame, name) for name in covariates]
        return cls(
            unit_code, unit_labels, cluster_code, cluster_labels, period, periods, labels,
            as_floats(frame, outcome), outcome,
            None if cohort is None else cohort_values(frame, cohort, labels, periods),
            None if exposure is None else as_floats(frame, exposure),
            np.array(x).T if x else np.empty((n, 0)), covariates,
            np.ones(n) if weights is None else as_floats(frame, weights),
            unit is None, cluster is None or cluster == unit, weights is not None,
        )  # fmt: skip

    def to_panel(self, missing_covariates: str, lost_clusters: str, require_never_treated: bool) -> Panel:
        checks.weights_positive(self.weights)
        if not self.is_cross_section:
            checks.units_unique(self.unit, self.period, self.unit_labels, self.period_labels)
            checks.constant_in_units(self.unit, self.cluster, self.unit_labels, "cluster", self.cluster_labels)
            if self.cohort is not None:
                checks.constant_in_units(self.unit, self.cohort, self.unit_labels, "cohort", None)
        checks.exposure_complete(self.exposure)
        no_outcome = ~np.isfinite(self.outcome)
        no_covariate = ~np.isfinite(self.covariates).all(axis=1) & ~no_outcome
        checks.covariates_complete(no_covariate, missing_covariates, self.covariates, self.covariate_names)
        if missing_covariates == "keep":
            no_covariate = np.zeros_like(no_covariate)
        kept = ~(no_outcome | no_covariate)
        checks.outcome_varies(self.outcome[kept], self.outcome_name)
        lost = () if self.is_cluster_unit else checks.lost_clusters(self, kept, lost_clusters)
        if lost and lost_clusters == "drop":
            kept &= ~np.isin(self.cluster, [code for code, _ in lost])
        if require_never_treated and self.cohort is not None:
            checks.never_treated_present(self.cohort[kept], self.periods)
        return self._assemble(kept, no_outcome, no_covariate, tuple(label for _, label in lost))

    def _assemble(
        self, kept: NDArray[np.bool_], no_outcome: NDArray[np.bool_], no_covariate: NDArray[np.bool_],
        lost: tuple[str, ...],
    ) -> Panel:  # fmt: skip
        is_sorted = not self.is_cross_section and self._is_sorted()
        order = np.flatnonzero(kept)
        if not is_sorted:
            order = order[np.lexsort(self._sort_keys(order))]
        empty = PanelReport(0, 0, 0, (), 0, 0, 0, True, (), (), ())
        panel = Panel(
            self.unit, self.cluster, self.period, self.outcome, self.cohort, self.exposure, self.covariates,
            self.weights, self.unit_labels, self.cluster_labels, self.periods, self.period_labels,
            self.covariate_names, self.outcome_name, empty, self.is_cross_section, self.is_weighted,
        )  # fmt: skip
        if not is_sorted or not kept.all():
            panel = panel.keep(order)
        return replace(panel, report=self._report(panel, no_outcome, no_covariate, lost))

    def _is_sorted(self) -> bool:
        key = self.unit * self.periods.size + self.period
        return bool((key[1:] > key[:-1]).all())

    def _sort_keys(self, rows: Ints) -> tuple[NDArray[Any], ...]:
        if not self.is_cross_section:
            return self.period[rows], self.unit[rows]
        x = [self.covariates[rows, j] for j in range(self.covariates.shape[1])]
        return (*x, self.weights[rows], self.outcome[rows], self.period[rows], self.cluster[rows])

    def _report(
        self, panel: Panel, no_outcome: NDArray[np.bool_], no_covariate: NDArray[np.bool_], lost: tuple[str, ...]
    ) -> PanelReport:
        by_period = np.bincount(self.period[no_outcome], minlength=self.periods.size)
        missing = tuple((self.period_labels[i], int(c)) for i, c in enumerate(by_period) if c)
        per_unit = np.bincount(panel.unit, minlength=panel.unit_labels.size)
        incomplete = 0 if self.is_cross_section else int((per_unit < panel.periods.size).sum())
        cluster, cohort = panel.unit_table()
        single = () if self.is_cluster_unit else checks.single_cluster_cohorts(cohort, cluster)
        return PanelReport(
            rows_read=self.outcome.size, rows_kept=panel.rows, missing_outcomes=int(no_outcome.sum()),
            missing_by_period=missing, missing_covariates=int(no_covariate.sum()), units=panel.unit_labels.size,
            units_incomplete=incomplete, balanced=incomplete == 0, single_cluster_cohorts=single, lost_clusters=lost,
            warnings=checks.warnings_of(int(no_outcome.sum()), int(no_covariate.sum()), incomplete, single, lost),
        )  # fmt: skip
