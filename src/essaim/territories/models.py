"""Places, establishments and organisations: what is needed to find and show them. Counted facts are in the ledger."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class Establishment(models.Model):
    """A school, its last known description. ``level`` is the highest degree taught; ``successor_uai`` the school that took
    over when it merged. Rows come from ``acts.project_register`` and are rebuilt from the ledger at any time."""

    class Level(models.TextChoices):
        ECOLE = "ecole", "École"
        COLLEGE = "college", "Collège"
        LYCEE = "lycee", "Lycée"
        OTHER = "autre", "Autre"

    class Sector(models.TextChoices):
        PUBLIC = "public", "Public"
        PRIVATE = "prive", "Privé"

    uai = models.CharField("UAI", max_length=8, unique=True)
    name = models.CharField("nom", max_length=255, blank=True)
    kind = models.CharField("nature", max_length=120, blank=True)
    level = models.CharField("degré", max_length=8, choices=Level.choices, default=Level.OTHER)
    levels = models.CharField("niveaux", max_length=120, blank=True, help_text="Séparés par des barres verticales.")
    sector = models.CharField("secteur", max_length=8, choices=Sector.choices, blank=True)
    contract_type = models.CharField("contrat", max_length=120, blank=True)
    postal_code = models.CharField("code postal", max_length=5, blank=True)
    commune_code = models.CharField("code commune", max_length=5, blank=True)
    commune_name = models.CharField("commune", max_length=120, blank=True)
    commune_is_derived = models.BooleanField("commune déduite", default=False, db_default=False, help_text="Des établissements voisins.")
    departement = models.CharField("département", max_length=3, db_index=True)
    circonscription_code = models.CharField("code de la circonscription", max_length=12, blank=True)
    circonscription = models.CharField("circonscription", max_length=160, blank=True)
    latitude = models.FloatField("latitude", null=True)
    longitude = models.FloatField("longitude", null=True)
    opened_on = models.DateField("ouvert le", null=True)
    closed_on = models.DateField("fermé le", null=True)
    successor_uai = models.CharField("UAI du successeur", max_length=8, blank=True)
    parent_uai = models.CharField("établissement mère", max_length=8, blank=True)
    siret = models.CharField("SIRET", max_length=14, blank=True)
    owner_code = models.CharField("collectivité ou propriétaire", max_length=40, blank=True, db_index=True)
    priority_education = models.CharField("éducation prioritaire", max_length=8, blank=True)

    class Meta:
        verbose_name = "établissement"
        ordering = ["commune_name", "name", "uai"]
        indexes = [models.Index(fields=["commune_code"], name="establishment_commune")]
        constraints = [
            models.CheckConstraint(
                condition=Q(closed_on__isnull=True) | Q(opened_on__isnull=True) | Q(closed_on__gte=F("opened_on")),
                name="establishment_closes_after_opening",
            ),
            models.CheckConstraint(condition=~Q(successor_uai=F("uai")) | Q(successor_uai=""), name="establishment_not_own_successor"),
            models.CheckConstraint(
                condition=Q(latitude__isnull=True) | Q(latitude__range=(-90, 90), longitude__range=(-180, 180)),
                name="establishment_on_earth",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.uai})"

    @property
    def title(self) -> str:
        """The name, or what it is and where when the register gives none."""
        return self.name or " ".join(part for part in (self.kind or self.get_level_display(), self.commune_name) if part)

    @property
    def nature(self) -> str:
        """``École publique``, ``Collège privé``: degree and sector, agreeing."""
        what = (self.kind or "Établissement") if self.level == self.Level.OTHER else self.get_level_display()
        if self.level == self.Level.ECOLE:
            return f"{what} {({'public': 'publique', 'prive': 'privée'}).get(self.sector, '')}".rstrip()
        return f"{what} {self.get_sector_display().lower()}".rstrip() if self.level != self.Level.OTHER else what

    @property
    def is_open(self) -> bool:
        return self.closed_on is None

    @property
    def is_private(self) -> bool:
        return self.sector == self.Sector.PRIVATE


class Organisation(models.Model):
    """An actor with an identity: authority, owner, association, company, State service. ``code`` is the SIREN where
    sources give it, otherwise a stable name given by the register (``departement-02``, whose SIREN is declared)."""

    class Kind(models.TextChoices):
        COMMUNE = "commune", "Commune"
        EPCI = "epci", "Intercommunalité"
        DEPARTEMENT = "departement", "Département"
        REGION = "region", "Région"
        SYNDICAT = "syndicat", "Syndicat scolaire"
        OGEC = "ogec", "Organisme de gestion (privé)"
        DIOCESE = "diocese", "Direction diocésaine"
        ACADEMIE = "academie", "Académie"
        STATE = "etat", "Service de l'État"
        OPERATOR = "operateur", "Opérateur de l'État"
        ASSOCIATION = "association", "Association"
        COMPANY = "entreprise", "Entreprise"

    code = models.CharField("code", max_length=40, unique=True)
    siren = models.CharField("SIREN", max_length=9, blank=True, db_index=True)
    siret = models.CharField("SIRET", max_length=14, blank=True)
    name = models.CharField("nom", max_length=255)
    kind = models.CharField("nature", max_length=12, choices=Kind.choices)
    departement = models.CharField("département", max_length=3, blank=True, db_index=True)
    commune_code = models.CharField("code commune", max_length=5, blank=True)

    class Meta:
        verbose_name = "organisation"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Unit(models.Model):
    """One place of a hierarchy: a commune, an académie, a territory of the programme… ``population`` in inhabitants."""

    class Hierarchy(models.TextChoices):
        ADMINISTRATIVE = "administrative", "Administrative"
        ACADEMIC = "academic", "Académique"
        OWNER = "owner", "Propriétaire"
        DIOCESAN = "diocesan", "Diocésaine"
        PROGRAMME = "programme", "Programme"

    hierarchy = models.CharField("hiérarchie", max_length=16, choices=Hierarchy.choices)
    level = models.CharField("niveau", max_length=20)
    code = models.CharField("code", max_length=40)
    label = models.CharField("nom", max_length=255)
    departement = models.CharField("département", max_length=3, blank=True, db_index=True)
    population = models.IntegerField("population", null=True)
    valid_from = models.DateField("depuis le", null=True)
    valid_to = models.DateField("jusqu'au", null=True)

    class Meta:
        verbose_name = "unité"
        ordering = ["hierarchy", "level", "code"]
        constraints = [models.UniqueConstraint(fields=["hierarchy", "level", "code"], name="unit_once")]

    def __str__(self) -> str:
        return self.label


class Membership(models.Model):
    """A unit inside another of the same hierarchy, between two days (both included; null: open)."""

    child = models.ForeignKey(Unit, models.CASCADE, related_name="memberships", verbose_name="unité")
    parent = models.ForeignKey(Unit, models.CASCADE, related_name="members", verbose_name="unité englobante")
    valid_from = models.DateField("depuis le", null=True)
    valid_to = models.DateField("jusqu'au", null=True)

    class Meta:
        verbose_name = "rattachement"
        constraints = [
            models.UniqueConstraint(fields=["child", "parent", "valid_from"], name="membership_once"),
            models.UniqueConstraint(fields=["child", "parent"], condition=Q(valid_from__isnull=True), name="membership_once_undated"),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_from__isnull=True) | Q(valid_to__gte=F("valid_from")),
                name="membership_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.child} → {self.parent}"


class FormerCommune(models.Model):
    """A commune code no longer in use (merged, associated, arrondissement, postal alias) and the commune it leads to."""

    code = models.CharField("ancien code", max_length=5, unique=True)
    current_code = models.CharField("code actuel", max_length=5, db_index=True)
    name = models.CharField("nom", max_length=120, blank=True)

    class Meta:
        verbose_name = "ancienne commune"

    def __str__(self) -> str:
        return f"{self.code} → {self.current_code}"
