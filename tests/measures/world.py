"""A small country for the tests of figures: declared tables, the indicators of the equipment lever, random entries."""

from __future__ import annotations

import random
from datetime import date, timedelta

import polars as pl

from essaim.engines.measures import (
    Coverage,
    FactColumn,
    FactTable,
    Indicator,
    Kind,
    Measure,
    PerEstablishment,
    Role,
    Timing,
    coalesce,
    col,
    days_between,
    least,
    school_year_start,
    when,
)

ORDERS = FactTable(
    "orders",
    (
        FactColumn("uai", "text"),
        FactColumn("category", "text"),
        FactColumn("buyer", "text"),
        FactColumn("condition", "text"),
        FactColumn("quantity", "integer", Role.FLOW),
        FactColumn("unit_price", "decimal", Role.PRICE),
        FactColumn("ordered_on", "date"),
        FactColumn("planned_on", "date"),
        FactColumn("revised_on", "date"),
        FactColumn("delivered_on", "date"),
        FactColumn("delivered", "integer", Role.FLOW),
        FactColumn("acknowledged", "integer", Role.FLOW),
        FactColumn("configured", "boolean"),
        FactColumn("rate", "decimal", Role.RATE),
    ),
    key=("uai", "order_number"),
)
INVENTORY = FactTable(
    "inventory",
    (
        FactColumn("uai", "text"),
        FactColumn("category", "text"),
        FactColumn("observed_on", "date"),
        FactColumn("quantity", "integer", Role.STOCK),
        FactColumn("in_use", "integer", Role.STOCK),
        FactColumn("serial", "text"),
    ),
    key=("uai", "category", "observed_on"),
)
PROFILE = FactTable(
    "profile",
    (
        FactColumn("uai", "text"),
        FactColumn("school_year", "school_year"),
        FactColumn("pupils", "integer", Role.DISTINCT, disjoint_over=("uai",)),
        FactColumn("classes", "integer", Role.STOCK),
        FactColumn("ips", "decimal", Role.RATE),
    ),
    key=("uai", "school_year"),
)
YEAR = school_year_start("school_year")
BREAKDOWNS = ("sector", "rep", "ips_quartile", "category", "buyer")


def flow(code: str, date: str, value: object = None, **more: object) -> Measure:
    return Measure(code, ORDERS, date, value, timing=Timing.CUMULATIVE, **more)  # type: ignore[arg-type]


PUPILS = Measure("pupils", PROFILE, YEAR, col("pupils"), timing=Timing.LATEST)
CLASSES = Measure("classes", PROFILE, YEAR, col("classes"), timing=Timing.LATEST)
IPS = Measure("ips_weight", PROFILE, YEAR, col("ips") * col("pupils"), timing=Timing.LATEST)
DELIVERED = flow("delivered", "delivered_on", col("delivered"))
PROVED = flow("acknowledged", "delivered_on", col("acknowledged"))
ORDERED = flow("ordered", "ordered_on", col("quantity"))
PLANNED = flow("planned", "planned_on", col("quantity"))
LATE = flow("late", "planned_on", until="delivered_on")
VALUE = Measure("value", ORDERS, "ordered_on", col("quantity") * col("unit_price"))
REUSED = Measure(
    "reused", ORDERS, "ordered_on", col("quantity") * col("unit_price"), where=col("condition").isin("reconditionné")
)
DEVICES = flow("devices", "delivered_on", col("delivered"), where=col("category").isin("tablette", "portable"))
STOCK = Measure("stock", INVENTORY, "observed_on", col("quantity"), timing=Timing.LATEST, max_age_months=18)
USED = Measure("used", INVENTORY, "observed_on", coalesce(col("in_use"), 0), timing=Timing.LATEST)
SCREENS = Measure(
    "screens", INVENTORY, "observed_on", col("quantity"), where=col("category").equals("écran"), timing=Timing.LATEST
)
LAPTOPS = Measure(
    "laptops", INVENTORY, "observed_on", col("quantity"), where=col("category").equals("portable"),
    timing=Timing.LATEST, latest_per=("uai", "category"),
)  # fmt: skip
BASE = PerEstablishment("base", (SCREENS, LAPTOPS, CLASSES), least(col("screens"), col("laptops"), col("classes")))
EQUIPPED = PerEstablishment(
    "equipped", (PLANNED, DELIVERED),
    when(col("planned") > 0, when(coalesce(col("delivered"), 0) >= col("planned"), 1, 0), None),
)  # fmt: skip
WITH_PLAN = PerEstablishment("with_plan", (PLANNED,), when(col("planned") > 0, 1, None))
DELAY = Measure("delay", ORDERS, "delivered_on", days_between("planned_on", "delivered_on"))
DELAY_REVISED = Measure(
    "delay_revised", ORDERS, "delivered_on", days_between(coalesce(col("revised_on"), col("planned_on")), "delivered_on"),
    where=col("configured"), timing=Timing.CUMULATIVE,
)  # fmt: skip
SERIALS = Measure("serials", INVENTORY, "observed_on", distinct="serial", timing=Timing.CUMULATIVE)


