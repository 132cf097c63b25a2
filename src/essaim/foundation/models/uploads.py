"""Files on their way: what was received of each, so that a line cut in the middle costs only the part under way."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from .people import Account
from .submissions import Submission


class Upload(models.Model):
    """A file sent part after part by ``owner``, to become a submission once whole.

    ``key`` names it in addresses and in the folder of files: drawn at random, never said by the sender. ``size`` was
    announced, ``offset`` is what was received and is safely kept, both in bytes. ``mark`` is what the sender's browser says of
    the file to recognise it. ``submission`` once finished; the bytes on the way are then gone."""

    key = models.CharField("clé", max_length=32, unique=True)
    owner = models.ForeignKey(Account, models.CASCADE, related_name="+", verbose_name="envoyé par")
    contract = models.CharField("contrat", max_length=100)
    sender = models.CharField("expéditeur", max_length=64)
    filename = models.CharField("fichier", max_length=255)
    size = models.PositiveBigIntegerField("taille annoncée")
    offset = models.PositiveBigIntegerField("octets reçus", default=0)
    mark = models.CharField("signe du fichier", max_length=100, blank=True)
    begun_at = models.DateTimeField("commencé le")
    seen_at = models.DateTimeField("dernière partie reçue le")
    submission = models.ForeignKey(Submission, models.CASCADE, related_name="+", null=True, verbose_name="dépôt")

    class Meta:
        verbose_name = "envoi"
        ordering = ["-begun_at", "-pk"]
        indexes = [models.Index(fields=["owner", "seen_at"], name="upload_owner"), models.Index(fields=["seen_at"], name="upload_seen")]
        constraints = [
            models.CheckConstraint(condition=Q(offset__lte=F("size")), name="upload_within_its_size"),
            models.CheckConstraint(condition=Q(size__gt=0), name="upload_not_empty"),
        ]

    def __str__(self) -> str:
        return self.filename

    @property
    def is_whole(self) -> bool:
        """Whether every byte announced was received."""
        return self.offset == self.size

    @property
    def percent(self) -> int:
        """Share received, in whole percents, never rounded up to 100."""
        return self.offset * 100 // self.size
