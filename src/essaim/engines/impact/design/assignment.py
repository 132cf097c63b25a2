"""Random assignment with a published seed: stratified, rerandomised, stepped wedge.

The outcome depends only on the labels (sorted), the covariates, the arms and the seed, never on the order of the file, so
that anyone can redo the draw. ``seed`` is an integer or any published text (a lottery result, a date): its SHA-256 is used.
Rerandomisation: Morgan & Rubin (2012), Mahalanobis distance between arms; the set of acceptable assignments is
itself available, because the permutation test must use it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2

from essaim.engines.impact.refusal import Refusal

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
BATCH = 256


@dataclass(frozen=True, slots=True)
class Assignment:
    """Arms drawn. ``arm[i]`` of ``labels[i]``: 0 = comparison (or never), 1… = arm or wave; labels sorted.

    ``distance``: Mahalanobis distance between arms (None without covariates), ``threshold`` that it had to respect,
    ``attempts`` draws made; ``fingerprint``: SHA-256 of labels, arms, strata and seed."""

    labels: tuple[str, ...]
    arm: tuple[int, ...]
    sizes: tuple[int, ...]
    strata: tuple[str, ...] | None
    seed: str
    method: str
    attempts: int
    distance: float | None
    threshold: float | None
    fingerprint: str


def seed_number(published: str | int) -> int:
    """Integer seed of a published text or number."""
    text = str(published).strip()
    if not text:
        raise Refusal("seed", "Le tirage demande une graine publiée (texte ou nombre).")
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def arm_sizes(units: int, shares: Sequence[float]) -> tuple[int, ...]:
    """Whole numbers proportional to ``shares`` (any positive scale) adding up to ``units`` (largest remainder)."""
    weight = np.asarray(shares, float)
    if weight.size < 2 or (weight <= 0).any():
        raise Refusal("arms", "Il faut au moins deux bras, chacun de part strictement positive.")
    exact = weight / weight.sum() * units
    size = np.floor(exact + 1e-9).astype(int)
    for i in np.argsort(-(exact - size), kind="stable")[: units - int(size.sum())]:
        size[i] += 1
    if (size == 0).any():
        raise Refusal("arms", f"{units} unités ne permettent pas de remplir {weight.size} bras.")
    return tuple(int(v) for v in size)


def _strata_rows(strata: Sequence[str] | None, units: int) -> list[Ints]:
    if strata is None:
        return [np.arange(units)]
    names = np.asarray([str(s) for s in strata])
    return [np.flatnonzero(names == name) for name in sorted(set(names.tolist()))]


def _one_draw(rows: list[Ints], sizes: tuple[int, ...], rng: np.random.Generator) -> Ints:
    """One stratified draw: every unit has the same chance of each arm, arm totals are exact, and each stratum departs from its
    exact share by less than one unit per arm (systematic sampling of shuffled strata, one arm after the other)."""
    sequence = np.concatenate([rng.permutation(rows[k]) for k in rng.permutation(len(rows))])
    arm = np.full(sequence.size, len(sizes) - 1, np.int64)
    for k, size in enumerate(sizes[:-1]):
        share = size / sequence.size
        steps = np.floor(np.arange(sequence.size + 1) * share + rng.random() + 1e-12)
        chosen = np.diff(steps) > 0
        arm[sequence[chosen]] = k
        sequence = sequence[~chosen]
    return arm


def arm_distance(covariates: Floats, arms: Ints) -> Floats:
    """Mahalanobis distance between arms for each row of ``arms`` (draws × units).

    Sum over arms of n_k (mean_k - mean)' S^-1 (mean_k - mean); with two arms it is the Morgan–Rubin distance."""
    x = np.asarray(covariates, float)
    centred = x - x.mean(axis=0)
    spread = centred.T @ centred / (x.shape[0] - 1)
    values, vectors = np.linalg.eigh(spread)
    keep = values > 1e-10 * max(float(values.max()), 1e-300)
    white = centred @ (vectors[:, keep] / np.sqrt(values[keep]))
    out = np.zeros(arms.shape[0])
    for k in range(int(arms.max()) + 1):
        inside = (arms == k).astype(float)
        size = inside.sum(axis=1)
        out += ((inside @ white) ** 2).sum(axis=1) / size
    return out


def covariate_rank(covariates: Floats) -> int:
    """Number of linearly independent covariates after centring."""
    x = np.asarray(covariates, float)
    return int(np.linalg.matrix_rank(x - x.mean(axis=0)))


def _ordered(labels: Sequence[str], covariates: Floats | None,
             strata: Sequence[str] | None) -> tuple[tuple[str, ...], Floats | None, tuple[str, ...] | None]:
    names = [str(label) for label in labels]
    if len(set(names)) != len(names):
        raise Refusal("duplicate-unit", "Une même unité apparaît deux fois dans la liste à tirer.")
    order = sorted(range(len(names)), key=names.__getitem__)
    x = None
    if covariates is not None:
        x = np.asarray(covariates, float)
        x = (x[:, None] if x.ndim == 1 else x)[order]
        if x.shape[0] != len(names) or not np.isfinite(x).all():
            raise Refusal("covariates", "Chaque unité doit avoir toutes ses covariables pour un tirage équilibré.")
    strat = tuple(str(strata[i]) for i in order) if strata is not None else None
    return tuple(names[i] for i in order), x, strat


