"""The inference of a roll-out: permutation first, its checks beside it, what they disagree on, and what is only descriptive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2

from essaim.engines.impact.design.assignment import arm_distance, covariate_rank
from essaim.engines.impact.inference.adjusted import adjusted_att
from essaim.engines.impact.inference.assignments import Assignments, assignments
from essaim.engines.impact.inference.choice import (
    CONLEY_TABER,
    CR2,
    PERMUTATION,
    WILD,
    agreement,
    choose_inference,
)
from essaim.engines.impact.inference.conley_taber import conley_taber
from essaim.engines.impact.inference.randomisation import Statistic, randomisation_test
from essaim.engines.impact.inference.statistics import staggered_att
from essaim.engines.impact.inference.wild_bootstrap import wild_cluster_bootstrap
from essaim.engines.impact.panel import Panel
from essaim.engines.impact.refusal import Refusal
from essaim.engines.impact.regression import Regression
from essaim.engines.impact.study.plan import Plan
from essaim.engines.impact.twfe import twfe

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Test:
    """One method: effect, interval, p-value; ``role``: headline, check or descriptive; ``note`` in French."""

    method: str
    label: str
    role: str
    effect: float
    low: float | None
    high: float | None
    p_value: float | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Battery:
    """Every test of one effect. ``draws``: sorted permutation estimates, for the plot of placebo ranks."""

    treated_clusters: int
    clusters: int
    rule: str
    can_conclude: bool
    smallest_p: float
    enumerated: bool
    possible_assignments: float
    tests: tuple[Test, ...]
    agree: bool
    agreement: str
    draws: Floats = field(repr=False)

    @property
    def headline(self) -> Test:
        """The permutation test."""
        return self.tests[0]


def countable(possible: int) -> float:
    """Number of assignments as a float, infinite beyond what a float holds (then written ``null``)."""
    return float(possible) if possible < 10**300 else float("inf")


def _finite(value: float | None) -> float | None:
    return value if value is not None and np.isfinite(value) else None


def acceptance(balance: Floats | None, plan: Plan) -> Callable[[Floats], npt.NDArray[np.bool_]] | None:
    """Rule that the rerandomised design applied to assignments (B, C) of cohorts."""
    if balance is None or plan.design.assignment != "rerandomised":
        return None

    def accept(cohorts: Floats) -> npt.NDArray[np.bool_]:
        values = np.unique(cohorts)
        arms = np.searchsorted(values, cohorts).astype(np.int64)
        limit = chi2.ppf(plan.design.acceptance, covariate_rank(balance) * (values.size - 1))
        return np.asarray(arm_distance(balance, arms) <= limit)

    return accept


def rollout_battery(panel: Panel, plan: Plan, strata: Ints | None, balance: Floats | None,
                    space: Assignments | None = None) -> tuple[Battery, Assignments]:
    """All inference for ``panel``; the set of assignments is returned to be reused by other indicators."""
    cohort = _cohorts(panel)
    level = 1 - plan.design.alpha
    space = space or assignments(cohort, strata=strata, draws=plan.inference.draws, seed=plan.inference.seed,
                                 accept=acceptance(balance, plan))
    found = randomisation_test(_statistic(panel, plan), cohort, space=space, level=level)
    treated = int(np.isfinite(cohort).sum())
    possible = len(space.cohort) if space.enumerated else space.possible
    choice = choose_inference(treated, cohort.size, possible=possible, level=level)
    chosen = "tirés au sort" if plan.design.assignment != "chosen" else "choisis, non tirés au sort"
    head = Test(PERMUTATION, "Permutation des grappes traitées", "headline", found.observed, _finite(found.low),
                _finite(found.high), found.p_value, f"{_drawn(space)} ; grappes {chosen}{_adjusted_for(panel)}")
    tests = [head, *_checks(panel, plan, choice.checks, level)]
    said = agreement({t.method: t.p_value for t in tests if t.p_value is not None and t.role != "descriptive"}, level=level)
    return Battery(treated, cohort.size, choice.reason, choice.can_conclude, choice.smallest_p, space.enumerated,
                   countable(possible), (*tests, *_descriptive(panel, plan, cohort, space, level)), said.agree, said.sentence,
                   np.sort(found.draws)), space


def _statistic(panel: Panel, plan: Plan) -> Statistic:
    """Aggregate against never-treated clusters, adjusted for the plan's covariates."""
    make = adjusted_att if panel.covariates.shape[1] else staggered_att
    return make(panel, anticipation=plan.estimation.anticipation)


