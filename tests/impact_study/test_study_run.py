"""Whole studies: from data to sentence, reproducible to the byte, honest about what they cannot say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from essaim.engines.impact.panel import Panel
from essaim.engines.impact.refusal import Refusal
from essaim.engines.impact.study.plan import read_plan
from essaim.engines.impact.study.replication import (
    check_lock,
    lock_of,
    replicate,
    replication_pack,
    synthetic_twin,
)
from essaim.engines.impact.study.report import report_html
from essaim.engines.impact.study.run import run
from essaim.engines.impact.study.simulation import simulated_rollout as rollout

PLAN = """
essaim_plan: 1
title: Essai
question: Un effet ?
indicator: {label: score, unit: points, decimals: 2}
data: {unit: uai, cluster: departement, period: annee, outcome: score, cohort: cohorte, subgroup: rep, persons: eleves}
design: {kind: rollout, smallest_effect: 0.5}
inference: {draws: 499, seed: 7, placebos: 20}
sensitivity: {relative: [0.5]}
"""


@pytest.fixture(scope="module")
def study():
    """One study of a clear effect."""
    return run(read_plan(PLAN), rollout())


def test_a_clear_effect_is_found_and_every_section_is_filled(study):
    """Power, estimates, permutation, checks, sensitivity, equity and the sentence, all consistent."""
    found = study.indicators[0]
    assert found.conclusion.verdict == "favorable" and found.baseline.grade == "B1"
    assert found.inference.headline.method == "permutation" and found.inference.headline.p_value <= 0.01
    assert found.inference.headline.effect == pytest.approx(1.0, abs=0.15)
    assert {e.method for e in found.effects} == {"callaway_santanna", "imputation", "synthetic_did", "two_way"}
    assert all(e.value == pytest.approx(1.0, abs=0.2) for e in found.effects)
    assert found.design.mde < 0.5 and found.design.unanswerable is None
    assert len(found.subgroups.effects) == 2 and found.subgroups.interactions[0].p_value > 0.05
    assert found.robustness.pretrend_p > 0.05 and len(found.robustness.leave_one_out) == 8


def test_power_reads_no_treated_outcome():
    """Changing every treated département's results changes the effect, not the announced power."""
    frame = rollout()
    moved = frame.with_columns(pl.when(pl.col("cohorte") > 0).then(pl.col("score") * 3 + 9).otherwise(pl.col("score")).alias("score"))
    plan = read_plan(PLAN.replace(", subgroup: rep, persons: eleves", ""))
    one, two = run(plan, frame).indicators[0], run(plan, moved).indicators[0]
    assert one.design == two.design
    assert one.inference.headline.effect != pytest.approx(two.inference.headline.effect)


def test_two_treated_departements_cannot_answer():
    """The tool itself says so, with the number that would be needed, and does not claim."""
    noisy = rollout(clusters=40, waves={4: 2}, effect=0.1, noise=0.8, seed=3)
    found = run(read_plan(PLAN), noisy)
    indicator = found.indicators[0]
    assert not found.can_conclude and "grappes traitées" in indicator.design.unanswerable
    assert indicator.conclusion.verdict == "ne permet pas de conclure"
    assert indicator.evidence.level == "C" and any("2 grappe" in r for r in indicator.evidence.reasons)


def test_too_few_assignments_never_conclude_however_large_the_effect():
    """One treated among eight: the smallest p-value is above the risk."""
    found = run(read_plan(PLAN), rollout(clusters=8, waves={4: 1}, effect=50.0)).indicators[0]
    assert found.conclusion.verdict == "ne permet pas de conclure" and "ne peut descendre sous" in found.design.unanswerable


@pytest.mark.parametrize(("env", "label"), [({"PYTHONHASHSEED": "1", "OMP_NUM_THREADS": "1"}, "a"),
                                            ({"PYTHONHASHSEED": "2", "OMP_NUM_THREADS": "2", "NUMBA_NUM_THREADS": "2"}, "b")])
def test_results_are_identical_under_any_hash_seed_and_thread_count(study, env, label, tmp_path):
    """Another process, another hash seed, other threads, rows in another order: the same bytes."""
    rollout().sample(fraction=1.0, shuffle=True, seed=len(label)).write_parquet(tmp_path / "d.parquet")
    (tmp_path / "plan.yaml").write_text(PLAN, "utf-8")
    code = ("import sys, pathlib, polars as pl; from essaim.engines.impact.study.plan import read_plan;"
            "from essaim.engines.impact.study.run import run; p = pathlib.Path(sys.argv[1]);"
            "print(run(read_plan((p / 'plan.yaml').read_text('utf-8')), pl.read_parquet(p / 'd.parquet')).sha256)")
    out = subprocess.run([sys.executable, "-c", code, str(tmp_path)], env=os.environ | env, capture_output=True, text=True, check=True)
    assert out.stdout.strip() == study.sha256


def test_pandas_arrow_and_panel_inputs_agree(study):
    """The kind of frame does not matter; a Panel already read gives the same numbers."""
    frame = rollout()
    assert run(read_plan(PLAN), frame.to_arrow()).sha256 == study.sha256
    plain = read_plan(PLAN.replace(", subgroup: rep, persons: eleves", ""))
    panel = Panel.read(frame, unit="uai", cluster="departement", time="annee", outcome="score", cohort="cohorte")
    one, two = run(plain, panel).indicators[0], run(plain, frame).indicators[0]
    assert one.conclusion == two.conclusion and one.effects == two.effects
    with pytest.raises(Refusal, match="table entière"):
        run(read_plan(PLAN), panel)


