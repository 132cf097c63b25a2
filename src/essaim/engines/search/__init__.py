"""French full-text analysis and near-duplicates: pure functions. See README.md."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from essaim.engines.search.french import analysed, indexed_words, plain_words, stem

if TYPE_CHECKING:
    from essaim.engines.search.near import Near, near_duplicates

__all__ = ["Near", "analysed", "indexed_words", "near_duplicates", "plain_words", "stem"]


def __getattr__(name: str) -> Any:
    """Near-duplicates load sparse matrices, which a process that only searches never needs."""
    if name in ("Near", "near_duplicates"):
        return getattr(import_module("essaim.engines.search.near"), name)
    raise AttributeError(name)
