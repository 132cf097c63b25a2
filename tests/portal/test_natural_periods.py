"""What a law or a use counts by year is shown by year, on the sheet, the figure and its origin alike."""

from __future__ import annotations

import pytest

from essaim.engines.measures import Indicator, IndicatorRefused
from essaim.equipment.indicators import RECONDITIONED_SHARE, ordered
from essaim.evaluation.reads import indicator
from essaim.portal.reads.sheets import Asked
from essaim.portal.templatetags.essaim import month


def test_the_period_shown_holds_the_month_asked():
    """A calendar year for purchases, a school year from September for uses, the month otherwise."""
    assert Asked("2026-08").period_of(indicator("equipment.reconditioned_share")) == "2026"
    assert Asked("2026-08").period_of(indicator("resources.ent_visits_per_pupil")) == "2025-2026"
    assert Asked("2026-09").periods_of(indicator("resources.ent_visits_per_pupil")) == ["2024-2025", "2025-2026", "2026-2027"]
    assert Asked("2026-03").periods_of(indicator("equipment.late_orders"))[::12] == ["2025-03", "2026-03"]


def test_periods_are_said_in_french():
    """Months, years and school years; anything else is left as it is."""
    assert [month(code) for code in ("2026-03", "2026", "2025-2026", "zz")] == ["mars 2026", "année 2026", "année scolaire 2025-2026", "zz"]


def test_an_unknown_natural_period_is_refused():
    """A declaration says month, year or school year."""
    with pytest.raises(IndicatorRefused, match="période naturelle"):
        Indicator("x.y", 1, "x", "y", "stock", numerator=ordered, natural_period="decade")
    assert RECONDITIONED_SHARE.natural_period == "year"
