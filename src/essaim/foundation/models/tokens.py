"""Tokens of the API: a mandate lent to a program, for a time, revocable."""

from __future__ import annotations

import hashlib

from django.db import models

from .people import Account, Mandate


def digest(secret: str) -> str:
    """What is kept of a secret: its SHA-256 (it holds 256 random bits, so nothing slower is needed)."""
    return hashlib.sha256(secret.encode()).hexdigest()


class ApiToken(models.Model):
    """A secret that lets a program act as ``account`` under ``mandate`` and nothing more.

    The secret is shown once and kept only as its SHA-256 (``digest``); ``prefix`` is its beginning, to recognise it.
    ``expires_at`` is always given. ``is_read_only``: reads, hands in nothing.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="tokens", verbose_name="compte")
    mandate = models.ForeignKey(Mandate, models.PROTECT, related_name="+", verbose_name="mandat")
    label = models.CharField("usage", max_length=120)
    prefix = models.CharField("début du jeton", max_length=16)
    digest = models.CharField("empreinte du jeton", max_length=64, unique=True)
    is_read_only = models.BooleanField("lecture seule", default=True)
    created_at = models.DateTimeField("créé le")
    created_by = models.ForeignKey(Account, models.PROTECT, related_name="+", verbose_name="créé par")
    expires_at = models.DateTimeField("expire le")
    used_at = models.DateTimeField("dernier usage", null=True)
    revoked_at = models.DateTimeField("révoqué le", null=True)
    revoked_by = models.ForeignKey(Account, models.PROTECT, related_name="+", null=True, verbose_name="révoqué par")

    class Meta:
        verbose_name = "jeton d'accès"
        verbose_name_plural = "jetons d'accès"
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(expires_at__gt=models.F("created_at")), name="token_expires_after_creation"
            ),
            models.CheckConstraint(condition=~models.Q(label=""), name="token_label_given"),
        ]

    def __str__(self) -> str:
        return f"{self.label} ({self.prefix}…)"
