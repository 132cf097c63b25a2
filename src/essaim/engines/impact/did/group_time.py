"""Group-time effects ATT(g, t) of Callaway & Sant'Anna (2021, J. Econometrics 225), with analytic influence functions."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from essaim.engines.impact import panel_checks as checks
from essaim.engines.impact.did.plan import BASES, CONTROLS, Cell, cells_of, prepare
from essaim.engines.impact.did.repeated import two_group_repeated
from essaim.engines.impact.did.two_by_two import METHODS, NotEstimable, TwoByTwo, two_group_panel
from essaim.engines.impact.estimates import PreTest
from essaim.engines.impact.panel import Panel, PanelRefused
from essaim.engines.impact.stable import cross, group_sums

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Units:
    """The units behind the influence functions: cluster code, cohort and mean-one weight, (n,) each."""

    cluster: Ints
    cohort: Floats
    weight: Floats
    clusters: int

    @property
    def size(self) -> int:
        """Number of units."""
        return int(self.cluster.size)


@dataclass(frozen=True, slots=True)
class GroupTimeEffects:
    """ATT(g, t): ``group``, ``time``, ``base`` in period units, ``value`` and ``std_error``, (K,).

    ``influence`` (K, n): variance at unit level is ``sum(influence²)/n²``; clustered, sums by cluster are squared.
    ``std_error`` is 0 on the universal base period (a normalisation). ``skipped`` tells, in French, what was not estimable.
    """

    group: Floats
    time: Floats
    base: Floats
    value: Floats
    std_error: Floats
    is_reference: NDArray[np.bool_]
    influence: Floats = field(repr=False)
    units: Units = field(repr=False)
    periods: Floats
    method: str
    control: str
    base_period: str
    anticipation: int
    cluster: str
    skipped: tuple[str, ...]
    warnings: tuple[str, ...]

    def select(self, cells: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        """Values (k,) and influence (k, n) of some cells."""
        return self.value[cells], self.influence[cells]


def group_time_effects(
    panel: Panel, *, method: str = "dr", control: str = "never", base: str = "varying", anticipation: int = 0,
    cluster: str = "unit", unbalanced: str = "drop",
) -> GroupTimeEffects:  # fmt: skip
    """Estimate every ATT(g, t) with the panel's covariates.

    ``method``: ``dr`` doubly robust, ``reg`` outcome regression, ``ipw`` stabilised weighting. ``control``: ``never`` or
    ``not_yet`` treated. ``base``: ``varying`` (R's default) or ``universal`` (for plots). ``cluster``: level of the standard
    errors, ``unit`` or ``cluster``. ``unbalanced``: ``drop`` incomplete units (told) or ``repeated`` (cross-section estimators).
    Time-varying covariates and weights are taken at the earlier of the two periods compared, as in R did.
    """
    _check(method, control, base, cluster, unbalanced, anticipation)
    checks.covariates_known(panel.covariates, panel.covariate_names)
    panel, said = prepare(panel, control, anticipation)
    as_panel = not panel.is_repeated_cross_section and (unbalanced == "drop" or panel.is_balanced)
    if as_panel:
        complete = panel.balanced()
        if complete.rows < panel.rows:
            lost = panel.unit_labels.size - complete.unit_labels.size
            said += (f"{lost} établissement(s) incomplets écartés (panel cylindré demandé).",)
        panel = complete
    if panel.rows == 0:
        raise PanelRefused("balanced", "Aucun établissement n'est observé à toutes les périodes.")
    cohorts = np.unique(panel.cohort[np.isfinite(panel.cohort)]) if panel.cohort is not None else np.empty(0)
    cells = cells_of(panel.periods, cohorts, control, base, anticipation)
    rows, skipped = (_panel_cells if as_panel else _repeated_cells)(panel, cells, method)
    if not any(not cell.is_reference for cell, *_ in rows):
        raise PanelRefused("cells", f"Aucun effet n'est estimable : {_reasons(skipped)}.")
    units = _units(panel, as_panel)
    value = np.array([v for _, v, _ in rows])
    influence = np.stack([i for *_, i in rows])
    return GroupTimeEffects(
        group=np.array([c.group for c, *_ in rows]), time=panel.periods[[c.time for c, *_ in rows]],
        base=panel.periods[[c.base for c, *_ in rows]], value=value,
        std_error=standard_errors(influence, units, cluster),
        is_reference=np.array([c.is_reference for c, *_ in rows]), influence=influence, units=units,
        periods=panel.periods, method=method, control=control, base_period=base, anticipation=anticipation,
        cluster=cluster, skipped=tuple(skipped), warnings=said + panel.report.warnings,
    )  # fmt: skip


def _reasons(skipped: list[str]) -> str:
    """Each reason once, with the first cell it holds for and the number of others."""
    cells: dict[str, list[str]] = {}
    for told in skipped:
        cell, _, why = told.partition(" : ")
        cells.setdefault(why, []).append(cell)
    if not cells:
        return ("aucune cohorte traitée n'a d'établissement observé à toutes les périodes ; la comparaison de lignes sans cylindrer "
                "(unbalanced: repeated) les garde")  # fmt: skip
    return " ; ".join(f"{why} ({first[0]}{f' et {len(first) - 1} autres' if len(first) > 1 else ''})" for why, first in sorted(cells.items()))


def _check(method: str, control: str, base: str, cluster: str, unbalanced: str, anticipation: int) -> None:
    allowed = ((method, METHODS), (control, CONTROLS), (base, BASES), (cluster, ("unit", "cluster")))
    for given, values in (*allowed, (unbalanced, ("drop", "repeated"))):
        if given not in values:
            raise ValueError(f"{given!r} is not one of {values}")
    if anticipation < 0:
        raise ValueError("anticipation must be nonnegative")


def _units(panel: Panel, as_panel: bool) -> Units:
    cluster, cohort = panel.unit_table()
    if as_panel:
        weight = panel.weights[panel.first_row()]
    else:
        weight = np.bincount(panel.unit, panel.weights) / np.bincount(panel.unit)
    return Units(cluster, cohort, weight / weight.mean(), panel.cluster_labels.size)


def _panel_cells(
    panel: Panel, cells: tuple[Cell, ...], method: str
) -> tuple[list[tuple[Cell, float, Floats]], list[str]]:
    """Cells sharing cohort, comparison units, covariates and weights are estimated together."""
    n = panel.unit_labels.size
    y = np.ascontiguousarray(panel.wide().T)
    x, x_varies = _by_period([panel.wide(panel.covariates[:, j]) for j in range(panel.covariates.shape[1])])
    weight, w_varies = _by_period([panel.wide(panel.weights)])
    cohort = panel.unit_table()[1]
    together: dict[tuple[object, ...], list[Cell]] = defaultdict(list)
    for cell in cells:
        early = min(cell.time, cell.base)
        horizon = _effective_horizon(cohort, cell)
        together[(cell.group, horizon, early if x_varies else 0, early if w_varies else 0, cell.is_reference)].append(cell)
    found: dict[Cell, tuple[float, Floats]] = {}
    skipped: list[str] = []
    for (group, _, at_x, at_w, reference), some in together.items():
        if reference:
            found.update({cell: (0.0, np.zeros(n)) for cell in some})
            continue
        used = np.flatnonzero((cohort == group) | (cohort > some[0].horizon) | np.isinf(cohort))
        path = {t: y[t, used] for c in some for t in (c.time, c.base)}
        change = np.stack([path[c.time] - path[c.base] for c in some])
        covariates = np.vstack([np.ones(used.size), *[c[at_x][used] for c in x]])  # type: ignore[call-overload]
        try:
            part = two_group_panel(change, (cohort[used] == group) * 1.0, covariates, weight[0][at_w][used], method)  # type: ignore[call-overload]
        except NotEstimable as why:
            skipped += [f"cohorte {c.group:g}, période {panel.period_labels[c.time]} : {why}" for c in some]
            continue
        found.update(_scattered(part, some, used, n))
    return [(c, *found[c]) for c in cells if c in found], skipped


def _effective_horizon(cohort: Floats, cell: Cell) -> float:
    """Two horizons between which no cohort enters select the same comparison units."""
    later = cohort[(cohort > cell.horizon) & (cohort != cell.group)]
    return float(later.min()) if later.size else np.inf


def _scattered(part: TwoByTwo, cells: list[Cell], used: Ints, n: int) -> dict[Cell, tuple[float, Floats]]:
    out = {}
    scale = n / used.size
    for k, cell in enumerate(cells):
        influence = np.zeros(n)
        influence[used] = scale * part.influence[k]
        out[cell] = (float(part.att[k]), influence)
    return out


def _by_period(wides: list[Floats]) -> tuple[list[Floats], bool]:
    """(T, n) matrices from (n, T) ones, and whether any of them changes over time (else only the first period is kept)."""
    varies = any(bool((w != w[:, :1]).any()) for w in wides)
    return [np.ascontiguousarray(w.T if varies else w[:, :1].T) for w in wides], varies


def _repeated_cells(
    panel: Panel, cells: tuple[Cell, ...], method: str
) -> tuple[list[tuple[Cell, float, Floats]], list[str]]:
    """One cell at a time on rows; influence functions summed by unit (R did's unbalanced and cross-section path)."""
    assert panel.cohort is not None
    n = panel.unit_labels.size
    out: list[tuple[Cell, float, Floats]] = []
    skipped: list[str] = []
    for cell in cells:
        if cell.is_reference:
            out.append((cell, 0.0, np.zeros(n)))
            continue
        group = panel.cohort == cell.group
        used = (group | (panel.cohort > cell.horizon) | np.isinf(panel.cohort)) & np.isin(panel.period, (cell.time, cell.base))
        x = np.vstack([np.ones(int(used.sum())), panel.covariates[used].T])
        post = (panel.period[used] == cell.time) * 1.0
        try:
            part = two_group_repeated(panel.outcome[used], post, group[used] * 1.0, x, panel.weights[used], method)
        except NotEstimable as why:
            skipped.append(f"cohorte {cell.group:g}, période {panel.period_labels[cell.time]} : {why}")
            continue
        influence = np.bincount(panel.unit[used], part.influence[0], n) * (n / used.sum())
        out.append((cell, float(part.att[0]), influence))
    return out, skipped


def clustered(influence: Floats, units: Units, cluster: str) -> Floats:
    """Sums of influence (K, n) at the level of inference: (K, n) or (K, C)."""
    return influence if cluster == "unit" else group_sums(influence, units.cluster, units.clusters)


def covariance(influence: Floats, units: Units, cluster: str) -> Floats:
    """(K, K) covariance of estimates from their influence functions; no small-sample factor (as R did)."""
    sums = clustered(influence, units, cluster)
    return cross(sums, sums) / units.size**2


def standard_errors(influence: Floats, units: Units, cluster: str) -> Floats:
    """(K,) standard errors."""
    sums = clustered(np.atleast_2d(influence), units, cluster)
    return np.sqrt(np.einsum("kn,kn->k", sums, sums)) / units.size


def pretrend_test(effects: GroupTimeEffects) -> PreTest:
    """Wald test that every pre-treatment ATT(g, t) is nil (R did's pre-test). Refuses when the covariance is singular."""
    pre = (effects.time < effects.group - effects.anticipation) & ~effects.is_reference
    if not pre.any():
        raise PanelRefused("pretest", "Aucun effet avant traitement n'est estimable : les tendances ne sont pas testées.")
    value, influence = effects.select(pre)
    matrix = covariance(influence, effects.units, effects.cluster)
    scale = np.sqrt(np.diag(matrix))
    if not (scale > 0).all() or np.linalg.cond(matrix / np.outer(scale, scale)) > 1e12:
        raise PanelRefused("pretest", "Trop peu d'unités indépendantes pour tester ensemble les effets avant traitement.")
    statistic = float(value @ np.linalg.solve(matrix, value))
    return PreTest(statistic, int(pre.sum()), float(stats.chi2.sf(statistic, int(pre.sum()))))
