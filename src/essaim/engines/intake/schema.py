"""A contract exported as a Table Schema (the standard of schema.data.gouv.fr, read by Validata) and as Markdown."""

from __future__ import annotations

from typing import Any

from essaim.kernel import uai
from essaim.kernel.french import format_date, format_number

from .cells_missing import FORMULA_ERRORS
from .contract import AnyOf, Contract, Field, FieldType, InOrder, Plausible, ProductEquals, RequiredWhen, Rule
from .issues_messages import expected_of

_TYPES: dict[FieldType, tuple[str, str | None]] = {
    FieldType.INTEGER: ("integer", None), FieldType.DECIMAL: ("number", None), FieldType.MONEY: ("number", None),
    FieldType.PERCENT: ("number", None), FieldType.DATE: ("date", "%Y-%m-%d"), FieldType.MONTH: ("yearmonth", None), FieldType.BOOLEAN: ("boolean", None),
}  # fmt: skip
_PATTERNS = {
    FieldType.UAI: f"^[0-9]{{7}}[{uai.KEY_LETTERS}]$",
    FieldType.SIREN: r"^[0-9]{9}$",
    FieldType.SIRET: r"^[0-9]{14}$",
    FieldType.RNA: r"^W[0-9]{9}$",
    FieldType.COMMUNE: r"^([013-9][0-9]|2[AB1-9])[0-9]{3}$",
    FieldType.DEPARTEMENT: r"^(0[1-9]|[1345678][0-9]|2[AB1-9]|9[0-5]|97[1-8]|98[678])$",
    FieldType.SCHOOL_YEAR: r"^[0-9]{4}-[0-9]{4}$",
}
_SAMPLES = {
    FieldType.INTEGER: "12", FieldType.DECIMAL: "12.5", FieldType.MONEY: "450.00", FieldType.PERCENT: "3.5", FieldType.DATE: "2021-08-31",
    FieldType.MONTH: "2021-08", FieldType.SCHOOL_YEAR: "2021-2022", FieldType.BOOLEAN: "true", FieldType.UAI: "0020011D", FieldType.SIREN: "210204086",
    FieldType.SIRET: "21350016800025", FieldType.RNA: "W123456789", FieldType.COMMUNE: "02408", FieldType.DEPARTEMENT: "02",
}  # fmt: skip


def table_schema(contract: Contract) -> dict[str, Any]:
    """Table Schema of ``contract`` (specs.frictionlessdata.io/table-schema, French profile), as a plain dict."""
    keys = [name for name in contract.key if name != "sender"]
    required = all(contract.field(name).required for name in keys)
    schema: dict[str, Any] = {
        "$schema": "https://frictionlessdata.io/schemas/table-schema.json",
        "name": contract.code.replace(".", "-").replace("_", "-"),
        "title": contract.title,
        "description": contract.description,
        "version": f"{contract.version}.0.0",
        "countryCode": "FR",
        "fields": [_field(item) for item in contract.fields],
        "missingValues": ["", "ND", "NS", "n.s", "N.C.", "-", "s.o.", *sorted(FORMULA_ERRORS & {"#N/A", "#DIV/0!", "#REF!", "#VALEUR!"})],
    }
    if keys and required and "sender" not in contract.key:
        schema["primaryKey"] = keys
    return schema | ({"licenses": [{"title": contract.licence}]} if contract.licence else {}) | ({"sources": [{"title": contract.source}]} if contract.source else {})


def _field(item: Field) -> dict[str, Any]:
    kind, layout = _TYPES.get(item.type, ("string", None))
    described = {"name": item.name, "title": item.label, "description": item.description or expected_of(item).capitalize(), "type": kind}
    if layout:
        described["format"] = layout
    if item.type is FieldType.BOOLEAN:
        described |= {"trueValues": ["true", "oui", "1"], "falseValues": ["false", "non", "0"]}  # type: ignore[dict-item]
    if item.unit:
        described["unit"] = item.unit
    return {**described, "example": _example(item), "constraints": _constraints(item, kind)}


def _example(item: Field) -> str:
    if item.type is FieldType.CODE:
        return item.codes[0].value if item.codes else ""
    return item.examples[0] if item.examples else _SAMPLES.get(item.type, "Texte")


