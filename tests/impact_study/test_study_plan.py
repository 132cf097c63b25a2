"""Plans, grades, levels of evidence and sentences: what is decided before and after looking."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from essaim.engines.impact.study import analyses
from essaim.engines.impact.study.baseline import baseline_grade
from essaim.engines.impact.study.canonical import canonical_json, fingerprint
from essaim.engines.impact.study.evidence import evidence_level
from essaim.engines.impact.study.plan import TEMPLATE, PlanInvalid, plan_of, read_plan
from essaim.engines.impact.study.sentence import Reading, conclusion

READING = Reading("score", "points", 2, 1.2, 0.4, 2.0, 0.004, 0.05, 12, 0.9, 1.0, "hausse", "B", "B1")


def test_the_template_is_a_valid_plan_and_its_fingerprint_ignores_layout():
    """Comments and field order do not change the plan; any value does."""
    plan = read_plan(TEMPLATE)
    shuffled = "\n\n".join(reversed([TEMPLATE.replace("# Plan", "# plan")]))
    assert read_plan(shuffled).sha256 == plan.sha256
    assert read_plan(TEMPLATE.replace("2.0", "2.5")).sha256 != plan.sha256
    assert plan_of(plan.as_dict()).sha256 == plan.sha256


def test_every_fault_is_told_at_once_in_french():
    """Unknown field, missing field, wrong value and incoherence each have their line."""
    text = TEMPLATE.replace("label", "lable").replace("kind: rollout", "kind: deploiement").replace("2.0", "-1")
    with pytest.raises(PlanInvalid) as refusal:
        read_plan(text)
    faults = " | ".join(refusal.value.faults)
    assert len(refusal.value.faults) == 4
    assert "indicator.label : champ obligatoire absent" in faults and "indicator.lable : champ inconnu" in faults
    assert "design.smallest_effect : doit être supérieur à 0" in faults
    assert pickle.loads(pickle.dumps(refusal.value)).faults == refusal.value.faults


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- une liste", "nom : valeur"),
        ("a: [1", "YAML illisible"),
        (TEMPLATE.replace("  cohort: cohorte          # première période traitée ; vide ou 0 = jamais\n", ""), "data.cohort"),
        (TEMPLATE.replace("kind: rollout", "kind: experiment"), "data.exposure"),
        (TEMPLATE.replace("kind: rollout", "kind: analyses"), "analyses : en demander"),
    ],
)
def test_unreadable_or_incoherent_plans_are_refused(text, message):
    """What is missing for the kind of study is named."""
    with pytest.raises(PlanInvalid, match=message):
        read_plan(text)


def test_analyses_are_checked_before_anything_runs():
    """Unknown kinds, unknown parameters and missing parameters come together."""
    plan = read_plan(TEMPLATE + "analyses:\n  - {kind: magie}\n  - {kind: reliability, question: [a]}\n")
    with pytest.raises(PlanInvalid) as refusal:
        analyses.check_analyses(plan)
    assert len(refusal.value.faults) == 3
    assert all(maker.__doc__ for maker in analyses.KINDS.values())


@given(st.floats(allow_nan=False, allow_infinity=False, width=32), st.text(max_size=5))
def test_canonical_text_is_stable_under_rounding_noise(value, name):
    """A difference in the last bits never changes the fingerprint; NaN becomes null, not a number."""
    assert fingerprint({name: value}) == fingerprint({name: value * (1 + 1e-15)}) or abs(value) > 0
    assert canonical_json([float("nan"), float("inf"), -0.0]) == "[null,null,0.0]"


@pytest.mark.parametrize(
    ("given", "grade"),
    [
        ({"source": "administrative", "periods_before": 3, "has_never_treated": True, "late_entrants": False}, "B1"),
        ({"source": "administrative", "periods_before": 2, "has_never_treated": False, "late_entrants": True}, "B2"),
        ({"source": "survey", "periods_before": 5, "has_never_treated": True, "late_entrants": False}, "B2"),
        ({"source": "retrospective", "periods_before": 1, "has_never_treated": True, "late_entrants": False,
          "response_shift_checked": True}, "B3"),
        ({"source": "retrospective", "periods_before": 1, "has_never_treated": True, "late_entrants": False,
          "has_covariates": True}, "B4"),
        ({"source": "none", "periods_before": 0, "has_never_treated": True, "late_entrants": False, "has_covariates": True}, "B4"),
        ({"source": "none", "periods_before": 0, "has_never_treated": True, "late_entrants": False}, "B5"),
    ],
)
def test_baseline_ladder(given, grade):
    """Each rung of EVALUATION §6; a retrospective pre-test without its response-shift check does not count."""
    assert baseline_grade(**({"has_covariates": False} | given)).grade == grade


@pytest.mark.parametrize(
    ("change", "level"),
    [
        ({}, "B"),
        ({"assignment": "rerandomised"}, "A"),
        ({"assignment": "randomised", "permutation": False}, "C"),
        ({"treated_clusters": 5}, "C"),
        ({"pretrend_power": 0.4}, "C"),
        ({"pretrend_power": None}, "C"),
        ({"pretrend_p": 0.01}, "C"),
        ({"breakdown": 0.6}, "C"),
        ({"breakdown": None}, "C"),
        ({"agree": False}, "C"),
        ({"baseline": "B4"}, "D"),
        ({"baseline": "B5"}, "E"),
    ],
)
def test_level_of_evidence(change, level):
    """One doubt is enough to leave level B; randomisation without permutations is not A."""
    strong = {"assignment": "chosen", "baseline": "B1", "treated_clusters": 12, "permutation": True, "pretrend_power": 0.9,
              "pretrend_p": 0.4, "breakdown": 1.2}
    found = evidence_level(**(strong | change))
    assert found.level == level and found.reasons


@pytest.mark.parametrize(
    ("change", "verdict", "said"),
    [
        ({}, "favorable", "amélioration"),
        ({"direction": "baisse"}, "défavorable", "dégradation"),
        ({"is_underpowered": True}, "favorable", "surestimée"),
        ({"p_value": 0.2, "low": -0.5, "high": 2.9}, "ne permet pas de conclure", "ne permet pas de conclure"),
        ({"p_value": 0.6, "low": -0.5, "high": 0.7, "effect": 0.1}, "pas d'effet notable", "écarte un effet"),
        ({"unanswerable": "deux grappes ne suffisent pas."}, "ne permet pas de conclure", "deux grappes ne suffisent pas"),
        ({"evidence": "E"}, "descriptif", "Faute de situation initiale"),
        ({"disagreement": "Les méthodes divergent."}, "favorable", "Les méthodes divergent."),
        ({"low": None, "high": None, "mde": None, "p_value": None}, "ne permet pas de conclure", "n'est pas calculable"),
    ],
)
def test_sentences(change, verdict, said):
    """The verdict follows its rule and the sentence says the doubt; French notation, evidence and baseline always present."""
    told = conclusion(replace(READING, **change))
    assert told.verdict == verdict and said in told.text
    assert f"Niveau de preuve {change.get('evidence', 'B')}, situation initiale B1." in told.text
    assert "+1,20" in told.text or "+0,10" in told.text
