"""Loading the published files of the register: each is a submission like any other, then the register is projected."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from essaim.engines.intake.contract import Contract
from essaim.engines.intake.tables import FileRefused
from essaim.foundation import acts as foundation
from essaim.foundation.contracts import contracts
from essaim.foundation.models import Account, State, Submission

from .guessing import ROOMS, Guess, guess, likeness
from .projecting import Projected, project_register
from .refusals import RegisterRefused, demand_register
from .shaping import keep_contours

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """What became of one file. ``contract`` is empty and ``problem`` says why when it was not understood; counts are rows."""

    file: str
    contract: str = ""
    sender: str = ""
    rows_read: int = 0
    accepted: int = 0
    refused: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class RegisterOutcome:
    """What loading changed. ``is_clean``: every file was understood and every row accepted."""

    files: tuple[FileOutcome, ...]
    projected: Projected
    notes: tuple[str, ...] = ()

    @property
    def is_clean(self) -> bool:
        return not any(item.problem or item.refused for item in self.files)

    def lines(self) -> list[str]:
        """The outcome in French, a line a file, then the register as it now is."""
        told = list(self.notes)
        for item in self.files:
            if item.problem:
                told.append(f"{item.file} : {item.problem}")
            else:
                told.append(
                    f"{item.file} : {item.contract}, {item.rows_read} lignes lues, {item.new} nouvelles, {item.changed} modifiées, "
                    f"{item.unchanged} inchangées, {item.refused} refusées"
                )
        for label, counts in (
            ("Établissements", self.projected.establishments),
            ("Organisations", self.projected.organisations),
            ("Unités", self.projected.units),
        ):
            told.append(f"{label} : {counts.created} créés, {counts.changed} modifiés, {counts.unchanged} inchangés")
        return told


def load_register(
    *, files: Sequence[Path | str], by: Account, progress: Progress = lambda _done, _total, _step: None
) -> RegisterOutcome:
    """Load published files in any order: what each is, is found from its content. A file that is not understood is told and
    the others are loaded; the same content again changes nothing.

    Refuses with RegisterRefused an empty list or a missing file, ActForbidden without the right to load the register."""
    demand_register(by)
    paths = [Path(item) for item in files]
    if not paths:
        raise RegisterRefused("Aucun fichier à charger : donnez les fichiers du registre ou leur dossier.")
    for path in paths:
        if not path.is_file():
            raise RegisterRefused(f"Le fichier « {path} » n'existe pas.")
    known = tuple(item for item in contracts() if item.code.startswith(ROOMS))
    outcomes = []
    total = len(paths) + 1
    for index, path in enumerate(paths):
        progress(index, total, path.name)
        outcomes.append(_loaded(path, known, by))
    progress(len(paths), total, "Mise à jour du registre")
    projected = project_register(by=by, step=lambda text: progress(len(paths), total, text))
    progress(total, total, "Registre à jour")
    return RegisterOutcome(tuple(outcomes), projected)


def _loaded(path: Path, known: tuple[Contract, ...], by: Account) -> FileOutcome:
    contours = _contours(path) if path.suffix.lower() == ".geojson" else None
    if contours and not contours.problem:
        return contours
    try:
        found = guess(path, known)
    except FileRefused as refusal:
        return contours or FileOutcome(path.name, problem=str(refusal))
    if found is None and contours:
        return contours
    if found is None:
        return FileOutcome(path.name, problem=likeness(path, contracts()))
    try:
        return _submitted(path, found, by)
    except foundation.ActRefused as refusal:
        return FileOutcome(path.name, found.contract.code, found.sender, problem=str(refusal))


def _contours(path: Path) -> FileOutcome:
    try:
        count = keep_contours(path)
    except (ValueError, KeyError, json.JSONDecodeError) as error:
        return FileOutcome(path.name, problem=f"contours illisibles : {error}")
    return FileOutcome(path.name, "contours", rows_read=count, accepted=count, new=count)


def _submitted(path: Path, found: Guess, by: Account) -> FileOutcome:
    submission = foundation.receive(filename=path.name, contract=found.contract, by=by, sender=found.sender, file=path)
    again = submission.state == State.ACCEPTED
    if submission.state in (State.RECEIVED, State.CHECKED):
        submission = foundation.check(submission=submission, by=by)
    if submission.state == State.REFUSED:
        return FileOutcome(path.name, found.contract.code, found.sender, problem=submission.reason)
    if submission.state == State.CHECKED:
        submission = foundation.accept(submission=submission, by=by)
    return _told(path, found, submission, again)


def _told(path: Path, found: Guess, submission: Submission, again: bool) -> FileOutcome:
    counts = {"unchanged": submission.rows_accepted} if again else {
        "new": submission.rows_new, "changed": submission.rows_changed, "unchanged": submission.rows_unchanged
    }
    return FileOutcome(
        path.name, found.contract.code, found.sender, submission.rows_read, submission.rows_accepted, submission.rows_refused, **counts
    )


def expanded(files: Iterable[Path]) -> list[Path]:
    """Folders replaced by the files they hold, in order of name."""
    return [path for item in files for path in (sorted(p for p in item.rglob("*") if p.is_file()) if item.is_dir() else [item])]