def _fingerprint(labels: tuple[str, ...], arm: tuple[int, ...], strata: tuple[str, ...] | None, seed: str) -> str:
    text = json.dumps([labels, arm, strata, seed], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _sealed(labels: tuple[str, ...], arm: Ints, sizes: tuple[int, ...], strata: tuple[str, ...] | None, seed: str | int,
            method: str, attempts: int, distance: float | None, threshold: float | None) -> Assignment:
    chosen = tuple(int(a) for a in arm)
    return Assignment(labels, chosen, sizes, strata, str(seed), method, attempts, distance, threshold,
                      _fingerprint(labels, chosen, strata, str(seed)))


def stratified(labels: Sequence[str], shares: Sequence[float], *, seed: str | int, strata: Sequence[str] | None = None,
               method: str = "stratifié") -> Assignment:
    """Draw arms in proportion to ``shares`` (first share: arm 0, the comparison), inside ``strata`` when given."""
    names, _, strat = _ordered(labels, None, strata)
    sizes = arm_sizes(len(names), shares)
    arm = _one_draw(_strata_rows(strat, len(names)), sizes, np.random.default_rng(seed_number(seed)))
    return _sealed(names, arm, sizes, strat, seed, method, 1, None, None)


def stepped_wedge(labels: Sequence[str], waves: Sequence[int], *, seed: str | int,
                  strata: Sequence[str] | None = None) -> Assignment:
    """Draw the wave of each unit: ``waves[k]`` units start at wave k+1; arm = wave (1…). Sizes must add up."""
    if sum(waves) != len(labels):
        raise Refusal("waves", f"Les vagues comptent {sum(waves)} unités pour {len(labels)} unités à tirer.")
    drawn = stratified(labels, waves, seed=seed, strata=strata, method="paliers")
    arm = np.asarray(drawn.arm) + 1
    return _sealed(drawn.labels, arm, drawn.sizes, drawn.strata, seed, "paliers", 1, None, None)


def rerandomised(labels: Sequence[str], covariates: Floats, shares: Sequence[float], *, seed: str | int,
                 strata: Sequence[str] | None = None, acceptance: float = 0.01, attempts: int = 100_000) -> Assignment:
    """Draw until the Mahalanobis distance between arms is below its ``acceptance`` quantile (chi-square, p(K-1) df)."""
    if not 0 < acceptance <= 1:
        raise Refusal("acceptance", "La part de tirages acceptés est comprise entre 0 (exclu) et 1.")
    names, x, strat = _ordered(labels, covariates, strata)
    assert x is not None
    sizes = arm_sizes(len(names), shares)
    if covariate_rank(x) == 0:
        raise Refusal("covariates", "Aucune covariable ne varie : il n'y a rien à équilibrer.")
    threshold = float(chi2.ppf(acceptance, covariate_rank(x) * (len(sizes) - 1)))
    rng = np.random.default_rng(seed_number(seed))
    rows = _strata_rows(strat, len(names))
    for attempt in range(1, attempts + 1):
        arm = _one_draw(rows, sizes, rng)
        distance = float(arm_distance(x, arm[None, :])[0])
        if distance <= threshold:
            return _sealed(names, arm, sizes, strat, seed, "re-tiré", attempt, distance, threshold)
    raise Refusal("unbalanced", f"Aucun tirage assez équilibré en {attempts} essais : réduire le nombre de covariables "
                                "ou accepter une part plus grande de tirages.")


def assignment_set(assignment: Assignment, draws: int, *, seed: int, covariates: Floats | None = None) -> Ints:
    """``draws`` other assignments that the same procedure could have produced, draws × units (order of ``labels``).

    ``covariates`` (same order as ``assignment.labels``) are needed when the draw was rerandomised: only acceptable
    assignments are kept, as the permutation test requires."""
    rng = np.random.default_rng(seed)
    rows = _strata_rows(assignment.strata, len(assignment.labels))
    shift = 1 if assignment.method == "paliers" else 0
    if assignment.threshold is None:
        return np.asarray([_one_draw(rows, assignment.sizes, rng) for _ in range(draws)]) + shift
    if covariates is None:
        raise Refusal("covariates", "Le tirage était équilibré sur des covariables : elles sont nécessaires au test.")
    kept: list[Ints] = []
    while len(kept) < draws:
        batch = np.asarray([_one_draw(rows, assignment.sizes, rng) for _ in range(BATCH)])
        kept.extend(batch[arm_distance(covariates, batch) <= assignment.threshold])
    return np.asarray(kept[:draws])
