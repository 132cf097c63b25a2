"""The plan of a study: what will be asked, of which data, how, and what would be a worthwhile effect — before looking.

Written in YAML, validated field by field (every fault at once, in French), made canonical and fingerprinted. The plan's text is
the contract: changing one letter of it changes its SHA-256, and a frozen study refuses to run.
"""

from __future__ import annotations

from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from essaim.engines.impact.refusal import Refusal
from essaim.engines.impact.study.canonical import canonical_json, fingerprint

PLAN_VERSION = 1


class PlanInvalid(Refusal):
    """A plan that cannot be read. ``faults``: every fault, as « champ : ce qui ne va pas »."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("plan", "Plan refusé : " + " ; ".join(faults))
        self.faults = faults

    def __reduce__(self) -> tuple[type, tuple[Any, ...]]:
        return (type(self), (self.faults,))


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Indicator(_Part):
    """What is measured, for the reader: label, unit, and whether more is better."""

    label: str = Field(min_length=1)
    unit: str = ""
    direction: Literal["hausse", "baisse"] = "hausse"
    decimals: int = Field(default=3, ge=0, le=8)


class Data(_Part):
    """Names of the columns. ``outcome``: one or several indicators. ``cluster``: what was assigned (département).

    ``derive``: new columns as SQL expressions of the others, in order; ``where``: SQL condition of the rows kept (after deriving)."""

    period: str | None = None
    unit: str | None = None
    cluster: str | None = None
    outcome: str | tuple[str, ...] = ()
    cohort: str | None = None
    exposure: str | None = None
    covariates: tuple[str, ...] = ()
    weights: str | None = None
    persons: str | None = None
    subgroup: str | None = None
    derive: dict[str, str] = Field(default_factory=dict)
    where: str | None = None
    missing_covariates: Literal["refuse", "drop", "keep"] = "refuse"
    lost_clusters: Literal["refuse", "drop", "keep"] = "refuse"
    never_treated: bool = True

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Indicators, always as a tuple."""
        return (self.outcome,) if isinstance(self.outcome, str) else self.outcome


class Design(_Part):
    """How treatment came about and what would be worthwhile. ``smallest_effect``: smallest effect worth detecting (outcome
    units). ``rollout``: planned number of clusters by starting period, for power before any deployment."""

    kind: Literal["rollout", "experiment", "analyses"] = "rollout"
    assignment: Literal["chosen", "randomised", "rerandomised", "stepped_wedge"] = "chosen"
    strata: str | None = None
    smallest_effect: float | None = Field(default=None, gt=0)
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    power: float = Field(default=0.80, gt=0.5, lt=1)
    rollout: dict[str, int] = Field(default_factory=dict)
    seed: str = "essaim"
    arms: tuple[float, ...] = ()
    waves: tuple[int, ...] = ()
    balance_on: tuple[str, ...] = ()
    acceptance: float = Field(default=0.01, gt=0, le=1)


class Baseline(_Part):
    """Where the « before » comes from. ``response_shift_checked``: a retrospective pre-test compared with a true one."""

    source: Literal["administrative", "survey", "retrospective", "none"] = "administrative"
    response_shift_checked: bool = False


class Estimation(_Part):
    """Main estimator: Callaway–Sant'Anna. ``method``: dr, reg or ipw; ``unbalanced``: incomplete units are dropped (and told), or
    all rows compared as repeated cross-sections; ``also``: other estimators reported beside it."""

    method: Literal["dr", "reg", "ipw"] = "dr"
    control: Literal["never", "not_yet"] = "never"
    anticipation: int = Field(default=0, ge=0)
    unbalanced: Literal["drop", "repeated"] = "drop"
    also: tuple[Literal["imputation", "synthetic_did", "two_way"], ...] = ("imputation", "synthetic_did", "two_way")


class Inference(_Part):
    """Draws and seed of permutations and bootstraps."""

    draws: int = Field(default=9999, ge=99, le=1_000_000)
    seed: int = Field(default=20211103, ge=0)
    wild_bootstrap: bool = True
    placebos: int = Field(default=100, ge=20, le=10_000)


class Sensitivity(_Part):
    """Values of M̄ (relative magnitudes) and M (smoothness, outcome units) of the sensitivity analysis."""

    relative: tuple[float, ...] = (0.5, 1.0, 1.5, 2.0)
    smoothness: tuple[float, ...] = ()
    leave_one_out: bool = True


class Disclosure(_Part):
    """Thresholds under which a sub-group's figure is not written in the report."""

    min_persons: int = Field(default=11, ge=1)
    min_units: int = Field(default=3, ge=1)


