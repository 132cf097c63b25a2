"""Interaction-weighted event study of Sun & Abraham (2021, J. Econometrics 225), as R fixest's ``sunab``: one effect a cohort and event time
in a two-way fixed effects regression, averaged with the cohorts' shares, which are taken as known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from essaim.engines.impact import panel_checks as checks
from essaim.engines.impact.estimates import Estimate, EventStudy
from essaim.engines.impact.panel import Panel, PanelRefused
from essaim.engines.impact.regression import Regression, regress

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SunAbraham:
    """``overall`` effect on the treated, ``event_study``, and the saturated ``fit`` (coefficients named ``cohort:event``)."""

    overall: Estimate
    event_study: EventStudy
    fit: Regression


def sun_abraham(panel: Panel, *, reference: float = -1.0, kind: str = "CR1S", cluster: str = "cluster", level: float = 0.95) -> SunAbraham:
    """Never-treated units are the comparison (else the last cohort, up to its entry); cohorts without their ``reference`` event time are set
    aside, and told. Standard errors are those of the regression, at the level ``unit`` or ``cluster``."""
    if panel.cohort is None:
        raise PanelRefused("cohort", "Cet estimateur demande une colonne de cohorte (première période traitée).")
    checks.covariates_known(panel.covariates, panel.covariate_names)
    panel, said = _comparable(panel, reference)
    assert panel.cohort is not None
    event = np.where(np.isfinite(panel.cohort), panel.period_value - panel.cohort, np.nan)
    columns: dict[str, Floats] = {}
    for g in panel.cohorts:
        for e in np.unique(event[panel.cohort == g]):
            if e != reference:
                columns[f"{g:g}:{e:g}"] = ((panel.cohort == g) & (event == e)) * 1.0
    cells = tuple(columns)
    columns |= {name: panel.covariates[:, j] for j, name in enumerate(panel.covariate_names)}
    codes = panel.cluster if cluster == "cluster" else panel.unit
    fit = regress(panel.outcome, columns, absorb=[panel.unit, panel.period], weights=panel.weights, kind=kind, cluster=codes)
    kept = [name for name in fit.names if name in cells]
    at = np.array([float(name.split(":")[1]) for name in kept])
    mass = np.array([float(panel.weights[columns[name] > 0].sum()) for name in kept])
    rows = [fit.names.index(name) for name in kept]
    value, matrix = fit.value[rows], fit.covariance.matrix[np.ix_(rows, rows)]
    times = np.unique(at)
    shares = np.stack([np.where(at == e, mass, 0.0) / mass[at == e].sum() for e in times])
    joint = shares @ matrix @ shares.T
    study = EventStudy(times, shares @ value, np.sqrt(np.diag(joint)), joint, reference, level, float(stats.norm.ppf(0.5 + level / 2)),
                       "Sun–Abraham")  # fmt: skip
    return SunAbraham(_overall(panel, fit, value, matrix, np.where(at >= 0, mass, 0.0), level, said), study, fit)


def _comparable(panel: Panel, reference: float) -> tuple[Panel, tuple[str, ...]]:
    """Without cohorts that lack the reference event time; without never-treated units, the last cohort stands in up to its entry."""
    assert panel.cohort is not None
    said: list[str] = []
    cohort = np.where(panel.cohort > panel.periods[-1], np.inf, panel.cohort)
    if not np.isinf(cohort).any():
        last = cohort.max()
        said.append(f"Aucune unité jamais traitée : la cohorte {last:g} sert de comparaison jusqu'à son entrée.")
        panel = panel.with_cohort(np.where(cohort == last, np.inf, cohort)).keep(panel.period_value < last)
        assert panel.cohort is not None
        cohort = np.where(panel.cohort > panel.periods[-1], np.inf, panel.cohort)
    panel = panel.with_cohort(cohort)
    lost = [g for g in panel.cohorts if g + reference not in panel.periods]
    if lost:
        said.append(f"Cohorte(s) {', '.join(f'{g:g}' for g in lost)} écartée(s) : période de référence non observée.")
        panel = panel.keep(~np.isin(cohort, lost))
    assert panel.cohort is not None
    if not panel.rows or not panel.cohorts.size or not np.isinf(panel.cohort).any():
        raise PanelRefused("treated", "Aucune cohorte traitée n'est observée avant et après son entrée, avec une comparaison.")
    return panel, tuple(said)


def _overall(panel: Panel, fit: Regression, value: Floats, matrix: Floats, mass: Floats, level: float, said: tuple[str, ...]) -> Estimate:
    if not mass.sum() > 0:
        raise PanelRefused("window", "Aucun effet après traitement n'est identifié.")
    share = mass / mass.sum()
    effect, error = float(share @ value), float(np.sqrt(share @ matrix @ share))
    half = float(stats.t.ppf(0.5 + level / 2, fit.covariance.degrees_of_freedom[0])) * error
    assert panel.cohort is not None
    return Estimate(
        "ATT", "Sun–Abraham", effect, error, effect - half, effect + half,
        float(2 * stats.t.sf(abs(effect / error), fit.covariance.degrees_of_freedom[0])) if error > 0 else None,
        f"régression, {fit.covariance.kind}", panel.rows, panel.unit_labels.size, panel.cluster_labels.size,
        int(np.unique(panel.cluster[np.isfinite(panel.cohort)]).size), said,
    )  # fmt: skip