def _constraints(item: Field, kind: str) -> dict[str, Any]:
    constraints: dict[str, Any] = {"required": item.required}
    if item.codes:
        constraints["enum"] = [code.value for code in item.codes]
    pattern = item.pattern or _PATTERNS.get(item.type)
    if pattern and kind == "string":
        constraints["pattern"] = pattern
    for name, bound in (("minimum", item.minimum), ("maximum", item.maximum)):
        if bound is not None and kind != "string":
            constraints[name] = int(bound) if kind == "integer" else bound
    if item.max_length is not None and kind == "string":
        constraints["maxLength"] = item.max_length
    return constraints


def contract_markdown(contract: Contract) -> str:
    """The contract as a French reference page: columns, code lists, rules, key."""
    lines = [f"# {contract.title}", "", f"`{contract.code}`, version {contract.version}. {contract.description}", ""]
    lines += ["| colonne | nom technique | type | obligatoire | attendu | en-têtes reconnus |", "|---|---|---|---|---|---|"]
    lines += [_line(item) for item in contract.fields]
    for item in contract.fields:
        if item.codes:
            lines += ["", f"## Valeurs de « {item.label} »", "", "| valeur | libellé | aussi reconnu |", "|---|---|---|"]
            lines += [f"| `{code.value}` | {_cell(code.label)} | {_cell(', '.join((*code.aliases, *code.products)))} |" for code in item.codes]
    if contract.rules:
        lines += ["", "## Règles", "", *(f"- {rule.message} ({_rule(rule, contract)}.)" for rule in contract.rules)]
    labels = ["l'expéditeur" if name == "sender" else f"« {contract.field(name).label} »" for name in contract.key]
    effect = "Un nouveau fichier met à jour les lignes de même identité." if contract.replaces == "key" else "Un nouveau fichier remplace tout ce qui porte sur le même périmètre."
    lines += ["", "## Identité d'une ligne", "", f"{', '.join(labels).capitalize() if labels else 'Aucune'}. {effect}"]
    for wide in contract.wide:
        lines += ["", f"Un fichier peut aussi avoir une colonne par valeur de « {contract.field(wide.into).label} », la cellule donnant « {contract.field(wide.value).label} »."]
    if contract.listing:
        one = contract.listing.word[0]
        lines += ["", f"Un fichier peut aussi avoir une ligne par {one}, sans quantité mais avec un numéro de série ou d'inventaire : les lignes de même identité sont additionnées, le numéro n'est pas conservé."]
    if contract.source or contract.licence:
        lines += ["", f"Source : {contract.source or 'non précisée'}. Licence : {contract.licence or 'non précisée'}."]
    return "\n".join(lines) + "\n"


def _line(item: Field) -> str:
    bounds = [f"{word} {_bound(bound)}" for word, bound in (("au moins", item.minimum), ("au plus", item.maximum)) if bound is not None]
    wanted = "une valeur de la liste ci-dessous" if item.codes else expected_of(item)
    wanted = "; ".join([wanted, *bounds, *([item.unit] if item.unit else [])])
    label = f"{item.label} : {item.description}" if item.description else item.label
    return f"| {_cell(label)} | `{item.name}` | {item.type.value} | {'oui' if item.required else 'non'} | {_cell(wanted)} | {_cell(', '.join(item.synonyms))} |"


def _bound(bound: float | str) -> str:
    if isinstance(bound, str):
        from datetime import date

        return format_date(date.fromisoformat(bound))
    return format_number(bound)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _rule(rule: Rule, contract: Contract) -> str:
    severity = {"blocking": "ligne refusée", "warning": "avertissement", "notice": "signalement"}[rule.severity.value]

    def label(name: str) -> str:
        return f"« {contract.field(name).label} »"

    match rule:
        case InOrder():
            return f"{label(rule.earlier)} pas après {label(rule.later)} ; {severity}"
        case AnyOf():
            return f"au moins un de {', '.join(map(label, rule.fields))} ; {severity}"
        case RequiredWhen():
            return f"{label(rule.field_name)} obligatoire selon {label(rule.when)} ; {severity}"
        case ProductEquals():
            return f"{label(rule.quantity)} × {label(rule.price)} = {label(rule.total)} ; {severity}"
        case Plausible():
            return f"{label(rule.field_name)} au plus {format_number(rule.at_most)} fois « {rule.per} » du registre ; {severity}"
    return severity
