"""What may be asked of figures."""

from essaim.evaluation.reads.catalogue import IndicatorUnknown, indicator, indicators
from essaim.evaluation.reads.figures import STORE, figures, trace

__all__ = ["STORE", "IndicatorUnknown", "figures", "indicator", "indicators", "trace"]
