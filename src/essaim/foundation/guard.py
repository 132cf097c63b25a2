"""The database itself refuses to change or delete acts: triggers, on SQLite and PostgreSQL."""

from __future__ import annotations

from typing import Any

_REFUSAL = "Le journal des actes ne se modifie pas"
_SQLITE = [
    f"CREATE TRIGGER foundation_act_no_{event} BEFORE {event} ON foundation_act "
    f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
    for event in ("update", "delete")
]
_POSTGRESQL = [
    "CREATE OR REPLACE FUNCTION foundation_act_refuse() RETURNS trigger AS $$ "
    f"BEGIN RAISE EXCEPTION '{_REFUSAL}'; END; $$ LANGUAGE plpgsql",
    "CREATE TRIGGER foundation_act_no_update BEFORE UPDATE OR DELETE ON foundation_act "
    "FOR EACH ROW EXECUTE FUNCTION foundation_act_refuse()",
    "CREATE TRIGGER foundation_act_no_truncate BEFORE TRUNCATE ON foundation_act "
    "FOR EACH STATEMENT EXECUTE FUNCTION foundation_act_refuse()",
]
_DROP = {
    "sqlite": [
        "DROP TRIGGER IF EXISTS foundation_act_no_update",
        "DROP TRIGGER IF EXISTS foundation_act_no_delete",
    ],
    "postgresql": [
        "DROP TRIGGER IF EXISTS foundation_act_no_update ON foundation_act",
        "DROP TRIGGER IF EXISTS foundation_act_no_truncate ON foundation_act",
    ],
}


def protect_journal(connection: Any) -> None:
    """Create the triggers on the database behind ``connection``."""
    statements = {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}[connection.vendor]
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def release_journal(connection: Any) -> None:
    """Drop the triggers: for reversing the migration and emptying a test database, nothing else."""
    with connection.cursor() as cursor:
        for statement in _DROP[connection.vendor]:
            cursor.execute(statement)