class Analysis(BaseModel):
    """One further analysis: its ``kind`` (see docs/evaluation.md), an optional ``name``, and the parameters of that kind."""

    model_config = ConfigDict(extra="allow", frozen=True)
    kind: str
    name: str | None = None

    @property
    def parameters(self) -> dict[str, Any]:
        """Everything but kind and name."""
        return dict(self.model_extra or {})


class Plan(_Part):
    """A whole plan; see docs/evaluation.md for each field."""

    essaim_plan: Literal[1] = 1
    title: str = Field(min_length=3)
    question: str = Field(min_length=3)
    indicator: Indicator
    data: Data = Data()
    design: Design = Design()
    baseline: Baseline = Baseline()
    estimation: Estimation = Estimation()
    inference: Inference = Inference()
    sensitivity: Sensitivity = Sensitivity()
    disclosure: Disclosure = Disclosure()
    analyses: tuple[Analysis, ...] = ()

    @model_validator(mode="after")
    def _coherent(self) -> Plan:
        faults = []
        if self.design.kind != "analyses" and not self.data.outcomes:
            faults.append("data.outcome : nommer au moins un indicateur")
        if self.design.kind == "rollout":
            faults += [f"data.{name} : obligatoire pour un déploiement"
                       for name in ("unit", "period", "cohort") if getattr(self.data, name) is None]
        if self.design.kind == "experiment" and self.data.exposure is None:
            faults.append("data.exposure : nommer la colonne d'affectation (0/1) de l'expérience")
        if self.design.kind == "analyses" and not self.analyses:
            faults.append("analyses : en demander au moins une")
        if faults:
            raise ValueError(" | ".join(faults))
        return self

    @property
    def canonical(self) -> str:
        """Canonical JSON of the plan, defaults written out."""
        return canonical_json(self.as_dict())

    @property
    def sha256(self) -> str:
        """Fingerprint of the canonical JSON."""
        return fingerprint(self.as_dict())

    def as_dict(self) -> dict[str, Any]:
        """Plain values of every field, defaults included."""
        return self.model_dump(mode="json")


_FRENCH = {
    "missing": "champ obligatoire absent",
    "extra_forbidden": "champ inconnu (faute de frappe ?)",
    "literal_error": "valeur inconnue, attendu {expected}",
    "string_type": "un texte est attendu",
    "string_too_short": "texte trop court",
    "int_parsing": "un nombre entier est attendu",
    "float_parsing": "un nombre est attendu",
    "bool_parsing": "oui ou non est attendu (true, false)",
    "greater_than": "doit être supérieur à {gt}",
    "greater_than_equal": "doit être au moins {ge}",
    "less_than": "doit être inférieur à {lt}",
    "less_than_equal": "doit être au plus {le}",
    "tuple_type": "une liste est attendue",
    "dict_type": "des couples clé : valeur sont attendus",
    "model_type": "des champs sont attendus",
}


def _fault(error: Any) -> list[str]:
    if error["type"] == "value_error":
        return str(error["ctx"]["error"]).split(" | ")
    text = _FRENCH.get(error["type"], "valeur invalide").format(**error.get("ctx", {})).replace("' or '", "' ou '")
    where = ".".join(str(p) for p in error["loc"]) or "plan"
    return [f"{where} : {text}"]


def plan_of(content: Any) -> Plan:
    """Plan from plain values (a mapping). Raises ``PlanInvalid`` with every fault."""
    if not isinstance(content, dict):
        raise PlanInvalid(("le fichier doit contenir des champs « nom : valeur »",))
    try:
        return Plan.model_validate(content)
    except ValidationError as error:
        raise PlanInvalid(tuple(f for e in error.errors() for f in _fault(e))) from None


def read_plan(text: str) -> Plan:
    """Plan from YAML text."""
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" ligne {mark.line + 1}" if mark is not None else ""
        raise PlanInvalid((f"YAML illisible{line} : vérifier l'indentation et les guillemets",)) from None
    return plan_of(content)


TEMPLATE = """\
# Plan d'étude Essaim. À remplir AVANT de regarder les résultats, puis : essaim study freeze plan.yaml
essaim_plan: 1
title: Effet du déploiement sur la réussite
question: Le déploiement a-t-il amélioré les résultats des élèves ?
indicator:
  label: score moyen en mathématiques
  unit: points
  direction: hausse        # hausse ou baisse : ce qui est souhaité
data:
  unit: uai                # ce qui est observé chaque année
  cluster: departement     # ce qui a été choisi ou tiré au sort
  period: annee
  outcome: score           # une colonne, ou une liste
  cohort: cohorte          # première période traitée ; vide ou 0 = jamais
  covariates: []
design:
  kind: rollout
  assignment: chosen       # chosen, randomised, rerandomised ou stepped_wedge
  smallest_effect: 2.0     # plus petit effet qui vaille la dépense, en unités de l'indicateur
baseline:
  source: administrative   # administrative, survey, retrospective ou none
"""
