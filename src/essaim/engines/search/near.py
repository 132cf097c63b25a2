"""Near-duplicates among short texts: candidates by shared rare words (TF-IDF), then a spelling comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz import fuzz
from scipy import sparse

from .french import analysed

_CHUNK = 2_048


@dataclass(frozen=True, slots=True)
class Near:
    """Two texts that look alike: their positions (``first`` < ``second``), the similarity of their words (0–1) and of their
    spelling (0–100)."""

    first: int
    second: int
    words: float
    spelling: float


def near_duplicates(
    texts: Sequence[str], *, top: int = 8, words_at_least: float = 0.25, spelling_at_least: float = 65.0
) -> tuple[Near, ...]:
    """Pairs of near-duplicates, the most alike first. Each text proposes its ``top`` neighbours by cosine of TF-IDF words of at
    least ``words_at_least``; a pair is kept when its token-set spelling reaches ``spelling_at_least``. Empty texts match
    nothing. ValueError for a threshold out of bounds."""
    if top < 1 or not 0 <= words_at_least <= 1 or not 0 <= spelling_at_least <= 100:
        raise ValueError("top ≥ 1, words_at_least in [0, 1], spelling_at_least in [0, 100]")
    weights = _tf_idf([analysed(text) for text in texts])
    found: dict[tuple[int, int], Near] = {}
    for line, column, cosine in _neighbours(weights, top, words_at_least):
        pair = (min(line, column), max(line, column))
        if pair not in found:
            spelling = _spelling(texts[pair[0]], texts[pair[1]])
            if spelling >= spelling_at_least:
                found[pair] = Near(*pair, round(min(1.0, cosine), 6), spelling)
    return tuple(sorted(found.values(), key=lambda item: (-item.spelling, -item.words, item.first, item.second)))


def _spelling(one: str, other: str) -> float:
    return float(fuzz.token_set_ratio(" ".join(sorted(analysed(one))), " ".join(sorted(analysed(other)))))


def _tf_idf(documents: Sequence[tuple[str, ...]]) -> sparse.csr_matrix:
    """Rows of unit length: term frequency × smoothed inverse document frequency."""
    vocabulary: dict[str, int] = {}
    lines, columns = [], []
    for line, words in enumerate(documents):
        for word in words:
            lines.append(line)
            columns.append(vocabulary.setdefault(word, len(vocabulary)))
    shape = (len(documents), max(1, len(vocabulary)))
    counts = sparse.csr_matrix((np.ones(len(lines)), (lines, columns)), shape=shape)
    counts.sum_duplicates()
    frequency = np.bincount(counts.indices, minlength=shape[1])
    weighted = sparse.csr_matrix(counts @ sparse.diags(np.log((1 + shape[0]) / (1 + frequency)) + 1))
    lengths = np.sqrt(weighted.multiply(weighted).sum(axis=1)).A1
    lengths[lengths == 0] = 1.0
    return sparse.csr_matrix(sparse.diags(1 / lengths) @ weighted)


def _neighbours(weights: sparse.csr_matrix, top: int, least: float) -> list[tuple[int, int, float]]:
    found = []
    transposed = weights.T.tocsr()
    for start in range(0, weights.shape[0], _CHUNK):
        product = (weights[start : start + _CHUNK] @ transposed).tocsr()
        for offset in range(product.shape[0]):
            line = start + offset
            span = slice(product.indptr[offset], product.indptr[offset + 1])
            near = [
                (float(value), int(column))
                for value, column in zip(product.data[span], product.indices[span], strict=True)
                if column != line and value >= least - 1e-12
            ]
            near.sort(key=lambda item: (-item[0], item[1]))
            found += [(line, column, value) for value, column in near[:top]]
    return found
