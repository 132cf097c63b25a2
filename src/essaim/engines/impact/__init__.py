"""Did it help, and how do we know? Designs, estimators, few-cluster inference, sensitivity; see README.md.

The usual doors are importable from here; each is loaded on first use, so that a page that needs one number does not import them all.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_DOORS = {
    "Panel": "panel",
    "PanelRefused": "panel_checks",
    "Refusal": "refusal",
    "Estimate": "estimates",
    "EventStudy": "estimates",
    "group_time_effects": "did",
    "aggregate": "did",
    "pretrend_test": "did",
    "two_group_did": "experiments_did",
    "twfe_event_study": "twfe",
    "bacon": "twfe",
    "regress": "regression",
    "control_data": "synthetic_control",
    "placebo_in_space": "synthetic_control",
    "augmented_control": "synthetic_augmented",
    "experiment": "experiments",
    "stratified_effect": "experiments",
    "intraclass_correlation": "experiments",
    "lee_bounds": "experiments_bounds",
    "two_stage": "experiments_iv",
    "dose_response": "experiments_iv",
}
# imputation, twfe, synthetic_did and synthetic_control are modules holding the function of the same name: reach it through them.
__all__ = sorted(_DOORS)


def __getattr__(name: str) -> Any:
    if name in _DOORS:
        return getattr(import_module(f"{__name__}.{_DOORS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
