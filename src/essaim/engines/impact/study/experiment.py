"""One indicator of an experiment: units drawn at random, cross-section, permutation of the draw first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import polars as pl

from essaim.engines.impact.design.power import Precision, mde_of, power_of
from essaim.engines.impact.inference.assignments import assignments
from essaim.engines.impact.inference.choice import PERMUTATION, agreement, choose_inference
from essaim.engines.impact.inference.randomisation import RandomisationTest, randomisation_test
from essaim.engines.impact.inference.statistics import LinearStatistic, difference_in_means
from essaim.engines.impact.refusal import Refusal
from essaim.engines.impact.regression import regress
from essaim.engines.impact.study.baseline import LABELS, BaselineGrade
from essaim.engines.impact.study.battery import Battery, Test
from essaim.engines.impact.study.evidence import evidence_level
from essaim.engines.impact.study.plan import Plan
from essaim.engines.impact.study.results import DesignPower, Effect, IndicatorResult, Robustness
from essaim.engines.impact.study.sentence import Reading, conclusion
from essaim.kernel.french import format_number

Floats = npt.NDArray[np.float64]


def experiment_result(frame: pl.DataFrame, plan: Plan, outcome: str) -> IndicatorResult:
    """Difference of cluster means (or of individuals) between arms, tested by permuting the assignment inside strata."""
    y, treated, mass, strata, lost, rows = _assigned(frame, plan, outcome)
    cohort = np.where(treated, 1.0, np.inf)
    level = 1 - plan.design.alpha
    control = y[~treated]
    spread = float(control.std(ddof=1)) if control.size > 1 else 0.0
    power = _power(spread, treated, plan)
    space = assignments(cohort, strata=strata, draws=plan.inference.draws, seed=plan.inference.seed)
    found = randomisation_test(_statistic(y, mass), cohort, space=space, level=level)
    check = regress(y, {"traitement": treated.astype(float)}, weights=mass, kind="HC2")
    p = float(check.p_value[check.names.index("traitement")])
    value, error = check.of("traitement")
    low, high = check.interval("traitement", level)
    tests = (Test(PERMUTATION, "Permutation de l'affectation", "headline", found.observed, _finite(found.low), _finite(found.high),
                  found.p_value, "grappes tirées au sort" if plan.design.assignment != "chosen" else "grappes choisies"),
             Test("hc2", "Régression, erreurs HC2", "check", value, low, high, p))
    said = agreement({t.method: float(t.p_value) for t in tests if t.p_value is not None}, level=level)
    choice = choose_inference(int(treated.sum()), treated.size, possible=len(space.cohort) if space.enumerated else space.possible, level=level)
    battery = Battery(int(treated.sum()), treated.size, choice.reason, choice.can_conclude, choice.smallest_p, space.enumerated,
                      float(space.possible), tests, said.agree, said.sentence, np.sort(found.draws))
    effects = (Effect("difference", "Différence de moyennes", found.observed, error),)
    return _told(outcome, plan, power, battery, found, effects, lost, rows)


def _statistic(y: Floats, mass: Floats) -> LinearStatistic:
    return difference_in_means(y, mass)


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _assigned(frame: pl.DataFrame, plan: Plan, outcome: str) -> tuple[
        Floats, npt.NDArray[np.bool_], Floats, npt.NDArray[np.int64] | None, int, int]:
    """Outcome, arm, weight and stratum of each assigned unit (cluster means when clusters were assigned)."""
    d = plan.data
    assert d.exposure is not None
    kept = frame.filter(pl.col(outcome).is_not_null() & pl.col(d.exposure).is_not_null())
    weight = pl.col(d.weights) if d.weights else pl.lit(1.0)
    who = pl.int_range(pl.len()) if d.cluster is None else pl.col(d.cluster)
    table = kept.group_by(who.alias("_who"), maintain_order=True).agg(
        ((pl.col(outcome) * weight).sum() / weight.sum() if d.weights else pl.col(outcome).mean()).alias("y"),
        pl.col(d.exposure).min().alias("low"), pl.col(d.exposure).max().alias("high"),
        (weight.sum() if d.weights else pl.len()).cast(pl.Float64).alias("mass"),
        *([pl.col(plan.design.strata).first().alias("stratum")] if plan.design.strata else [])).sort("_who")
    if (table["low"] != table["high"]).any():
        raise Refusal("mixed-cluster", "Une grappe contient à la fois des traités et des témoins : ce n'est pas elle qui a été assignée.")
    treated = table["high"].cast(pl.Float64).to_numpy() > 0
    if not 0 < treated.sum() < treated.size:
        raise Refusal("one-arm", "Il faut au moins une unité traitée et une unité témoin.")
    strata = table["stratum"].rank("dense").to_numpy().astype(np.int64) if plan.design.strata else None
    return table["y"].to_numpy().astype(float), treated, table["mass"].to_numpy(), strata, frame.height - kept.height, kept.height


def _power(spread: float, treated: npt.NDArray[np.bool_], plan: Plan) -> DesignPower:
    """Detectable effect from the spread of comparison units only: no treated outcome is read."""
    d, n1, n = plan.design, int(treated.sum()), int(treated.size)
    df = n - 2
    if df < 1 or spread == 0:
        why = "il n'y a pas assez d'unités assignées pour estimer une variance."
        return DesignPower("t", None, None, d.smallest_effect, n1, n, None, why, why)
    design = Precision(spread * float(np.sqrt(1 / n1 + 1 / (n - n1))), df, n, "unités assignées")
    mde = mde_of(design, alpha=d.alpha, power=d.power)
    power = None if d.smallest_effect is None else power_of(design, d.smallest_effect, alpha=d.alpha)
    needed = None if d.smallest_effect is None else int(np.ceil(n1 * (mde / d.smallest_effect) ** 2))
    text = f"Avec {n1} unités traitées sur {n}, le plus petit effet détectable est de {format_number(float(f'{mde:.3g}'))}."
    if power is not None and power < d.power:
        text += f" L'étude est sous-dimensionnée : il faudrait environ {needed} unités traitées."
    return DesignPower("test t des unités assignées", mde, power, d.smallest_effect, n1, n, needed, text, None)


def _told(outcome: str, plan: Plan, power: DesignPower, battery: Battery, found: RandomisationTest, effects: tuple[Effect, ...],
          lost: int, rows: int) -> IndicatorResult:
    drawn = plan.design.assignment != "chosen"
    grade = BaselineGrade("B1" if drawn else "B4", LABELS["B1"] if drawn else LABELS["B4"],
                          ("l'affectation tirée au sort tient lieu de situation initiale" if drawn else "affectation non tirée au sort",))
    evidence = evidence_level(assignment=plan.design.assignment, baseline=grade.grade, treated_clusters=battery.treated_clusters,
                              permutation=battery.can_conclude, pretrend_power=None, pretrend_p=None, breakdown=None)
    unanswerable = power.unanswerable or (None if battery.can_conclude else battery.rule)
    h = battery.headline
    reading = Reading(plan.indicator.label if len(plan.data.outcomes) == 1 else outcome, plan.indicator.unit, plan.indicator.decimals,
                      h.effect, h.low, h.high, h.p_value, plan.design.alpha, battery.treated_clusters, power.mde,
                      plan.design.smallest_effect, plan.indicator.direction, evidence.level, grade.grade,
                      None if battery.agree else battery.agreement, unanswerable)
    warnings = (f"{lost} ligne(s) sans résultat ou sans affectation, écartée(s).",) if lost else ()
    return IndicatorResult(outcome, replace(power, unanswerable=unanswerable), grade, effects, (), (), None, battery, Robustness(), None,
                           evidence, conclusion(reading), None, rows, int(battery.clusters), warnings, tuple(np.sort(found.draws).tolist()))
