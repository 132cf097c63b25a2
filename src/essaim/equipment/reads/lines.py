"""Order lines with everything known of them, kept in memory by département until the ledger says something new there."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Sequence
from functools import lru_cache
from threading import RLock

import polars as pl
from django.conf import settings

from essaim.equipment.categories import CATEGORIES
from essaim.equipment.reads.derived import VIEWS
from essaim.equipment.reads.naming import names_stamp, sender_names
from essaim.equipment.reads.sources import connected, state_view
from essaim.equipment.reads.tracking import track_orders
from essaim.foundation.models import Posting
from essaim.foundation.reads import Scope
from essaim.foundation.reads.facts import ledger, table_spec
from essaim.foundation.scopes import departements_of
from essaim.kernel.departements import from_uai_prefix
from essaim.territories.reads.frames import frame, register_stamp

TABLES = ("orders", "deliveries", "acknowledgements", "inventory")
LABELS = {item.code: item.label for item in CATEGORIES}
_PLACE = re.compile(r"departement=([^/]+)/")
_SEARCHED = ("school", "commune", "uai", "order_ref", "model", "supplier", "sender", "sender_name", "category_label")


class Kept:
    """Frames in memory, the least used forgotten first once ``most`` rows are held."""

    def __init__(self, most: int) -> None:
        self.most, self._rows, self._lock = most, 0, RLock()
        self._held: OrderedDict[Hashable, pl.DataFrame] = OrderedDict()

    def get(self, key: Hashable) -> pl.DataFrame | None:
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
            return self._held.get(key)

    def put(self, key: Hashable, value: pl.DataFrame) -> None:
        with self._lock:
            if key not in self._held:
                self._rows += value.height
            self._held[key] = value
            while self._rows > self.most and len(self._held) > 1:
                self._rows -= self._held.popitem(last=False)[1].height

    def clear(self) -> None:
        with self._lock:
            self._held.clear()
            self._rows = 0


_by_departement, _by_scope = Kept(600_000), Kept(400_000)


def last_number() -> int:
    """The last number posted, 0 before the first."""
    return Posting.objects.filter(status=Posting.Status.DONE).order_by("-number").values_list("number", flat=True).first() or 0


def scoped_lines(scope: Scope, *, known_at: int | None = None) -> pl.DataFrame:
    """Order lines that ``scope`` covers (by département, school, or sender), known at number ``known_at`` (now when None).

    One row a line: columns of COLUMNS. Asked again, the answer is in memory until a file is accepted or the register changes."""
    url, number = str(settings.ESSAIM_LEDGER_URL), last_number()
    known = None if known_at is None or known_at >= number else known_at
    key = (url, number, known, register_stamp(), scope.cache_key)
    found = _by_scope.get(key)
    if found is None:
        found = _inside(scope, _lines(url, number, known, places_of(scope)))
        _by_scope.put(key, found)
    return found


def lines_of_school(uai: str, departement: str, *, known_at: int | None = None) -> list[dict[str, object]]:
    """Order lines of one school, known at number ``known_at`` (now when None); those of its département stay in memory. Who may
    read them is the caller's question."""
    number = last_number()
    known = None if known_at is None or known_at >= number else known_at
    found = _lines(str(settings.ESSAIM_LEDGER_URL), number, known, frozenset({departement}))
    return found.filter(pl.col("uai") == uai).sort("ordered_on", "category").to_dicts()


def _inside(scope: Scope, lines: pl.DataFrame) -> pl.DataFrame:
    if scope.is_national or lines.is_empty():
        return lines
    return lines.filter(
        pl.col("departement").is_in(sorted(scope.departements))
        | pl.col("uai").is_in(sorted(scope.uais))
        | pl.col("sender").is_in(sorted(scope.organisations))
    )


def places_of(scope: Scope) -> frozenset[str] | None:
    """Where the lines of ``scope`` can be; None for anywhere."""
    if scope.is_national:
        return None
    places = set(scope.departements) | {from_uai_prefix(uai[:3]) or "" for uai in scope.uais}
    for organisation in scope.organisations:
        acting = departements_of(organisation)
        if not acting and organisation not in scope.uais:
            return None
        places |= acting
    return frozenset(places - {""})


def _lines(url: str, number: int, known: int | None, places: frozenset[str] | None) -> pl.DataFrame:
    import duckdb

    try:
        return _of_departements(_files(url, number), known, places)
    except (duckdb.IOException, FileNotFoundError):  # files compacted since they were listed
        _files.cache_clear()
        return _of_departements(_files(url, number), known, places)


@lru_cache(maxsize=8)
def _files(url: str, number: int) -> dict[str, dict[str, tuple[str, ...]]]:
    """Parquet files by département, then table."""
    found: dict[str, dict[str, list[str]]] = {}
    for name in TABLES:
        for path in ledger().files(table_spec(VIEWS[name])):
            place = _PLACE.search(path)
            found.setdefault(place[1] if place else "", {}).setdefault(name, []).append(path)
    return {place: {name: tuple(paths) for name, paths in tables.items()} for place, tables in sorted(found.items())}


