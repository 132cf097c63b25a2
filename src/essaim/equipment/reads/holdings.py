"""The schools that a reader answers for, each with what is known of its equipment, what is missing and what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl
from django.conf import settings
from django.db.models import Count

from essaim.equipment.models import WAITING
from essaim.equipment.reads.contradictions import visible_contradictions
from essaim.equipment.reads.derived import states
from essaim.equipment.reads.lines import Kept, folded_text, last_number, places_of, scoped_lines
from essaim.equipment.reads.lists import dated
from essaim.foundation.models import Account
from essaim.foundation.reads import Scope, scope_of
from essaim.kernel.departements import name_of
from essaim.kernel.french import folded
from essaim.territories.reads.frames import frame, register_stamp

# An inventory older than that says little of what is there.
COUNTED_MONTHS = 18
# What may be said of a school, the most pressing first: code → (label, what to do).
SITUATIONS: Mapping[str, tuple[str, str]] = {
    "contradiction": ("Sources en désaccord", "Voir ce que dit chaque source"),
    "retard": ("Livraison en retard", "Relancer, ou déposer la livraison arrivée depuis"),
    "confirmer": ("Réception à confirmer", "Demander à l'établissement de confirmer"),
    "sans_livraison": ("Aucune livraison connue", "Déposer les commandes et les livraisons"),
    "sans_inventaire": ("Inventaire à faire", "Demander un inventaire"),
    "rien": ("Rien à signaler", ""),
}
LEVELS = {"ecole": "École", "college": "Collège", "lycee": "Lycée"}
SORTS: Mapping[str, tuple[str, ...]] = {
    "etablissement": ("name_folded",), "commune": ("commune_folded",), "eleves": ("pupils",), "livraison": ("last_delivered_on",),
    "inventaire": ("last_counted_on",), "situation": ("rank",),
}  # fmt: skip
_schools, _facts = Kept(200_000), Kept(400_000)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the reader asks; empty for no condition. ``sort``: a key of SORTS, with ``-`` before it for the greatest first."""

    text: str = ""
    situation: str = ""
    level: str = ""
    departement: str = ""
    sort: str = "situation"


@dataclass(frozen=True, slots=True)
class Holdings:
    """Schools asked for, in order; ``everything``: those of the scope before filters; ``counts``: of these, how many are in each of
    SITUATIONS (a school may be in several); ``departements``: where they are, (code, name)."""

    schools: pl.DataFrame
    everything: int
    counts: Mapping[str, int]
    departements: tuple[tuple[str, str], ...]

    def page(self, number: int, size: int = 50) -> list[dict[str, Any]]:
        """The schools of one page, from 1."""
        return self.schools.slice((number - 1) * size, size).to_dicts()


def holdings(account: Account, wanted: Wanted, *, on: date) -> Holdings:
    """The open schools of the scope of ``account`` on the day ``on``."""
    scope = scope_of(account)
    schools = schools_of(scope)
    told = _situated(schools.join(_known(scope, on), on="uai", how="left").join(_contradicted(account), on="uai", how="left"), on)
    counts = {code: int(told[code].sum()) for code in SITUATIONS}
    places = sorted(told["departement"].drop_nulls().unique().to_list())
    found = _ordered(_narrowed(told, wanted), wanted.sort)
    return Holdings(found, schools.height, counts, tuple((code, name_of(code) or code) for code in places))


def schools_of(scope: Scope) -> pl.DataFrame:
    """Open schools that ``scope`` covers: by département, owner or identifier. ``uai, name, level, sector, commune, departement,
    pupils`` and what is searched and sorted by."""
    key = (register_stamp(), scope.cache_key)
    found = _schools.get(key)
    if found is None:
        found = _covered(scope)
        _schools.put(key, found)
    return found


def _covered(scope: Scope) -> pl.DataFrame:
    schools = frame("establishments")
    if schools is None or scope.is_empty:
        return pl.DataFrame(schema=_SCHOOLS)
    found = schools.filter(pl.col("closed_on").is_null() & (pl.col("level") != "autre"))
    if not scope.is_national:
        found = found.filter(
            pl.col("departement").is_in(sorted(scope.departements)) | pl.col("owner_code").is_in(sorted(scope.organisations))
            | pl.col("uai").is_in(sorted(scope.uais))
        )  # fmt: skip
    name, commune = pl.coalesce("name", "kind", pl.lit("")), pl.col("commune_name").fill_null("")
    return found.select(
        "uai", name.alias("name"), "level", "sector", commune.alias("commune"), "departement", pl.col("pupils").cast(pl.Int64),
        folded_text(name).alias("name_folded"), folded_text(commune).alias("commune_folded"),
        folded_text(pl.concat_str([name, commune, "uai"], separator=" ")).alias("searched"),
    ).sort("commune_folded", "name_folded", "uai")  # fmt: skip


_SCHOOLS = dict.fromkeys(("uai", "name", "level", "sector", "commune", "departement"), pl.String) | {"pupils": pl.Int64} | dict.fromkeys(
    ("name_folded", "commune_folded", "searched"), pl.String
)  # fmt: skip


