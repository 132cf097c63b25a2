"""Indicators in words: the formula in French, the SQL that computes it, the generated catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from essaim.engines.measures.compiler import bundles, scan
from essaim.engines.measures.expressions import (
    Binary,
    Coalesce,
    Column,
    DaysBetween,
    Expr,
    Extreme,
    IsIn,
    IsMissing,
    Literal,
    Not,
    SchoolYearStart,
    When,
)
from essaim.engines.measures.facts import FactTable
from essaim.engines.measures.indicator import (
    Direction,
    Indicator,
    Kind,
    Measure,
    PerEstablishment,
    Quantity,
    Timing,
)

if TYPE_CHECKING:
    import ibis

KIND_LABELS = {
    Kind.FLOW: "flux de la période",
    Kind.STOCK: "stock à la fin de la période",
    Kind.RATIO: "rapport",
    Kind.DISTINCT: "compte de valeurs différentes",
    Kind.QUANTILE: "quantile des lignes",
    Kind.SHARE_OF_UNITS: "part d'établissements",
    Kind.GAP: "écart entre deux groupes",
}
DIRECTION_LABELS = {
    Direction.UP: "à augmenter",
    Direction.DOWN: "à diminuer",
    Direction.NEUTRAL: "sans sens attendu",
}
_WORDS = {"*": "×", "/": "÷", "-": "−", "==": "=", "!=": "≠", "<=": "≤", ">=": "≥", "and": "et", "or": "ou"}
_TYPES = {"integer": "int64", "decimal": "float64", "date": "date", "boolean": "boolean"}


def words(expr: Expr) -> str:
    """An expression in French."""
    match expr:
        case Column(name):
            return name
        case Literal(value):
            return _constant(value)
        case Binary(op, left, right):
            return f"{_bracketed(left)} {_WORDS.get(op, op)} {_bracketed(right)}"
        case Not(IsMissing(of)):
            return f"{words(of)} est renseigné"
        case Not(of):
            return f"non ({words(of)})"
        case IsIn(of, values):
            return f"{words(of)} parmi ({', '.join(_constant(item) for item in values)})"
        case IsMissing(of):
            return f"{words(of)} est absent"
        case Coalesce(args):
            return f"{words(args[0])}, à défaut {' puis '.join(words(item) for item in args[1:])}"
        case Extreme(op, args):
            name = "le plus petit de" if op == "least" else "le plus grand de"
            return f"{name} ({' ; '.join(words(item) for item in args)})"
        case When(condition, then, otherwise):
            return f"({words(then)} si {words(condition)}, sinon {words(otherwise)})"
        case DaysBetween(start, end):
            return f"jours de {words(start)} à {words(end)}"
        case SchoolYearStart(of):
            return f"1er septembre de {words(of)}"
    raise TypeError(type(expr).__name__)


def _constant(value: object) -> str:
    if isinstance(value, bool):
        return "oui" if value else "non"
    return f"« {value} »" if isinstance(value, str) else str(value).replace(".", ",")


def _bracketed(expr: Expr) -> str:
    text = words(expr)
    return f"({text})" if isinstance(expr, Binary | Coalesce) else text


def quantity_words(quantity: Quantity) -> str:
    """What a quantity adds up, in French."""
    if isinstance(quantity, PerEstablishment):
        inner = " ; ".join(f"{item.code} = {quantity_words(item)}" for item in quantity.inputs)
        return f"somme sur les établissements de [{words(quantity.value)}], avec {inner}"
    if quantity.distinct:
        text = f"nombre de valeurs différentes de {quantity.distinct}"
    elif quantity.value is None:
        text = "nombre de lignes"
    else:
        text = f"somme de [{words(quantity.value)}]"
    text += f" dans « {quantity.facts.name} »"
    if quantity.where is not None:
        text += f" où {words(quantity.where)}"
    return text + _time_words(quantity)


def _time_words(measure: Measure) -> str:
    when = words(measure.date_expr)
    if measure.timing is Timing.FLOW:
        return f", {when} étant dans la période"
    if measure.timing is Timing.LATEST:
        return f", dernière observation ({when}) à la fin de la période"
    end = f" et {words(measure.until_expr)} absent ou postérieur" if measure.until_expr is not None else ""
    return f", {when} étant au plus tard à la fin de la période{end}"


def explain(indicator: Indicator) -> str:
    """The formula of an indicator, in French, part by part."""
    lines = [f"{indicator.label} ({indicator.code}, version {indicator.version}) : {indicator.definition}"]
    if indicator.kind is Kind.GAP and indicator.of is not None:
        first, last = indicator.gap_groups
        lines.append(
            f"= valeur de « {indicator.of.label} » pour {indicator.gap_by} = {first}, moins sa valeur pour {last}."
        )
        return "\n".join([*lines, explain(indicator.of)])
    assert indicator.numerator is not None
    if indicator.kind is Kind.QUANTILE:
        lines.append(f"= quantile {_constant(indicator.quantile)} (interpolation linéaire) des valeurs des lignes")
    elif indicator.denominator is not None:
        scale = f" × {indicator.scale:g}" if indicator.scale != 1 else ""
        lines.append(f"= numérateur ÷ dénominateur{scale}" + (f", en {indicator.unit}" if indicator.unit else ""))
    lines.append(f"Numérateur : {quantity_words(indicator.numerator)}.")
    if indicator.denominator is not None:
        scope = "des seuls établissements répondants" if indicator.over == "reporting" else "de toute l'unité"
        lines.append(f"Dénominateur ({scope}) : {quantity_words(indicator.denominator)}.")
    if indicator.proved is not None:
        lines.append(f"Intervalle [prouvé, déclaré] ; part prouvée : {quantity_words(indicator.proved)}.")
    lines.append(_coverage_words(indicator))
    return "\n".join(lines)


def _coverage_words(indicator: Indicator) -> str:
    concerned = indicator.coverage.concerned
    whom = "tous ceux de l'unité" if concerned is None else f"ceux où {concerned.label or concerned.code} > 0"
    return f"Couverture : établissements avec données sur établissements concernés ({whom})."


def sql(indicator: Indicator, *, dialect: str = "duckdb", by: tuple[str, ...] = ()) -> str:
    """The scans of the facts that the indicator needs, in the SQL of ``dialect`` (``duckdb``, ``pyspark``)."""
    import ibis

    inner = indicator.of if indicator.of is not None else indicator
    rows = frozenset(
        item for item in inner.measures if inner.kind is Kind.QUANTILE and item == inner.numerator
    )
    if dialect == "pyspark":
        from ibis.backends.pyspark import Backend

        Backend.register_options()
    texts = []
    for bundle in bundles(inner.measures, by, rows):
        expr = scan(bundle, empty_table(bundle.facts), None)
        codes = ", ".join(item.code for item in bundle.measures)
        texts.append(f"-- {bundle.facts.name} : {codes}\n{ibis.to_sql(expr, dialect=dialect)}")
    return ";\n\n".join(texts)


def empty_table(facts: FactTable) -> ibis.Table:
    """An unbound Ibis table with the columns of the declaration and of the ledger."""
    import ibis

    schema = {item.name: _TYPES.get(item.type, "string") for item in facts.columns}
    schema.update(sign="int8", submission="int64")
    return ibis.table(schema, name=facts.name.replace(".", "_"))


def catalogue_markdown(indicators: Iterable[Indicator]) -> str:
    """The catalogue of indicators as Markdown, in the order given."""
    parts = ["# Catalogue des indicateurs", "", "Page produite à partir des déclarations ; ne pas la modifier à la main."]
    for item in indicators:
        parts += ["", f"## {item.label}", "", item.definition, "", *_sheet(item), "", "```text", explain(item), "```"]
    return "\n".join(parts) + "\n"


def _sheet(item: Indicator) -> list[str]:
    target = "—" if item.target is None else f"{item.target:g}".replace(".", ",")
    rows = (
        ("Code", f"`{item.code}`"),
        ("Version", str(item.version)),
        ("Nature", KIND_LABELS[item.kind]),
        ("Unité", item.unit or "—"),
        ("Faits utilisés", ", ".join(f"`{name}`" for name in item.facts)),
        ("Sens", DIRECTION_LABELS[item.direction]),
        ("Cible", target),
        ("Objectif servi", item.objective or "—"),
        ("Ventilations", ", ".join(item.breakdowns) or "—"),
        ("Limites", item.limits or "—"),
    )
    return ["| Rubrique | Valeur |", "|---|---|", *(f"| {name} | {_cell(text)} |" for name, text in rows)]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
