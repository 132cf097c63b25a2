"""Ridge-augmented synthetic control (Ben-Michael, Feller & Rothstein 2021, JASA 116): the synthetic control's remaining imbalance
is corrected by ridge regression, as R augsynth with ``progfunc = "ridge"``; weights may be negative, and are told."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from essaim.engines.impact.panel import PanelRefused
from essaim.engines.impact.synthetic_control import ControlData
from essaim.engines.impact.synthetic_weights import simplex_least_squares

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AugmentedControl:
    """``weights`` (N0,) sum to one and may be negative; ``simplex_weights`` are those before augmentation; ``penalty`` λ;
    ``cross_validation`` (L, 3): λ, mean squared error, its standard error; ``imbalance`` root mean squared pre gap before and
    after augmentation; ``gap`` (T,), ``effect`` mean after treatment."""

    treated: str
    donors: tuple[str, ...]
    weights: Floats
    simplex_weights: Floats
    penalty: float
    cross_validation: Floats = field(repr=False)
    gap: Floats
    effect: float
    imbalance: tuple[float, float]
    extrapolation: float


def augmented_control(data: ControlData, *, penalty: float | None = None, one_se: bool = True, unit_effects: bool = False) -> AugmentedControl:
    """``penalty=None`` chooses λ by leaving out each pre-treatment period in turn (one-standard-error rule by default).

    Outcomes are centred on the donors' mean of each period; ``unit_effects`` first removes each unit's pre-treatment mean.
    """
    donors = [i for i in range(len(data.labels)) if i != data.treated]
    if data.before < 3:
        raise PanelRefused("synthetic", "L'augmentation demande au moins trois périodes avant traitement.")
    y = data.y - data.y[:, : data.before].mean(axis=1, keepdims=True) if unit_effects else data.y
    centred = y - y[donors].mean(axis=0)
    x0, x1 = centred[donors][:, : data.before], centred[data.treated, : data.before]
    table = _cross_validation(x0, x1)
    chosen = _choose(table, one_se) if penalty is None else penalty
    simplex = simplex_least_squares(x0.T, x1)
    weights = simplex + _ridge(x0, x1 - (simplex[:, None] * x0).sum(axis=0), chosen)
    gap = y[data.treated] - (weights[:, None] * y[donors]).sum(axis=0)
    first = x1 - (simplex[:, None] * x0).sum(axis=0)
    return AugmentedControl(
        data.labels[data.treated], tuple(data.labels[i] for i in donors), weights, simplex, float(chosen), table, gap,
        float(gap[data.before :].mean()), (float(np.sqrt((first**2).mean())), float(np.sqrt((gap[: data.before] ** 2).mean()))),
        float(-weights[weights < 0].sum()),
    )  # fmt: skip


def _ridge(x0: Floats, imbalance: Floats, penalty: float) -> Floats:
    """Additional weights (N0,), summing to zero since ``x0`` is centred by column."""
    gram = np.einsum("ni,nj->ij", x0, x0) + penalty * np.eye(x0.shape[1])
    solved = np.linalg.lstsq(gram, imbalance, rcond=None)[0]
    return np.asarray((x0 * solved).sum(axis=1))


def _cross_validation(x0: Floats, x1: Floats) -> Floats:
    """λ grid (augsynth's: from the squared largest singular value, down to 1e-8 of it, 20 values) and held-out errors."""
    largest = float(np.linalg.svd(x0, compute_uv=False)[0] ** 2)
    grid = largest * 10 ** (-8.0 * np.arange(20) / 19)
    errors = np.empty((grid.size, x0.shape[1]))
    for held in range(x0.shape[1]):
        kept = np.arange(x0.shape[1]) != held
        base = simplex_least_squares(x0[:, kept].T, x1[kept])
        imbalance = x1[kept] - (base[:, None] * x0[:, kept]).sum(axis=0)
        for i, penalty in enumerate(grid):
            weights = base + _ridge(x0[:, kept], imbalance, penalty)
            errors[i, held] = (x1[held] - float((weights * x0[:, held]).sum())) ** 2
    return np.column_stack([grid, errors.mean(axis=1), errors.std(axis=1, ddof=1) / np.sqrt(errors.shape[1])])


def _choose(table: Floats, one_se: bool) -> float:
    best = int(np.argmin(table[:, 1]))
    if not one_se:
        return float(table[best, 0])
    return float(table[table[:, 1] <= table[best, 1] + table[best, 2], 0].max())