def indicator(code: str, kind: Kind, numerator: object, denominator: object = None, **more: object) -> Indicator:
    settings: dict[str, object] = {"breakdowns": BREAKDOWNS, "unit": "%", **more}
    return Indicator(code, 1, f"Indicateur {code}", f"Définition de {code}.", kind, numerator, denominator, **settings)  # type: ignore[arg-type]


PER_100 = indicator("devices_per_100", Kind.RATIO, DELIVERED, PUPILS, scale=100, proved=PROVED, unit="appareils")
INDICATORS = (
    PER_100,
    indicator(
        "schools_equipped", Kind.SHARE_OF_UNITS, EQUIPPED, WITH_PLAN, scale=100, coverage=Coverage(concerned=WITH_PLAN)
    ),
    indicator("devices_per_100_named", Kind.RATIO, DEVICES, PUPILS, scale=100, unit="appareils"),
    indicator("delivered_share", Kind.RATIO, DELIVERED, ORDERED, scale=100),
    indicator("base", Kind.RATIO, BASE, CLASSES, scale=100, over="reporting", coverage=Coverage(counts="both")),
    indicator("delay_median", Kind.QUANTILE, DELAY, quantile=0.5, unit="jours"),
    indicator("delay_revised_p90", Kind.QUANTILE, DELAY_REVISED, quantile=0.9, unit="jours"),
    indicator("late", Kind.STOCK, LATE, unit="commandes"),
    indicator(
        "configured", Kind.RATIO, flow("configured_q", "delivered_on", col("delivered"), where=col("configured")), DELIVERED
    ),
    indicator("used", Kind.RATIO, USED, STOCK),
    indicator("reconditioned", Kind.RATIO, REUSED, VALUE, scale=100),
    indicator("spent", Kind.FLOW, VALUE, unit="€"),
    indicator("pupils", Kind.STOCK, PUPILS, unit="élèves"),
    indicator("ips", Kind.RATIO, IPS, PUPILS, unit="points"),
    indicator("serials", Kind.DISTINCT, SERIALS, unit="appareils"),
    Indicator(
        "gap", 1, "Écart", "Écart entre quartiles.", Kind.GAP, of=PER_100, gap_by="ips_quartile", breakdowns=("sector",)
    ),
)
BY_CODE = {item.code: item for item in INDICATORS}

SCHOOLS = tuple(f"00200{number:02d}A" for number in range(9))
CATEGORIES = ("écran", "portable", "tablette")


def _day(rng: random.Random, *, missing: float = 0.0) -> date | None:
    return None if rng.random() < missing else date(2020, 9, 1) + timedelta(days=rng.randrange(480))


