"""Passing values between the server and a contained process: pickles that hold no code, frames as Arrow files."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import polars as pl

_SAFE = {
    "builtins": {"frozenset", "set", "bytearray", "complex", "range", "slice"},
    "pathlib": {"PosixPath", "PurePosixPath", "Path", "WindowsPath"},
    "datetime": {"date", "datetime", "time", "timedelta", "timezone"},
    "decimal": {"Decimal"},
    "collections": {"OrderedDict", "Counter"},
    "copyreg": {"_reconstructor", "__newobj__"},
}


class _Writer(pickle.Pickler):
    def __init__(self, stream: Any, folder: Path, name: str) -> None:
        super().__init__(stream, protocol=pickle.HIGHEST_PROTOCOL)
        self._folder, self._name, self._count = folder, name, 0

    def persistent_id(self, value: Any) -> tuple[str, str] | None:
        if isinstance(value, pl.Series):
            return ("series", self._write(value.to_frame("s")))
        if isinstance(value, pl.DataFrame):
            return ("frame", self._write(value))
        return None

    def _write(self, frame: pl.DataFrame) -> str:
        self._count += 1
        path = f"{self._name}-{self._count}.arrow"
        frame.write_ipc(self._folder / path, compression="uncompressed")
        return path


class _Reader(pickle.Unpickler):
    def __init__(self, stream: Any, folder: Path) -> None:
        super().__init__(stream)
        self._folder = folder

    def persistent_load(self, token: Any) -> Any:
        kind, name = token
        path = self._folder / Path(name).name
        frame = pl.read_ipc(path)
        return frame.to_series() if kind == "series" else frame

    def find_class(self, module: str, name: str) -> Any:
        if name in _SAFE.get(module, ()) or (module.startswith("essaim.") and "." not in name):
            found = super().find_class(module, name)
            if isinstance(found, type):
                return found
            if module == "copyreg":
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is not accepted from a contained process")


def store(folder: Path, name: str, value: Any) -> None:
    """Write ``value`` under ``name``; the file appears whole or not at all."""
    partial = folder / f"{name}.partial"
    with partial.open("wb") as stream:
        _Writer(stream, folder, name).dump(value)
    partial.rename(folder / name)


def load(folder: Path, name: str) -> Any:
    """Read a value written by ``store``; refuses anything but plain values, frames and essaim types."""
    with (folder / name).open("rb") as stream:
        return _Reader(stream, folder).load()


def load_result(folder: Path) -> tuple[str, Any] | None:
    """The outcome left by the contained process: ``("value", …)`` or ``("refused", (code, message))``; None if none."""
    if not (folder / "result").exists():
        return None
    outcome = load(folder, "result")
    return outcome if isinstance(outcome, tuple) and len(outcome) == 2 else None
