"""Whole studies of odd files: a clear French sentence or a complete result, never a traceback, never NaN."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest

from essaim.engines.impact.refusal import Refusal
from essaim.engines.impact.study.plan import plan_of
from essaim.engines.impact.study.report import report_html
from essaim.engines.impact.study.results import Study
from essaim.engines.impact.study.run import run
from essaim.engines.impact.study.simulation import simulated_rollout

ROWS = simulated_rollout(clusters=14, schools=2, periods=5, waves={3: 3, 4: 2}, seed=1)
C = pl.col
ENTERED = C("cohorte") > 0
DAY = pl.date(C("annee"), 9, 1)
ENTRY_DAY = pl.when(ENTERED).then(pl.date(pl.when(ENTERED).then(C("cohorte")).otherwise(2000), 9, 1)).otherwise(None)


def study(frame: pl.DataFrame, **changes: Any) -> Study:
    """The plan of a roll-out, some of its parts changed."""
    data = {"unit": "uai", "cluster": "departement", "period": "annee", "outcome": "score", "cohort": "cohorte"} | changes.pop("data", {})
    plan = {"title": "Essai", "question": "Effet ?", "indicator": {"label": "score"}, "data": data,
            "design": {"kind": "rollout", "smallest_effect": 0.5}, "inference": {"draws": 99, "placebos": 20},
            "sensitivity": {"relative": [1.0]}} | changes  # fmt: skip
    return run(plan_of(plan), frame)


def school_year(year: pl.Expr) -> pl.Expr:
    return year.cast(pl.String) + "-" + (year + 1).cast(pl.String)


@pytest.mark.parametrize("frame", [
    ROWS.with_columns(annee=school_year(C("annee")), cohorte=pl.when(ENTERED).then(school_year(C("cohorte"))).otherwise(None)),
    ROWS.with_columns(annee=DAY, cohorte=ENTRY_DAY), ROWS.with_columns(annee=DAY.cast(pl.Datetime), cohorte=ENTRY_DAY),
    ROWS.with_columns(cohorte=pl.when(ENTERED).then(C("cohorte").cast(pl.String)).otherwise(pl.lit("jamais"))),
    ROWS.with_columns(departement=C("departement").cast(pl.Categorical)), ROWS.with_columns(score=C("score").cast(pl.Decimal(12, 6))),
    ROWS.with_columns(score=C("score").round(6).cast(pl.String)), ROWS.with_columns(score=C("score") + 1e9),
], ids=["school years", "dates", "moments and dates", "never in words", "categories", "decimals", "numbers as text", "far from zero"])  # fmt: skip
def test_the_same_study_however_it_is_written(frame) -> None:
    """Periods as texts, dates or moments, outcomes as decimals or texts: the effect of the plain file."""
    expected, found = study(ROWS), study(frame)
    assert found.indicators[0].effects[0].value == pytest.approx(expected.indicators[0].effects[0].value, abs=2e-6)
    assert found.indicators[0].inference.headline.p_value == expected.indicators[0].inference.headline.p_value


@pytest.mark.parametrize(("frame", "changes", "code", "words"), [
    (ROWS[:0], {}, "empty", "aucune ligne"), (ROWS, {"data": {"where": "annee > 3000"}}, "empty", "data.where"),
    (ROWS.with_columns(annee=DAY), {}, "cohort", "l'écrire comme les périodes"),
    (ROWS.with_columns(score=pl.lit(3.0)), {}, "constant", "« score »"),
    (ROWS.with_columns(cohorte=pl.when(C("cohorte") == 2018).then(2000).otherwise(C("cohorte"))), {}, "base", "l'écarter"),
    (ROWS.with_columns(x=C("eleves") * 1.0), {"data": {"covariates": ["x"]}}, "cells", "et 7 autres"),
    (ROWS.with_columns(score=pl.when((C("annee") == 2016) & ENTERED).then(None).otherwise(C("score"))), {"data": {"lost_clusters": "keep"}},
     "cells", "unbalanced: repeated"),
    (ROWS.with_columns(w=pl.when(pl.int_range(pl.len()) == 3).then(float("inf")).otherwise(1.0)), {"data": {"weights": "w"}}, "weights", "1 ligne"),
    (ROWS.with_columns(w=-1.0), {"data": {"weights": "w"}}, "weights", "négatif"),
    (ROWS.with_columns(uai=pl.when(pl.int_range(pl.len()) == 3).then(None).otherwise(C("uai"))), {}, "label", "lignes vides"),
    (ROWS.filter(C("annee") == 2018), {}, "treated", "avant et après"), (ROWS.with_columns(cohorte=pl.lit(2018)), {}, "never", "jamais traitée"),
    (ROWS.with_columns(cohorte=pl.lit(0)), {}, "treated", "cohorte"),
], ids=lambda v: v if isinstance(v, str) else None)  # fmt: skip
def test_what_cannot_be_studied_is_said(frame, changes, code, words) -> None:
    """One code and one sentence that says which column and what to do."""
    with pytest.raises(Refusal) as refused:
        study(frame, **changes)
    assert refused.value.code == code and words in refused.value.message


@pytest.mark.parametrize(("frame", "changes"), [
    (ROWS.with_columns(cohorte=pl.when(C("cohorte") == 2018).then(2018.5).otherwise(C("cohorte"))), {}),
    (ROWS, {"design": {"kind": "rollout", "strata": "departement"}}),
    (ROWS.with_columns(score=pl.when(pl.int_range(pl.len()) % 7 == 0).then(float("nan")).otherwise(C("score"))), {"estimation": {"unbalanced": "repeated"}}),
    (ROWS.filter((C("cohorte") == 0) | (C("departement") == ROWS.filter(C("cohorte") == 2018)["departement"][0])), {}),
    (ROWS.with_columns(score=pl.when(pl.int_range(pl.len()) == 7).then(1.0).otherwise(0.0)), {}),
    (ROWS.with_columns(annee=(C("annee") - 2015) * 2 + 2010, cohorte=pl.when(ENTERED).then((C("cohorte") - 2015) * 2 + 2010).otherwise(0)), {}),
], ids=["entry between periods", "one assignment only", "missing outcomes kept", "one treated", "almost constant", "every other year"])  # fmt: skip
def test_odd_but_possible_studies_are_complete(frame, changes) -> None:
    """A sentence, a report, and no NaN anywhere in the numbers."""
    found = study(frame, **changes)
    text = found.to_json()
    assert found.indicators[0].conclusion.text and "NaN" not in text and json.loads(text)
    assert "nan" not in report_html(text).replace("finan", "").lower().split()


def test_methods_that_disagree_are_told_in_a_sentence_one_can_read() -> None:
    """« … ne conclut pas, … conclut », in the singular and in the plural."""
    from essaim.engines.impact.inference.choice import agreement

    assert "ne conclut pas (p = 0,200), bootstrap sauvage par département (p = 0,010) conclut." in agreement(
        {"permutation": 0.2, "wild-bootstrap": 0.01}).sentence  # fmt: skip
    assert "(p = 0,200) ne concluent pas." in agreement({"permutation": 0.01, "wild-bootstrap": 0.2, "cr2": 0.2}).sentence
