"""What keeps a process that runs all day small: libraries that it never uses are not loaded behind its back, what it no longer
uses returns to the machine."""

from __future__ import annotations

import ctypes
import gc
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec


class _Absent(MetaPathFinder):
    """Says that one library is not installed."""

    def __init__(self, library: str) -> None:
        self.library = library

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if fullname == self.library:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        return None


def arrow_without_pandas() -> None:
    """Arrow loads pandas at the first list it is given, only to know whether it is a Series: some 30 MB and half a second of
    every process, for tables that are never handed over as pandas. It looks once: it finds none. Nothing when pandas is loaded
    already (Spark hands its results over with it); ``import pandas`` keeps working for whoever asks."""
    if "pandas" in sys.modules:
        return
    import pyarrow as pa

    absent = _Absent("pandas")
    sys.meta_path.insert(0, absent)
    try:
        pa.array([0])
    finally:
        sys.meta_path.remove(absent)


def give_memory_back() -> None:
    """What was used and freed returns to the machine: a process is idle most of the day."""
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc only
        if trim is not None:
            trim(0)


def settle() -> None:
    """To be called by a process once it has loaded the site, before its work. Spark hands its results over as pandas."""
    from django.conf import settings

    if settings.ESSAIM_ENGINE != "spark":
        arrow_without_pandas()
    give_memory_back()
