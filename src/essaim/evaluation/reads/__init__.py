"""What may be asked of figures."""

from essaim.evaluation.reads.catalogue import IndicatorUnknown, indicator, indicators
from essaim.evaluation.reads.figures import STORE, figures, figures_if_accepted, trace

__all__ = ["STORE", "IndicatorUnknown", "figures", "figures_if_accepted", "indicator", "indicators", "trace"]