def test_several_indicators_get_sharpened_q_values():
    """Two indicators: q-values over their headline p-values."""
    found = run(read_plan(PLAN.replace("outcome: score", "outcome: [score, autre]")), rollout())
    assert len(found.indicators) == 2 and all(i.sharpened_q is not None for i in found.indicators)


def test_strata_and_rerandomisation_enter_the_test():
    """Strata shrink the set of assignments; a rerandomised design only permutes within its acceptance rule."""
    plain = run(read_plan(PLAN), rollout()).indicators[0].inference.possible_assignments
    inside = run(read_plan(PLAN.replace("smallest_effect: 0.5", "smallest_effect: 0.5, strata: academie")), rollout())
    assert inside.indicators[0].inference.possible_assignments < plain
    with pytest.raises(Refusal, match="strate"):
        run(read_plan(PLAN.replace("smallest_effect: 0.5", "smallest_effect: 0.5, strata: rep")), rollout())


def test_the_type_of_the_period_does_not_matter():
    """Years as decimals (Stata) or as text give the same sub-group effects as whole years."""
    plan = read_plan(PLAN)
    whole = run(plan, rollout()).indicators[0].subgroups
    assert run(plan, rollout().with_columns(pl.col("annee", "cohorte").cast(pl.Float64))).indicators[0].subgroups == whole


def test_small_subgroups_are_not_reported():
    """Cells under the persons threshold are dropped, hence the sub-groups too."""
    few = rollout().with_columns(eleves=pl.lit(1))
    found = run(read_plan(PLAN), few).indicators[0]
    assert found.subgroups is None


def test_experiment_end_to_end():
    """Individuals drawn at random: level A, permutation headline, regression as a check."""
    rng = np.random.default_rng(1)
    treated = np.repeat([0, 1], 60)
    frame = pl.DataFrame({"y": rng.normal(size=120) + treated, "t": treated})
    plan = read_plan("""
essaim_plan: 1
title: Essai tiré au sort
question: Un effet ?
indicator: {label: score}
data: {outcome: y, exposure: t}
design: {kind: experiment, assignment: randomised}
inference: {draws: 999}
""")
    found = run(plan, frame).indicators[0]
    assert found.evidence.level == "A" and found.conclusion.verdict == "favorable"
    assert found.inference.headline.effect == pytest.approx(found.inference.tests[1].effect)
    mixed = frame.with_columns(ecole=pl.Series(np.arange(120) % 7))
    with pytest.raises(Refusal, match="à la fois"):
        run(read_plan(plan.canonical.replace('"cluster":null', '"cluster":"ecole"')), mixed)


def test_derived_columns_and_rows_kept():
    """SQL expressions derive columns and choose rows; an unreadable one is refused."""
    frame = rollout().with_columns(code=pl.col("cohorte")).drop("cohorte")
    text = PLAN.replace("persons: eleves}", "persons: eleves, derive: {cohorte: CASE WHEN code > 0 THEN code ELSE 0 END}, where: annee < 2022}")
    found = run(read_plan(text), frame)
    assert found.indicators[0].rows == frame.filter(pl.col("annee") < 2022).height
    with pytest.raises(Refusal, match="illisible"):
        run(read_plan(PLAN.replace("persons: eleves}", "persons: eleves, derive: {cohorte: CASE WHEN}}")), frame)


def test_report_is_accessible_and_says_power_before_the_result(study):
    """Language, one main, captions, described drawings, tables beside them, power before the sentence, fingerprints."""
    html = report_html(study.to_json())
    assert '<html lang="fr">' in html and html.count("<main>") == 1
    assert html.index("Ce que l'étude pouvait voir") < html.index("Résultat</h3>")
    assert html.count("<svg") == html.count('role="img"') == html.count("<summary>Données du graphique</summary>") >= 3
    assert html.count("<table>") == html.count("<caption>") and study.plan_sha256 in html
    hostile = study.to_json().replace("Essai", "<script>alert(1)</script>")
    assert "<script>" not in report_html(hostile)


def test_the_lock_names_what_changed():
    """A frozen plan accepts itself and refuses any change, field by field."""
    plan = read_plan(PLAN)
    lock = json.loads(json.dumps(lock_of(plan)))
    check_lock(plan, lock)
    with pytest.raises(Refusal, match=r"design\.smallest_effect"):
        check_lock(read_plan(PLAN.replace("0.5}", "0.2}", 1)), lock)


def test_replication_pack_redoes_the_study_to_the_byte(study):
    """The pack is reproducible, replays identically, and a tampered one is caught."""
    pack = replication_pack(PLAN, rollout(), study)
    assert pack == replication_pack(PLAN, rollout(), study)
    same, again, sentence = replicate(pack)
    assert same and again.sha256 == study.sha256 and "identiques" in sentence
    with pytest.raises(Refusal, match="dossier de réplication"):
        replicate(b"not a zip")


def test_the_synthetic_twin_keeps_the_shape_and_no_value():
    """Same columns, clusters and cohorts; no school and no score of the original."""
    frame = rollout()
    twin = synthetic_twin(frame, read_plan(PLAN), seed=3)
    assert twin["departement"].equals(frame["departement"]) and twin["cohorte"].equals(frame["cohorte"])
    assert not set(twin["uai"]) & set(frame["uai"])
    assert not set(twin["score"].to_list()) & set(frame["score"].to_list())
    assert twin["score"].std() == pytest.approx(frame["score"].std(), rel=0.4)


def test_the_notebook_of_the_tutorial_is_here():
    """The tutorial lives beside the documentation and is executed by its own test."""
    assert (Path(__file__).parents[2] / "docs/evaluation/tutoriel.ipynb").is_file()
