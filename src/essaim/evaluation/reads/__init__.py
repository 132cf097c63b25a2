"""What may be asked of figures."""

from essaim.evaluation.reads.catalogue import IndicatorUnknown, indicator, indicators
from essaim.evaluation.reads.figures import figures, figures_if_accepted, trace
from essaim.evaluation.reads.keeping import STORE

__all__ = ["STORE", "IndicatorUnknown", "figures", "figures_if_accepted", "indicator", "indicators", "trace"]
