"""Contracts exported as Table Schema and as a reference page."""

import pytest

from essaim.engines.intake import contract_markdown, table_schema
from essaim.equipment.contracts import ORDERS
from intake.understanding import CONTRACT


@pytest.mark.parametrize("contract", [CONTRACT, ORDERS])
def test_table_schema_says_types_constraints_and_examples(contract):
    """Every field, its type, its constraints, an example that obeys them."""
    import re

    schema = table_schema(contract)
    assert [f["name"] for f in schema["fields"]] == list(contract.field_names)
    for field, ours in zip(schema["fields"], contract.fields, strict=True):
        rules = field["constraints"]
        assert rules["required"] is ours.required and field["type"] in {"string", "integer", "number", "date", "boolean", "yearmonth"}
        if "pattern" in rules:
            assert re.fullmatch(rules["pattern"], field["example"])
        if "enum" in rules:
            assert rules["enum"] == [code.value for code in ours.codes] and field["example"] in rules["enum"]
        if "minimum" in rules and field["type"] in ("integer", "number"):
            assert float(field["example"]) >= rules["minimum"]
    assert "primaryKey" not in schema


def test_reference_page_lists_columns_codes_rules_and_key():
    """Everything a sender needs, in French."""
    page = contract_markdown(CONTRACT)
    for text in ("# Livraisons d'essai", "| UAI | `uai` | uai | oui |", "Ordinateur portable", "La livraison précède la commande", "l'expéditeur", "une colonne par valeur"):
        assert text.lower() in page.lower()
