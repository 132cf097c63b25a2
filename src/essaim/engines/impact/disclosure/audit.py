"""What an attacker can deduce: for every hidden cell, the interval compatible with everything published (linear programme).

The attacker knows the published cells, the additivity of the tables, that values are not negative, and possibly some hidden cells
(an insider knows their own contribution). An interval narrower than the required protection is a disclosure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog
from scipy.sparse import csr_array

from essaim.engines.impact.disclosure.tables import Cells, Key
from essaim.engines.impact.refusal import Refusal

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """What the attacker learns of one hidden cell: ``low`` to ``high`` (inf when unbounded), and its true ``value``."""

    key: Key
    value: float
    low: float
    high: float

    def protects(self, protection: float, tolerance: float = 1e-6) -> bool:
        """The interval reaches ``protection`` on both sides of the value (downwards: at most to zero)."""
        slack = tolerance * max(1.0, abs(self.value))
        down = self.value - self.low >= min(protection, self.value) - slack if self.value >= 0 else True
        return bool(down and self.high - self.value >= protection - slack)

    @property
    def is_exact(self) -> bool:
        """The attacker finds the value exactly."""
        return self.high - self.low <= 1e-6 * max(1.0, abs(self.value))


def feasible_range(equations: csr_array, right: Floats, target: Floats, lower: Floats, upper: Floats) -> tuple[float, float]:
    """Smallest and largest ``target @ x`` under ``equations @ x = right`` and bounds. Refuses contradictory publications."""
    ends = []
    for sign in (1.0, -1.0):
        found = linprog(sign * target, A_eq=equations, b_eq=right, bounds=np.column_stack([lower, upper]), method="highs")
        if found.status == 3:
            ends.append(-np.inf * sign)
        elif found.status != 0:
            raise Refusal("inconsistent", "Les publications se contredisent : aucune table ne les respecte toutes.")
        else:
            ends.append(sign * float(found.fun))
    return ends[0], ends[1]


def _independent(equations: csr_array, hidden: npt.NDArray[np.int64], values: Floats) -> tuple[csr_array, Floats]:
    """Relations among hidden cells only: left side on them, right side from what is published. Empty rows dropped."""
    left = equations[:, hidden]
    known = np.ones(values.size, bool)
    known[hidden] = False
    right = -(equations @ np.where(known, values, 0.0))
    used = np.diff(left.indptr) > 0
    return csr_array(left[used]), right[used]


def audit(cells: Cells, suppressed: Collection[Key], *, known: Collection[Key] = (),
          upper: Mapping[Key, float] | None = None) -> tuple[Interval, ...]:
    """Attacker's interval of every suppressed cell not in ``known``. ``upper``: bounds the attacker knows beforehand."""
    index = cells.index()
    unknown = [k for k in suppressed if k not in index]
    if unknown:
        raise Refusal("unknown-cell", f"Cellule supprimée absente des tables : {dict(unknown[0])}.")
    inside = set(known)
    hidden = np.array(sorted(index[k] for k in set(suppressed) - inside), np.int64)
    if hidden.size == 0:
        return ()
    left, right = _independent(cells.equations, hidden, cells.values)
    low = np.where(cells.values[hidden] < 0, -np.inf, 0.0)
    high = np.array([np.inf if upper is None else upper.get(cells.keys[i], np.inf) for i in hidden])
    out = []
    for j, i in enumerate(hidden):
        target = np.zeros(hidden.size)
        target[j] = 1.0
        bounds = feasible_range(left, right, target, low, high)
        out.append(Interval(cells.keys[i], float(cells.values[i]), *bounds))
    return tuple(out)
