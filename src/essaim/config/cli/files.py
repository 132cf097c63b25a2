"""`essaim check` and `essaim submit`: a file understood, checked, handed in."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from essaim.config.cli import OK, REFUSED, REMARKS
from essaim.config.cli.answers import answering, gathered, hints, refuse_unused

if TYPE_CHECKING:
    from essaim.engines.intake.contract import Contract
    from essaim.engines.intake.references import Reference
    from essaim.engines.intake.report import Check

REPORT_KEYS = ("contract", "file", "status", "tables", "rows_read", "rows_accepted", "rows_refused", "summary", "issues")
_NONE = '""'
SIGNS = {"blocking": "✗", "warning": "!", "notice": "·"}


def _exit_code(status: str, summary: list[dict[str, Any]], questions: Sequence[Any] = ()) -> int:
    """0 clean, 1 warnings, refused rows or questions, 2 file refused; notices alone are clean."""
    if status == "refused":
        return REFUSED
    return REMARKS if questions or any(item["severity"] != "notice" for item in summary) else OK


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
@click.argument("files", nargs=-1, required=True, metavar="FICHIER…", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--contract", "code", required=True, help="Contrat de données (liste : essaim contracts list).")
@click.option("--json", "as_json", is_flag=True, help="Compte rendu JSON complet sur la sortie standard (une liste pour plusieurs fichiers).")
@click.option("--annotated", type=click.Path(path_type=Path), help="Écrit le classeur annoté à cet endroit (un dossier pour plusieurs fichiers).")
@click.option("--sender", help="SIREN ou code de l'expéditeur, pour les numéros qui lui sont propres.")
@answering
def check(
    files: tuple[Path, ...], code: str, as_json: bool, annotated: Path | None, sender: str | None,
    answers: Any, said: tuple[str, ...], columns: tuple[str, ...], values: tuple[str, ...],
) -> int:  # fmt: skip
    """Vérifie chaque FICHIER sans rien enregistrer ; le registre chargé sert de référence s'il existe.

    Plusieurs fichiers d'un même contrat sont vérifiés ensemble, bien plus vite qu'un par un."""
    _alone()
    from essaim.engines.intake import check_many, to_json

    _check_target(files, annotated)
    contract, registers = contract_named(code), _Registers()
    given = gathered(contract, answers, said, columns, values)
    found = check_many([(file, file.name) for file in files], contract, references=registers, answers=given, sender=sender, contain="here")
    refuse_unused(found, given)
    reports = [to_json(item, issues=as_json) for item in found]
    written = [annotated and _write_annotated(file, item, _target(annotated, files, item)) for file, item in zip(files, found, strict=True)]
    if as_json:
        click.echo(json.dumps(reports if len(files) > 1 else reports[0], ensure_ascii=False, indent=2, default=str))
    else:
        for item, report, target in zip(found, reports, written, strict=True):
            _print_report(report, item)
            if target:
                click.echo(f"Classeur annoté : {target}")
        if annotated is None and any(report["summary"] for report in reports):
            click.echo("Chaque remarque, cellule par cellule : ajoutez --annotated CLASSEUR.xlsx ou --json.")
    if not registers and any(field.reference for field in contract.fields):
        click.echo("Aucun registre chargé : l'existence des établissements, communes et organismes n'a pas été vérifiée (essaim register load).", err=True)
    return max(_exit_code(report["status"], report["summary"], item.questions) for item, report in zip(found, reports, strict=True))


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


def _places(found: Check) -> dict[tuple[str, str, str], str]:
    """Where each kind of issue is first met: « ligne 6, colonne A », with the sheet where there are several."""
    keys = ("code", "severity", "field")
    first = found.issues.filter(found.issues["row"].is_not_null()).unique(keys, keep="first", maintain_order=True)
    several = len({table.sheet for table in found.tables}) > 1
    places = {}
    for item in first.iter_rows(named=True):
        column = f", colonne {item['column']}" if item["column"] else ""
        sheet = f", feuille « {item['sheet']} »" if several and item["sheet"] else ""
        places[tuple(item[key] for key in keys)] = f"ligne {item['row']}{column}{sheet}"
    return places


def _print_issues(report: dict[str, Any], found: Check) -> None:
    places = _places(found)
    for item in report["summary"]:
        place = places.get((item["code"], item["severity"], item["field"]))
        where = f" ({'première : ' if item['count'] > 1 else ''}{place})" if place else ""
        click.echo(f"  {SIGNS[item['severity']]} {item['count']:>6} × {item['message']}{where}")
    said = {item["message"] for item in report["summary"]}
    for notice in report["notices"]:
        if notice["message"] not in said:
            click.echo(f"  {SIGNS['notice']} {notice['message']}")


def _print_report(report: dict[str, Any], found: Check) -> None:
    """What a person wants to read first: what was understood, what is wrong and where, what to do."""
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
    _print_issues(report, found)
    for question, hint in zip(found.questions, hints(found.questions), strict=True):
        click.echo(f"  ? {question.message} [{question.id}] : " + ", ".join(f"{value or _NONE} ({label})" for value, label, _ in question.choices))
        click.echo(f"      Répondre : {hint}" + (" — rien n'est accepté avant cette réponse" if question.holds else ""))


@click.command()
@click.argument("file", metavar="FICHIER", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--contract", "code", required=True, help="Contrat de données.")
@click.option("--as", "name", default=None, help="Compte qui dépose (identifiant) ; par défaut l'administrateur local.")
@click.option("--sender", default=None, help="SIREN ou code de l'organisme dont viennent les données ; par défaut celui du compte.")
@click.option("--accept", is_flag=True, help="Accepte aussitôt les lignes valides.")
@click.option("--json", "as_json", is_flag=True, help="Compte rendu JSON complet.")
@answering
def submit(
    file: Path, code: str, name: str | None, sender: str | None, accept: bool, as_json: bool,
    answers: Any, said: tuple[str, ...], columns: tuple[str, ...], values: tuple[str, ...],
) -> int:  # fmt: skip
    """Dépose FICHIER : conservé, vérifié, et accepté si --accept.

    Une question ouverte sur un champ obligatoire ou sur la clé retient l'acceptation : répondez-y par --map, --set ou --answer,
    en redonnant la même commande. Les autres questions n'empêchent pas d'accepter."""
    from essaim.config.cli.home import Denied, account, open_installation

    given = gathered(contract_named(code), answers, said, columns, values)
    open_installation()
    from essaim.foundation import acts, reads

    by = account(name)
    try:
        submission = acts.receive(content=file.read_bytes(), filename=file.name, contract=code, sender=sender, by=by)
        if submission.state == "received" or (given and submission.state == "checked"):
            submission = acts.check(submission=submission, by=by, answers=given)
        report, found = reads.report(submission), reads.kept(submission)
        refuse_unused([found], given)
        held = [question for question in found.questions if question.holds]
        foreseen = reads.preview(submission) if submission.state == "checked" and submission.rows_accepted else None
        preview = reads.preview_counts(submission, foreseen)
        told = reads.replaced(submission, foreseen) if foreseen else None
        if accept and submission.state == "checked" and report["status"] != "refused" and report["rows_accepted"] and not held:
            submission = acts.accept(submission=submission, by=by)
    except acts.ActRefused as refusal:
        raise Denied(str(refusal)) from refusal
    deposit = {
        "submission": submission.pk, "preview": preview, "accepted": submission.state == "accepted", "replaced": told.as_json() if told else None,
    }
    _print_submitted(report, deposit, found, as_json)
    if told is not None:
        click.echo(f"  Attention : {told.sentence}", err=True)
    if accept and not deposit["accepted"]:
        _print_held(held)
    return _exit_code(report["status"], report["summary"], found.questions)


def _print_submitted(report: dict[str, Any], deposit: dict[str, Any], found: Check, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(_with_deposit(report, deposit), ensure_ascii=False, indent=2, default=str))
        return
    _print_report(report, found)
    preview = deposit["preview"]
    rows = (("new", "nouvelle"), ("changed", "changée"), ("unchanged", "inchangée"), ("withdrawn", "retirée"))
    counted = ", ".join(_counted(preview[key], word) for key, word in rows)
    click.echo(f"  Dépôt n° {deposit['submission']} : {counted} — {'accepté' if deposit['accepted'] else 'en attente d’acceptation'}")


def _print_held(held: list[Any]) -> None:
    """Why nothing was accepted, on the standard error, whatever the form of the report."""
    if not held:
        click.echo("Rien n'a été accepté : aucune ligne n'est acceptable. Corrigez les remarques puis renvoyez le fichier.", err=True)
        return
    click.echo("Rien n'a été accepté : répondez d'abord, en redonnant la même commande avec", err=True)
    for question, hint in zip(held, hints(held), strict=True):
        click.echo(f"  {hint}   ({question.message})", err=True)
