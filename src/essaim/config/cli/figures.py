"""`essaim figures`, `essaim trace`, `essaim indicators`: figures, and the way back to the sender's cells."""

from __future__ import annotations

import csv
import io
import json
import sys
from datetime import date
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import click

from essaim.config.cli.home import need_register, open_installation
from essaim.kernel.french import format_number

ROW_KEYS = (
    "unit", "period", "breakdown", "numerator", "denominator", "value", "low", "high", "coverage", "suppressed", "fingerprint",
)
ENTRY_KEYS = ("submission", "file", "sheet", "row", "sign", "values")


class Day(click.ParamType):
    """A day written ``2026-03-31`` or ``31/03/2026``."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        text = str(value).strip()
        if text.count("/") == 2:
            text = "-".join(reversed(text.split("/")))
        try:
            return date.fromisoformat(text)
        except ValueError:
            self.fail(f"« {value} » n'est pas une date : écrivez 2026-03-31 ou 31/03/2026.", param, ctx)


DAY = Day()


def _this_month() -> str:
    from django.utils import timezone

    return timezone.localdate().strftime("%Y-%m")


@click.command()
@click.argument("codes", nargs=-1, required=True, metavar="CODE…")
@click.option("--level", required=True, help="Niveau : national, departement, commune, academie, territory, establishment…")
@click.option("--unit", "units", multiple=True, help="Unité (code) ; plusieurs fois possible. Par défaut toutes.")
@click.option("--period", "periods", multiple=True, help="2026-03, 2026-T1, 2026 ou 2025-2026 ; plusieurs fois possible. Par défaut ce mois.")
@click.option("--by", multiple=True, help="Ventilation ; plusieurs fois pour croiser.")
@click.option("--known-at", type=DAY, help="Tel que connu à la fin de ce jour.")
@click.option("--format", "form", type=click.Choice(["table", "csv", "json", "xlsx", "parquet"]), default="table", show_default=True, help="Forme de la sortie.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Fichier de sortie (obligatoire pour xlsx et parquet).")
@click.option("--public", is_flag=True, help="Applique le secret statistique des pages publiques.")
def figures(
    codes: tuple[str, ...], level: str, units: tuple[str, ...], periods: tuple[str, ...], by: tuple[str, ...],
    known_at: date | None, form: str, out: Path | None, public: bool,
) -> None:
    """Donne les chiffres des indicateurs CODE… : valeur, intervalle, couverture, empreinte."""
    if form in {"xlsx", "parquet"} and out is None:
        raise click.UsageError(f"Le format {form} demande --out FICHIER.")
    open_installation()
    need_register()
    from essaim.engines.measures import IndicatorRefused, LevelUnknown
    from essaim.evaluation import reads

    wanted, codes = periods or (_this_month(),), tuple(dict.fromkeys(codes))
    try:
        reads.refuse_unknown_units(level, units)
        found = reads.figures(codes, level=level, units=units or None, period=wanted, by=by, known_at=known_at, public=public)
    except (reads.IndicatorUnknown, reads.UnitUnknown, IndicatorRefused, LevelUnknown, ValueError) as error:
        raise click.UsageError(str(error.args[0])) from error
    try:
        _write(found, codes, wanted, known_at, by, form, out)
    except OSError as error:
        raise click.UsageError(f"Écriture impossible : {out} (dossier absent, protégé ou plein).") from error


def _documents(found: Any, codes: tuple[str, ...], periods: tuple[str, ...], known_at: date | None, by: tuple[str, ...]) -> list[dict[str, Any]]:
    from essaim.evaluation import reads

    rows: dict[str, list[dict[str, Any]]] = {code: [] for code in codes}
    for row in found.rows():
        rows[row["indicator"]].append({key: row[key] for key in ROW_KEYS})
    return [
        {
            "indicator": code, "version": reads.indicator(code).version, "unit": reads.indicator(code).unit, "level": found.level,
            "period": periods[0] if len(periods) == 1 else list(periods),
            "known_at": known_at.isoformat() if known_at else None, "by": list(by), "rows": rows[code],
        }
        for code in codes
    ]


def _write(found: Any, codes: tuple[str, ...], periods: tuple[str, ...], known_at: date | None, by: tuple[str, ...], form: str, out: Path | None) -> None:
    if form == "parquet":
        import pyarrow.parquet as pq

        assert out is not None
        pq.write_table(found.table, out)
    elif form == "xlsx":
        from essaim.portal.exports import figures_workbook

        assert out is not None
        out.write_bytes(figures_workbook(found))
    elif form == "json":
        documents = _documents(found, codes, periods, known_at, by)
        _emit(json.dumps(documents[0] if len(documents) == 1 else documents, ensure_ascii=False, indent=2), out)
    elif form == "csv":
        stream = io.StringIO()
        writer = csv.DictWriter(stream, ["indicator", "version", "level", *ROW_KEYS], delimiter=";", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(found.rows())
        _emit(stream.getvalue().rstrip("\n"), out)
    else:
        _print_table(found, known_at)
        return
    if out is not None:
        click.echo(f"Écrit : {out}", err=True)


def _emit(text: str, out: Path | None) -> None:
    if out is None:
        click.echo(text)
    else:
        out.write_text(text + "\n", encoding="utf-8")


def _print_table(found: Any, known_at: date | None) -> None:
    from rich.console import Console
    from rich.table import Table

    from essaim.evaluation import reads
    from essaim.foundation.reads.facts import number_known_at

    table = Table(caption=f"connu au {known_at:%d/%m/%Y}" if known_at else "connu à ce jour")
    for heading in ("indicateur", "unité", "période", "ventilation"):
        table.add_column(heading)
    for heading in ("valeur", "prouvé – déclaré", "numérateur", "dénominateur", "couverture"):
        table.add_column(heading, justify="right")

    def shown(value: float | None, decimals: int = 1) -> str:
        return "—" if value is None else format_number(value, decimals if value % 1 else 0)

    for row in found.rows():
        interval = "" if row["low"] is None else f"{shown(row['low'])} – {shown(row['high'])}"
        value = "secret" if row["suppressed"] else f"{shown(row['value'])} {reads.indicator(row['indicator']).unit}"
        coverage = "—" if row["coverage"] is None else f"{format_number(100 * row['coverage'], 0)} %"
        table.add_row(
            row["indicator"], row["unit"], row["period"], row["breakdown"], value if row["value"] is not None or row["suppressed"] else "—",
            interval, shown(row["numerator"]), shown(row["denominator"]), coverage,
        )
    console = Console(width=None if sys.stdout.isatty() else 200)
    console.print(table)
    if known_at and not number_known_at(known_at):
        click.echo(f"Aucun fichier n'avait encore été accepté le {known_at:%d/%m/%Y} : ce jour-là, on ne savait rien. Sans --known-at : ce que l'on sait aujourd'hui.", err=True)


@click.command()
@click.argument("code", required=False)
@click.option("--level", default="national", show_default=True, help="Niveau du chiffre : national, departement, commune, establishment…")
@click.option("--unit", default=None, help="Unité dont on veut retrouver les écritures.")
@click.option("--period", default=None, help="Période du chiffre. Par défaut ce mois.")
@click.option("--by", multiple=True, help="Ventilation du chiffre.")
@click.option("--breakdown", default="", help="Libellé de la ventilation, tel qu'affiché.")
@click.option("--known-at", type=DAY, help="Tel que connu à la fin de ce jour.")
@click.option("--submission", type=int, help="À l'inverse : ce qu'un dépôt a changé.")
@click.option("--limit", type=int, default=1000, show_default=True, help="Nombre d'écritures au plus (0 : toutes).")
@click.option("--json", "as_json", is_flag=True, help="Sortie JSON.")
def trace(
    code: str | None, level: str, unit: str | None, period: str | None, by: tuple[str, ...], breakdown: str,
    known_at: date | None, submission: int | None, limit: int, as_json: bool,
) -> None:
    """Remonte d'un chiffre à ses écritures, au fichier, à la feuille et à la ligne de l'expéditeur."""
    if (code is None) == (submission is None):
        raise click.UsageError("Donnez un indicateur (CODE) ou un dépôt (--submission N).")
    open_installation()
    from essaim.evaluation import reads
    from essaim.evaluation.reads.lineage import described_entries, entries_of_submission

    try:
        if submission is not None:
            figure: dict[str, Any] = {"submission": submission}
            found = entries_of_submission(submission)
        else:
            assert code is not None
            need_register()
            wanted = period or _this_month()
            reads.refuse_unknown_units(level, [unit] if unit else [])
            figure = {
                "indicator": code, "level": level, "unit": unit or "FR", "period": wanted, "by": list(by), "breakdown": breakdown,
                "known_at": known_at.isoformat() if known_at else None,
            }
            found = reads.trace(code, level=level, unit=unit or "FR", period=wanted, by=by, breakdown=breakdown, known_at=known_at)
    except (LookupError, ValueError) as error:
        raise click.UsageError(str(error.args[0])) from error
    described = [entry | {"row": _row_of(entry)} for entry in described_entries(found, limit=limit or None)]
    entries = [{key: entry[key] for key in ENTRY_KEYS} | entry for entry in described]
    if as_json:
        click.echo(json.dumps({"figure": figure, "entries": entries}, ensure_ascii=False, indent=2, default=str))
        return
    for entry in entries:
        values = ", ".join(f"{key}={value}" for key, value in entry["values"].items() if value is not None)
        sign = "+" if entry["sign"] > 0 else "−"
        place = f"ligne {entry['row']}" + (f" (cellule {entry['cell']})" if entry["cell"] else "")
        place += f", lignes additionnées {entry['lines']}" if entry["lines"] else ""
        click.echo(f"{sign} dépôt {entry['submission']} · {entry['file']} · {entry['sheet']} {place} · {values}")
    shown = f", affichage limité à {limit} (--limit)" if limit and found.num_rows > limit else ""
    click.echo(f"{found.num_rows} écriture{'s' if found.num_rows > 1 else ''}{shown}")


def _row_of(entry: dict[str, Any]) -> int | None:
    """The line of the sheet that the sender sees, also where the table lies on its side."""
    return int(entry["cell"].lstrip(ascii_uppercase)) if entry["cell"] else entry["row"]


@click.command()
@click.argument("code", required=False)
def indicators(code: str | None) -> None:
    """Liste les indicateurs, ou explique celui qu'on nomme."""
    open_installation()
    from essaim.engines.measures import explain
    from essaim.evaluation import reads

    if code is None:
        for item in reads.indicators():
            click.echo(f"{item.code:<38} v{item.version}  {item.label}")
        return
    try:
        item = reads.indicator(code)
    except reads.IndicatorUnknown as error:
        raise click.UsageError(str(error.args[0])) from error
    click.echo(f"{item.label} ({item.code}, version {item.version})\n{item.definition}\n\n{explain(item)}")