def _of_departements(
    files: dict[str, dict[str, tuple[str, ...]]], known: int | None, places: frozenset[str] | None
) -> pl.DataFrame:
    names = names_stamp()
    stamp = (register_stamp(), names)
    wanted = {place: hash(tuple(sorted(files[place].items()))) for place in files if places is None or place in places}
    keys = {place: (place, signature, known, stamp) for place, signature in wanted.items()}
    held = {place: _by_departement.get(key) for place, key in keys.items()}
    missing = [place for place, found in held.items() if found is None]
    if missing:
        made = enriched([files[place] for place in missing], known, names)
        parts = {str(part["departement"][0]): part for part in made.partition_by("departement")} if made.height else {}
        for place in missing:
            held[place] = parts.get(place, made.clear())
            _by_departement.put(keys[place], held[place])
    frames = [found for found in held.values() if found is not None and found.height]
    return pl.concat(frames) if frames else enriched([], known, names)


def enriched(files: Sequence[dict[str, tuple[str, ...]]], known: int | None, names: tuple[int, int] | None = None) -> pl.DataFrame:
    """Order lines of these files with deliveries, installation, confirmation, use, and names. ``names``: see `known_names`."""
    with connected() as connection:
        for name in TABLES:
            paths = [path for tables in files for path in tables.get(name, ())]
            state_view(connection, name, paths, table_spec(VIEWS[name]).schema, known_at=known)
        connection.register("lines", track_orders(connection).lines)
        lines = pl.DataFrame(connection.sql(_ENRICHED).to_arrow_table())
    return _named(lines, names)


def _named(lines: pl.DataFrame, stamp: tuple[int, int] | None) -> pl.DataFrame:
    """Adds the names a reader knows: school, commune, sender, category; and what a search looks into."""
    schools = frame("establishments")
    told = pl.DataFrame(schema={"uai": pl.String, "_school": pl.String, "_commune": pl.String})
    if schools is not None:
        told = schools.select("uai", pl.coalesce("name", "kind").alias("_school"), pl.col("commune_name").alias("_commune")).unique("uai")
    called = sender_names(lines["sender"].drop_nulls().unique().to_list(), stamp)
    names = pl.DataFrame(list(called.items()), schema={"sender": pl.String, "sender_name": pl.String}, orient="row")
    found = lines.join(told, on="uai", how="left").join(names, on="sender", how="left")
    found = found.with_columns(
        pl.coalesce("_school", "school_name", "uai").alias("school"),
        pl.coalesce("_commune", "commune_name", pl.lit("")).alias("commune"),
        pl.coalesce("sender_name", "sender").alias("sender_name"),
        pl.col("category").replace_strict(LABELS, default=pl.col("category"), return_dtype=pl.String).alias("category_label"),
    ).drop("_school", "_commune", "school_name", "commune_name")
    return found.with_columns(
        folded_text(pl.concat_str([pl.col(name).fill_null("") for name in _SEARCHED], separator=" ")).alias("searched"),
        folded_text(pl.col("commune")).alias("commune_folded"),
    )


def folded_text(text: pl.Expr) -> pl.Expr:
    """As ``kernel.french.folded``, column-wise: what is searched is folded alike."""
    plain = text.str.replace_many(["œ", "Œ", "æ", "Æ", "ß"], ["oe", "oe", "ae", "ae", "ss"]).str.normalize("NFKD")
    return plain.str.replace_all(r"\p{M}", "").str.to_lowercase().str.replace_all("[^a-z0-9]+", " ").str.strip_chars()


def line_numbers(lines: Iterable[dict[str, object]]) -> set[int]:
    """Numbers of the submissions that ``lines`` come from."""
    return {int(row["submission"]) for row in lines if row.get("submission") is not None}  # type: ignore[call-overload]


_ENRICHED = """
WITH confirmed AS (
  SELECT DISTINCT uai, category, delivery_ref FROM acknowledgements WHERE delivery_ref IS NOT NULL AND working IS NOT FALSE
), followed AS (
  SELECT a.line_id,
         sum(a.units) FILTER (d.installed_on IS NOT NULL)::BIGINT AS installed,
         max(d.installed_on) AS installed_on,
         sum(a.units) FILTER (d.configured)::BIGINT AS configured,
         sum(a.units) FILTER (k.uai IS NOT NULL)::BIGINT AS confirmed
  FROM allocations a JOIN arriving d USING (delivery_id)
  LEFT JOIN confirmed k ON k.uai = d.uai AND k.category = d.category AND k.delivery_ref = d.delivery_ref
  GROUP BY 1
), counted AS (
  SELECT uai, category, sum(quantity)::BIGINT AS present, sum(in_use)::BIGINT AS in_use, max(counted_on) AS counted_on
  FROM (SELECT *, rank() OVER (PARTITION BY uai, category ORDER BY counted_on DESC) AS place FROM inventory)
  WHERE place = 1 GROUP BY ALL
)
SELECT line_id, uai, school_name, commune_name, departement, category, model, order_ref, line, sender, buyer_siren, supplier, funding,
       condition, quantity, delivered, coalesce(installed, 0) AS installed, coalesce(configured, 0) AS configured,
       coalesce(confirmed, 0) AS confirmed, present, in_use, counted_on, ordered_on, planned_on, revised_on, due_on,
       first_delivered_on, completed_on, installed_on, submission, source_sheet, source_row
FROM lines LEFT JOIN followed USING (line_id) LEFT JOIN counted USING (uai, category)
ORDER BY line_id
"""
