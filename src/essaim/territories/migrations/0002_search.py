"""The search index of establishments: FTS5 on SQLite, a tsvector with its GIN index on PostgreSQL."""

from django.db import migrations

SQLITE = "CREATE VIRTUAL TABLE territories_search USING fts5(terms, tokenize = 'unicode61 remove_diacritics 0')"
POSTGRESQL = (
    "CREATE TABLE territories_search (rowid bigint PRIMARY KEY, terms tsvector NOT NULL)",
    "CREATE INDEX territories_search_terms ON territories_search USING gin (terms)",
)


def create(apps, schema_editor):
    statements = POSTGRESQL if schema_editor.connection.vendor == "postgresql" else (SQLITE,)
    for statement in statements:
        schema_editor.execute(statement)


def drop(apps, schema_editor):
    schema_editor.execute("DROP TABLE territories_search")


class Migration(migrations.Migration):
    dependencies = [("territories", "0001_initial")]
    operations = [migrations.RunPython(create, drop)]
