"""What may be asked of figures."""

from essaim.evaluation.reads.catalogue import IndicatorUnknown, indicator, indicators
from essaim.evaluation.reads.figures import figures, figures_if_accepted, trace
from essaim.evaluation.reads.keeping import STORE
from essaim.evaluation.reads.register import UnitUnknown, refuse_unknown_units

__all__ = [
    "STORE", "IndicatorUnknown", "UnitUnknown", "figures", "figures_if_accepted", "indicator", "indicators", "refuse_unknown_units", "trace",
]  # fmt: skip
