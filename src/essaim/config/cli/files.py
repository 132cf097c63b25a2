"""`essaim check` and `essaim submit`: a file understood, checked, handed in."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from essaim.config.cli import OK, REFUSED, REMARKS

if TYPE_CHECKING:
    from essaim.engines.intake.contract import Contract
    from essaim.engines.intake.references import Reference

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


def contract_named(code: str) -> Contract:
    """The contract called ``code``; a usage error that lists the existing ones otherwise."""
    from essaim.config.rooms import contract

    return contract(code)


class _Registers(Mapping[str, "Reference"]):
    """The registers of this installation, read at the first look: after the file, whose reading is forked from this process."""

    @cached_property
    def _found(self) -> dict[str, Reference]:
        from essaim.territories.reads.references import snapshot_references

        return snapshot_references(_home() / "cache")

    def __getitem__(self, name: str) -> Reference:
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


def _alone() -> None:
    """Libraries asked, before they load, to start no thread of their own: a process with a single thread can be forked."""
    os.environ.setdefault("_RJEM_MALLOC_CONF", "background_thread:false")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE…", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--contract", "code", required=True, help="Contrat de données (liste : essaim contracts list).")
@click.option("--json", "as_json", is_flag=True, help="Compte rendu JSON complet sur la sortie standard (une liste pour plusieurs fichiers).")
@click.option("--annotated", type=click.Path(path_type=Path), help="Écrit le classeur annoté à cet endroit (un dossier pour plusieurs fichiers).")
@click.option("--sender", help="SIREN ou code de l'expéditeur, pour les numéros qui lui sont propres.")
@click.option("--answers", type=click.File("r", encoding="utf-8"), help="Réponses aux questions, en JSON {identifiant: choix}.")
def check(files: tuple[Path, ...], code: str, as_json: bool, annotated: Path | None, sender: str | None, answers: Any) -> int:
    """Vérifie chaque FILE sans rien enregistrer ; le registre chargé sert de référence s'il existe.

    Plusieurs fichiers d'un même contrat sont vérifiés ensemble, bien plus vite qu'un par un."""
    _alone()
    from essaim.engines.intake import check_many, to_json

    _check_target(files, annotated)
    found = check_many(
        [(file, file.name) for file in files], contract_named(code),
        references=_Registers(), answers=_answers(answers), sender=sender, contain="here",
    )  # fmt: skip
    reports = [to_json(item, issues=as_json) for item in found]
    written = [annotated and _write_annotated(file, item, _target(annotated, files, item)) for file, item in zip(files, found, strict=True)]
    if as_json:
        click.echo(json.dumps(reports if len(files) > 1 else reports[0], ensure_ascii=False, indent=2, default=str))
    else:
        for item, report, target in zip(found, reports, written, strict=True):
            _print_report(report, item.questions)
            if target:
                click.echo(f"Classeur annoté : {target}")
    return max(_exit_code(report["status"], report["summary"]) for report in reports)


def _check_target(files: tuple[Path, ...], annotated: Path | None) -> None:
    """One file is annotated into a file, several into a folder."""
    if annotated is not None and annotated.exists() and annotated.is_dir() != (len(files) > 1):
        wanted = "un dossier, où chaque classeur annoté prendra place" if len(files) > 1 else "un fichier"
        raise click.UsageError(f"--annotated : indiquez {wanted}.")
    names = [file.name for file in files]
    if annotated is not None and len(set(names)) < len(names):
        raise click.UsageError("--annotated : deux fichiers portent le même nom, l'un effacerait l'autre.")


def _target(annotated: Path, files: tuple[Path, ...], found: Any) -> Path:
    from essaim.engines.intake.annotate import annotated_name
    from essaim.engines.intake.tables import ReadFile

    if len(files) == 1:
        return annotated
    return annotated / annotated_name(found.filename, ReadFile(found.filename, found.extra.get("format", ""), ()))


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


def _write_annotated(file: Path, found: Any, target: Path) -> Path | None:
    """Where the workbook was written; None when there is none to give back: the file could not be read."""
    from essaim.engines.intake import annotated_workbook
    from essaim.engines.intake.tables import FileRefused

    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.write_bytes(annotated_workbook(file.read_bytes(), file.name, found))
    except FileRefused as refusal:  # the report and its exit code stand without the workbook
        click.echo(f"Pas de classeur annoté : {refusal}", err=True)
        return None
    return target


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
