"""`essaim contracts`: the kinds of files understood."""

from __future__ import annotations

import json

import click


@click.group()
def contracts() -> None:
    """Les sortes de fichiers que la plateforme comprend."""


@contracts.command("list")
@click.option("--json", "as_json", is_flag=True, help="Sortie JSON.")
def list_contracts(as_json: bool) -> None:
    """Liste les contrats de données."""
    from essaim.config.rooms import all_contracts

    found = all_contracts()
    if as_json:
        click.echo(json.dumps([{"code": c.code, "version": c.version, "title": c.title} for c in found], ensure_ascii=False, indent=2))
        return
    width = max(len(c.code) for c in found)
    for contract in found:
        click.echo(f"{contract.code:<{width}}  v{contract.version}  {contract.title}")


@contracts.command("show")
@click.argument("code")
@click.option("--table-schema", is_flag=True, help="Au format Table Schema (Validata).")
def show(code: str, table_schema: bool) -> None:
    """Décrit un contrat : colonnes, types, valeurs admises, en-têtes reconnus."""
    from essaim.config.rooms import contract
    from essaim.engines.intake import contract_markdown
    from essaim.engines.intake import table_schema as as_table_schema

    found = contract(code)
    if table_schema:
        click.echo(json.dumps(as_table_schema(found), ensure_ascii=False, indent=2))
    else:
        click.echo(contract_markdown(found))
