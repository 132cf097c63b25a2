"""A declaration that would give a wrong figure is refused, in French, when it is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from essaim.engines.measures import (
    FactColumn,
    FactTable,
    Indicator,
    IndicatorRefused,
    LevelUnknown,
    Measure,
    PerEstablishment,
    Role,
    col,
    days_between,
    fact_table,
    figures,
    least,
    lit,
    school_year_start,
)
from essaim.engines.measures.engines import FactsMissing

from . import world

T = FactTable(
    "table",
    (
        FactColumn("uai", "text"),
        FactColumn("day", "date"),
        FactColumn("solution", "text"),
        FactColumn("school_year", "school_year"),
        FactColumn("quantity", "integer", Role.FLOW),
        FactColumn("stock", "integer", Role.STOCK),
        FactColumn("counter", "integer", Role.COUNTER),
        FactColumn("rate", "decimal", Role.RATE),
        FactColumn("price", "decimal", Role.PRICE),
        FactColumn("persons", "integer", Role.DISTINCT, disjoint_over=("uai",)),
    ),
    key=("uai", "solution", "day"),
)
MEANS = replace(T, name="means", aggregated=True)
BUYERS = replace(T, name="buyers", grain="buyer")


def flow(value: object = None, table: FactTable = T, **more: object) -> Measure:
    return Measure("m", table, "day", value, **more)  # type: ignore[arg-type]


def declared(kind: str, top: object = None, bottom: object = None, **more: object) -> Indicator:
    return Indicator("i", 1, "Libellé", "Définition", kind, top, bottom, **more)  # type: ignore[arg-type]


REFUSED: list[tuple[str, str, Callable[[], object]]] = [
    ("sum of percentages", "moyenne-de-pourcentages", lambda: declared("flow", flow(col("rate")))),
    ("mean of percentages", "moyenne-de-pourcentages", lambda: declared("ratio", flow(col("rate")), flow())),
    ("wrong weight", "moyenne-de-pourcentages",
     lambda: declared("ratio", flow(col("rate") * col("quantity")), flow())),
    ("ratio of sums in a row", "moyenne-de-pourcentages",
     lambda: declared("flow", flow(col("quantity") / col("stock")))),
    ("sum of prices", "moyenne-de-pourcentages", lambda: declared("flow", flow(col("price")))),
    ("sum of a stock over time", "somme-de-stock", lambda: flow(col("stock"))),
    ("stock cumulated", "somme-de-stock", lambda: flow(col("stock"), timing="cumulative")),
    ("cumulated counter summed", "compteur-pris-pour-flux", lambda: flow(col("counter"))),
    ("stock declared a flow", "compteur-pris-pour-flux",
     lambda: declared("flow", flow(col("counter"), timing="latest"))),
    ("flow declared a stock", "flux-pris-pour-stock", lambda: declared("stock", flow(col("quantity")))),
    ("distinct counts over time", "somme-de-distincts", lambda: flow(col("persons"))),
    ("distinct counts over solutions", "somme-de-distincts", lambda: flow(col("persons"), timing="latest")),
    ("distinct declared a flow", "somme-de-distincts", lambda: declared("flow", flow(distinct="solution"))),
    ("distinct added over schools", "somme-de-distincts",
     lambda: PerEstablishment("p", (flow(distinct="solution"),), col("m"))),
    ("mismatched grain", "maille-differente",
     lambda: declared("ratio", flow(col("quantity")), flow(col("quantity"), BUYERS))),
    ("mismatched time", "periodes-differentes",
     lambda: declared("ratio", flow(col("quantity")), flow(col("quantity"), timing="cumulative"))),
    ("stock over a flow", "periodes-differentes",
     lambda: declared("ratio", flow(col("stock"), timing="latest"), flow(col("quantity")))),
    ("ratio without denominator", "division-incomplete", lambda: declared("ratio", flow())),
    ("no numerator", "division-incomplete", lambda: declared("flow")),
    ("flow with a denominator", "division-incomplete", lambda: declared("flow", flow(), flow())),
    ("gap of nothing", "division-incomplete", lambda: declared("gap")),
    ("unknown column", "colonne-inconnue", lambda: flow(col("absent"))),
    ("unknown column in the filter", "colonne-inconnue", lambda: flow(where=col("absent") > 1)),
    ("unknown input", "colonne-inconnue", lambda: PerEstablishment("p", (flow(),), col("other"))),
    ("unknown table", "table-inconnue", lambda: flow(table="orders")),  # type: ignore[arg-type]
    ("quantile of aggregates", "quantile-d-agregats",
     lambda: declared("quantile", flow(col("quantity"), MEANS), quantile=0.5)),
    ("quantile of rates", "quantile-d-agregats", lambda: declared("quantile", flow(col("rate")), quantile=0.5)),
    ("quantile of totals", "quantile-d-agregats",
     lambda: declared("quantile", PerEstablishment("p", (flow(),), col("m")), quantile=0.5)),
    ("quantile without share", "quantile-invalide", lambda: declared("quantile", flow(col("quantity")))),
    ("text added", "valeur-non-numerique", lambda: flow(col("solution"))),
    ("filter that is a number", "filtre-non-booleen", lambda: flow(where=col("quantity") + 1)),
    ("date that is a text", "date-attendue", lambda: Measure("m", T, "school_year")),
    ("end without cumul", "fin-sans-cumul", lambda: flow(until="day")),
    ("share without establishments", "part-d-unites", lambda: declared("share_of_units", flow(), flow())),
    ("unknown kind", "nature-inconnue", lambda: declared("moyenne", flow())),
    ("no definition", "declaration-incomplete", lambda: Indicator("i", 1, "l", " ", "flow", flow())),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("code", "build"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_a_wrong_aggregate_is_refused_at_declaration(code: str, build: Callable[[], object]) -> None:
    """Each wrong way of adding is refused before any figure exists, with a stable code and a French reason."""
    with pytest.raises(IndicatorRefused) as refusal:
        build()
    assert refusal.value.code == code
    assert len(str(refusal.value)) > 20


ACCEPTED: list[tuple[str, Callable[[], object]]] = [
    ("weighted mean", lambda: declared("ratio", flow(col("rate") * col("quantity")), flow(col("quantity")))),
    ("price × quantity", lambda: declared("flow", flow(col("price") * col("quantity")))),
    ("persons in one solution", lambda: flow(col("persons"), where=col("solution").equals("ENT"), timing="latest")),
    ("last counter", lambda: declared("stock", flow(col("counter"), timing="latest"))),
    ("median of days", lambda: declared("quantile", flow(days_between("day", "day")), quantile=0.5)),
    ("school year as a date", lambda: Measure("m", T, school_year_start("school_year"), col("stock"), timing="latest")),
    ("flow per pupil", lambda: declared("ratio", flow(col("quantity")), flow(col("stock"), timing="latest"))),
    ("condition counted", lambda: flow(col("quantity") > 3)),
    ("least of two", lambda: flow(least(col("quantity"), lit(3)))),
]


@pytest.mark.parametrize("build", [case[1] for case in ACCEPTED], ids=[case[0] for case in ACCEPTED])
def test_a_right_aggregate_is_accepted(build: Callable[[], object]) -> None:
    """The refusals do not catch the neighbouring declarations that are right."""
    assert build() is not None


def test_a_breakdown_that_is_not_allowed_is_refused() -> None:
    """An indicator is only broken down by what its declaration allows."""
    plain = replace(world.BY_CODE["late"], breakdowns=("sector",))
    with pytest.raises(IndicatorRefused, match="ne se ventile pas"):
        figures(plain, world.frames(world.entries(1)), world.hierarchies(), level="wave", period="2021", by="category")


def test_a_breakdown_without_data_is_refused() -> None:
    """A breakdown that no fact and no attribute carries gives an explanation, not an empty page."""
    with pytest.raises(IndicatorRefused, match="Aucune donnée"):
        figures(world.BY_CODE["late"], world.frames(world.entries(1)), world.hierarchies(), level="wave", period="2021", by="rep")


def test_missing_facts_unknown_level_and_period_are_explained() -> None:
    """What was not given is named in French."""
    facts = world.frames(world.entries(1))
    with pytest.raises(FactsMissing, match="profile"):
        figures(world.PER_100, {"orders": facts["orders"]}, world.hierarchies(), level="wave", period="2021")
    with pytest.raises(LevelUnknown, match="Niveaux disponibles"):
        figures(world.PER_100, facts, world.hierarchies(), level="canton", period="2021")
    with pytest.raises(ValueError, match="incomprise"):
        figures(world.PER_100, facts, world.hierarchies(), level="wave", period="mars")


def test_a_contract_gives_its_fact_table() -> None:
    """Percentages are rates and numbers flows unless the room says otherwise; an unknown column is refused."""
    from essaim.engines.intake.contract import Contract, Field, FieldType

    contract = Contract(
        "c", 1, "t", "d",
        (Field("uai", "UAI", FieldType.UAI), Field("share", "Part", FieldType.PERCENT),
         Field("quantity", "Quantité", FieldType.INTEGER), Field("year", "Année", FieldType.SCHOOL_YEAR)),
        key=("uai",), place="uai",
    )  # fmt: skip
    table = fact_table(contract, roles={"quantity": Role.STOCK})
    assert table.column("share").role is Role.RATE
    assert table.column("quantity").role is Role.STOCK
    assert table.column("year").type == "school_year"
    with pytest.raises(IndicatorRefused, match="n'a pas de colonne"):
        fact_table(contract, roles={"absent": Role.STOCK})