def _known(scope: Scope, on: date) -> pl.DataFrame:
    """What files say of each school on the day ``on``: kept until a file is accepted."""
    key = (str(settings.ESSAIM_LEDGER_URL), last_number(), register_stamp(), scope.cache_key, on)
    found = _facts.get(key)
    if found is None:
        places = places_of(scope)
        with states("deliveries", "acknowledgements", "inventory", departements=None if places is None else sorted(places)) as connection:
            found = pl.DataFrame(connection.sql(_KNOWN, params={"today": on}).to_arrow_table())
        late = dated(scoped_lines(scope), on).group_by("uai").agg(
            pl.col("is_late_revised").sum().cast(pl.Int64).alias("late"), pl.len().cast(pl.Int64).alias("lines")
        )
        found = found.join(late, on="uai", how="full", coalesce=True)
        _facts.put(key, found)
    return found


def _contradicted(account: Account) -> pl.DataFrame:
    rows = visible_contradictions(account).filter(status__in=WAITING).order_by().values_list("uai").annotate(Count("pk"))
    return pl.DataFrame(list(rows), schema={"uai": pl.String, "contradictions": pl.Int64}, orient="row")


def _situated(schools: pl.DataFrame, on: date) -> pl.DataFrame:
    """Adds one boolean a situation, ``situation`` (the most pressing) and its ``rank``."""
    counted = pl.col("last_counted_on")
    told = schools.with_columns(pl.col(name).fill_null(0) for name in ("contradictions", "late", "lines", "awaiting", "delivered"))
    told = told.with_columns(
        (pl.col("contradictions") > 0).alias("contradiction"), (pl.col("late") > 0).alias("retard"), (pl.col("awaiting") > 0).alias("confirmer"),
        pl.col("last_delivered_on").is_null().alias("sans_livraison"),
        (counted.is_null() | (counted.dt.offset_by(f"{COUNTED_MONTHS}mo") < on)).alias("sans_inventaire"),
    )
    own = [code for code in SITUATIONS if code != "rien"]
    told = told.with_columns((~pl.any_horizontal(own)).alias("rien"))
    first = pl.coalesce(pl.when(pl.col(code)).then(pl.lit(code)) for code in SITUATIONS)
    ranks = {code: rank for rank, code in enumerate(SITUATIONS)}
    return told.with_columns(first.alias("situation")).with_columns(pl.col("situation").replace_strict(ranks, return_dtype=pl.Int64).alias("rank"))


def _narrowed(schools: pl.DataFrame, wanted: Wanted) -> pl.DataFrame:
    conditions = [pl.col("searched").str.contains(word, literal=True) for word in folded(wanted.text).split()]
    if wanted.situation in SITUATIONS:
        conditions.append(pl.col(wanted.situation))
    conditions += [pl.col(name) == value for name, value in (("level", wanted.level), ("departement", wanted.departement)) if value]
    return schools.filter(*conditions) if conditions else schools


def _ordered(schools: pl.DataFrame, sort: str) -> pl.DataFrame:
    columns = SORTS.get(sort.removeprefix("-"), SORTS["situation"])
    turned = sort.startswith("-")
    return schools.sort(*columns, "commune_folded", "name_folded", "uai", descending=[*[turned] * len(columns), False, False, False], nulls_last=True)


HEADINGS = (
    "UAI", "Établissement", "Type", "Secteur", "Commune", "Département", "Élèves", "Appareils livrés", "Dernière livraison", "Dernier inventaire",
    "Contradictions à régler", "Lignes de commande en retard", "Bons de livraison à confirmer", "Situation", "Que faire",
)  # fmt: skip
SECTORS = {"public": "Public", "prive": "Privé"}


def table_of(found: Holdings) -> list[tuple[Any, ...]]:
    """Rows to export under HEADINGS: every school asked for, in words."""
    told = found.schools.with_columns(
        pl.col("level").replace(LEVELS), pl.col("sector").replace(SECTORS),
        pl.col("situation").replace_strict({code: label for code, (label, _) in SITUATIONS.items()}, return_dtype=pl.String).alias("label"),
        pl.col("situation").replace_strict({code: todo for code, (_, todo) in SITUATIONS.items()}, return_dtype=pl.String).alias("todo"),
    )  # fmt: skip
    return told.select(
        "uai", "name", "level", "sector", "commune", "departement", "pupils", "delivered", "last_delivered_on", "last_counted_on", "contradictions",
        "late", "awaiting", "label", "todo",
    ).rows()  # fmt: skip


_KNOWN = """
WITH d AS (
  SELECT uai, sum(quantity)::BIGINT AS delivered, max(delivered_on) AS last_delivered_on
  FROM deliveries WHERE delivered_on <= $today GROUP BY uai
), w AS (
  SELECT d.uai, count(DISTINCT coalesce(d.delivery_ref, ''))::BIGINT AS awaiting
  FROM deliveries d
  WHERE d.delivered_on <= $today AND d.quantity > 0 AND NOT EXISTS (
    SELECT 1 FROM acknowledgements a
    WHERE a.uai = d.uai AND a.category = d.category AND a.delivery_ref IS NOT DISTINCT FROM d.delivery_ref AND a.received_on >= d.delivered_on
  ) GROUP BY d.uai
), i AS (
  SELECT uai, max(counted_on) AS last_counted_on FROM inventory WHERE counted_on <= $today GROUP BY uai
)
SELECT uai, delivered, last_delivered_on, awaiting, last_counted_on
FROM d FULL JOIN w USING (uai) FULL JOIN i USING (uai)
"""
