"""Filling the search index: one analysed text per establishment, in SQLite FTS5 or a PostgreSQL tsvector."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import connection

from essaim.engines.search import indexed_words

from ..models import Establishment

_COLUMNS = ("pk", "uai", "name", "kind", "level", "commune_name", "postal_code")


def searchable_text(*texts: str) -> str:
    """The words and the stems of ``texts``, once each."""
    return " ".join(dict.fromkeys(word for text in texts for word in indexed_words(text)))


def _rows() -> Iterator[tuple[int, str]]:
    labels = dict(Establishment.Level.choices)
    for pk, uai, name, kind, level, commune, postal in Establishment.objects.values_list(*_COLUMNS).iterator(chunk_size=20_000):
        yield pk, searchable_text(uai, name, kind, labels.get(level, ""), commune, postal)


def index_establishments() -> int:
    """Rebuild the whole index inside the current transaction; how many establishments it holds."""
    rows = list(_rows())
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM territories_search")
        if connection.vendor == "postgresql":
            _copied(cursor, rows)
        else:
            cursor.executemany("INSERT INTO territories_search (rowid, terms) VALUES (%s, %s)", rows)
    return len(rows)


def _copied(cursor, rows: list[tuple[int, str]]) -> None:  # type: ignore[no-untyped-def]
    for start in range(0, len(rows), 5_000):
        part = rows[start : start + 5_000]
        cursor.execute(
            "INSERT INTO territories_search (rowid, terms) "
            "SELECT t.id, to_tsvector('simple', t.terms) FROM unnest(%s::bigint[], %s::text[]) AS t(id, terms)",
            [[pk for pk, _ in part], [text for _, text in part]],
        )
