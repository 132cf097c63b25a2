"""French full-text analysis and near-duplicates: pure functions. See README.md."""

from essaim.engines.search.french import analysed, indexed_words, plain_words, stem
from essaim.engines.search.near import Near, near_duplicates

__all__ = ["Near", "analysed", "indexed_words", "near_duplicates", "plain_words", "stem"]
