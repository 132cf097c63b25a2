"""The journal of acts: who did what, when, on what, under which mandate. Written once, never changed."""

from __future__ import annotations

import hashlib
import json
from typing import Any, NoReturn

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from .people import Account, Mandate


class JournalIsAppendOnly(Exception):
    """Raised when code tries to change or delete an act; the database refuses it too."""

    def __init__(self) -> None:
        super().__init__("Le journal des actes ne se modifie pas : ajoutez un acte qui corrige le précédent.")


class ActQuerySet(models.QuerySet["Act"]):
    """Acts can be read and added."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise JournalIsAppendOnly

    def delete(self) -> NoReturn:
        raise JournalIsAppendOnly


class Act(models.Model):
    """One act. ``hash`` covers the act and the hash of the act before it, so that removing or altering one shows.

    ``account`` is null for what the system does by itself (taking up the work of a killed worker).
    """

    at = models.DateTimeField("le")
    account = models.ForeignKey(Account, models.PROTECT, related_name="+", null=True, verbose_name="compte")
    mandate = models.ForeignKey(Mandate, models.PROTECT, related_name="+", null=True, verbose_name="mandat")
    name = models.CharField("acte", max_length=64)
    object_type = models.CharField("type d'objet", max_length=64)
    object_id = models.CharField("objet", max_length=64)
    details = models.JSONField("détails", default=dict, encoder=DjangoJSONEncoder)
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64, unique=True)

    objects = ActQuerySet.as_manager()

    class Meta:
        verbose_name = "acte"
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["object_type", "object_id"], name="act_object"),
            models.Index(fields=["account", "at"], name="act_account"),
            models.Index(fields=["at"], name="act_at"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.object_type} {self.object_id}"

    def fingerprint(self) -> str:
        """SHA-256 of the act's content and of the hash before it."""
        content = [
            self.previous_hash,
            self.at.timestamp(),
            self.account_id,
            self.mandate_id,
            self.name,
            self.object_type,
            self.object_id,
            self.details,
        ]
        text = json.dumps(content, sort_keys=True, ensure_ascii=False, cls=DjangoJSONEncoder)
        return hashlib.sha256(text.encode()).hexdigest()

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            raise JournalIsAppendOnly
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise JournalIsAppendOnly
