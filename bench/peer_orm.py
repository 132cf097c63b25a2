"""What Django's ORM takes for the same rows, in a process of its own: ``peer_orm.py PARQUET EACH BULK`` prints as JSON the seconds
of ``update_or_create`` on EACH rows (new, then changed) and of ``bulk_create`` on BULK rows.

SQLite with the settings of production (WAL, NORMAL); one row a transaction for ``update_or_create``, as Django does."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django
import polars as pl
from django.conf import settings


def prepared(folder: Path) -> Any:
    """The model of the facts, its table made: the same columns, a unique natural key."""
    settings.configure(
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3", "NAME": folder / "facts.sqlite",
                "OPTIONS": {"transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"},
            }
        },
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField", USE_TZ=True,
    )  # fmt: skip
    django.setup()
    from django.db import connection, models

    class Fact(models.Model):
        order_number = models.CharField(max_length=20, unique=True)
        uai = models.CharField(max_length=10)
        category = models.CharField(max_length=20)
        quantity = models.IntegerField()
        price_eur = models.FloatField()
        planned_on = models.DateField()
        delivered_on = models.DateField()
        condition = models.CharField(max_length=20)
        departement = models.CharField(max_length=3)
        source_sheet = models.CharField(max_length=60)
        source_row = models.IntegerField()

        class Meta:
            app_label = "bench"

    with connection.schema_editor() as editor:
        editor.create_model(Fact)
    return Fact


def timed(act: Callable[[], Any]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def main(path: str, each: int, bulk: int) -> None:
    rows = pl.read_parquet(path).to_dicts()
    with tempfile.TemporaryDirectory() as folder:
        model = prepared(Path(folder))

        def upserts(more: int) -> None:
            for row in rows[:each]:
                values = {**row, "quantity": row["quantity"] + more}
                model.objects.update_or_create(order_number=values.pop("order_number"), defaults=values)

        told = {"new": timed(lambda: upserts(0)), "changed": timed(lambda: upserts(1))}
        model.objects.all().delete()
        told["bulk"] = timed(lambda: model.objects.bulk_create([model(**row) for row in rows[:bulk]], batch_size=1000))
        assert model.objects.count() == bulk
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
