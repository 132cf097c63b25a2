"""Typed additivity: what may be added, over what. The refusals of a declaration, each with its French reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from essaim.engines.measures.expressions import (
    Binary,
    Coalesce,
    Column,
    DaysBetween,
    Expr,
    Extreme,
    Literal,
    SchoolYearStart,
    When,
    admitted,
    as_column,
    column_names,
)
from essaim.engines.measures.facts import NUMERIC, FactTable, IndicatorRefused, Role

if TYPE_CHECKING:
    from essaim.engines.measures.indicator import Indicator, Measure, PerEstablishment, Quantity

# From the least to the most restrictive: the role of a mixture is the most restrictive one.
_ORDER = (Role.DIMENSION, Role.FLOW, Role.STOCK, Role.COUNTER, Role.PRICE, Role.DISTINCT, Role.RATE)
_ADDITIVE = frozenset({Role.FLOW, Role.STOCK, Role.COUNTER, Role.DISTINCT})
_CONDITIONS = frozenset({"==", "!=", "<", "<=", ">", ">=", "and", "or"})


def role_of(expr: Expr, table: FactTable) -> Role:
    """How the values of ``expr`` add up; DIMENSION for constants and conditions (each row counts by itself)."""
    match expr:
        case Column(name):
            return table.column(name).role
        case Binary("*", left, right):
            return _product(role_of(left, table), role_of(right, table))
        case Binary("/", left, right):
            bottom = role_of(right, table)
            return role_of(left, table) if bottom is Role.DIMENSION else Role.RATE
        case Binary("+" | "-", left, right):
            return _widest(role_of(left, table), role_of(right, table))
        case Coalesce(args) | Extreme(_, args):
            return _widest(*(role_of(item, table) for item in args))
        case When(_, then, otherwise):
            return _widest(role_of(then, table), role_of(otherwise, table))
        case DaysBetween():
            return Role.FLOW
        case _:
            return Role.DIMENSION


def _widest(*roles: Role) -> Role:
    return max(roles, key=_ORDER.index, default=Role.DIMENSION)


def _product(left: Role, right: Role) -> Role:
    """A rate or a price times an additive quantity is additive like that quantity."""
    for one, other in ((left, right), (right, left)):
        if one in (Role.RATE, Role.PRICE) and other in _ADDITIVE:
            return other
    return _widest(left, right)


def type_of(expr: Expr, table: FactTable) -> str:
    """``integer``, ``decimal``, ``text``, ``date`` or ``boolean``."""
    match expr:
        case Column(name):
            kind = table.column(name).type
            return "text" if kind == "school_year" else kind
        case Literal(value):
            return _literal_type(value)
        case Binary(op, left, right):
            if op in _CONDITIONS:
                return "boolean"
            kinds = {type_of(left, table), type_of(right, table)}
            return "decimal" if op == "/" or "decimal" in kinds else "integer"
        case Coalesce(args) | Extreme(_, args):
            return _common(type_of(item, table) for item in args)
        case When(_, then, otherwise):
            return _common((type_of(then, table), type_of(otherwise, table)))
        case DaysBetween():
            return "integer"
        case SchoolYearStart():
            return "date"
        case _:
            return "boolean"


def _literal_type(value: object) -> str:
    names = {bool: "boolean", int: "integer", float: "decimal", str: "text", type(None): "null"}
    return names.get(type(value), "date")


def _common(kinds: object) -> str:
    found = {kind for kind in kinds if kind != "null"}  # type: ignore[attr-defined]
    if "decimal" in found:
        return "decimal"
    return sorted(found)[0] if found else "null"


def default_decimals(measure: Measure) -> int:
    """0 for counts, integers and days, 2 for decimals."""
    if measure.value is None or measure.distinct:
        return 0
    return 2 if type_of(measure.value, measure.facts) == "decimal" else 0


def check_measure(measure: Measure) -> None:
    """Refuse a measure that names unknown columns or adds what does not add."""
    table = measure.facts
    if not isinstance(table, FactTable):
        raise IndicatorRefused(
            "table-inconnue",
            f"Mesure « {measure.code} » : « {table} » n'est pas une table de faits déclarée.",
        )
    _check_columns(measure, table)
    _check_dates(measure, table)
    _check_sum(measure, table)


def _check_columns(measure: Measure, table: FactTable) -> None:
    named = (measure.value, as_column(measure.date), measure.where, measure.until_expr)
    for expr in (item for item in named if item is not None):
        for name in sorted(column_names(expr)):
            table.column(name)
    for name in (*measure.latest_per, *((measure.distinct,) if measure.distinct else ())):
        table.column(name)
    table.column(table.place)
    if measure.where is not None and type_of(measure.where, table) != "boolean":
        raise IndicatorRefused(
            "filtre-non-booleen", f"Mesure « {measure.code} » : le filtre doit être une condition."
        )
    if measure.value is not None and type_of(measure.value, table) not in (*NUMERIC, "boolean"):
        raise IndicatorRefused(
            "valeur-non-numerique",
            f"Mesure « {measure.code} » : on ne peut additionner que des nombres ou compter des conditions.",
        )


def _check_dates(measure: Measure, table: FactTable) -> None:
    for expr in (measure.date_expr, measure.until_expr):
        if expr is not None and type_of(expr, table) != "date":
            raise IndicatorRefused(
                "date-attendue",
                f"Mesure « {measure.code} » : la date doit être une colonne de dates "
                "(pour une année scolaire, utilisez school_year_start).",
            )
    if measure.until is not None and measure.timing != "cumulative":
        raise IndicatorRefused(
            "fin-sans-cumul",
            f"Mesure « {measure.code} » : une date de fin n'a de sens que pour une mesure cumulée.",
        )
    if measure.latest_per and measure.timing != "latest":
        raise IndicatorRefused(
            "observation-sans-stock",
            f"Mesure « {measure.code} » : « latest_per » ne s'emploie qu'avec la dernière observation.",
        )


def _check_sum(measure: Measure, table: FactTable) -> None:
    if measure.distinct or measure.value is None:
        return
    role = role_of(measure.value, table)
    summed_over_time = measure.timing in ("flow", "cumulative")
    if role is Role.STOCK and summed_over_time:
        raise IndicatorRefused(
            "somme-de-stock",
            f"Mesure « {measure.code} » : un stock ne s'additionne pas dans le temps ; "
            "prenez la dernière observation (timing « latest »).",
        )
    if role is Role.COUNTER and summed_over_time:
        raise IndicatorRefused(
            "compteur-pris-pour-flux",
            f"Mesure « {measure.code} » : un compteur cumulé n'est pas un flux ; l'additionner compterait "
            "plusieurs fois les mêmes faits. Prenez la dernière observation.",
        )
    if role is Role.DISTINCT:
        _check_distinct_sum(measure, table)


def _check_distinct_sum(measure: Measure, table: FactTable) -> None:
    """A count of different persons adds only over groups declared disjoint, and never over time."""
    assert measure.value is not None
    if measure.timing != "latest":
        raise IndicatorRefused(
            "somme-de-distincts",
            f"Mesure « {measure.code} » : additionner dans le temps des comptes de personnes différentes "
            "les compterait plusieurs fois.",
        )
    held = {item.name for item in table.columns if len(admitted(measure.where, item.name) or ()) == 1}
    pinned = {*held, "sender", *column_names(measure.date_expr)}
    for name in column_names(measure.value):
        column = table.column(name)
        if column.role is not Role.DISTINCT:
            continue
        overlapping = [part for part in (table.place, *table.key) if part not in (*column.disjoint_over, *pinned)]
        if overlapping:
            raise IndicatorRefused(
                "somme-de-distincts",
                f"Mesure « {measure.code} » : « {name} » compte des personnes différentes ; les groupes de "
                f"« {overlapping[0]} » se recouvrent, leur somme compterait plusieurs fois les mêmes.",
            )


def check_per_establishment(quantity: PerEstablishment) -> None:
    """Refuse unknown inputs, mixed grains and mixed time scopes."""
    if not quantity.inputs:
        raise IndicatorRefused("mesure-absente", f"« {quantity.code} » : aucune mesure en entrée.")
    codes = [item.code for item in quantity.inputs]
    for name in sorted(column_names(quantity.value)):
        if name not in codes:
            raise IndicatorRefused(
                "colonne-inconnue",
                f"« {quantity.code} » : « {name} » n'est pas une de ses mesures ({', '.join(codes)}).",
            )
    if len(set(codes)) != len(codes):
        raise IndicatorRefused("code-en-double", f"« {quantity.code} » : deux mesures portent le même code.")
    for item in quantity.inputs:
        if item.distinct:
            raise IndicatorRefused(
                "somme-de-distincts",
                f"« {quantity.code} » : un compte de valeurs différentes ne s'additionne pas entre établissements.",
            )
        _refuse_bare_rate(item)
    if {item.facts.grain for item in quantity.inputs} != {"establishment"}:
        raise IndicatorRefused(
            "maille-differente", f"« {quantity.code} » : toutes les mesures doivent être à l'établissement."
        )
    if len({str(item.timing) for item in quantity.inputs} - {"latest"}) > 1:
        raise IndicatorRefused(
            "periodes-differentes", f"« {quantity.code} » : flux et cumuls ne se combinent pas."
        )


def _refuse_bare_rate(measure: Measure) -> None:
    if measure.value is None or measure.distinct:
        return
    role = role_of(measure.value, measure.facts)
    if role in (Role.RATE, Role.PRICE):
        raise IndicatorRefused(
            "moyenne-de-pourcentages",
            f"Mesure « {measure.code} » : ni la somme ni la moyenne simple de pourcentages, d'indices ou de prix "
            "n'a de sens ; multipliez par l'effectif et divisez par la somme des effectifs.",
        )


def check_indicator(indicator: Indicator) -> None:
    """Refuse an indicator whose parts do not fit its kind."""
    for name in ("code", "label", "definition"):
        if not str(getattr(indicator, name)).strip():
            raise IndicatorRefused("declaration-incomplete", f"Indicateur sans « {name} ».")
    if indicator.over not in ("members", "reporting"):
        raise IndicatorRefused("declaration-incomplete", f"« {indicator.code} » : « over » inconnu.")
    if indicator.natural_period not in ("month", "year", "school_year"):
        raise IndicatorRefused("declaration-incomplete", f"« {indicator.code} » : période naturelle inconnue.")
    if indicator.kind == "gap":
        _check_gap(indicator)
        return
    if indicator.numerator is None:
        raise IndicatorRefused("division-incomplete", f"« {indicator.code} » : le numérateur manque.")
    _check_parts(indicator)
    if indicator.kind == "quantile":
        _check_quantile(indicator)
    else:
        for quantity in indicator.quantities:
            for item in quantity.measures:
                _refuse_bare_rate(item)
    _check_kind(indicator)
    for quantity in indicator.quantities:
        if any(item.facts.grain != indicator.grain for item in quantity.measures):
            raise IndicatorRefused(
                "maille-differente",
                f"« {indicator.code} » : une mesure n'est pas à la maille « {indicator.grain} » ; "
                "un rapport exige la même maille en haut et en bas.",
            )


def _check_gap(indicator: Indicator) -> None:
    if indicator.of is None or not indicator.gap_by:
        raise IndicatorRefused(
            "division-incomplete", f"« {indicator.code} » : un écart compare un indicateur entre deux groupes."
        )
    if indicator.of.kind == "gap":
        raise IndicatorRefused("ecart-d-ecart", f"« {indicator.code} » : écart d'un écart.")
    if indicator.gap_groups[0] == indicator.gap_groups[1]:
        raise IndicatorRefused("ecart-d-ecart", f"« {indicator.code} » : les deux groupes sont les mêmes.")


def _check_parts(indicator: Indicator) -> None:
    divided = indicator.kind in ("ratio", "share_of_units")
    if divided and indicator.denominator is None:
        raise IndicatorRefused(
            "division-incomplete",
            f"« {indicator.code} » : un rapport exige un numérateur et un dénominateur.",
        )
    if not divided and indicator.denominator is not None:
        raise IndicatorRefused(
            "division-incomplete",
            f"« {indicator.code} » : un dénominateur ne se déclare que pour un rapport ou une part.",
        )


def _measure_type() -> type[Measure]:
    """The declarations import this module: their types are only known once everything is loaded."""
    from essaim.engines.measures.indicator import Measure

    return Measure


def _check_quantile(indicator: Indicator) -> None:
    measure = indicator.numerator
    if indicator.quantile is None or not 0 <= indicator.quantile <= 1:
        raise IndicatorRefused("quantile-invalide", f"« {indicator.code} » : le quantile est entre 0 et 1.")
    if measure is None or not isinstance(measure, _measure_type()):
        raise IndicatorRefused(
            "quantile-d-agregats",
            f"« {indicator.code} » : un quantile se lit sur les lignes, jamais sur des totaux par établissement.",
        )
    value = measure.value
    role = role_of(value, measure.facts) if value is not None else Role.FLOW
    if value is None or measure.facts.aggregated or role in (Role.RATE, Role.DISTINCT, Role.COUNTER):
        raise IndicatorRefused(
            "quantile-d-agregats",
            f"« {indicator.code} » : la table « {measure.facts.name} » ou la valeur est déjà agrégée ; "
            "un quantile se lit sur les valeurs de chaque ligne.",
        )
    if indicator.proved is not None or measure.until is not None or measure.timing == "latest":
        raise IndicatorRefused(
            "quantile-invalide", f"« {indicator.code} » : un quantile porte sur un flux ou un cumul de lignes."
        )


def _check_kind(indicator: Indicator) -> None:
    top, bottom = indicator.numerator, indicator.denominator
    assert top is not None
    distinct = any(item.distinct for item in top.measures)
    if distinct != (indicator.kind == "distinct") and not (indicator.kind == "ratio" and bottom is not None):
        raise IndicatorRefused(
            "somme-de-distincts",
            f"« {indicator.code} » : un compte de valeurs différentes est de nature « distinct », et lui seul.",
        )
    if indicator.kind == "flow" and top.timing != "flow":
        raise IndicatorRefused(
            "compteur-pris-pour-flux",
            f"« {indicator.code} » : une mesure cumulée ou un stock n'est pas un flux.",
        )
    if indicator.kind == "stock" and top.timing == "flow":
        raise IndicatorRefused(
            "flux-pris-pour-stock", f"« {indicator.code} » : le flux d'une période n'est pas un stock."
        )
    if indicator.kind == "share_of_units" and any(hasattr(part, "facts") for part in (top, bottom)):
        raise IndicatorRefused(
            "part-d-unites",
            f"« {indicator.code} » : une part d'établissements se calcule par établissement (PerEstablishment).",
        )
    if bottom is not None:
        _check_ratio(indicator, top, bottom)


def _check_ratio(indicator: Indicator, top: Quantity, bottom: Quantity) -> None:
    times = {str(top.timing), str(bottom.timing)}
    if times == {"flow", "cumulative"} or (top.timing == "latest" and bottom.timing == "flow"):
        raise IndicatorRefused(
            "periodes-differentes",
            f"« {indicator.code} » : le numérateur et le dénominateur ne portent pas sur la même période "
            "(flux d'un côté, cumul ou stock de l'autre).",
        )
    value = getattr(top, "value", None)
    table = getattr(top, "facts", None)
    if table is not None and isinstance(value, Binary) and value.op == "*":
        sides = (value.left, value.right)
        rates = [side for side in sides if role_of(side, table) is Role.RATE]
        weights = [side for side in sides if role_of(side, table) is not Role.RATE]
        if rates and getattr(bottom, "value", None) not in weights:
            raise IndicatorRefused(
                "moyenne-de-pourcentages",
                f"« {indicator.code} » : une moyenne pondérée se divise par la somme de ses propres poids.",
            )


__all__ = ["check_indicator", "check_measure", "check_per_establishment", "role_of", "type_of"]
