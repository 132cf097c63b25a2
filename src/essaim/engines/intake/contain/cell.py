"""The contained side: limits itself, computes, leaves a result file. Run as ``python -m …contain.cell FOLDER``."""

from __future__ import annotations

import importlib
import math
import os
import resource
import sys
import traceback
from pathlib import Path
from typing import Any

from ..tables import FileRefused, Limits

_RESERVED = 3 * 2**30


def main(folder: Path) -> int:
    """Read the request of ``folder``, compute it under its limits and store the outcome there."""
    from .exchange import load, store

    module, name, args, named, limits = load(folder, "request")
    restrain(limits)
    try:
        outcome: tuple[str, Any] = ("value", _function(module, name)(*args, **named))
    except FileRefused as refusal:
        outcome = ("refused", (refusal.code, str(refusal)))
    except MemoryError:
        outcome = ("refused", _memory())
    except RecursionError:
        outcome = ("refused", ("too_deep", "Le fichier est imbriqué trop profondément pour être lu comme un tableau."))
    except Exception:
        if os.environ.get("ESSAIM_CELL_DEBUG"):
            traceback.print_exc()
        outcome = ("refused", _broken())
    try:
        store(folder, "result", outcome)
    except MemoryError:
        store(folder, "result", ("refused", _memory()))
    return 0


def restrain(limits: Limits) -> None:
    """Bound address space, processor time, files and core dumps of this process."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    seconds = math.ceil(limits.seconds * (os.cpu_count() or 1)) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    # Allocators reserve far more addresses than they use: the parent watches resident memory, this stops a sudden leap.
    space = limits.memory_bytes + _RESERVED
    resource.setrlimit(resource.RLIMIT_AS, (space, space))
    resource.setrlimit(resource.RLIMIT_FSIZE, (limits.unpacked_bytes * 4, limits.unpacked_bytes * 4))


def _function(module: str, name: str) -> Any:
    if not module.startswith("essaim.") or "." in name:
        raise ValueError("only essaim functions run contained")
    return getattr(importlib.import_module(module), name)


def _memory() -> tuple[str, str]:
    return (
        "too_much_memory",
        "La lecture du fichier demande trop de mémoire : retirez les feuilles et les colonnes inutiles, ou découpez-le.",
    )


def _broken() -> tuple[str, str]:
    return (
        "unreadable_file",
        "Le fichier n'a pas pu être lu : il est sans doute endommagé. Enregistrez-le de nouveau, puis renvoyez-le.",
    )


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
