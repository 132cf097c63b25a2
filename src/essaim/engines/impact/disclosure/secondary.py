"""Secondary suppression: the cheapest set of further cells to hide so that no primary cell can be recomputed.

Exact model of Fischetti & Salazar (2000), one pair of flows for each primary cell: a hidden table must exist at ``protection`` above
and another below the truth, moving only hidden cells. Solved with HiGHS as one integer programme when it is small enough, otherwise
one primary cell after the other with what is already hidden free of charge. Every result is audited by linear
programming before it is returned.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.sparse import block_diag, csr_array, diags_array, hstack, vstack
from scipy.sparse import eye_array as eye

from essaim.engines.impact.disclosure.audit import Interval, audit
from essaim.engines.impact.disclosure.integer_programme import minimise
from essaim.engines.impact.disclosure.primary import Sensitive
from essaim.engines.impact.disclosure.tables import Cells, Key
from essaim.engines.impact.refusal import Refusal

Floats = npt.NDArray[np.float64]
EXACT_LIMIT = 20_000
# No cell needs to move by more than the protection in a two-way or hierarchical table; four times leaves room beyond.
REACH = 4.0


@dataclass(frozen=True, slots=True)
class Suppression:
    """Hidden cells and their proof. ``cost`` sums the cost of every hidden cell; ``intervals`` are the attacker's;
    ``is_optimal``: proved cheapest; ``exposed``: primary cells that the audit still finds insufficiently protected."""

    primary: tuple[Key, ...]
    secondary: tuple[Key, ...]
    cost: float
    intervals: tuple[Interval, ...]
    is_optimal: bool
    exposed: tuple[Key, ...]

    def is_hidden(self, key: Key) -> bool:
        """The cell is not published."""
        return key in self.primary or key in self.secondary


@dataclass(frozen=True, slots=True)
class _Problem:
    """Costs, cells that cannot be hidden, room to move down and up, flows wanted: (cell, signed amount, insider cells)."""

    cost: Floats
    fixed: npt.NDArray[np.bool_]
    down: Floats
    up: Floats
    flows: tuple[tuple[int, float, tuple[int, ...]], ...]


def _flows(primary: Sequence[tuple[int, float]], values: Floats,
           insiders: Mapping[int, tuple[int, ...]]) -> tuple[tuple[int, float, tuple[int, ...]], ...]:
    out = []
    for i, protection in primary:
        for known in ((), *((q,) for q in insiders.get(i, ()))):
            out.append((i, protection, known))
            if values[i] > 0:
                out.append((i, -min(protection, float(values[i])), known))
    return tuple(out)


def _solve(equations: csr_array, problem: _Problem, hidden: npt.NDArray[np.bool_], seconds: float) -> tuple[
        npt.NDArray[np.bool_], bool]:
    """Hide the cheapest further cells so that every flow exists; ``hidden`` cells are already paid for."""
    n, k = problem.cost.size, len(problem.flows)
    room = [REACH * abs(amount) for _, amount, _ in problem.flows]
    balance = hstack([csr_array((equations.shape[0] * k, n)), block_diag([equations] * k)])
    identity = eye(n * k)
    above = hstack([vstack([diags_array(-np.minimum(problem.up, r)) for r in room]), identity])
    below = hstack([vstack([diags_array(-np.minimum(problem.down, r)) for r in room]), -identity])
    lower = np.concatenate([hidden.astype(float), np.tile(-problem.down, k)])
    upper = np.concatenate([np.where(problem.fixed & ~hidden, 0.0, 1.0), np.tile(problem.up, k)])
    for f, (cell, amount, known) in enumerate(problem.flows):
        at = n + f * n + cell
        lower[at] = upper[at] = amount
        for q in known:
            lower[n + f * n + q] = upper[n + f * n + q] = 0.0
    charged = np.concatenate([np.where(hidden, 0.0, problem.cost), np.zeros(n * k)])
    integral = np.concatenate([np.ones(n), np.zeros(n * k)])
    rows = csr_array(vstack([balance, above, below]))
    floor = np.concatenate([np.zeros(balance.shape[0]), np.full(2 * n * k, -np.inf)])
    found = minimise(charged, rows, floor, np.zeros(rows.shape[0]), lower, upper, integral > 0, seconds)
    if found is None:
        raise Refusal("unprotectable", "Aucune suppression ne protège ces cellules : regrouper des modalités ou ne pas publier.")
    return found[0][:n] > 0.5, found[1]


def _costs(cells: Cells, cost: Mapping[Key, float] | str) -> Floats:
    if cost == "count":
        return np.ones(len(cells.keys))
    if cost == "value":
        return np.maximum(np.abs(cells.values), 1e-6)
    if isinstance(cost, str):
        raise Refusal("cost", "Coût attendu : « value », « count » ou un coût par cellule.")
    return np.array([float(cost[k]) for k in cells.keys])


def _problem(cells: Cells, primary: Sequence[Sensitive], cost: Mapping[Key, float] | str, never: Collection[Key],
             zeros_known: bool, insiders: Mapping[Key, Collection[Key]]) -> tuple[_Problem, list[tuple[int, float]]]:
    index = cells.index()
    if (cells.values < 0).any():
        raise Refusal("negative", "La suppression secondaire attend des valeurs positives ou nulles.")
    fixed = np.array([k in set(never) for k in cells.keys])
    if zeros_known:
        fixed |= cells.values == 0
    top = float(cells.values.max()) if cells.values.size else 0.0
    want = [(index[s.key], s.protection) for s in primary]
    room = np.maximum(top - cells.values, max((p for _, p in want), default=0.0))
    known = {index[k]: tuple(sorted(index[q] for q in v)) for k, v in insiders.items()}
    return _Problem(_costs(cells, cost), fixed, cells.values.copy(), room, _flows(want, cells.values, known)), want


def suppress(cells: Cells, primary: Sequence[Sensitive], *, cost: Mapping[Key, float] | str = "value",
             never: Collection[Key] = (), zeros_known: bool = True, insiders: Mapping[Key, Collection[Key]] | None = None,
             exact: bool | None = None, seconds: float = 60.0) -> Suppression:
    """Cheapest secondary suppression protecting every primary cell.

    ``never``: cells that must stay published; ``zeros_known``: an empty cell fools nobody; ``insiders``: for a primary cell,
    hidden cells whose contributor could attack it. ``exact`` None: one programme when small, else cell by cell."""
    inside = insiders or {}
    problem, want = _problem(cells, primary, cost, never, zeros_known, inside)
    hidden = np.zeros(len(cells.keys), bool)
    hidden[[i for i, _ in want]] = True
    optimal = True
    if exact or (exact is None and len(problem.flows) * len(cells.keys) <= EXACT_LIMIT):
        hidden, optimal = _together(cells, problem, primary, hidden, seconds)
    else:
        hidden, optimal = _one_by_one(cells, problem, want, hidden, seconds), False
    chosen = tuple(s.key for s in primary)
    secondary = tuple(k for k, h in zip(cells.keys, hidden, strict=True) if h and k not in set(chosen))
    intervals = audit(cells, (*chosen, *secondary))
    found = {i.key: i for i in intervals}
    exposed = tuple(s.key for s in primary if not found[s.key].protects(s.protection))
    return Suppression(chosen, secondary, float(problem.cost[hidden].sum()), intervals, optimal, exposed)


def _exposed(cells: Cells, primary: Sequence[Sensitive], hidden: npt.NDArray[np.bool_]) -> list[int]:
    """Positions of the primary cells that an attacker narrows too much."""
    found = {i.key: i for i in audit(cells, [k for k, h in zip(cells.keys, hidden, strict=True) if h])}
    index = cells.index()
    return [index[s.key] for s in primary if not found[s.key].protects(s.protection)]


def _together(cells: Cells, problem: _Problem, primary: Sequence[Sensitive], start: npt.NDArray[np.bool_],
              seconds: float) -> tuple[npt.NDArray[np.bool_], bool]:
    """One programme, flows added only for the cells still exposed: the last one is both cheapest and sufficient.

    A primary cell attacked by an insider always keeps its flows, since the audit of outsiders does not see them."""
    active = {f[0] for f in problem.flows if f[2]}
    hidden, optimal = start, True
    while fresh := set(_exposed(cells, primary, hidden)) - active or (active if hidden is start else set()):
        active |= fresh
        part = replace(problem, flows=tuple(f for f in problem.flows if f[0] in active))
        hidden, optimal = _solve(cells.equations, part, start, seconds)
    return hidden, optimal


def _one_by_one(cells: Cells, problem: _Problem, want: Sequence[tuple[int, float]], hidden: npt.NDArray[np.bool_],
                seconds: float) -> npt.NDArray[np.bool_]:
    """Primary cells by decreasing protection, each paying only for what is not hidden yet."""
    for i, _ in sorted(want, key=lambda w: -w[1]):
        flows = tuple(f for f in problem.flows if f[0] == i)
        hidden, _optimal = _solve(cells.equations, replace(problem, flows=flows), hidden, seconds / max(len(want), 1))
    return hidden
