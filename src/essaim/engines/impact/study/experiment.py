"""One indicator of an experiment: units drawn at random, cross-section, permutation of the draw first."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from essaim.engines.impact.design.power import Precision, mde_of, power_of
from essaim.engines.impact.inference.assignments import assignments
from essaim.engines.impact.inference.choice import PERMUTATION, agreement, choose_inference
from essaim.engines.impact.inference.covariance_analysis import covariance_analysis
from essaim.engines.impact.inference.randomisation import RandomisationTest, Statistic, randomisation_test
from essaim.engines.impact.inference.statistics import difference_in_means
from essaim.engines.impact.refusal import Refusal
from essaim.engines.impact.regression import regress
from essaim.engines.impact.study.baseline import LABELS, BaselineGrade
from essaim.engines.impact.study.battery import Battery, Test, acceptance, countable
from essaim.engines.impact.study.evidence import evidence_level
from essaim.engines.impact.study.plan import Plan
from essaim.engines.impact.study.results import DesignPower, Effect, IndicatorResult, Robustness
from essaim.engines.impact.study.sentence import Reading, conclusion
from essaim.kernel.french import format_number

Floats = npt.NDArray[np.float64]


def experiment_result(frame: pl.DataFrame, plan: Plan, outcome: str) -> IndicatorResult:
    """Difference of cluster means (or of individuals) between arms, tested by permuting the assignment inside strata."""
    a = _assigned(frame, plan, outcome)
    y, treated, mass = a.outcome, a.treated, a.mass
    cohort = np.where(treated, 1.0, np.inf)
    level = 1 - plan.design.alpha
    power = _power(_spread(a), treated, plan)
    space = assignments(cohort, strata=a.strata, draws=plan.inference.draws, seed=plan.inference.seed, accept=acceptance(a.balance, plan))
    statistic: Statistic = covariance_analysis(y, a.covariates, mass) if a.covariates.shape[1] else difference_in_means(y, mass)
    found = randomisation_test(statistic, cohort, space=space, level=level)
    columns = {"traitement": treated.astype(float)} | {c: a.covariates[:, j] for j, c in enumerate(plan.data.covariates)}
    check = regress(y, columns, weights=mass, kind="HC2")
    p = float(check.p_value[check.names.index("traitement")])
    value, error = check.of("traitement")
    low, high = check.interval("traitement", level)
    tests = (Test(PERMUTATION, "Permutation de l'affectation", "headline", found.observed, _finite(found.low), _finite(found.high),
                  found.p_value, _told_how(plan)),
             Test("hc2", "Régression, erreurs HC2", "check", value, low, high, p))
    said = agreement({t.method: float(t.p_value) for t in tests if t.p_value is not None}, level=level)
    choice = choose_inference(int(treated.sum()), treated.size, possible=len(space.cohort) if space.enumerated else space.possible, level=level)
    battery = Battery(int(treated.sum()), treated.size, choice.reason, choice.can_conclude, choice.smallest_p, space.enumerated,
                      countable(space.possible), tests, said.agree, said.sentence, np.sort(found.draws))
    label = f"Différence de moyennes ajustée sur {', '.join(plan.data.covariates)}" if plan.data.covariates else "Différence de moyennes"
    return _told(outcome, plan, power, battery, found, (Effect("difference", label, found.observed, error),), a.lost, a.rows)


def _told_how(plan: Plan) -> str:
    drawn = "grappes tirées au sort" if plan.design.assignment != "chosen" else "grappes choisies"
    rule = " ; règle de re-tirage respectée" if plan.design.assignment == "rerandomised" and plan.design.balance_on else ""
    return drawn + rule + (f" ; ajusté sur {', '.join(plan.data.covariates)}" if plan.data.covariates else "")


def _spread(a: _Assigned) -> float:
    """Standard deviation of comparison units, net of covariates when there are enough units to fit them."""
    control = a.outcome[~a.treated]
    x = np.column_stack([np.ones(control.size), a.covariates[~a.treated]])
    free = control.size - np.linalg.matrix_rank(x) if control.size else 0
    if free < 1:
        return float(control.std(ddof=1)) if control.size > 1 else 0.0
    residual = control - x @ np.linalg.lstsq(x, control, rcond=None)[0]
    return float(np.sqrt((residual**2).sum() / free))


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


@dataclass(frozen=True, slots=True)
class _Assigned:
    """What was assigned: outcome (N,), arm, weight, covariates (N, k), stratum, balance covariates; rows set aside and kept."""

    outcome: Floats
    treated: npt.NDArray[np.bool_]
    mass: Floats
    covariates: Floats
    strata: npt.NDArray[np.int64] | None
    balance: Floats | None
    lost: int
    rows: int


def _assigned(frame: pl.DataFrame, plan: Plan, outcome: str) -> _Assigned:
    """Individuals, or cluster means when clusters were assigned. Refuses a cluster in both arms, and covariates with holes unless dropped."""
    d, balance = plan.data, plan.design.balance_on
    assert d.exposure is not None
    kept = frame.filter(pl.col(outcome).is_not_null() & pl.col(d.exposure).is_not_null())
    complete = kept.drop_nulls([*d.covariates, *balance])
    if complete.height < kept.height and d.missing_covariates != "drop":
        raise Refusal("covariates", f"{kept.height - complete.height} ligne(s) n'ont pas toutes leurs covariables. Complétez-les, ou demandez "
                                    "explicitement que ces lignes soient écartées (missing_covariates: drop).")
    kept = complete
    weight = pl.col(d.weights) if d.weights else pl.lit(1.0)

    def mean(column: str) -> pl.Expr:
        values = pl.col(column).cast(pl.Float64)
        return (values * weight).sum() / weight.sum() if d.weights else values.mean()

    who = pl.int_range(pl.len()) if d.cluster is None else pl.col(d.cluster)
    table = kept.group_by(who.alias("_who"), maintain_order=True).agg(
        mean(outcome).alias("y"), pl.col(d.exposure).min().alias("low"), pl.col(d.exposure).max().alias("high"),
        (weight.sum() if d.weights else pl.len()).cast(pl.Float64).alias("mass"),
        *[mean(c).alias(f"x{i}") for i, c in enumerate(d.covariates)], *[mean(c).alias(f"b{i}") for i, c in enumerate(balance)],
        *([pl.col(plan.design.strata).first().alias("stratum")] if plan.design.strata else [])).sort("_who")
    if (table["low"] != table["high"]).any():
        raise Refusal("mixed-cluster", "Une grappe contient à la fois des traités et des témoins : ce n'est pas elle qui a été assignée.")
    treated = table["high"].cast(pl.Float64).to_numpy() > 0
    if not 0 < treated.sum() < treated.size:
        raise Refusal("one-arm", "Il faut au moins une unité traitée et une unité témoin.")
    strata = table["stratum"].rank("dense").to_numpy().astype(np.int64) if plan.design.strata else None
    columns = [table.select(f"{p}{i}" for i in range(len(names))).to_numpy().astype(np.float64).reshape(table.height, len(names))
               for p, names in (("x", d.covariates), ("b", balance))]
    return _Assigned(table["y"].to_numpy().astype(np.float64), treated, table["mass"].to_numpy(), columns[0], strata,
                     columns[1] if balance else None, frame.height - kept.height, kept.height)


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
                      None if battery.agree else battery.agreement, unanswerable,
                      assigned="unités" if plan.data.cluster is None else "grappes")
    warnings = (f"{lost} ligne(s) sans résultat ou sans affectation, écartée(s).",) if lost else ()
    return IndicatorResult(outcome, replace(power, unanswerable=unanswerable), grade, effects, (), (), None, battery, Robustness(), None,
                           evidence, conclusion(reading), None, rows, int(battery.clusters), warnings, tuple(np.sort(found.draws).tolist()))
