"""Difference-in-differences with staggered entry (Callaway & Sant'Anna 2021; Sant'Anna & Zhao 2020)."""

from essaim.engines.impact.did.aggregate import Aggregate, aggregate, simultaneous_critical_value
from essaim.engines.impact.did.group_time import (
    GroupTimeEffects,
    Units,
    covariance,
    group_time_effects,
    pretrend_test,
    standard_errors,
)
from essaim.engines.impact.did.repeated import two_group_repeated
from essaim.engines.impact.did.two_by_two import NotEstimable, TwoByTwo, two_group_panel

__all__ = [
    "Aggregate", "GroupTimeEffects", "NotEstimable", "TwoByTwo", "Units", "aggregate", "covariance", "group_time_effects",
    "pretrend_test", "simultaneous_critical_value", "standard_errors", "two_group_panel", "two_group_repeated",
]  # fmt: skip
