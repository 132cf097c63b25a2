"""Workflow of the equipment lever: contradictions to settle, saved views of the tracking page, digests sent.

What was ordered, delivered, confirmed and counted is in the ledger, never here.
"""

from __future__ import annotations

from typing import Any, NoReturn

from django.conf import settings
from django.db import models
from django.db.models import Q


class Status(models.TextChoices):
    """Where a contradiction stands."""

    OPEN = "open", "À traiter"
    IN_PROGRESS = "in_progress", "En cours"
    EXPLAINED = "explained", "Expliquée"
    SETTLED = "settled", "Réglée"


# From a status to those it may become. Back to open: released by its owner, or the facts contradict (again).
TRANSITIONS: dict[Status, tuple[Status, ...]] = {
    Status.OPEN: (Status.IN_PROGRESS, Status.EXPLAINED, Status.SETTLED),
    Status.IN_PROGRESS: (Status.OPEN, Status.IN_PROGRESS, Status.EXPLAINED, Status.SETTLED),
    Status.EXPLAINED: (Status.OPEN, Status.IN_PROGRESS, Status.SETTLED),
    Status.SETTLED: (Status.OPEN,),
}
WAITING = (Status.OPEN, Status.IN_PROGRESS)


class Contradiction(models.Model):
    """Two sources that cannot both be right, about one category of equipment of one school; one row for its whole life.

    ``declared``, ``observed`` (units) and ``since``: what the facts said when last compared. ``stands``: the facts still
    contradict. ``settles``: what settled it, in words; ``settled_by_facts``: no one, the facts agree. ``version`` grows at
    each change that somebody could overwrite: forms carry it.
    """

    uai = models.CharField("UAI", max_length=8)
    departement = models.CharField("département", max_length=3)
    category = models.CharField("catégorie", max_length=40)
    kind = models.CharField("nature", max_length=40)
    status = models.CharField("état", max_length=12, choices=Status.choices, default=Status.OPEN)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True, verbose_name="suivie par"
    )
    declared = models.IntegerField("déclaré", null=True)
    observed = models.IntegerField("constaté", null=True)
    since = models.DateField("depuis le", null=True)
    stands = models.BooleanField("les faits se contredisent encore", default=True)
    settles = models.TextField("ce qui la règle", blank=True)
    settled_by_facts = models.BooleanField("réglée par les faits", default=False)
    opened_at = models.DateTimeField("ouverte le")
    status_at = models.DateTimeField("dans cet état depuis")
    times_reopened = models.PositiveIntegerField("réouvertures", default=0)
    version = models.PositiveIntegerField("version", default=1)

    class Meta:
        verbose_name = "contradiction"
        ordering = ["-since", "uai", "category", "kind"]
        indexes = [
            models.Index(fields=["departement", "status"], name="contradiction_place_status"),
            models.Index(fields=["uai"], name="contradiction_uai"),
            models.Index(fields=["owner", "status"], name="contradiction_owner_status"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["uai", "category", "kind"], name="contradiction_once"),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="contradiction_status_known"),
            models.CheckConstraint(
                condition=~Q(status__in=(Status.EXPLAINED, Status.SETTLED)) | ~Q(settles=""),
                name="contradiction_end_is_told",
            ),
            models.CheckConstraint(
                condition=~Q(status=Status.IN_PROGRESS) | Q(owner__isnull=False), name="contradiction_in_progress_is_owned"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.uai} {self.category} {self.kind}"

    @property
    def is_waiting(self) -> bool:
        """Whether somebody still has something to do about it."""
        return self.status in WAITING

    def may_become(self, status: Status) -> bool:
        """Whether the table of transitions allows it."""
        return status in TRANSITIONS[Status(self.status)]


class Side(models.Model):
    """A sender whose files speak in a contradiction: its people may read it and act on it."""

    contradiction = models.ForeignKey(Contradiction, models.CASCADE, related_name="sides")
    sender = models.CharField("expéditeur", max_length=64)

    class Meta:
        verbose_name = "partie"
        constraints = [models.UniqueConstraint(fields=["contradiction", "sender"], name="side_once")]
        indexes = [models.Index(fields=["sender"], name="side_sender")]

    def __str__(self) -> str:
        return self.sender


class NoteIsAppendOnly(Exception):
    """Raised when code tries to change or delete what was said."""

    def __init__(self) -> None:
        super().__init__("Une note ne se modifie pas : ajoutez-en une qui la corrige.")


class NoteQuerySet(models.QuerySet["Note"]):
    """Notes can be read and added."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise NoteIsAppendOnly

    def delete(self) -> NoReturn:
        raise NoteIsAppendOnly


class Note(models.Model):
    """A line of the history of a contradiction: a comment, or a change of status with its words. Never edited.

    ``account`` is null when the facts spoke."""

    class Kind(models.TextChoices):
        OPENED = "opened", "Ouverte"
        ASSIGNED = "assigned", "Prise en charge"
        RELEASED = "released", "Remise à traiter"
        COMMENT = "comment", "Commentaire"
        EXPLAINED = "explained", "Expliquée"
        SETTLED = "settled", "Réglée"
        REOPENED = "reopened", "Rouverte"

    contradiction = models.ForeignKey(Contradiction, models.PROTECT, related_name="notes")
    at = models.DateTimeField("le")
    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, verbose_name="par")
    kind = models.CharField("nature", max_length=12, choices=Kind.choices)
    text = models.TextField("texte", blank=True)

    objects = NoteQuerySet.as_manager()

    class Meta:
        verbose_name = "note"
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(kind__in=("comment", "explained", "settled")) | ~Q(text=""), name="note_says_something"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.text[:40]}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            raise NoteIsAppendOnly
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise NoteIsAppendOnly


class Comparison(models.Model):
    """The last time the facts of a département were compared: at ledger number ``number``, as of ``day``."""

    departement = models.CharField("département", max_length=3, unique=True)
    number = models.PositiveBigIntegerField("numéro du registre", default=0)
    day = models.DateField("jour", null=True)
    at = models.DateTimeField("comparé le", null=True)

    class Meta:
        verbose_name = "comparaison"

    def __str__(self) -> str:
        return f"{self.departement} n° {self.number}"


class SavedView(models.Model):
    """A way of looking at the tracking page, kept under a name. ``query``: the filters and sort of its address."""

    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name="compte")
    name = models.CharField("nom", max_length=80)
    query = models.CharField("filtres", max_length=1000, blank=True)
    saved_at = models.DateTimeField("enregistrée le")

    class Meta:
        verbose_name = "vue enregistrée"
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["account", "name"], name="saved_view_once"),
            models.CheckConstraint(condition=~Q(name=""), name="saved_view_named"),
        ]

    def __str__(self) -> str:
        return self.name


class Digest(models.Model):
    """The message of one day to one account. ``claimed_at``: some worker is sending it since; ``sent_at``: it left."""

    account = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name="compte")
    day = models.DateField("jour")
    counts = models.JSONField("ce qu'il dit", default=dict)
    claimed_at = models.DateTimeField("en cours d'envoi depuis", null=True)
    sent_at = models.DateTimeField("envoyé le", null=True)

    class Meta:
        verbose_name = "rappel"
        ordering = ["-day", "account"]
        constraints = [models.UniqueConstraint(fields=["account", "day"], name="digest_once_a_day")]

    def __str__(self) -> str:
        return f"{self.day} {self.account_id}"
