"""Copying a whole installation while people work, and putting it back.

Under the lock of acceptances, for an instant only, the database is frozen and the versions of the ledger are fixed: both
stop at the same number. They are then copied at leisure. Files received are copied before and after that instant: what the
frozen database speaks of is in one of the two. Restoring finishes what was begun, exactly as after a crash.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from essaim.config import backup_database as database
from essaim.config.backup_database import BackupRefused, Instant
from essaim.config.presence import home_alone

__all__ = ["Backup", "BackupRefused", "make_backup", "restore_backup"]
MANIFEST = "sauvegarde.json"


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds: number of files, bytes, last number posted when it was made."""

    files: int
    bytes: int
    number: int


def make_backup(folder: Path) -> Backup:
    """Writes database, ledger, received files and a manifest of SHA-256 into the empty ``folder``. The manifest comes last:
    without it a backup is unfinished. The signing key is not part of it."""
    if folder.exists() and any(folder.iterdir()):
        raise BackupRefused(f"Le dossier {folder} n'est pas vide : choisissez-en un nouveau pour cette sauvegarde.")
    folder.mkdir(parents=True, exist_ok=True)
    source = Path(settings.ESSAIM_FILES_DIR)
    _copy_new(source, folder / "files")
    frozen = _copy_stores(folder)
    _copy_new(source, folder / "files")
    _refuse_missing(folder, frozen)
    manifest = {str(path.relative_to(folder)): _digest(path) for path in _files(folder)}
    size = sum(path.stat().st_size for path in _files(folder))
    told = {
        "made_at": datetime.now(UTC).isoformat(), "engine": connection.vendor, "number": frozen.number,
        "migrations": frozen.migrations, "files": manifest,
    }  # fmt: skip
    temporary = folder / f".{MANIFEST}"
    temporary.write_text(json.dumps(told, indent=1), encoding="utf-8")
    temporary.replace(folder / MANIFEST)
    return Backup(len(manifest), size, frozen.number)


def _copy_stores(folder: Path) -> Instant:
    """Database and ledger at the same number. Nobody accepts between the moments when the two are fixed, no longer."""
    from essaim.engines.ledger import Ledger
    from essaim.foundation.locks import accept_lock

    with ExitStack() as instant, ExitStack() as acceptances:
        acceptances.enter_context(accept_lock())
        frozen = instant.enter_context(database.instant(folder))

        def fixed(point: str) -> None:
            if point == "versions fixed":
                acceptances.close()

        Ledger(str(settings.ESSAIM_LEDGER_URL), probe=fixed).copy_to(folder / "ledger")
        database.copy_instant(folder, frozen)
    return frozen


def restore_backup(folder: Path, *, replace: bool = False) -> Backup:
    """Puts back the backup ``folder``. Refuses a damaged or newer backup, another kind of database, an installation at work,
    and one that holds data unless ``replace`` (it is then set aside, never deleted). When it fails half-way, what was
    there is brought back."""
    told = _checked(folder)
    _refuse_other(told)
    home = Path(settings.HOME)
    with home_alone(home) as alone:
        if not alone or database.is_in_use_elsewhere():
            raise BackupRefused("Le site ou son ouvrier est en marche : arrêtez-les, puis recommencez.")
        _refuse_used(replace)
        stamp = f"{datetime.now(UTC):%Y%m%d_%H%M%S_%f}"
        aside = home / f"avant-restauration-{stamp}"
        moved = _set_aside(aside, stamp)
        try:
            _put_back(folder)
        except BaseException:
            _bring_back(aside, stamp, moved)
            raise
    _derive_again()
    return Backup(len(told["files"]), sum((folder / name).stat().st_size for name in told["files"]), told["number"])


def _put_back(folder: Path) -> None:
    from django.core.management import call_command

    from essaim.foundation.reads.facts import ledger
    from essaim.foundation.tasks import sweep

    database.put_back(folder)
    ledger().restore(folder / "ledger")
    if (folder / "files").exists():
        shutil.copytree(folder / "files", settings.ESSAIM_FILES_DIR, dirs_exist_ok=True)
    call_command("migrate", verbosity=0, interactive=False)
    sweep(patience=timedelta(0))
    _check_again()


def _places() -> list[Path]:
    """Folders that a restore replaces, besides the database. A ledger kept elsewhere must be empty instead."""
    url = str(settings.ESSAIM_LEDGER_URL)
    local = [] if "://" in url and not url.startswith("file://") else [Path(url.removeprefix("file://"))]
    return [*local, Path(settings.ESSAIM_FILES_DIR)]


def _set_aside(aside: Path, stamp: str) -> list[tuple[Path, Path]]:
    moved = []
    for number, path in enumerate(_places()):
        if path.exists():
            aside.mkdir(parents=True, exist_ok=True)
            shutil.move(path, aside / f"{number}-{path.name}")
            moved.append((path, aside / f"{number}-{path.name}"))
    database.set_aside(aside, stamp)
    return moved


