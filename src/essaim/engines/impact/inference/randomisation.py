"""Randomisation inference over clusters: exact under the sharp null when the assignment was drawn as declared (Fisher 1935;
Rosenbaum 2002; Young 2019). Where départements were chosen, not drawn, it is a permutation test under exchangeability: say so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from essaim.engines.impact.inference.assignments import Assignments, assignments

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SLACK = 1e-12


class Statistic(Protocol):
    """What can be permuted: effects (B, K) of cohorts (B, C), linear in the outcome; ``constant_effect`` gives the same effects of the
    real treatment taken as an outcome."""

    def __call__(self, assignment: Floats, /) -> Floats:
        """Effects under each assignment."""

    def constant_effect(self, cohort: Floats, /) -> Callable[[Floats], Floats]:
        """Effects of the treatment of ``cohort`` (C,) under each assignment."""


@dataclass(frozen=True, slots=True)
class RandomisationTest:
    """``observed`` effect; ``p_value`` two-sided on |effect|, ``p_greater`` and ``p_less`` one-sided; ``low``, ``high`` the interval
    of constant effects not rejected (infinite when the assignments are too few); ``smallest_p`` attainable; ``draws`` (B,)."""

    observed: float
    p_value: float
    p_greater: float
    p_less: float
    low: float
    high: float
    level: float
    smallest_p: float
    enumerated: bool
    possible: int
    seed: int | None
    draws: Floats = field(repr=False)


def randomisation_test(
    statistic: Statistic, cohort: Floats, *, strata: Ints | None = None, draws: int = 9_999, seed: int = 20240901,
    level: float = 0.95, accept: Callable[[Floats], NDArray[np.bool_]] | None = None, space: Assignments | None = None,
    enumerate_up_to: int = 20_000,
) -> RandomisationTest:  # fmt: skip
    """Test the first effect of ``statistic`` against the assignments of ``cohort`` (C,) that could have happened."""
    if space is None:
        space = assignments(cohort, strata=strata, draws=draws, seed=seed, accept=accept, enumerate_up_to=enumerate_up_to)
    effect = statistic(space.cohort)[:, 0]
    observed = float(statistic(np.asarray(cohort, np.float64)[None])[0, 0])
    slack = SLACK * max(1.0, abs(observed))
    unit = statistic.constant_effect(np.asarray(cohort, np.float64))(space.cohort)[:, 0]
    low, high = invert(effect, observed, unit, space, level)
    return RandomisationTest(
        observed, space.p_value(np.abs(effect) >= abs(observed) - slack), space.p_value(effect >= observed - slack),
        space.p_value(effect <= observed + slack), low, high, level,
        1 / len(effect) if space.enumerated else 1 / (1 + len(effect)), space.enumerated, space.possible, space.seed, effect,
    )  # fmt: skip


def invert(effect: Floats, observed: float, unit: Floats, space: Assignments, level: float) -> tuple[float, float]:
    """Interval of constant effects τ with p(τ) > 1 − level, exactly.

    Under effect τ, assignment b estimates ``effect_b − τ·unit_b`` on outcomes cleared of τ. It is at least as extreme as the real
    one (``observed − τ``) exactly for τ in an interval around ``observed``, so p falls on both sides and its ends are order statistics.
    """
    slack = SLACK * max(1.0, abs(observed))
    with np.errstate(divide="ignore", invalid="ignore"):
        one = np.where(1 - unit > SLACK, (observed - effect) / (1 - unit), np.nan)
        two = np.where(1 + unit > SLACK, (observed + effect) / (1 + unit), np.nan)
    low = np.fmin(np.where(np.isnan(one), -np.inf, one), np.where(np.isnan(two), -np.inf, two))
    high = np.fmax(np.where(np.isnan(one), np.inf, one), np.where(np.isnan(two), np.inf, two))
    same = (np.abs(unit) >= 1 - SLACK) & (np.abs(np.abs(effect) - abs(observed)) <= slack)
    low, high = np.where(same, -np.inf, low), np.where(same, np.inf, high)
    if not space.enumerated:
        low, high = np.append(low, -np.inf), np.append(high, np.inf)
    rank = int(np.floor((1 - level) * low.size + 1e-9))
    return float(np.sort(low)[rank]), float(-np.sort(-high)[rank])


@dataclass(frozen=True, slots=True)
class MaxT:
    """Family of K effects: ``p_value`` unadjusted, ``adjusted`` Romano–Wolf step-down p values (family-wise), both (K,)."""

    names: tuple[str, ...]
    observed: Floats
    p_value: Floats
    adjusted: Floats
    enumerated: bool


def romano_wolf(
    statistic: Callable[[Floats], Floats], cohort: Floats, space: Assignments, names: tuple[str, ...] | None = None,
) -> MaxT:  # fmt: skip
    """Max-t step-down (Romano & Wolf 2005) from one set of assignments: every effect is divided by its standard deviation over
    the assignments, and each is compared with the largest among those not yet rejected."""
    effect = statistic(space.cohort)
    observed = statistic(np.asarray(cohort, np.float64)[None])[0]
    scale = effect.std(axis=0)
    if (scale == 0).any():
        raise ValueError("an effect does not vary over the assignments")
    t, real = np.abs(effect / scale), np.abs(observed / scale)
    single = np.array([space.p_value(t[:, k] >= real[k] - SLACK * max(1.0, real[k])) for k in range(real.size)])
    order = np.argsort(-real, kind="stable")
    adjusted = np.empty(real.size)
    running = np.maximum.accumulate(t[:, order][:, ::-1], axis=1)[:, ::-1]
    worst = 0.0
    for step, k in enumerate(order):
        worst = max(worst, space.p_value(running[:, step] >= real[k] - SLACK * max(1.0, real[k])))
        adjusted[k] = worst
    return MaxT(names or tuple(str(k) for k in range(real.size)), observed, single, adjusted, space.enumerated)
