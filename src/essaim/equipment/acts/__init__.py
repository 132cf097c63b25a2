"""What may be done about equipment: settle contradictions, confirm receipts, keep views. Keyword-only, ``by=`` mandatory."""

from .comparing import Compared, refresh_contradictions
from .receipts import Receipt, Received, confirm_receipt
from .settling import StaleVersion, assign, comment, explain, release, reopen, settle
from .views import delete_view, rename_view, save_view

__all__ = [
    "Compared",
    "Receipt",
    "Received",
    "StaleVersion",
    "assign",
    "comment",
    "confirm_receipt",
    "delete_view",
    "explain",
    "refresh_contradictions",
    "release",
    "rename_view",
    "reopen",
    "save_view",
    "settle",
]
