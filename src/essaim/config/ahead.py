"""What the first pages read is loaded while nobody waits for it: the register, the cells written down, DuckDB."""

from __future__ import annotations

import logging
import threading

THREAD = "essaim-ahead"


def load_ahead() -> threading.Thread:
    """Loads it in a thread of its own, which a request that comes meanwhile does not wait for."""
    thread = threading.Thread(target=_load, name=THREAD, daemon=True)
    thread.start()
    return thread


def _load() -> None:
    from django.db import connections

    from essaim.config.lightness import give_memory_back
    from essaim.evaluation.tasks import load_figures

    try:
        if load_figures():
            import duckdb  # noqa: F401  reconciliations and order lines

            give_memory_back()
    except Exception:
        # A new installation, a base away for a moment: the first page will load it, or tell.
        logging.getLogger("essaim.ahead").info("nothing loaded ahead", exc_info=True)
    finally:
        connections.close_all()
