"""Does the result hold when something that should not matter changes? Placebo dates and outcomes, one département fewer, one donor fewer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from essaim.engines.impact.panel import Panel, PanelRefused
from essaim.engines.impact.synthetic_control import ControlData, synthetic_control

Floats = NDArray[np.float64]
Estimator = Callable[[Panel], float]


@dataclass(frozen=True, slots=True)
class Variations:
    """``values`` (K,) of the estimate under each of ``names``; ``reference`` the unchanged one; ``refused`` variations with their reason."""

    reference: float
    names: tuple[str, ...]
    values: Floats
    refused: tuple[tuple[str, str], ...]

    @property
    def spread(self) -> tuple[float, float]:
        """Smallest and largest value."""
        return float(self.values.min()), float(self.values.max())

    @property
    def most_influential(self) -> str:
        """Name of the variation that moves the estimate most."""
        return self.names[int(np.argmax(np.abs(self.values - self.reference)))]

    @property
    def sign_changes(self) -> tuple[str, ...]:
        """Variations whose sign differs from the reference."""
        return tuple(n for n, v in zip(self.names, self.values, strict=True) if np.sign(v) != np.sign(self.reference))


def _collect(reference: float, tries: Sequence[tuple[str, Callable[[], float]]]) -> Variations:
    names, values, refused = [], [], []
    for name, run in tries:
        try:
            values.append(run())
            names.append(name)
        except ValueError as why:
            refused.append((name, str(why)))
    if not names:
        raise PanelRefused("variations", "Aucune variante n'est estimable : " + "; ".join(r for _, r in refused[:3]))
    return Variations(reference, tuple(names), np.array(values), tuple(refused))


def placebo_panel(panel: Panel, shift: int) -> Panel:
    """The panel before any real treatment, each cohort dated ``shift`` periods earlier. Never-treated units are cut at the last date
    at which some cohort is still untreated, so that no placebo period is observed for them alone."""
    if panel.cohort is None or shift < 1:
        raise PanelRefused("cohort", "Une date placebo demande des cohortes et un décalage d'au moins une période.")
    kept = panel.period_value < panel.cohort
    finite = np.isfinite(panel.cohort)
    kept &= finite | (panel.period_value < panel.cohort[finite].max())
    position = np.searchsorted(panel.periods, panel.cohort) - shift
    if (position[finite] < 1).any():
        raise PanelRefused("placebo", f"Pas assez de périodes avant traitement pour un décalage de {shift}.")
    moved = np.where(finite, panel.periods[np.clip(position, 0, panel.periods.size - 1)], np.inf)
    return panel.with_cohort(moved).keep(kept)


def placebo_dates(panel: Panel, estimator: Estimator, shifts: Sequence[int]) -> Variations:
    """The estimate at dates when nothing happened: values near zero are expected. The estimator must accept unbalanced panels when
    entry is staggered (imputation does)."""
    return _collect(estimator(panel), [(f"{s} période(s) plus tôt", lambda s=s: estimator(placebo_panel(panel, s))) for s in shifts])  # type: ignore[misc]


def placebo_outcomes(panel: Panel, estimator: Estimator, outcomes: Mapping[str, Floats]) -> Variations:
    """The estimate on outcomes (n,) that the policy cannot move."""
    return _collect(estimator(panel), [(n, lambda y=y, n=n: estimator(panel.with_outcome(y, n))) for n, y in outcomes.items()])  # type: ignore[misc]


def leave_one_cluster_out(panel: Panel, estimator: Estimator, *, treated_only: bool = False) -> Variations:
    """The estimate without each cluster in turn (or each treated cluster)."""
    cohort = panel.cluster_cohort()
    codes = np.flatnonzero(cohort <= panel.periods[-1]) if treated_only else np.arange(cohort.size)
    tries = [(str(panel.cluster_labels[c]), lambda c=c: estimator(panel.keep(panel.cluster != c))) for c in codes]
    return _collect(estimator(panel), tries)  # type: ignore[arg-type]


def donor_exclusion(data: ControlData, *, starts: int = 1, smallest_weight: float = 0.001) -> Variations:
    """Synthetic control without each donor whose weight exceeds ``smallest_weight`` (Abadie, Diamond & Hainmueller 2015)."""
    whole = synthetic_control(data, starts=starts)
    used = [d for d, w in zip(whole.donors, whole.weights, strict=True) if w > smallest_weight]

    def without(donor: str) -> float:
        return synthetic_control(data.as_treated(data.treated, without=(data.labels.index(donor),)), starts=starts).effect

    return _collect(whole.effect, [(d, lambda d=d: without(d)) for d in used])  # type: ignore[misc]
