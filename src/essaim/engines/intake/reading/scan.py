"""One pass over the bytes of a delimited text, by blocks that stay in the processor's cache: quotes and blanks."""

from __future__ import annotations

import numpy as np

_BLOCK = 1 << 19
_QUOTE, _LINE, _RETURN = 34, 10, 13
_PATIENCE = 1_000
_WIDE_SPACES = (0xC2, 0xE2)


def holds(content: bytes, needle: bytes, rare: bytes) -> bool:
    """Whether ``needle`` is in ``content``, sought by its byte that such contents hold least: one byte is found tens of times
    faster than several, as long as there are few of it."""
    offset, place = needle.index(rare), content.find(rare)
    for _ in range(_PATIENCE):
        if place < 0 or content.startswith(needle, max(0, place - offset)):
            return place >= 0
        place = content.find(rare, place + 1)
    return content.find(needle, max(0, place - offset)) >= 0


def count_lines(content: bytes) -> int:
    """The number of lines of a short text that is not empty, the last one ended or not. ``bytes.count`` goes from one line end to
    the next, several times slower."""
    return int(np.count_nonzero(np.frombuffer(content, dtype=np.uint8) == _LINE)) + (not content.endswith(b"\n"))


def regular_quotes(content: bytes, separator: str) -> bool:
    """Whether every quote opens or closes a field or is doubled inside one, so that all readers agree.

    Runs of quotes are counted: an even run says nothing, an odd one leaves a quote that must open (after a separator or a
    line end) or close (before one); as many must open as close. One pass by blocks cut between runs, memory bounded."""
    data = np.frombuffer(content, dtype=np.uint8)
    opening = closing = odd = start = 0
    while start < data.size:
        stop = _cut(data, min(data.size, start + _BLOCK))
        counts = _isolated(data, start, stop, ord(separator)) or _runs(data, start, stop, ord(separator))
        opening, closing, odd = opening + counts[0], closing + counts[1], odd + counts[2]
        start = stop
    return opening == closing and opening + closing == odd


def _cut(data: np.ndarray, stop: int) -> int:
    """``stop`` moved past the run of quotes it falls in."""
    while stop < data.size and data[stop] == _QUOTE:
        stop += 1
    return stop


def _isolated(data: np.ndarray, start: int, stop: int, separator: int) -> tuple[int, int, int] | None:
    """The counts of ``_runs`` when no run is longer than two quotes, without listing places; None otherwise."""
    if start == 0 or stop == data.size:
        return None
    here = data[start:stop]
    quote, left, right = here == _QUOTE, data[start - 1 : stop - 1], data[start + 1 : stop + 1]
    paired = quote & (left == _QUOTE)
    if (paired[1:] & paired[:-1]).any():
        return None
    alone = quote & ~paired
    alone &= right != _QUOTE
    opens = alone & ((left == separator) | (left == _LINE))
    closes = alone & ((right == separator) | (right == _LINE) | (right == _RETURN))
    return int(np.count_nonzero(opens)), int(np.count_nonzero(closes)), int(np.count_nonzero(alone))


def _runs(data: np.ndarray, start: int, stop: int, separator: int) -> tuple[int, int, int]:
    """Odd runs of one block: those that may open, those that may close, all of them."""
    places = np.flatnonzero(data[start:stop] == _QUOTE) + start
    if not places.size:
        return 0, 0, 0
    breaks = np.flatnonzero(np.diff(places) != 1)
    first, last = places[np.r_[0, breaks + 1]], places[np.r_[breaks, places.size - 1]]
    single = ((last - first) & 1) == 0
    first, last = first[single], last[single]
    before = np.where(first > 0, data[np.maximum(first - 1, 0)], _LINE)
    after = np.where(last + 1 < data.size, data[np.minimum(last + 1, data.size - 1)], _LINE)
    opens = (before == separator) | (before == _LINE)
    closes = (after == separator) | (after == _LINE) | (after == _RETURN)
    return int(opens.sum()), int(closes.sum()), int(first.size)


def may_start_with_wide_space(content: bytes, separator: str) -> bool:
    """Whether some field may begin with a no-break space; False is sure."""
    if content.isascii() or not any(byte in content for byte in _WIDE_SPACES):  # most accents begin with another byte
        return False
    data = np.frombuffer(content, dtype=np.uint8)
    if data[0] in _WIDE_SPACES:
        return True
    for start in range(0, data.size - 1, _BLOCK):
        block = data[start : start + _BLOCK + 1]
        here, before = block[1:], block[:-1]
        suspect = (here == _WIDE_SPACES[0]) | (here == _WIDE_SPACES[1])
        if suspect.any() and (suspect & ((before == ord(separator)) | (before == _LINE) | (before == _QUOTE))).any():
            return True
    return False
