"""Roll-ups that another one tells: a département adds its districts, when no establishment is in two of them or in none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from essaim.engines.measures.rollup import Groups


def told_by(coarse: Groups, known: Iterable[Groups]) -> Groups:
    """The same roll-up, with the smallest of ``known`` that tells it and is worth it: half as many runs as there are
    establishments at most."""
    if not len(coarse.schools):
        return coarse
    size, found = int(coarse.schools.max()) + 1, None
    for fine in sorted(known, key=lambda item: len(item.starts)):
        if len(coarse.starts) <= len(fine.starts) <= len(coarse.schools) // 2:
            found = _runs_at(coarse, size) if found is None else found
            owner = _owners(fine, found, size)
            if owner is not None:
                return replace(coarse, finer=(fine, owner))
    return coarse


def _owners(fine: Groups, coarse: np.ndarray | None, size: int) -> np.ndarray | None:
    """The coarse run that holds each fine one whole; None when one is split, or when an establishment is not in as many."""
    if coarse is None or int(fine.schools.max()) >= size:
        return None
    own = _runs_at(fine, size)
    if own is None:
        return None
    own, coarse = np.broadcast_arrays(own, coarse)
    inside = own >= 0
    if not (inside == (coarse >= 0)).all():
        return None
    own, coarse = own[inside], coarse[inside]
    owner = np.zeros(len(fine.starts), dtype=np.int64)
    owner[own] = coarse
    return owner if (owner[own] == coarse).all() else None


def _runs_at(groups: Groups, size: int) -> np.ndarray | None:
    """The run of each establishment in each period (one column when none ever moves), −1 without; None when one is in
    several at once."""
    width = 1 if groups.mask is None else groups.mask.shape[1]
    found, count = np.full((size, width), -1, dtype=np.int32), 0
    for part in groups.parts:
        if part.mask is not None:
            member, period = np.nonzero(part.mask)
            found[part.schools[member], period] = part.run[member]
            count += len(member)
        else:
            columns = np.arange(width) if part.columns is None else part.columns
            found[part.schools[:, None], columns] = part.run[:, None]
            count += len(part.schools) * len(columns)
    return found if int(np.count_nonzero(found >= 0)) == count else None
