"""What a sender confirmed once, given back to the next check of the same layout."""

from __future__ import annotations

from typing import Any

from ..models import Layout


def memory_of(contract: str, sender: str) -> dict[str, Any]:
    """Confirmed mappings by layout fingerprint: ``{fingerprint: {column letter: field}}``."""
    found = Layout.objects.filter(contract=contract, sender=sender)
    return {item.fingerprint: item.memory.get("columns", {}) for item in found}


def answers_of(contract: str, sender: str) -> dict[str, str]:
    """Answers already given by this sender for this contract, whatever the file, newest last."""
    found = Layout.objects.filter(contract=contract, sender=sender).order_by("confirmed_at", "pk")
    return {key: value for item in found for key, value in item.memory.get("answers", {}).items()}