def order(rng: random.Random) -> dict[str, object]:
    planned = _day(rng)
    assert planned is not None
    quantity = rng.randrange(1, 30)
    return {
        "uai": rng.choice(SCHOOLS[:8]),
        "category": rng.choice(CATEGORIES),
        "buyer": rng.choice(("217", "218", None)),
        "condition": rng.choice(("neuf", "reconditionné", None)),
        "quantity": rng.choice((quantity, quantity, None)),
        "unit_price": round(rng.uniform(10, 900), 2),
        "ordered_on": planned - timedelta(days=40),
        "planned_on": planned,
        "revised_on": _day(rng, missing=0.6),
        "delivered_on": _day(rng, missing=0.3),
        "delivered": rng.choice((quantity, quantity // 2, None)),
        "acknowledged": rng.choice((quantity // 2, quantity, None)),
        "configured": rng.choice((True, False, None)),
        "rate": 3.5,
    }


def observation(rng: random.Random) -> dict[str, object]:
    return {
        "uai": rng.choice(SCHOOLS[:7]),
        "category": rng.choice(CATEGORIES),
        "observed_on": rng.choice((date(2020, 10, 3), date(2021, 1, 15), date(2021, 1, 20), date(2021, 6, 30))),
        "quantity": rng.choice((rng.randrange(0, 12), None)),
        "in_use": rng.choice((rng.randrange(0, 6), None)),
        "serial": rng.choice(("s1", "s2", "s3", "s4", None)),
    }


def profile(rng: random.Random) -> dict[str, object]:
    return {
        "uai": rng.choice(SCHOOLS),
        "school_year": rng.choice(("2020-2021", "2021-2022")),
        "pupils": rng.randrange(10, 300),
        "classes": rng.randrange(1, 12),
        "ips": round(rng.uniform(60, 140), 1),
    }


def entries(seed: int, count: int = 60) -> dict[str, list[dict[str, object]]]:
    """Signed entries of three tables; about one in five is withdrawn later, and some replaced."""
    rng = random.Random(seed)
    found: dict[str, list[dict[str, object]]] = {"orders": [], "inventory": [], "profile": []}
    for number in range(count):
        name = rng.choice(("orders", "orders", "inventory", "profile"))
        made = {"orders": order, "inventory": observation, "profile": profile}[name](rng)
        trail = {"sender": "mairie", "source_sheet": "F1", "source_row": number, "departement": "02"}
        found[name].append({**made, **trail, "sign": 1, "submission": number // 6 + 1})
        if rng.random() < 0.2:
            found[name].append({**made, **trail, "sign": -1, "submission": number // 6 + 2})
    return found


_SCHEMAS = {
    "orders": {
        "uai": pl.String, "category": pl.String, "buyer": pl.String, "condition": pl.String, "quantity": pl.Int64,
        "unit_price": pl.Float64, "ordered_on": pl.Date, "planned_on": pl.Date, "revised_on": pl.Date,
        "delivered_on": pl.Date, "delivered": pl.Int64, "acknowledged": pl.Int64, "configured": pl.Boolean,
        "rate": pl.Float64,
    },
    "inventory": {
        "uai": pl.String, "category": pl.String, "observed_on": pl.Date, "quantity": pl.Int64, "in_use": pl.Int64,
        "serial": pl.String,
    },
    "profile": {
        "uai": pl.String, "school_year": pl.String, "pupils": pl.Int64, "classes": pl.Int64, "ips": pl.Float64,
    },
}  # fmt: skip
_TRAIL = {
    "sender": pl.String, "source_sheet": pl.String, "source_row": pl.Int64, "departement": pl.String, "sign": pl.Int8,
    "submission": pl.Int64,
}  # fmt: skip


def frames(found: dict[str, list[dict[str, object]]]) -> dict[str, pl.DataFrame]:
    """Entries as frames with the ledger's types."""
    return {name: pl.DataFrame(rows, schema={**_SCHEMAS[name], **_TRAIL}) for name, rows in found.items()}


def hierarchies() -> pl.DataFrame:
    """Communes in départements (one school moves in 2021), and programmes that overlap."""
    rows = []
    for index, uai in enumerate(SCHOOLS):
        commune = f"020{index % 4:02d}"
        rows.append(("administrative", "commune", commune, uai, None, None))
        if uai == SCHOOLS[0]:
            rows.append(("administrative", "departement", "02", uai, None, date(2021, 3, 31)))
            rows.append(("administrative", "departement", "95", uai, date(2021, 4, 1), None))
        else:
            rows.append(("administrative", "departement", "02" if index % 4 < 2 else "95", uai, None, None))
        rows.append(("programme", "wave", "vague 1", uai, None, None))
        if index % 2:
            rows.append(("programme", "wave", "vague 2", uai, date(2021, 1, 1), None))
            rows.append(("programme", "wave", "vague 2", uai, date(2021, 2, 1), None))
    names = ("hierarchy", "level", "unit", "uai", "valid_from", "valid_to")
    return pl.DataFrame(
        [dict(zip(names, row, strict=True)) for row in rows],
        schema={**dict.fromkeys(names[:4], pl.String), "valid_from": pl.Date, "valid_to": pl.Date},
    )


def attributes() -> pl.DataFrame:
    """Sector, REP and IPS quartile, which changes with the school year; one school is unknown, another partly so."""
    rows = []
    for index, uai in enumerate(SCHOOLS[:-1]):
        for year in ("2020-2021", "2021-2022"):
            quartile = str((index + (year > "2021")) % 4 + 1)
            rows.append({
                "uai": uai, "school_year": year, "sector": "public" if index % 3 else "privé",
                "rep": None if index == 2 else "REP" if index % 2 else "hors EP", "ips_quartile": quartile,
            })  # fmt: skip
    return pl.DataFrame(rows)
