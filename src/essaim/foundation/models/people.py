"""Accounts and mandates: who acts, in which role, over what, between which dates."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower


class AccountManager(BaseUserManager["Account"]):
    """Accounts, found by login: the user name or the e-mail address, letter case ignored."""

    def get_by_natural_key(self, username: str | None) -> Account:
        login = (username or "").strip()
        by_name = self.filter(username__iexact=login).first()
        return by_name or self.exclude(email="").get(email__iexact=login)

    def create_user(self, username: str, password: str | None = None, **fields: object) -> Account:
        """An account saved with a hashed password (unusable without one). Not journalled: acts are in ``acts``."""
        account = self.model(username=username.strip(), **fields)
        account.email = self.normalize_email(account.email)
        account.set_password(password)
        account.save(using=self._db)
        return account


class Account(AbstractBaseUser, PermissionsMixin):
    """A person, or the local administrator of the command line. Never deleted: erased, because acts refer to it.

    ``organisation`` is free text, ``siren`` its number when it has one; ``oidc_issuer`` and ``oidc_subject`` identify the
    person at the OpenID Connect provider. Rights come from mandates only; the superuser flag is never set.
    """

    username = models.CharField("identifiant", max_length=150, unique=True)
    email = models.EmailField("adresse électronique", blank=True)
    given_name = models.CharField("prénom", max_length=150, blank=True)
    family_name = models.CharField("nom", max_length=150, blank=True)
    organisation = models.CharField("organisation", max_length=250, blank=True)
    siren = models.CharField("SIREN", max_length=9, blank=True)
    is_active = models.BooleanField("actif", default=True)
    oidc_issuer = models.CharField("fournisseur d'identité", max_length=250, blank=True)
    oidc_subject = models.CharField("identifiant chez le fournisseur", max_length=250, blank=True)
    opened_at = models.DateTimeField("ouvert le", auto_now_add=True)
    seen_at = models.DateTimeField("vu le", null=True, blank=True)
    erased_at = models.DateTimeField("effacé le", null=True, blank=True)

    # Number of the only mandate in force while a program acts with a token; not stored.
    acting_under: int | None = None

    objects = AccountManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: list[str] = []

    class Meta:
        verbose_name = "compte"
        ordering = ["family_name", "given_name", "username"]
        constraints = [
            models.UniqueConstraint(Lower("username"), name="account_username_unique"),
            models.UniqueConstraint(Lower("email"), condition=~models.Q(email=""), name="account_email_unique"),
            models.UniqueConstraint(
                fields=["oidc_issuer", "oidc_subject"],
                condition=~models.Q(oidc_subject=""),
                name="account_oidc_unique",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """Given and family name, or the user name without them."""
        return f"{self.given_name} {self.family_name}".strip() or self.username

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.given_name or self.username


class Role(models.TextChoices):
    """What a mandate entitles to; the rights of each are in ``foundation.permissions``."""

    NATIONAL = "national_steering", "Pilotage national"
    TERRITORY = "territory_lead", "Pilotage de territoire"
    AUTHORITY = "authority_contributor", "Contributeur de collectivité"
    DIRECTOR = "school_director", "Direction d'école ou d'établissement"
    TEACHER = "teacher", "Enseignant"
    TRAINER = "trainer", "Formateur"
    FAMILIES = "family_coordinator", "Coordination des familles"
    EVALUATOR = "evaluator", "Évaluateur"
    AUDITOR = "auditor", "Auditeur"
    ADMINISTRATOR = "administrator", "Administrateur"


class Mandate(models.Model):
    """A role over a scope between two dates (both included; open when ``ends_on`` is null).

    ``scope`` is text: ``national``, or ``hierarchy/level/code`` (``administrative/departement/02``,
    ``academic/academie/A20``, ``owner/organisation/217500016``, ``programme/territory/02``), or
    ``establishment/<UAI>``. ``organisation``: SIREN or sender code of the one whose data it may send.
    """

    account = models.ForeignKey(Account, models.PROTECT, related_name="mandates", verbose_name="compte")
    role = models.CharField("rôle", max_length=32, choices=Role.choices)
    scope = models.CharField("périmètre", max_length=120)
    organisation = models.CharField("organisation représentée", max_length=64, blank=True)
    starts_on = models.DateField("depuis le")
    ends_on = models.DateField("jusqu'au", null=True, blank=True)
    granted_by = models.ForeignKey(
        Account, models.PROTECT, related_name="+", null=True, blank=True, verbose_name="donné par"
    )
    granted_at = models.DateTimeField("donné le", auto_now_add=True)

    class Meta:
        verbose_name = "mandat"
        ordering = ["account", "role", "starts_on", "pk"]
        constraints = [
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="mandate_role_known"),
            models.CheckConstraint(condition=~models.Q(scope=""), name="mandate_scope_given"),
            models.CheckConstraint(
                condition=models.Q(ends_on__isnull=True) | models.Q(ends_on__gte=models.F("starts_on")),
                name="mandate_dates_in_order",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()} — {self.scope}"
