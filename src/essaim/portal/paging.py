"""Page numbers as addresses give them: whatever is written, a page is shown."""

from __future__ import annotations

LAST = 1_000_000


def page_number(text: str | None) -> int:
    """The page asked for, from 1; the first when ``text`` makes no sense."""
    text = (text or "").strip()
    return min(max(int(text), 1), LAST) if text.isdecimal() and len(text) < 10 else 1
