"""What may be asked of equipment."""

from essaim.equipment.reads.derived import order_tracking, reconciled, tracked
from essaim.equipment.reads.reconciliation import CONTRADICTIONS, Reconciliation
from essaim.equipment.reads.tracking import Tracking

__all__ = ["CONTRADICTIONS", "Reconciliation", "Tracking", "order_tracking", "reconciled", "tracked"]
