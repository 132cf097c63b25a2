"""What a study hands back: frozen values, every number of the report, written as canonical JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from essaim.engines.impact.design.balance import Balance
from essaim.engines.impact.design.comparison import Comparisons
from essaim.engines.impact.equity.subgroups import GapChange, SubgroupEffects
from essaim.engines.impact.study.baseline import BaselineGrade
from essaim.engines.impact.study.battery import Battery
from essaim.engines.impact.study.canonical import canonical_json, fingerprint
from essaim.engines.impact.study.evidence import Evidence
from essaim.engines.impact.study.sentence import Conclusion

Floats = npt.NDArray[np.float64]
RESULT_VERSION = 1


@dataclass(frozen=True, slots=True)
class DesignPower:
    """Power, computed before any treated outcome is read. ``mde`` in outcome units; ``answer``: what it means (French);
    ``unanswerable``: why the question cannot be answered, or None."""

    method: str
    mde: float | None
    power_at_smallest: float | None
    smallest_effect: float | None
    treated_clusters: int
    clusters: int
    clusters_needed: int | None
    answer: str
    unanswerable: str | None


@dataclass(frozen=True, slots=True)
class Effect:
    """One estimate of the overall effect. ``std_error`` is analytic, descriptive when few clusters are treated."""

    method: str
    label: str
    value: float
    std_error: float | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class EventEffects:
    """Effects by periods since treatment: arrays (K,); bounds simultaneous at the plan's level."""

    at: tuple[float, ...]
    value: tuple[float, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]
    critical_value: float


@dataclass(frozen=True, slots=True)
class Robustness:
    """Sensitivity to departures from parallel trends. Rows: (kind, magnitude, low, high); ``breakdown``: largest M̄ still excluding
    nil (None: not computable); ``pretrend_p`` and ``pretrend_power``; leave-one-out: (cluster left out, effect)."""

    rows: tuple[tuple[str, float, float | None, float | None], ...] = ()
    breakdown: float | None = None
    pretrend_p: float | None = None
    pretrend_power: float | None = None
    leave_one_out: tuple[tuple[str, float], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class IndicatorResult:
    """Everything about one indicator. ``gaps``: change of each gap between sub-groups; ``comparisons``: the comparison cluster most like
    each treated one before treatment (never read after it)."""

    outcome: str
    design: DesignPower
    baseline: BaselineGrade
    effects: tuple[Effect, ...]
    by_group: tuple[tuple[float, float, float | None], ...]
    by_period: tuple[tuple[float, float, float | None], ...]
    events: EventEffects | None
    inference: Battery | None
    robustness: Robustness
    subgroups: SubgroupEffects | None
    evidence: Evidence
    conclusion: Conclusion
    sharpened_q: float | None
    rows: int
    units: int
    warnings: tuple[str, ...]
    placebo_draws: tuple[float, ...] = ()
    balance: Balance | None = None
    gaps: tuple[GapChange, ...] = ()
    comparisons: Comparisons | None = None


@dataclass(frozen=True, slots=True)
class AnalysisResult:
    """One further analysis of the plan: name, kind, French label, and its numbers by name."""

    name: str
    kind: str
    label: str
    values: dict[str, Any]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Study:
    """A study run. ``plan``: the plan's plain values; fingerprints of plan and data; ``engine``: version of Essaim."""

    plan: dict[str, Any] = field(hash=False)
    plan_sha256: str
    data_sha256: str
    engine: str
    indicators: tuple[IndicatorResult, ...]
    analyses: tuple[AnalysisResult, ...]

    def to_json(self) -> str:
        """Canonical JSON, indented, ending with a newline; identical on any machine."""
        return canonical_json({"essaim_results": RESULT_VERSION, "study": self}, indent=1) + "\n"

    @property
    def sha256(self) -> str:
        """Fingerprint of the results."""
        return fingerprint(self)

    @property
    def can_conclude(self) -> bool:
        """No indicator was declared unanswerable by the design itself."""
        return all(i.design.unanswerable is None for i in self.indicators)
