"""Triggers that make the journal of acts append-only."""

from django.db import migrations

from essaim.foundation.guard import protect_journal, release_journal


def forwards(apps, schema_editor):
    protect_journal(schema_editor.connection)


def backwards(apps, schema_editor):
    release_journal(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("foundation", "0001_initial")]
    operations = [migrations.RunPython(forwards, backwards)]
