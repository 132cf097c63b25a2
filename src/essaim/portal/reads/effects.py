"""What accepting a submission would do to the main figures of the territories it concerns."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from essaim.evaluation.reads import figures, figures_if_accepted, indicators
from essaim.foundation.models import Submission
from essaim.foundation.permissions import submitted_places
from essaim.kernel.departements import name_of

MAIN = 6


@dataclass(frozen=True, slots=True)
class Effect:
    """One figure of one territory, now and if the submission were accepted. Values in ``unit``, None when missing."""

    label: str
    unit: str
    unit_label: str
    before: float | None
    after: float | None


def effect_on_figures(submission: Submission) -> list[Effect]:
    """Figures of the room of the contract that would change this month, département by département."""
    room = submission.contract.split(".")[0]
    asked = [item for item in indicators() if item.code.startswith(f"{room}.")]
    places = sorted(submitted_places(submission))
    if not asked or not places or len(places) > 5:
        return []
    period = timezone.localdate().strftime("%Y-%m")
    codes = [item.code for item in asked]
    before = figures(codes, level="departement", units=places, period=period)
    after = figures_if_accepted(submission, codes, level="departement", units=places, period=period)
    now = {(row["indicator"], row["unit"]): row["value"] for row in before.rows()}
    labels = {item.code: item for item in asked}
    found = []
    for row in after.rows():
        key = (row["indicator"], row["unit"])
        if now.get(key) != row["value"]:
            item = labels[row["indicator"]]
            found.append(Effect(item.label, item.unit, name_of(row["unit"]) or row["unit"], now.get(key), row["value"]))
    return found[: MAIN * len(places)]
