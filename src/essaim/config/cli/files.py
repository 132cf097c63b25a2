"""`essaim check` and `essaim submit`: a file understood, checked, handed in."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click

from essaim.config.cli import OK, REFUSED, REMARKS
from essaim.config.rooms import contract as contract_named

REPORT_KEYS = ("contract", "file", "status", "tables", "rows_read", "rows_accepted", "rows_refused", "summary", "issues")
_NONE = '""'
SIGNS = {"blocking": "✗", "warning": "!", "notice": "·"}


def _exit_code(status: str, summary: list[dict[str, Any]]) -> int:
    """0 clean, 1 warnings or refused rows, 2 file refused; notices alone are clean."""
    if status == "refused":
        return REFUSED
    return REMARKS if any(item["severity"] != "notice" for item in summary) else OK


def _home() -> Path:
    return Path(os.environ.get("ESSAIM_HOME") or "var")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--contract", "code", required=True, help="Contrat de données (liste : essaim contracts list).")
@click.option("--json", "as_json", is_flag=True, help="Compte rendu JSON complet sur la sortie standard.")
@click.option("--annotated", type=click.Path(dir_okay=False, path_type=Path), help="Écrit le classeur annoté à cet endroit.")
@click.option("--sender", help="SIREN ou code de l'expéditeur, pour les numéros qui lui sont propres.")
@click.option("--answers", type=click.File("r", encoding="utf-8"), help="Réponses aux questions, en JSON {identifiant: choix}.")
def check(file: Path, code: str, as_json: bool, annotated: Path | None, sender: str | None, answers: Any) -> int:
    """Vérifie FILE sans rien enregistrer ; le registre chargé sert de référence s'il existe."""
    from essaim.engines.intake import check as run_check
    from essaim.engines.intake import to_json
    from essaim.territories.reads.references import snapshot_references

    contract = contract_named(code)
    found = run_check(
        file.read_bytes(), file.name, contract,
        references=snapshot_references(_home() / "cache"),
        answers=_answers(answers),
        sender=sender, contain=True,
    )
    report = to_json(found)
    written = annotated is not None and _write_annotated(file, found, annotated)
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False, indent=2, default=str))
    else:
        _print_report(report, found.questions)
        if written:
            click.echo(f"Classeur annoté : {annotated}")
    return _exit_code(report["status"], report["summary"])


def _answers(stream: Any) -> dict[str, str] | None:
    """Answers read from JSON; a usage error that says how to write them otherwise."""
    if stream is None:
        return None
    try:
        found = json.load(stream)
    except ValueError as error:
        raise click.UsageError(f"--answers : ce fichier n'est pas du JSON ({error}).") from error
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise click.UsageError('--answers : écrivez {"identifiant de la question": "choix"}, tels que « questions » les donne.')
    return found


def _with_deposit(report: dict[str, Any], deposit: dict[str, Any]) -> dict[str, Any]:
    """The report of a check with the deposit after its documented keys, before what may be added later."""
    first = {key: report[key] for key in REPORT_KEYS}
    return first | deposit | {key: value for key, value in report.items() if key not in first}


def _write_annotated(file: Path, found: Any, target: Path) -> bool:
    """Whether there was a workbook to give back: a file that could not be read has none."""
    from essaim.engines.intake import annotated_workbook
    from essaim.engines.intake.tables import FileRefused

    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.write_bytes(annotated_workbook(file.read_bytes(), file.name, found))
    except FileRefused as refusal:  # the report and its exit code stand without the workbook
        click.echo(f"Pas de classeur annoté : {refusal}", err=True)
        return False
    return True


def _counted(count: int, noun: str) -> str:
    """``1 ligne lue``, ``2 lignes lues``."""
    return f"{count} " + (" ".join(f"{word}s" for word in noun.split()) if count > 1 else noun)


def _heading(row: int | None) -> str:
    return f"en-tête ligne {row}" if row else "sans en-tête"


def _print_report(report: dict[str, Any], questions: Any = ()) -> None:
    """What a person wants to read first: what was understood, what is wrong, what to do."""
    labels = {field.name: field.label for field in contract_named(report["contract"]).fields}
    heading = {"clean": "Fichier en ordre", "issues": "Fichier lu, avec des remarques", "refused": "Fichier refusé"}
    click.echo(f"{heading[report['status']]} : {report['file']} ({report['contract']})")
    for table in report["tables"]:
        click.echo(f"  Feuille « {table['sheet']} », {_heading(table['header_row'])}, {_counted(table['rows'], 'ligne')}")
        for item in table["mapping"]:
            click.echo(f"    {item['column']:>3} → {labels.get(item['field'], item['field']):<24} {item['score']:.0f} %  {item['reason']}")
        if table["unmapped"]:
            click.echo(f"    Colonnes non reprises : {', '.join(table['unmapped'])}")
        if table["missing"]:
            click.echo(f"    Champs absents : {', '.join(labels.get(name, name) for name in table['missing'])}")
    many = "s" if report["rows_accepted"] > 1 else ""
    click.echo(f"  {_counted(report['rows_read'], 'ligne lue')}, {report['rows_accepted']} acceptable{many}, {report['rows_refused']} à corriger")
    for item in report["summary"]:
        click.echo(f"  {SIGNS[item['severity']]} {item['count']:>6} × {item['message']}")
    for question in questions:
        click.echo(f"  ? {question.message} [{question.id}] : " + ", ".join(f"{value or _NONE} ({label})" for value, label, _ in question.choices))


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--contract", "code", required=True, help="Contrat de données.")
@click.option("--as", "name", default=None, help="Compte qui dépose (identifiant) ; par défaut l'administrateur local.")
@click.option("--sender", default=None, help="SIREN ou code de l'organisme dont viennent les données ; par défaut celui du compte.")
@click.option("--accept", is_flag=True, help="Accepte aussitôt les lignes valides.")
@click.option("--json", "as_json", is_flag=True, help="Compte rendu JSON complet.")
@click.option("--answers", type=click.File("r", encoding="utf-8"), help="Réponses aux questions, en JSON.")
def submit(file: Path, code: str, name: str | None, sender: str | None, accept: bool, as_json: bool, answers: Any) -> int:
    """Dépose FILE : conservé, vérifié, et accepté si --accept."""
    from essaim.config.cli.home import Denied, account, open_installation

    contract_named(code)
    open_installation()
    from essaim.foundation import acts, reads

    by = account(name)
    try:
        submission = acts.receive(content=file.read_bytes(), filename=file.name, contract=code, sender=sender, by=by)
        if submission.state == "received":
            submission = acts.check(submission=submission, by=by, answers=_answers(answers))
        report = reads.report(submission)
        preview = reads.preview_counts(submission)
        accepted = submission.state == "accepted"
        if accept and submission.state == "checked" and report["status"] != "refused":
            submission = acts.accept(submission=submission, by=by)
            accepted = submission.state == "accepted"
    except acts.ActRefused as refusal:
        raise Denied(str(refusal)) from refusal
    report = _with_deposit(report, {"submission": submission.pk, "preview": preview, "accepted": accepted})
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False, indent=2, default=str))
    else:
        _print_report(report)
        click.echo(
            f"  Dépôt n° {submission.pk} : {preview['new']} nouvelles, {preview['changed']} changées, "
            f"{preview['unchanged']} inchangées, {preview['withdrawn']} retirées — {'accepté' if accepted else 'en attente d’acceptation'}"
        )
    return _exit_code(report["status"], report["summary"])