def _adjusted_for(panel: Panel) -> str:
    return f" ; ajusté sur {', '.join(panel.covariate_names)}" if panel.covariate_names else ""


def _cohorts(panel: Panel) -> Floats:
    cohort = panel.cluster_cohort()
    return np.where(cohort > panel.periods[-1], np.inf, cohort)


def _drawn(space: Assignments) -> str:
    size = f"{len(space.cohort)}"
    return f"{size} affectations, toutes celles possibles" if space.enumerated else f"{size} affectations tirées au hasard"


def _checks(panel: Panel, plan: Plan, methods: tuple[str, ...], level: float) -> list[Test]:
    tests = []
    if CONLEY_TABER in methods:
        try:
            ct = conley_taber(panel, draws=plan.inference.draws, seed=plan.inference.seed, level=level)
            tests.append(Test(CONLEY_TABER, "Conley–Taber, correction de Ferman–Pinto", "check", ct.value, _finite(ct.low),
                              _finite(ct.high), ct.p_value, ct.warning))
        except Refusal as refusal:
            tests.append(Test(CONLEY_TABER, "Conley–Taber", "check", float("nan"), None, None, None, refusal.message))
    if WILD in methods and plan.inference.wild_bootstrap:
        tests.append(_wild(panel, plan, level))
    if CR2 in methods:
        fit = twfe(cluster_panel(panel), kind="CR2")
        tests.append(_regression_test(fit, CR2, "Erreurs groupées CR2 (Bell–McCaffrey)", "check", level))
    return tests


def _wild(panel: Panel, plan: Plan, level: float) -> Test:
    label, cells = "Bootstrap sauvage par grappe, hypothèse nulle imposée", cluster_panel(panel)
    try:
        wild = wild_cluster_bootstrap(twfe(cells, kind="CR1S"), "traitement", cells.cluster, draws=min(plan.inference.draws, 9999),
                                      seed=plan.inference.seed, level=level)
    except Refusal as refusal:
        return Test(WILD, label, "check", float("nan"), None, None, None, refusal.message)
    return Test(WILD, label, "check", wild.value, _finite(wild.low), _finite(wild.high), wild.p_value,
                "effets fixes doubles sur les moyennes de grappes")


def _descriptive(panel: Panel, plan: Plan, cohort: Floats, space: Assignments, level: float) -> list[Test]:
    """Clustered errors; and, with covariates, the permutation without them."""
    fit = twfe(cluster_panel(panel), kind="CR1S")
    tests = [_regression_test(fit, "cr1", "Erreurs groupées usuelles", "descriptive", level)]
    if panel.covariates.shape[1]:
        plain = randomisation_test(staggered_att(panel, anticipation=plan.estimation.anticipation), cohort, space=space, level=level)
        tests.append(Test("permutation-plain", "Permutation, sans les covariables", "descriptive", plain.observed, _finite(plain.low),
                          _finite(plain.high), plain.p_value, "mêmes affectations"))
    return tests


def _regression_test(fit: Regression, method: str, label: str, role: str, level: float) -> Test:
    value, _error = fit.of("traitement")
    low, high = fit.interval("traitement", level)
    p = float(fit.p_value[fit.names.index("traitement")])
    return Test(method, label, role, value, _finite(low), _finite(high), p, "effets fixes doubles sur les moyennes de grappes")


def cluster_panel(panel: Panel) -> Panel:
    """One row a cluster and period, weighted by its rows' weights; covariates left out."""
    cells = panel.collapsed()
    return replace(cells, covariates=np.empty((cells.rows, 0)), covariate_names=())
