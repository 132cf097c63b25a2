"""The command line: every command, every exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from essaim.engines.impact.cli import study
from essaim.engines.impact.study.simulation import simulated_rollout as rollout

PLAN = """
essaim_plan: 1
title: Essai
question: Un effet ?
indicator: {label: score, unit: points, decimals: 2}
data: {unit: uai, cluster: departement, period: annee, outcome: score, cohort: cohorte}
design: {kind: rollout, smallest_effect: 0.5}
inference: {draws: 499, seed: 7, placebos: 20}
sensitivity: {relative: [0.5]}
"""


def call(*args: object) -> tuple[int, str]:
    result = CliRunner().invoke(study, [str(a) for a in args])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "plan.yaml").write_text(PLAN, "utf-8")
    rollout().write_parquet(tmp_path / "panel.parquet")
    return tmp_path


def test_from_new_plan_to_replication(folder):
    """new, freeze, power, run, report, replicate: files written, sentences said, results redone."""
    assert call("new", folder / "neuf.yaml")[0] == 0 and call("new", folder / "neuf.yaml")[0] == 2
    assert call("freeze", folder / "plan.yaml")[0] == 0
    code, said = call("power", folder / "plan.yaml", "--data", folder / "panel.parquet")
    assert code == 0 and "plus petit effet détectable" in said
    code, said = call("run", folder / "plan.yaml", "--data", folder / "panel.parquet", "--out", folder / "r")
    assert code == 0 and said.index("pouvait voir") < said.index("amélioration")
    results = (folder / "r/results.json").read_text("utf-8")
    assert json.loads(results)["essaim_results"] == 1 and len(list((folder / "r/plots").glob("*.svg"))) == 4
    (folder / "r/report.html").unlink()
    assert call("report", folder / "r/results.json")[0] == 0 and (folder / "r/report.html").exists()
    assert call("replicate", folder / "plan.yaml", "--data", folder / "panel.parquet", "--out", folder / "p.zip")[0] == 0
    assert call("replicate", folder / "p.zip")[0] == 0


def test_a_plan_must_be_frozen_and_stay_so(folder):
    """Exit 4 without a lock, and after any change; exploration must be declared."""
    data = folder / "panel.parquet"
    assert call("run", folder / "plan.yaml", "--data", data, "--out", folder / "r")[0] == 4
    call("freeze", folder / "plan.yaml")
    (folder / "plan.yaml").write_text(PLAN.replace("0.5}", "0.4}", 1), "utf-8")
    code, said = call("run", folder / "plan.yaml", "--data", data, "--out", folder / "r")
    assert code == 4 and "design.smallest_effect" in said
    assert call("freeze", folder / "plan.yaml")[0] == 4
    code, said = call("run", folder / "plan.yaml", "--data", data, "--out", folder / "r", "--exploratory")
    assert code == 0 and "Exploration" in said


def test_refusals_have_their_exit_codes(folder):
    """3 plan refused, 5 data refused, 6 no answer possible (results still written)."""
    (folder / "bad.yaml").write_text("essaim_plan: 1\ntitre: x\n", "utf-8")
    code, said = call("freeze", folder / "bad.yaml")
    assert code == 3 and "titre : champ inconnu" in said
    pl.read_parquet(folder / "panel.parquet").drop("score").write_csv(folder / "sans.csv")
    code, said = call("power", folder / "plan.yaml", "--data", folder / "sans.csv")
    assert code == 5 and "score" in said
    rollout(clusters=8, waves={4: 1}).to_pandas().to_stata(folder / "un.dta", write_index=False)
    assert call("power", folder / "plan.yaml", "--data", folder / "un.dta")[0] == 6
    code, said = call("run", folder / "plan.yaml", "--data", folder / "un.dta", "--out", folder / "r", "--exploratory")
    assert code == 6 and (folder / "r/results.json").exists() and "ne peut pas recevoir de réponse" in said
    (folder / "x.txt").write_text("x", "utf-8")
    assert call("power", folder / "plan.yaml", "--data", folder / "x.txt")[0] == 5
    (folder / "x.json").write_text("{}", "utf-8")
    assert call("report", folder / "x.json")[0] == 5


def test_a_tampered_pack_is_told(folder, monkeypatch):
    """Exit 7 when results differ."""
    monkeypatch.setattr("essaim.engines.impact.cli.replicate", lambda pack: (False, None, "Résultats différents"))
    (folder / "p.zip").write_bytes(b"")
    assert call("replicate", folder / "p.zip")[0] == 7


def test_planned_power_and_power_without_data(folder):
    """A planned roll-out on the past, and designs that need no data."""
    past = PLAN.replace("smallest_effect: 0.5", "smallest_effect: 0.5, rollout: {'2018': 4, '2020': 4}").replace(", cohort: cohorte", ", cohort: cohorte")
    (folder / "past.yaml").write_text(past, "utf-8")
    rollout(effect=0.0).write_csv(folder / "past.csv", separator=";", decimal_comma=True)
    code, said = call("power", folder / "past.yaml", "--data", folder / "past.csv")
    assert code == 0 and "8 grappe(s) traitée(s) sur 24" in said
    (folder / "w.yaml").write_text("essaim_plan: 1\ntitle: abc\nquestion: abc\nindicator: {label: y}\ndesign: {kind: analyses}\n"
                                   "analyses:\n  - {kind: cluster_power, size: 15, clusters: 20, icc: 0.17}\n", "utf-8")
    code, said = call("power", folder / "w.yaml")
    assert code == 0 and "0,6290064" in said
    assert call("power", folder / "plan.yaml")[0] == 2


def test_assignment_is_published_and_redone(folder):
    """The same seed draws the same départements whatever the order of the file; waves and arms have their sizes."""
    units = pl.DataFrame({"departement": [f"D{k:02d}" for k in range(12)], "academie": ["A", "B"] * 6, "ips": range(90, 102)})
    units.write_csv(folder / "u.csv")
    units.reverse().write_csv(folder / "v.csv")
    text = PLAN.replace("smallest_effect: 0.5", "smallest_effect: 0.5, seed: Loto du 3 novembre, waves: [4, 4, 4], strata: academie")
    (folder / "a.yaml").write_text(text, "utf-8")
    assert call("assign", folder / "a.yaml", "--data", folder / "u.csv", "--out", folder / "1.csv")[0] == 0
    call("assign", folder / "a.yaml", "--data", folder / "v.csv", "--out", folder / "2.csv")
    assert (folder / "1.csv").read_text("utf-8") == (folder / "2.csv").read_text("utf-8")
    assert pl.read_csv(folder / "1.csv", separator=";")["bras"].value_counts()["count"].to_list() == [4, 4, 4]
    (folder / "b.yaml").write_text(text.replace("waves: [4, 4, 4]", "arms: [2, 1], balance_on: [ips], acceptance: 0.2"), "utf-8")
    code, said = call("assign", folder / "b.yaml", "--data", folder / "u.csv", "--out", folder / "3.csv")
    assert code == 0 and "re-tiré" in said
    assert call("assign", folder / "plan.yaml", "--data", folder / "u.csv", "--out", folder / "4.csv")[0] == 3


def test_wrong_usage_is_told_in_french_with_code_two(folder):
    """Missing argument, unknown option or command, absent file: one French sentence, code 2, through ``essaim`` too."""
    plan = folder / "plan.yaml"
    for arguments, word in ((("run",), "PLAN"), (("run", plan, "--zz"), "--zz"), (("foo",), "commande inconnue"), (("assign", plan), "--data"),
                            (("run", plan, "--data", folder / "absent.csv"), "introuvable")):  # fmt: skip
        code, said = call(*arguments)
        assert code == 2 and said.startswith("Commande mal employée") and word in said, said
    done = subprocess.run([sys.executable, "-c", "from essaim.config.cli import main; main()", "study", "run", "absent.yaml"], capture_output=True, text=True, cwd=folder)
    assert done.returncode == 2 and "introuvable" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["x.parquet", "x.dta", "x.csv.gz", "vide.csv"])
def test_unreadable_files_are_refused(folder, name):
    """A damaged or empty file is refused by name, code 5."""
    (folder / name).write_bytes(b"" if name == "vide.csv" else b"rien de lisible")
    code, said = call("run", folder / "plan.yaml", "--data", folder / name, "--exploratory", "--out", folder / "r")
    assert code == 5 and name in said


def test_a_plan_that_reads_data_asks_for_them(folder):
    """Without --data, the sentence says so instead of listing absent columns."""
    code, said = call("run", folder / "plan.yaml", "--exploratory", "--out", folder / "r")
    assert code == 5 and "--data" in said


def test_nothing_but_the_study_is_printed(folder):
    """Standard output of a run with secondary suppression holds the engine's own lines only (solvers like to introduce themselves)."""
    plan = ("essaim_plan: 1\ntitle: Secret\nquestion: Quoi cacher ?\nindicator: {label: effectif}\ndesign: {kind: analyses}\nanalyses:\n"
            "  - {kind: secrecy, dimensions: [a, b], value: n, sensitive: [{a: x, b: u}], protection: 2}\n")
    (folder / "s.yaml").write_text(plan, "utf-8")
    pl.DataFrame({"a": list("xxxyyyzzz"), "b": list("uvw") * 3, "n": [3, 9, 8, 7, 6, 12, 10, 4, 5]}).write_csv(folder / "s.csv")
    done = subprocess.run([sys.executable, "-c", "from essaim.config.cli import main; main()", "study", "run", "s.yaml", "--data", "s.csv", "--exploratory"], capture_output=True,
                          text=True, cwd=folder, check=True)
    assert len(done.stdout.splitlines()) == 2 and done.stdout.startswith("secrecy")
