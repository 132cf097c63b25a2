"""Power of a difference-in-differences before it exists: pretend roll-outs on the real past.

The future study will compare waves of treated clusters with clusters never treated. On past periods, where nothing was
deployed, the same roll-out is drawn many times among the real clusters; the estimates are pure noise and their spread is
what an effect must exceed (Bertrand, Duflo & Mullainathan 2004; Rambachan & Roth 2023 on design-based reading). The estimate
is the Callaway–Sant'Anna simple aggregate with never-treated comparison, linear in cluster means, so a thousand
roll-outs cost milliseconds. Power is that of the permutation test that the study will use.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from essaim.engines.impact.design.rollout_estimate import (
    permuted_waves,
    rollout_changes,
    rollout_estimates,
    strata_codes,
)
from essaim.engines.impact.refusal import Refusal

Floats = npt.NDArray[np.float64]
SLACK = 1e-12


@dataclass(frozen=True, slots=True)
class PlaceboPower:
    """Noise of pretend roll-outs and what can be detected. Effects in outcome units.

    ``noise``: sorted pretend estimates; ``critical``: smallest absolute estimate that rejects at ``alpha``; ``mde``: smallest
    effect detected with ``target`` whatever its sign; ``enumerated``: every assignment was tried."""

    noise: tuple[float, ...]
    spread: float
    critical: float
    mde: float
    alpha: float
    target: float
    clusters: int
    treated: int
    assignments: float
    enumerated: bool
    windows: int

    def power(self, effect: float) -> float:
        """Probability of rejecting when the true effect is ``effect`` (the less favourable sign)."""
        e = np.asarray(self.noise)
        limit = self.critical - SLACK
        return float(min(np.mean(np.abs(effect + e) >= limit), np.mean(np.abs(e - effect) >= limit)))


def _clean(means: Floats, weights: Floats | None) -> tuple[Floats, Floats]:
    y = np.asarray(means, float)
    if y.ndim != 2 or not np.isfinite(y).all():
        raise Refusal("placebo-panel", "Il faut la moyenne de chaque grappe à chaque période passée, sans manque.")
    w = np.ones(y.shape[0]) if weights is None else np.asarray(weights, float)
    if w.shape != (y.shape[0],) or (w <= 0).any():
        raise Refusal("weights", "Un poids strictement positif est attendu par grappe.")
    return y, w


def _enumerate(clusters: int, counts: Sequence[int]) -> npt.NDArray[np.int64]:
    """Every way to place the waves among the clusters (one stratum)."""

    def place(free: tuple[int, ...], wave: int, row: list[int]) -> list[list[int]]:
        if wave == len(counts):
            return [row]
        out: list[list[int]] = []
        for chosen in combinations(free, counts[wave]):
            filled = list(row)
            for i in chosen:
                filled[i] = wave
            out.extend(place(tuple(i for i in free if i not in chosen), wave + 1, filled))
        return out

    return np.asarray(place(tuple(range(clusters)), 0, [-1] * clusters), np.int64)


def _assignments(counts: Sequence[int], strata: npt.NDArray[np.int64], plan: npt.NDArray[np.int64]) -> float:
    """Number of distinct assignments, as a float because it may be astronomical."""
    log = 0.0
    for code in np.unique(strata):
        inside = plan[strata == code]
        log += math.lgamma(inside.size + 1)
        for wave in range(-1, len(counts)):
            log -= math.lgamma(int((inside == wave).sum()) + 1)
    return round(math.exp(min(log, 600.0)))


def _detectable(noise: Floats, alpha: float, target: float) -> tuple[float, float]:
    """Critical absolute value and minimum detectable effect from the noise of the permutation distribution."""
    size = np.sort(np.abs(noise))[::-1]
    allowed = math.floor(alpha * size.size + SLACK)
    if allowed < 1:
        raise Refusal("too-few-assignments",
                      f"Seulement {size.size} affectations possibles : même l'effet le plus net ne peut pas être déclaré au "
                      f"seuil de {alpha:.0%}. Cette question ne peut pas recevoir de réponse avec si peu de grappes.")
    critical = float(size[allowed - 1])
    if int((size >= critical - SLACK).sum()) > allowed:
        above = size[size > critical + SLACK]
        if above.size == 0:
            raise Refusal("too-few-assignments", "Les affectations possibles sont trop peu nombreuses pour ce seuil.")
        critical = float(above[-1])
    need = math.ceil(target * noise.size - SLACK)
    up = np.sort(critical - noise)[need - 1]
    down = np.sort(critical + noise)[need - 1]
    return critical, float(max(up, down, 0.0))


def _plan(starts: Mapping[int, int], clusters: int, strata: Sequence[object] | None,
          plan: Sequence[int] | None) -> tuple[list[int], list[int], npt.NDArray[np.int64]]:
    order = sorted(start for start, count in starts.items() if count > 0)
    counts = [int(starts[start]) for start in order]
    if not order or order[0] < 1:
        raise Refusal("starts", "Chaque vague démarre après au moins une période d'observation (départ >= 1).")
    if sum(counts) >= clusters:
        raise Refusal("no-never-treated", "Toutes les grappes sont traitées : il ne reste aucune comparaison.")
    if strata is not None and plan is None:
        raise Refusal("strata-plan", "Avec des strates, donner la vague prévue de chaque grappe (plan).")
    if plan is not None:
        index = {start: wave for wave, start in enumerate(order)}
        waves = np.array([index.get(int(value), -1) if value is not None and value >= 0 else -1 for value in plan], np.int64)
        if waves.size != clusters or any(int((waves == k).sum()) != c for k, c in enumerate(counts)):
            raise Refusal("strata-plan", "Le plan par grappe ne correspond pas au nombre de grappes de chaque vague.")
        return order, counts, waves
    return order, counts, np.repeat(np.arange(-1, len(order)), [clusters - sum(counts), *counts]).astype(np.int64)


def placebo_rollouts(means: Floats, starts: Mapping[int, int], *, horizon: int | None = None,
                     weights: Floats | None = None, strata: Sequence[object] | None = None, plan: Sequence[int] | None = None,
                     alpha: float = 0.05, power: float = 0.80, draws: int = 1999, seed: int = 0) -> PlaceboPower:
    """Noise, critical value and minimum detectable effect of a roll-out, from the past of the real clusters.

    ``means``: clusters × past periods. ``starts``: period index in the study (>= 1) → number of clusters starting then.
    ``horizon``: periods in the study (default: all the past); when shorter than the past, every window is used.
    ``strata`` with ``plan`` (start of each cluster, negative for never): waves are permuted inside strata only."""
    y, w = _clean(means, weights)
    clusters, periods = y.shape
    length = periods if horizon is None else horizon
    order, counts, base = _plan(starts, clusters, strata, plan)
    if not order[-1] < length <= periods:
        raise Refusal("horizon", f"La dernière vague part à la période {order[-1]} pour un horizon de {length} et "
                                 f"{periods} périodes passées : le passé connu est trop court.")
    codes = strata_codes(strata, clusters)
    total = _assignments(counts, codes, base)
    enumerated = total <= draws and strata is None
    rng = np.random.default_rng(seed)
    waves = _enumerate(clusters, counts) if enumerated else permuted_waves(base, codes, draws, rng)
    spans = np.array([length - start for start in order], float)
    windows = range(periods - length + 1)
    noise = np.sort(np.concatenate(
        [rollout_estimates(rollout_changes(y, order, length, start), waves, w, spans) for start in windows]))
    if total * alpha < 1 - SLACK:
        _detectable(np.zeros(int(total)), alpha, power)
    critical, mde = _detectable(noise, alpha, power)
    return PlaceboPower(tuple(noise.tolist()), float(noise.std()), critical, mde, alpha, power, clusters, sum(counts),
                        total, enumerated, len(windows))


def treated_needed(means: Floats, effect: float, start: int, *, horizon: int | None = None, alpha: float = 0.05,
                   power: float = 0.80, draws: int = 999, seed: int = 0) -> int | None:
    """Fewest clusters treated at once that detect ``effect`` with ``power``; None when even half of them do not."""
    for count in range(1, np.asarray(means).shape[0] // 2 + 1):
        try:
            found = placebo_rollouts(means, {start: count}, horizon=horizon, alpha=alpha, power=power, draws=draws, seed=seed)
        except Refusal as refusal:
            if refusal.code != "too-few-assignments":
                raise
            continue
        if found.mde <= abs(effect):
            return count
    return None
