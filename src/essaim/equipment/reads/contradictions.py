"""Contradictions as people follow them: who may see and settle them, what each source says, what is out of date."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from essaim.equipment.categories import CATEGORIES
from essaim.equipment.models import Comparison, Contradiction, Side
from essaim.equipment.reads.derived import VIEWS, states
from essaim.equipment.reads.reconciliation import CONTRADICTIONS, reconcile
from essaim.foundation import clock
from essaim.foundation.models import Account, Mandate, Posting, Role
from essaim.foundation.reads import active_mandates, scope_of
from essaim.foundation.scopes import scope_of_mandate
from essaim.kernel.departements import academie_of

LABELS = {item.code: item.label for item in CATEGORIES}
KINDS = {
    "livre_plus_que_commande": "Livré plus que commandé",
    "livre_sans_commande": "Livré sans commande",
    "recu_moins_que_livre": "Reçu moins que livré",
    "recu_sans_livraison": "Reçu sans livraison",
    "ne_fonctionne_pas": "Ne fonctionne pas",
    "inventaire_inferieur": "Inventaire inférieur",
    "livre_sans_reception": "Livré, jamais confirmé",
}
SETTLES = {
    "livre_plus_que_commande": "La collectivité dépose le bon de commande manquant, ou corrige la quantité livrée dans son fichier de livraisons.",
    "livre_sans_commande": "La collectivité dépose la commande correspondante, ou corrige l'UAI ou la catégorie de la livraison.",
    "recu_moins_que_livre": "L'établissement confirme le reste à son arrivée, ou la collectivité corrige la quantité livrée.",
    "recu_sans_livraison": "La collectivité dépose le fichier de livraisons qui manque, ou l'établissement corrige sa confirmation.",
    "ne_fonctionne_pas": "Le fournisseur ou la collectivité répare ou remplace, puis l'établissement confirme que cela fonctionne.",
    "inventaire_inferieur": "L'établissement recompte et dépose son inventaire, ou la collectivité déclare les sorties (réforme, don, vol).",
    "livre_sans_reception": "L'établissement confirme la réception depuis son téléphone, ou dépose un inventaire qui compte ce matériel.",
}
DECLARED_SAYS = {"inventaire_inferieur": "attendu", "recu_sans_livraison": "livré", "recu_moins_que_livre": "livré"}
OBSERVED_SAYS = {
    "livre_plus_que_commande": "commandé", "livre_sans_commande": "commandé", "recu_moins_que_livre": "reçu",
    "recu_sans_livraison": "reçu", "ne_fonctionne_pas": "en état", "inventaire_inferieur": "compté", "livre_sans_reception": "confirmé",
}  # fmt: skip
# Roles that settle contradictions; the others read them.
SETTLERS = (Role.NATIONAL, Role.TERRITORY, Role.AUTHORITY, Role.DIRECTOR, Role.ADMINISTRATOR)
SOURCES = {
    "orders": ("Commandes", "ordered_on"),
    "deliveries": ("Livraisons déclarées", "delivered_on"),
    "acknowledgements": ("Confirmations de l'établissement", "received_on"),
    "inventory": ("Inventaires", "counted_on"),
    "disposals": ("Sorties", "retired_on"),
}


def visible_contradictions(account: Account | AnonymousUser) -> QuerySet[Contradiction]:
    """Contradictions that ``account`` may read: of its départements and schools, and those where its files speak."""
    scope = scope_of(account)
    if scope.is_national:
        return Contradiction.objects.all()
    if scope.is_empty:
        return Contradiction.objects.none()
    speaks = Side.objects.filter(contradiction=OuterRef("pk"), sender__in=sorted(scope.organisations))
    return Contradiction.objects.filter(
        Q(departement__in=sorted(scope.departements)) | Q(uai__in=sorted(scope.uais)) | Exists(speaks)
    )


def mandate_to_settle(account: Account, contradiction: Contradiction) -> Mandate | None:
    """The mandate under which ``account`` may follow and settle ``contradiction``, or None."""
    senders = frozenset(contradiction.sides.values_list("sender", flat=True))
    return next((item for item in active_mandates(account) if _covers(item, contradiction, senders)), None)


def may_settle(mandate: Mandate) -> bool:
    """Whether the role of ``mandate`` follows and settles contradictions, inside its scope."""
    return mandate.role in SETTLERS


def _covers(mandate: Mandate, contradiction: Contradiction, senders: Collection[str]) -> bool:
    if not may_settle(mandate):
        return False
    scope = scope_of_mandate(mandate)
    return scope.covers(departement=contradiction.departement, uai=contradiction.uai) or bool(scope.organisations & set(senders))


def candidates(contradiction: Contradiction) -> list[Account]:
    """Accounts to whom ``contradiction`` may be given: those of its département, académie, school and senders."""
    place, senders = contradiction.departement, frozenset(contradiction.sides.values_list("sender", flat=True))
    near = [f"administrative/departement/{place}", f"programme/territory/{place}", f"academic/dsden/{place}", f"establishment/{contradiction.uai}"]
    near += [f"academic/academie/{prefix}{academie_of(place).code}" for prefix in ("", "A")]
    near += [f"owner/organisation/{sender}" for sender in senders]
    day = clock.today()
    found = (
        Mandate.objects.filter(Q(scope__in=near) | Q(organisation__in=senders), role__in=SETTLERS, starts_on__lte=day, account__is_active=True)
        .filter(Q(ends_on__isnull=True) | Q(ends_on__gte=day))
        .select_related("account")[:200]
    )
    accounts = {item.account_id: item.account for item in found if _covers(item, contradiction, senders)}
    return sorted(accounts.values(), key=lambda item: item.name)


@dataclass(frozen=True, slots=True)
class Facts:
    """Contradictions of some départements as computed: (uai, category, kind) → what the facts say, and who speaks of each
    (uai, category)."""

    found: dict[tuple[str, str, str], dict[str, Any]]
    senders: dict[tuple[str, str], frozenset[str]]


def computed(departements: Iterable[str], *, number: int, on: date) -> Facts:
    """What the ledger says at ``number``, on the day ``on``."""
    with states(*VIEWS, known_at=number, departements=list(departements)) as connection:
        rows = reconcile(connection, on=on.isoformat()).contradictions.to_pylist()
        union = " UNION ".join(f"SELECT uai, category, sender FROM {name}" for name in VIEWS)
        sides = connection.sql(f"SELECT uai, category, list(DISTINCT sender) FROM ({union}) GROUP BY ALL").fetchall()
    senders = {(uai, category): frozenset(item for item in found if item) for uai, category, found in sides}
    return Facts({(row["uai"], row["category"], row["kind"]): row for row in rows}, senders)


def numbers_of(departements: Collection[str] | None = None) -> dict[str, int]:
    """The last number posted about equipment in each département (all of them when None)."""
    codes = [contract.code for contract in VIEWS.values()]
    found = Posting.objects.filter(status=Posting.Status.DONE, submission__contract__in=codes, submission__places__isnull=False)
    if departements is not None:
        found = found.filter(submission__places__departement__in=sorted(departements))
    rows = found.order_by().values_list("submission__places__departement").annotate(last=Max("number"))
    return {place: last for place, last in rows if departements is None or place in departements}


def outdated(departements: Collection[str] | None = None, *, on: date | None = None) -> dict[str, int]:
    """Départements where facts have come since the last comparison, or that were last compared another day: number to compare at."""
    day = on or clock.today()
    done = set(Comparison.objects.values_list("departement", "number", "day"))
    return {place: number for place, number in numbers_of(departements).items() if (place, number, day) not in done}


@dataclass(frozen=True, slots=True)
class Source:
    """What one kind of file says of a school and a category. ``rows``: its standing rows, each with the sender's cell they
    come from (``submission, source_sheet, source_row``); ``total`` in units, None when it says nothing."""

    name: str
    label: str
    total: int | None
    rows: tuple[dict[str, Any], ...]


def sources(contradiction: Contradiction, *, known_at: int | None = None) -> list[Source]:
    """What every source says of the school and the category of ``contradiction``, oldest first."""
    found = []
    with states(*VIEWS, known_at=known_at, departements=[contradiction.departement], uai=contradiction.uai) as connection:
        for name, (label, dated_by) in SOURCES.items():
            query = f"SELECT *, {dated_by} AS dated_on FROM {name} WHERE category = ? ORDER BY {dated_by}, submission, source_row"
            rows = tuple(connection.sql(query, params=[contradiction.category]).to_arrow_table().to_pylist())
            found.append(Source(name, label, sum(row["quantity"] or 0 for row in rows) if rows else None, rows))
    return found


def words(contradiction: Contradiction) -> dict[str, str]:
    """The contradiction in French: ``title``, ``says``, ``settles`` (what would settle it), names of both numbers."""
    kind = contradiction.kind
    return {
        "title": KINDS.get(kind, kind),
        "says": CONTRADICTIONS.get(kind, kind),
        "settles": SETTLES.get(kind, ""),
        "category": LABELS.get(contradiction.category, contradiction.category),
        "declared": DECLARED_SAYS.get(kind, "livré"),
        "observed": OBSERVED_SAYS.get(kind, "constaté"),
    }
