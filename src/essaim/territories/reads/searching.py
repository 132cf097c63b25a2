"""Finding a school by name, commune or identifier: accents, case and small typing errors ignored."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from django.db import connection
from rapidfuzz import fuzz, process
from rapidfuzz.distance import DamerauLevenshtein

from essaim.engines.search import analysed, plain_words
from essaim.engines.search.french import STOP_WORDS
from essaim.foundation.reads import Scope

from ..models import Establishment
from .frames import frame, register_stamp
from .visible import establishments

_CANDIDATES = 1_000
_NEIGHBOURS = 6
_SAFE = re.compile(r"^[a-z0-9]+$")
Row = tuple[int, str, str, str, bool]


def search(text: str, scope: Scope | None = None, limit: int = 20, *, open_only: bool = False) -> list[Establishment]:
    """Establishments that ``text`` names, the best first, closed ones last; the last word may be unfinished. When nothing holds
    every word, words one or two letters away are tried. Empty text finds nothing."""
    words = [word for word in plain_words(text)[:8] if _SAFE.match(word)]
    wanted = [word for word in words if word not in STOP_WORDS] or words
    if not wanted:
        return []
    rows = _matching([sorted({word, *analysed(word)}) for word in wanted], scope, open_only)
    if not rows:
        close = [_close(word) for word in wanted]
        rows = _matching(close, scope, open_only) if all(close) else []
    best = [row[0] for row in _ranked(rows, " ".join(wanted))[:limit]]
    found = Establishment.objects.in_bulk(best)
    return [found[pk] for pk in best]


def _matching(alternatives: Sequence[Sequence[str]], scope: Scope | None, open_only: bool) -> list[Row]:
    """Candidates that hold one alternative of every word, the last one possibly as a beginning; at most _CANDIDATES."""
    found = establishments(scope, open_only=open_only, schools_only=False)
    everywhere = scope is None or scope.is_national
    condition, query = _condition(alternatives, limited=everywhere and not open_only)
    chosen = found.order_by().extra(where=[condition], params=[query])
    columns = ("pk", "name", "commune_name", "uai", "closed_on")
    return [(pk, name, commune, uai, closed is not None) for pk, name, commune, uai, closed in chosen.values_list(*columns)[:_CANDIDATES]]


def _condition(alternatives: Sequence[Sequence[str]], *, limited: bool) -> tuple[str, str]:
    """SQL condition on establishments and its parameter. ``limited``: stop at the first _CANDIDATES of a vague question."""
    limit = f" LIMIT {_CANDIDATES}" if limited else ""
    last = len(alternatives) - 1
    if connection.vendor == "postgresql":
        groups = ["(" + " | ".join(word + (":*" if i == last else "") for word in group) + ")" for i, group in enumerate(alternatives)]
        inner = f"SELECT rowid FROM territories_search WHERE terms @@ to_tsquery('simple', %s){limit}"
        return f"territories_establishment.id IN ({inner})", " & ".join(groups)
    groups = ["(" + " OR ".join(f'"{word}"' + ("*" if i == last else "") for word in group) + ")" for i, group in enumerate(alternatives)]
    inner = f"SELECT rowid FROM territories_search WHERE terms MATCH %s{limit}"
    return f"territories_establishment.id IN ({inner})", " AND ".join(groups)


def _ranked(rows: list[Row], asked: str) -> list[Row]:
    def score(row: Row) -> tuple[bool, float, str]:
        _pk, name, commune, uai, is_closed = row
        text = _compared(name, commune, uai)
        return (is_closed, -fuzz.token_set_ratio(asked, text) - 0.3 * fuzz.ratio(asked, text), uai)

    return sorted(rows, key=score)


@lru_cache(maxsize=50_000)
def _compared(name: str, commune: str, uai: str) -> str:
    return " ".join(plain_words(f"{name} {commune} {uai}"))


def _close(word: str) -> list[str]:
    """Known words within one letter of ``word`` (two when it is long), and itself."""
    if any(char.isdigit() for char in word) or len(word) < 4:
        return [word]
    allowed = 1 if len(word) < 7 else 2
    near = process.extract(
        word, _vocabulary(register_stamp()), scorer=DamerauLevenshtein.distance, score_cutoff=allowed, limit=_NEIGHBOURS
    )
    return sorted({word, *analysed(word), *(item[0] for item in near)})


@lru_cache(maxsize=2)
def _vocabulary(_stamp: str) -> tuple[str, ...]:
    """Distinct words of names and communes, the register's own dictionary."""
    schools = frame("establishments")
    if schools is None:
        return ()
    texts = set(schools["name"].drop_nulls().unique().to_list()) | set(schools["commune_name"].drop_nulls().unique().to_list())
    words = {word for text in texts for word in plain_words(text)}
    return tuple(sorted(word for word in words if len(word) >= 3 and not word.isdigit()))
