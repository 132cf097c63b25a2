"""Submissions: files handed in, their states, the numbers under which the ledger knows them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from .people import Account


class State(models.TextChoices):
    """Where a submission stands."""

    RECEIVED = "received", "Reçu"
    CHECKING = "checking", "Vérification en cours"
    CHECKED = "checked", "Vérifié"
    ACCEPTING = "accepting", "Acceptation en cours"
    ACCEPTED = "accepted", "Accepté"
    REFUSED = "refused", "Refusé"
    WITHDRAWN = "withdrawn", "Retiré"


# From a state to those it may become. ``checking → received`` and ``accepting → checked`` undo work cut short.
TRANSITIONS: dict[State, tuple[State, ...]] = {
    State.RECEIVED: (State.CHECKING, State.REFUSED),
    State.CHECKING: (State.CHECKED, State.RECEIVED, State.REFUSED),
    State.CHECKED: (State.CHECKING, State.ACCEPTING, State.REFUSED),
    State.ACCEPTING: (State.ACCEPTED, State.CHECKED),
    State.ACCEPTED: (State.WITHDRAWN,),
    State.REFUSED: (),
    State.WITHDRAWN: (),
}
NUMBERED = (State.ACCEPTING, State.ACCEPTED, State.WITHDRAWN)


class Submission(models.Model):
    """A file (or form) handed in for a contract by a sender. Its bytes are kept under their SHA-256, never edited.

    ``number``: given at acceptance, increasing in the order in which the ledger is written, null before. ``report``: what
    the check found, without its rows (tables, summary, questions, notices). ``corrects``: the submission whose refused rows
    this one repairs; ``replaces``: the one it was sent in place of. Counts are rows; ``size`` is in bytes.
    """

    contract = models.CharField("contrat", max_length=100)
    contract_version = models.PositiveIntegerField("version du contrat")
    filename = models.CharField("fichier", max_length=255)
    sha256 = models.CharField("empreinte", max_length=64)
    size = models.PositiveBigIntegerField("taille")
    sender = models.CharField("expéditeur", max_length=64)
    received_by = models.ForeignKey(Account, models.PROTECT, related_name="+", verbose_name="déposé par")
    received_at = models.DateTimeField("déposé le")
    state = models.CharField("état", max_length=16, choices=State.choices, default=State.RECEIVED)
    state_at = models.DateTimeField("dans cet état depuis")
    number = models.PositiveBigIntegerField("numéro", null=True, unique=True)
    accepted_by = models.ForeignKey(
        Account, models.PROTECT, related_name="+", null=True, verbose_name="accepté par"
    )
    accepted_at = models.DateTimeField("accepté le", null=True)
    reason = models.TextField("motif du refus ou du retrait", blank=True)
    status = models.CharField("résultat de la vérification", max_length=16, blank=True)
    checked_key = models.CharField("vérification conservée", max_length=64, blank=True)
    rows_read = models.PositiveIntegerField("lignes lues", null=True)
    rows_accepted = models.PositiveIntegerField("lignes retenues", null=True)
    rows_refused = models.PositiveIntegerField("lignes refusées", null=True)
    rows_new = models.PositiveIntegerField("lignes nouvelles", null=True)
    rows_changed = models.PositiveIntegerField("lignes modifiées", null=True)
    rows_unchanged = models.PositiveIntegerField("lignes inchangées", null=True)
    rows_withdrawn = models.PositiveIntegerField("lignes retirées", null=True)
    report = models.JSONField("compte rendu", default=dict)
    answers = models.JSONField("réponses", default=dict)
    progress_done = models.PositiveIntegerField(default=0)
    progress_total = models.PositiveIntegerField(default=0)
    progress_step = models.CharField("étape", max_length=200, blank=True)
    progress_at = models.DateTimeField(null=True)
    replaces = models.ForeignKey("self", models.PROTECT, related_name="+", null=True, verbose_name="remplace")
    corrects = models.ForeignKey(
        "self", models.PROTECT, related_name="corrections", null=True, verbose_name="corrige"
    )

    class Meta:
        verbose_name = "dépôt"
        ordering = ["-received_at", "-pk"]
        indexes = [
            models.Index(fields=["sha256", "contract", "sender"], name="submission_content"),
            models.Index(fields=["state", "state_at"], name="submission_state"),
            models.Index(fields=["sender", "contract"], name="submission_sender"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=State.values), name="submission_state_known"),
            models.CheckConstraint(
                condition=Q(state__in=NUMBERED, number__isnull=False)
                | (~Q(state__in=NUMBERED) & Q(number__isnull=True)),
                name="submission_numbered_once_accepting",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=(State.ACCEPTED, State.WITHDRAWN)) | Q(accepted_at__isnull=False),
                name="submission_accepted_is_dated",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=(State.REFUSED, State.WITHDRAWN)) | ~Q(reason=""),
                name="submission_end_has_reason",
            ),
            models.CheckConstraint(condition=~Q(sender=""), name="submission_sender_given"),
        ]

    def __str__(self) -> str:
        return f"{self.filename} ({self.contract})"

    def may_become(self, state: State) -> bool:
        """Whether the table of transitions allows it."""
        return state in TRANSITIONS[State(self.state)]

    @property
    def is_busy(self) -> bool:
        """Whether a worker is expected to be on it."""
        return self.state in (State.CHECKING, State.ACCEPTING)


class Place(models.Model):
    """A département that the accepted rows of a submission concern; who may read it follows from them."""

    submission = models.ForeignKey(Submission, models.CASCADE, related_name="places")
    departement = models.CharField("département", max_length=3)

    class Meta:
        verbose_name = "lieu d'un dépôt"
        constraints = [
            models.UniqueConstraint(fields=["submission", "departement"], name="place_once_per_submission")
        ]
        indexes = [models.Index(fields=["departement"], name="place_departement")]

    def __str__(self) -> str:
        return self.departement


class Posting(models.Model):
    """A number used in the ledger, for an acceptance or a withdrawal. Numbers are never used twice.

    ``state``: begun (committed before the ledger is written), done (the ledger holds it, or nothing changed), void (the
    ledger refused it). ``at``, set when done, never decreases with the number: it is the clock of *known at*.
    """

    class Kind(models.TextChoices):
        ACCEPTANCE = "acceptance", "Acceptation"
        WITHDRAWAL = "withdrawal", "Retrait"

    class Status(models.TextChoices):
        BEGUN = "begun", "Commencée"
        DONE = "done", "Inscrite"
        VOID = "void", "Abandonnée"

    number = models.PositiveBigIntegerField("numéro", primary_key=True)
    kind = models.CharField("nature", max_length=16, choices=Kind.choices)
    submission = models.ForeignKey(Submission, models.PROTECT, related_name="postings", verbose_name="dépôt")
    status = models.CharField("état", max_length=16, choices=Status.choices, default=Status.BEGUN)
    by = models.ForeignKey(Account, models.PROTECT, related_name="+", verbose_name="par")
    reason = models.TextField("motif", blank=True)
    begun_at = models.DateTimeField("commencée le")
    at = models.DateTimeField("inscrite le", null=True)
    entries = models.PositiveBigIntegerField("écritures", null=True)

    class Meta:
        verbose_name = "inscription au registre"
        ordering = ["number"]
        indexes = [models.Index(fields=["status", "at"], name="posting_at")]
        constraints = [
            models.CheckConstraint(
                condition=~Q(status="done") | Q(at__isnull=False), name="posting_done_is_dated"
            ),
            models.UniqueConstraint(
                fields=["submission", "kind"], condition=~Q(status="void"), name="posting_once_per_kind"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.get_kind_display()}"


class Layout(models.Model):
    """What a sender confirmed once about a layout of file: answers by question, reused whenever it comes back."""

    sender = models.CharField("expéditeur", max_length=64)
    contract = models.CharField("contrat", max_length=100)
    fingerprint = models.CharField("empreinte de la disposition", max_length=128)
    memory = models.JSONField("correspondances", default=dict)
    confirmed_by = models.ForeignKey(Account, models.PROTECT, related_name="+", verbose_name="confirmé par")
    confirmed_at = models.DateTimeField("confirmé le")

    class Meta:
        verbose_name = "disposition mémorisée"
        constraints = [
            models.UniqueConstraint(fields=["sender", "contract", "fingerprint"], name="layout_once_per_sender")
        ]

    def __str__(self) -> str:
        return f"{self.sender} {self.contract} {self.fingerprint[:12]}"
