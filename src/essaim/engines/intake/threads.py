"""Work on long columns shared between processors."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Done = TypeVar("Done")
# Under it, what is left to Python keeps threads waiting for one another, and they cost more than they save.
_WORTH_THREADS = 200_000


def side_by_side(work: Callable[[Item], Done], items: Sequence[Item], size: int) -> list[Done]:
    """``work`` on each item, over several threads when columns of ``size`` rows are worth it: polars leaves the interpreter."""
    if size < _WORTH_THREADS:
        return [work(item) for item in items]
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        return list(pool.map(work, items))