def _bring_back(aside: Path, stamp: str, moved: list[tuple[Path, Path]]) -> None:
    for path in _places():
        shutil.rmtree(path, ignore_errors=True)
    for path, kept in moved:
        shutil.move(kept, path)
    database.bring_back(aside, stamp)


def _refuse_used(replace: bool) -> None:
    """Refuses an installation that holds data when ``replace`` was not asked, and a remote ledger that is not empty."""
    from essaim.foundation.models import Posting, Submission
    from essaim.foundation.reads.facts import ledger

    tables = connection.introspection.table_names()
    in_use = "foundation_posting" in tables and (Posting.objects.exists() or Submission.objects.exists())
    held = ledger().tables()
    if held and not ledger().is_local:
        raise BackupRefused(
            f"Le registre {settings.ESSAIM_LEDGER_URL} n'est pas vide et ne peut pas être mis de côté : donnez à ESSAIM_LEDGER_URL "
            "une adresse nouvelle, puis recommencez. Rien n'a été touché."
        )
    if (in_use or held) and not replace:
        raise BackupRefused("Cette installation contient déjà des données. Ajoutez --replace pour la mettre de côté et rétablir la sauvegarde.")


def _refuse_other(told: dict[str, Any]) -> None:
    from django.db.migrations.loader import MigrationLoader

    if told["engine"] != connection.vendor:
        raise BackupRefused(f"Cette sauvegarde vient d'une base {told['engine']} ; cette installation utilise {connection.vendor}.")
    known = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    if set(told["migrations"]) - known:
        raise BackupRefused("Cette sauvegarde vient d'une version plus récente d'Essaim : installez cette version, puis recommencez.")


def _checked(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    if not path.exists():
        raise BackupRefused(f"{folder} n'est pas une sauvegarde complète : {MANIFEST} manque.")
    try:
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        listed = told["files"].items()
        told["engine"], told["number"], told["migrations"]
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise BackupRefused(f"Sauvegarde abîmée : {MANIFEST} est illisible. Utilisez une autre sauvegarde ; rien n'a été touché.") from error
    for name, digest in listed:
        inside = (folder / name).resolve().is_relative_to(folder.resolve())
        if not inside or not (folder / name).is_file() or _digest(folder / name) != digest:
            raise BackupRefused(f"Sauvegarde abîmée : {name} manque ou a changé. Utilisez une autre sauvegarde ; rien n'a été touché.")
    return told


def _copy_new(source: Path, target: Path) -> None:
    """Copies what ``target`` lacks or holds older. Files are written whole under their name, hence never half-copied; what
    vanishes meanwhile (the check that a newer one replaced) is passed over."""
    for path in sorted(source.rglob("*")) if source.exists() else ():
        relative = path.relative_to(source)
        if relative.parts[0] == "incoming" or path.name.startswith(".") or path.suffix == ".part":
            continue
        try:
            found = path.stat()
            if not path.is_file() or _is_same(target / relative, found):
                continue
            (target / relative).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target / relative)
        except FileNotFoundError:
            (target / relative).unlink(missing_ok=True)


def _is_same(copy: Path, found: Any) -> bool:
    return copy.exists() and (copy.stat().st_size, copy.stat().st_mtime_ns) == (found.st_size, found.st_mtime_ns)


def _refuse_missing(folder: Path, frozen: Instant) -> None:
    """Every file that the frozen database speaks of, and that is still there, is in the copy."""
    spoken = [Path("bytes") / key[:2] / key for key in frozen.sha256]
    spoken += [Path("checks") / key[:2] / key / "rows.parquet" for key in frozen.checks]
    source, copied = Path(settings.ESSAIM_FILES_DIR), folder / "files"
    lost = [path for path in spoken if (source / path).exists() and not (copied / path).exists()]
    if lost:
        raise BackupRefused(f"{len(lost)} fichiers n'ont pas pu être copiés, dont {lost[0]} : recommencez dans un dossier vide.")


def _check_again() -> None:
    """A check that a newer one replaced during the copy is done again: the file itself is there."""
    from essaim.foundation.models import State, Submission

    for submission in Submission.objects.filter(state=State.CHECKED).exclude(checked_key=""):
        key = submission.checked_key
        if not (Path(settings.ESSAIM_FILES_DIR) / "checks" / key[:2] / key / "rows.parquet").exists():
            Submission.objects.filter(pk=submission.pk).update(state=State.RECEIVED, checked_key="", state_at=timezone.now())


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and path != folder / MANIFEST)


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _derive_again() -> None:
    """Everything derived is made again: snapshot of the register, cells."""
    from essaim.evaluation.reads import STORE
    from essaim.territories.reads import profile_frame

    STORE.clear()
    shutil.rmtree(settings.ESSAIM_CACHE_DIR, ignore_errors=True)
    profile_frame()
