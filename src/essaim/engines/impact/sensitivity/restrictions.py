"""How trends may depart from parallel ones, as polyhedra of the coefficients' bias: the sets of Rambachan & Roth (2023, §2.4) and of R
HonestDiD. A set is a union of polyhedra ``matrix @ δ ≤ limit`` over pre- then post-treatment biases, the reference period left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from essaim.engines.impact.refusal import Refusal
from essaim.engines.impact.sensitivity.smoothness import Trends

Floats = NDArray[np.float64]

BASES = ("SD", "RM", "SDRM")
SIGNS = {None: "", "positive": "PB", "negative": "NB"}
SHAPES = {None: "", "increasing": "I", "decreasing": "D"}


@dataclass(frozen=True, slots=True)
class Restriction:
    """``base``: SD bounds second differences by M; RM bounds moves between periods by M̄ times the largest past one (departure from
    parallel trends); SDRM bounds second differences by M̄ times the largest past one (departure from a linear trend). ``bias``:
    sign of the post-treatment bias; ``monotone``: direction of the trend, before and after."""

    base: str = "SD"
    bias: str | None = None
    monotone: str | None = None

    def __post_init__(self) -> None:
        if self.base not in BASES or self.bias not in SIGNS or self.monotone not in SHAPES:
            raise Refusal("restriction", "Restriction inconnue : base SD, RM ou SDRM ; signe positive ou negative ; sens increasing ou decreasing.")

    @property
    def name(self) -> str:
        """Name in R HonestDiD: DeltaSD, DeltaSDPB, DeltaRMI, DeltaSDRMNB…"""
        return f"Delta{self.base}{SIGNS[self.bias]}{SHAPES[self.monotone]}"

    @property
    def is_plain(self) -> bool:
        """Whether neither a sign nor a direction is imposed."""
        return self.bias is None and self.monotone is None


@dataclass(frozen=True, slots=True)
class Polyhedron:
    """``matrix`` (R, n), ``limit`` (R,)."""

    matrix: Floats
    limit: Floats


def polyhedra(t: Trends, restriction: Restriction, bound: float) -> list[Polyhedron]:
    """Polyhedra whose union is the set for ``bound`` (M or M̄). Refuses a negative bound and too few past periods."""
    if not bound >= 0:
        raise Refusal("bound", "L'écart permis aux tendances ne peut pas être négatif.")
    if restriction.base == "SDRM" and t.before < 2:
        raise Refusal("past", "L'écart à une tendance linéaire se mesure sur deux coefficients d'avant traitement au moins.")
    moves = _moves(t)
    steps = moves if restriction.base == "RM" else moves[1:] - moves[:-1]
    extra = _shape(t, restriction, moves)
    if restriction.base == "SD":
        matrix = np.vstack([steps, -steps, extra])
        return [Polyhedron(matrix, np.concatenate([np.full(2 * len(steps), bound), np.zeros(len(extra))]))]
    past = len(steps) - t.after
    scale = np.where(np.arange(len(steps)) < past, 1.0, bound)[:, None]
    out = []
    for s in range(past):
        for sign in (1.0, -1.0):
            largest = scale * (sign * steps[s])
            matrix = np.vstack([steps - largest, -steps - largest])
            matrix = np.vstack([matrix[np.abs(matrix).max(axis=1) > 1e-12], extra])
            out.append(Polyhedron(matrix, np.zeros(len(matrix))))
    return out


def _moves(t: Trends) -> Floats:
    """(n, n) moves of δ between consecutive periods, the reference (always nil) left out of the columns."""
    n = t.value.size
    full = np.eye(n, n + 1, k=1) - np.eye(n, n + 1)
    return np.delete(full, t.before, axis=1)


def _shape(t: Trends, restriction: Restriction, moves: Floats) -> Floats:
    """Rows of the sign and direction restrictions, (r, n)."""
    rows = [np.zeros((0, t.value.size))]
    if restriction.bias is not None:
        rows.append(np.eye(t.value.size)[t.before :] * (-1.0 if restriction.bias == "positive" else 1.0))
    if restriction.monotone is not None:
        rows.append(moves * (-1.0 if restriction.monotone == "increasing" else 1.0))
    return np.vstack(rows)
