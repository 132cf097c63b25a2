"""The tracking page: order lines filtered, sorted, cut into pages, with lateness against the planned and the revised date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from essaim.equipment.contracts import FUNDINGS
from essaim.equipment.models import SavedView
from essaim.equipment.reads.lines import LABELS, scoped_lines
from essaim.foundation.models import Account
from essaim.foundation.reads import Scope
from essaim.kernel.departements import name_of
from essaim.kernel.french import folded

STATES = {
    "commande": "Commandé, rien de livré",
    "partiel": "Livré en partie",
    "livre": "Livré en entier",
    "installe": "Installé",
    "retard": "En retard",
}
LATE = {"prevu": "Sur la date prévue", "revise": "Sur la date révisée"}
FUNDING_WORDS = {
    "tne": "TNE", "plan_relance": "plan de relance", "collectivite": "collectivité", "etat": "État", "europe": "Europe", "autre": "autre crédit",
}  # fmt: skip
FUNDING_LABELS = {item.value: item.label for item in FUNDINGS}
# Column of the page → columns that order it.
SORTS: dict[str, tuple[str, ...]] = {
    "etablissement": ("school", "uai"),
    "commune": ("commune", "school"),
    "materiel": ("category_label", "model"),
    "commande": ("order_ref", "line"),
    "expediteur": ("sender_name",),
    "financement": ("funding",),
    "commande_le": ("ordered_on",),
    "quantite": ("quantity",),
    "livre": ("delivered",),
    "installe": ("installed",),
    "utilise": ("in_use",),
    "prevu": ("planned_on",),
    "revise": ("revised_on",),
    "solde": ("completed_on",),
    "retard_prevu": ("late_planned_days",),
    "retard_revise": ("late_revised_days",),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the reader asks: codes, or free text; empty for no condition. ``sort`` is a key of SORTS, with ``-`` before it
    for the greatest first."""

    departement: str = ""
    commune: str = ""
    category: str = ""
    sender: str = ""
    funding: str = ""
    state: str = ""
    late: str = ""
    text: str = ""
    sort: str = "prevu"


@dataclass(frozen=True, slots=True)
class Choices:
    """What the filters offer, within the reader's scope: (code, label) pairs."""

    departements: tuple[tuple[str, str], ...]
    categories: tuple[tuple[str, str], ...]
    senders: tuple[tuple[str, str], ...]
    fundings: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Followed:
    """Lines asked for; ``order``: their places in ``lines``, sorted. Sums are of all of them, in units but for ``total`` and the
    ``late`` ones, in lines. ``everything``: lines in the scope before filters."""

    lines: pl.DataFrame
    order: pl.Series
    total: int
    everything: int
    ordered: int
    delivered: int
    installed: int
    late_planned: int
    late_revised: int

    def page(self, number: int, size: int = 50) -> list[dict[str, Any]]:
        """The lines of one page, from 1."""
        return self.lines[self.order.slice((number - 1) * size, size)].to_dicts()

    @property
    def sorted(self) -> pl.DataFrame:
        """All the lines, in order."""
        return self.lines[self.order]


def followed(scope: Scope, wanted: Wanted, *, on: date, known_at: int | None = None) -> Followed:
    """Lines of ``scope`` on day ``on``, as known at ledger number ``known_at``."""
    lines = scoped_lines(scope, known_at=known_at)
    found = _narrowed(dated(lines, on), wanted)
    sums = found.select(
        pl.len().alias("total"), pl.col("quantity").sum().alias("ordered"), pl.col("delivered").sum(), pl.col("installed").sum(),
        pl.col("is_late_planned").sum().alias("late_planned"), pl.col("is_late_revised").sum().alias("late_revised"),
    ).row(0, named=True)  # fmt: skip
    return Followed(found, _order(found, wanted.sort), everything=lines.height, **{name: value or 0 for name, value in sums.items()})


def dated(lines: pl.DataFrame, on: date) -> pl.DataFrame:
    """Adds what depends on the day: ``state`` (key of STATES, never ``retard``), ``late_planned_days`` and
    ``late_revised_days`` (days between that date and completion, or ``on`` when nothing completed the line; null when not
    late or without such a date), ``is_late_planned`` and ``is_late_revised`` (still open, that date passed; without a
    revised date, the planned one holds)."""
    day = pl.lit(on)
    complete = pl.col("completed_on").is_not_null() & (pl.col("completed_on") <= day)
    end = pl.when(complete).then("completed_on").otherwise(day)
    state = (
        pl.when(complete & (pl.col("installed") >= pl.col("quantity")))
        .then(pl.lit("installe"))
        .when(complete)
        .then(pl.lit("livre"))
        .when(pl.col("delivered") > 0)
        .then(pl.lit("partiel"))
        .otherwise(pl.lit("commande"))
    )

    def days(column: str) -> pl.Expr:
        passed = (end - pl.col(column)).dt.total_days()
        return pl.when(passed > 0).then(passed)

    return lines.with_columns(
        state.alias("state"), days("planned_on").alias("late_planned_days"), days("revised_on").alias("late_revised_days"),
        (~complete & (pl.col("planned_on") < day)).fill_null(False).alias("is_late_planned"),
        (~complete & (pl.col("due_on") < day)).fill_null(False).alias("is_late_revised"),
    )  # fmt: skip


