"""The plots of a study, from the plain values of its results: those of an indicator, and those of a further analysis."""

from __future__ import annotations

import math
from typing import Any

from essaim.engines.impact.design.balance import Balance, BalanceRow
from essaim.engines.impact.plots.charts import balance_plot, event_study, placebo_ranks, sensitivity
from essaim.engines.impact.plots.svg import Figure

BALANCE = ("treated", "comparison", "standardised", "variance_ratio")
NORMAL = 1.959963984540054
FAMILY = {"smoothness": "smoothness", "relative_magnitudes": "relative"}


def tag_of(name: str) -> str:
    """A name that can be a file's: letters and figures, dashes elsewhere."""
    return "".join(c if c.isalnum() else "-" for c in name)


def figures_of(indicator: dict[str, Any], unit: str = "") -> list[Figure]:
    """Plots of one indicator, from the plain values of its results."""
    out, tag = [], tag_of(str(indicator["outcome"]))
    if indicator["events"]:
        e = indicator["events"]
        out.append(event_study(e["at"], e["value"], e["low"], e["high"], unit=unit, name=f"anciennete-{tag}"))
    if indicator["inference"] and indicator["placebo_draws"]:
        head = indicator["inference"]["tests"][0]
        out.append(placebo_ranks(head["effect"], indicator["placebo_draws"], p_value=head["p_value"], name=f"placebos-{tag}"))
    if indicator.get("balance"):
        b = indicator["balance"]
        rows = tuple(BalanceRow(r["name"], *(math.nan if r[k] is None else float(r[k]) for k in BALANCE)) for r in b["rows"])
        out.append(balance_plot(Balance(**(b | {"rows": rows})), name=f"equilibre-{tag}"))
    if indicator["robustness"]["rows"]:
        out.append(sensitivity([tuple(r) for r in indicator["robustness"]["rows"]], unit=unit, name=f"robustesse-{tag}"))
    return out


def figures_of_analysis(analysis: dict[str, Any], unit: str = "") -> list[Figure]:
    """Event study (pointwise 95 % intervals, or the simultaneous band when asked) and sensitivity of one further analysis."""
    values, tag = analysis["values"], tag_of(str(analysis["name"]))
    out = []
    rows = values.get("event_study") or values.get("dynamic_parts")
    if rows:
        band = (values.get("band") or {}).get("limits")
        limits = [(r[1], r[2]) for r in band] if band else [_pointwise(value, error) for _, value, error in rows]
        out.append(event_study([r[0] for r in rows], [r[1] for r in rows], [x[0] for x in limits], [x[1] for x in limits], unit=unit,
                               name=f"anciennete-{tag}", simultaneous=bool(band)))
    if analysis["kind"] in FAMILY and values.get("intervals"):
        kept = [("original", 0.0, *values["original"]), *((FAMILY[analysis["kind"]], *row) for row in values["intervals"])]
        out.append(sensitivity(kept, unit=unit, name=f"robustesse-{tag}"))
    return out


def _pointwise(value: float, error: float | None) -> tuple[float | None, float | None]:
    """No bar for a reference period or an error that is not known."""
    return (None, None) if not error else (value - NORMAL * error, value + NORMAL * error)
