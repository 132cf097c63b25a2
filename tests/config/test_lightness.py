"""A process that runs all day loads what it uses and no more. Each claim is looked at in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest


def loaded(program: str, **environment: str) -> set[str]:
    """Libraries in memory at the end of ``program``."""
    ending = "\nimport json, sys; print(json.dumps(sorted(name for name in sys.modules if '.' not in name)))"
    given = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "DJANGO_SETTINGS_MODULE": "essaim.config.settings", **environment}
    told = subprocess.run([sys.executable, "-c", program + ending], env=given, capture_output=True, text=True, check=True, timeout=120)
    return set(json.loads(told.stdout.splitlines()[-1]))


def test_the_site_is_loaded_without_what_only_computations_use(tmp_path):
    """Every page is ready, and neither the SQL parser, DuckDB nor pandas is in memory, even once Arrow has been used."""
    site = "import essaim.config.wsgi\nimport pyarrow as pa\npa.table({'a': [1, 2]})"
    assert not loaded(site, ESSAIM_HOME=str(tmp_path)) & {"ibis", "sqlglot", "duckdb", "pandas"}


def test_a_process_of_the_site_loads_what_its_pages_read_before_the_first_request(built, home):
    """Register, cells and DuckDB are there when the first visitor comes; what follows a figure known at a past date, down to the
    entries behind it, needs no SQL written by Ibis, whatever was accepted since the cells were written."""
    own = home(like=built)
    own.run(sys.executable, "-c", "import django; django.setup()\nfrom essaim.evaluation.tasks import refresh_figures\nrefresh_figures.func()")
    site = """
import essaim.config.wsgi, json, sys, threading
[thread.join() for thread in threading.enumerate() if thread.name == "essaim-ahead"]
from essaim.evaluation.reads import STORE, register
ready = [len(STORE._held), len(register._held), "duckdb" in sys.modules]
from essaim.evaluation.reads import figures, trace
asked = {"level": "national", "period": "2024-2025", "known_at": max(item.number for item in STORE._held.values()) - 1}
shown = figures(["equipment.devices_delivered"], **asked).rows()
found = trace("equipment.devices_delivered", unit="FR", **asked)
import pyarrow.compute as pc
total = pc.sum(pc.multiply(found["sign"], found["contribution"])).as_py()
print(json.dumps([*ready, "ibis" in sys.modules, total == shown[0]["numerator"], bool(total)]))"""
    assert json.loads(own.run(sys.executable, "-c", site).splitlines()[-1]) == [1, 1, True, False, True, True]


def test_nothing_is_loaded_nor_computed_ahead_where_no_figure_was_kept(built, home):
    """A new installation starts as light as it can: the first figures are the business of the worker."""
    site = "import essaim.config.wsgi, threading, sys\n[t.join() for t in threading.enumerate() if t.name == 'essaim-ahead']\nprint(bool({'ibis', 'duckdb'} & set(sys.modules)))"
    assert home(like=built).run(sys.executable, "-c", site).splitlines()[-1] == "False"


def test_cells_are_computed_without_pandas(tmp_path):
    """A scan loads Ibis and DuckDB, in a process that was settled; pandas stays out."""
    scan = """
import django; django.setup()
from essaim.config.lightness import settle
settle()
from essaim.engines.measures import cells
from measures import world
assert cells(world.INDICATORS, world.frames(world.entries(1))).frames"""
    assert loaded(scan, ESSAIM_HOME=str(tmp_path)) & {"ibis", "duckdb", "pandas"} == {"ibis", "duckdb"}


def test_pandas_can_still_be_asked_for(tmp_path):
    """Only Arrow is told that there is none: a study of a Stata file, in the same process, reads it with pandas."""
    asked = "from essaim.config.lightness import arrow_without_pandas\narrow_without_pandas()\nimport pandas\nassert pandas.Series([1, 2]).sum() == 3"
    assert "pandas" in loaded(asked, ESSAIM_HOME=str(tmp_path))


@pytest.mark.parametrize(("engine", "kept_out"), [("duckdb", True), ("spark", False)])
def test_spark_keeps_the_pandas_that_it_hands_results_over_with(tmp_path, engine, kept_out):
    """With Spark, Arrow may look for pandas."""
    program = "import django; django.setup()\nfrom essaim.config.lightness import settle\nsettle()\nimport pyarrow as pa\npa.array([1])"
    assert ("pandas" not in loaded(program, ESSAIM_HOME=str(tmp_path), ESSAIM_ENGINE=engine)) is kept_out


def test_the_worker_gives_memory_back_after_each_task(monkeypatch):
    """The allocator is asked to trim once the task has ended, whatever became of it."""
    from django_tasks_db.management.commands import db_worker

    from essaim.config import lightness, worker

    done = []
    monkeypatch.setattr(db_worker.Worker, "run_task", lambda self, found: done.append("task"))
    monkeypatch.setattr(lightness, "give_memory_back", lambda: done.append("given back"))
    monkeypatch.setattr(db_worker.Worker, "configure_signals", lambda self: None)
    monkeypatch.setattr("signal.signal", lambda *given: None)
    held = type("Held", (), {"exception_class_path": ""})()
    worker._worker("one").run_task(held)
    assert done == ["task", "given back"]