def _narrowed(lines: pl.DataFrame, wanted: Wanted) -> pl.DataFrame:
    conditions = [
        pl.col(column) == value
        for column, value in (
            ("departement", wanted.departement), ("category", wanted.category), ("sender", wanted.sender), ("funding", wanted.funding),
        )
        if value
    ]  # fmt: skip
    if wanted.commune:
        conditions.append(pl.col("commune_folded").str.contains(folded(wanted.commune), literal=True))
    conditions += [pl.col("searched").str.contains(word, literal=True) for word in folded(wanted.text).split()]
    late = {"prevu": "is_late_planned", "revise": "is_late_revised"}.get(wanted.late)
    if late:
        conditions.append(pl.col(late))
    if wanted.state == "retard":
        conditions.append(pl.col("is_late_revised"))
    elif wanted.state:
        conditions.append(pl.col("state") == wanted.state)
    return lines.filter(*conditions) if conditions else lines


def _order(lines: pl.DataFrame, sort: str) -> pl.Series:
    """Places of the lines in the order asked: only what orders them is moved."""
    name, descending = sort.removeprefix("-"), sort.startswith("-")
    columns = SORTS.get(name, SORTS["prevu"])
    keys = lines.select(*columns, *(item for item in ("departement", "uai", "line_id") if item not in columns)).with_row_index("place")
    turned = [item in columns and descending for item in keys.columns[1:]]
    return keys.sort(keys.columns[1:], nulls_last=True, descending=turned)["place"]


def choices(scope: Scope, *, known_at: int | None = None) -> Choices:
    """What can be asked of the lines of ``scope``."""
    lines = scoped_lines(scope, known_at=known_at)
    held = {name: sorted(lines[name].drop_nulls().unique().to_list()) for name in ("departement", "category", "funding")}
    senders = lines.select("sender", "sender_name").unique().sort("sender_name").rows()
    return Choices(
        tuple((code, f"{name_of(code) or code} ({code})") for code in held["departement"]),
        tuple(sorted(((code, LABELS.get(code, code)) for code in held["category"]), key=lambda item: folded(item[1]))),
        tuple((code, name if name == code else f"{name} ({code})") for code, name in senders),
        tuple((code, FUNDING_LABELS.get(code, code)) for code in held["funding"]),
    )


HEADINGS: tuple[tuple[str, str], ...] = (
    ("departement", "Département"), ("uai", "UAI"), ("school", "Établissement"), ("commune", "Commune"), ("sender", "Expéditeur"),
    ("sender_name", "Nom de l'expéditeur"), ("buyer_siren", "SIREN de l'acheteur"), ("order_ref", "N° de commande"), ("line", "Ligne"),
    ("category_label", "Matériel"), ("model", "Modèle"), ("supplier", "Fournisseur"), ("funding", "Financement"),
    ("ordered_on", "Date de commande"), ("quantity", "Quantité commandée"), ("delivered", "Quantité livrée"),
    ("configured", "Dont configurés"), ("confirmed", "Dont confirmés par l'établissement"), ("installed", "Dont installés"),
    ("present", "Présents (inventaire de l'établissement)"), ("in_use", "Utilisés (inventaire de l'établissement)"),
    ("counted_on", "Date de l'inventaire"), ("planned_on", "Livraison prévue"), ("revised_on", "Livraison révisée"),
    ("first_delivered_on", "Première livraison"), ("completed_on", "Soldée le"), ("installed_on", "Dernière installation"),
    ("state", "État"), ("late_planned_days", "Retard sur la date prévue (jours)"), ("late_revised_days", "Retard sur la date révisée (jours)"),
    ("submission", "N° du dépôt"), ("source_sheet", "Feuille"), ("source_row", "Ligne de la feuille"),
)  # fmt: skip


def table_of(found: Followed) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Headings and rows to export: everything the page knows of each line, in words."""
    lines = found.sorted.with_columns(
        pl.col("state").replace_strict(STATES, return_dtype=pl.String),
        pl.col("funding").replace_strict(FUNDING_LABELS, default=pl.col("funding"), return_dtype=pl.String),
    )
    return [label for _name, label in HEADINGS], lines.select(name for name, _label in HEADINGS).rows()


def saved_views(account: Account) -> list[SavedView]:
    """The views that ``account`` kept, by name."""
    return list(SavedView.objects.filter(account_id=account.pk))


def saved_view(account: Account, pk: int) -> SavedView | None:
    """One view that ``account`` kept; None for another's, or none."""
    return SavedView.objects.filter(account_id=account.pk, pk=pk).first()
