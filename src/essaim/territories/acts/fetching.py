"""Fetching the published data sets: resumable, conditional, whole or not at all."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from django.conf import settings

from essaim.foundation.models import Account

from .loading import FileOutcome, Progress, RegisterOutcome, load_register
from .projecting import Counts, Projected
from .refusals import RegisterRefused, demand_register

BASE_URL = "https://data.education.gouv.fr"
EXPORT = "/api/explore/v2.1/catalog/datasets/{dataset}/exports/csv"
DATASETS = (
    "fr-en-annuaire-education",
    "fr-en-adresse-et-geolocalisation-etablissements-premier-et-second-degre",
    "fr-en-etablissements-fermes",
    "fr-en-etablissements-ep",
    "fr-en-ips-ecoles-ap2022",
    "fr-en-ips-colleges-ap2023",
    "fr-en-ips-lycees-ap2023",
    "fr-en-ecoles-effectifs-nb_classes",
    "fr-en-college-effectifs-niveau-sexe-lv",
    "fr-en-lycee_gt-effectifs-niveau-sexe-lv",
    "fr-en-lycee_pro-effectifs-niveau-sexe-lv",
    "fr-en-indicateurs-valeur-ajoutee-colleges",
)
_TRIES = 5
_LONGEST_WAIT = 120.0
_TIMEOUT = httpx.Timeout(60.0, connect=15.0)


class _Interrupted(Exception):
    """The transfer stopped or must wait; trying again may work. ``wait``: seconds asked by the server."""

    def __init__(self, why: str, wait: float | None = None) -> None:
        super().__init__(why)
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Fetched:
    """One data set on disk. ``fresh``: its content was downloaded now (False: the server said it had not changed)."""

    dataset: str
    path: Path
    fresh: bool


def fetch_register(
    *,
    by: Account,
    into: Path | None = None,
    base_url: str | None = None,
    then_load: bool = True,
    datasets: Sequence[str] = DATASETS,
    progress: Progress = lambda _done, _total, _step: None,
    sleep: Callable[[float], None] = time.sleep,
) -> RegisterOutcome:
    """Download the public data sets into a folder (ESSAIM_HOME/register), then load them.

    What was interrupted goes on where it stopped; what has not changed is not downloaded again; a file is replaced once whole.
    A data set withdrawn from the portal is told and left out. RegisterRefused when the portal cannot be reached."""
    demand_register(by)
    folder = Path(into or Path(settings.HOME) / "register")
    folder.mkdir(parents=True, exist_ok=True)
    fetched, missing = [], []
    with httpx.Client(base_url=base_url or BASE_URL, timeout=_TIMEOUT, follow_redirects=True) as client:
        for index, dataset in enumerate(datasets):
            progress(index, len(datasets), dataset)
            found = _fetched(client, dataset, folder, sleep)
            if found is None:
                missing.append(FileOutcome(dataset, problem="ce jeu de données n'existe plus à cette adresse (404)"))
            else:
                fetched.append(found)
    notes = tuple(f"{item.dataset} : {'téléchargé' if item.fresh else 'inchangé'}" for item in fetched)
    if not then_load or not fetched:
        untouched = Projected(Counts(), Counts(), Counts(), Counts(), "")
        return RegisterOutcome(tuple(missing), untouched, notes)
    loaded = load_register(files=[item.path for item in fetched], by=by, progress=progress)
    return RegisterOutcome((*missing, *loaded.files), loaded.projected, notes)


def _fetched(client: httpx.Client, dataset: str, folder: Path, sleep: Callable[[float], None]) -> Fetched | None:
    """One data set, tried again after interruptions and refusals of the moment; None when the portal has it no more."""
    why = ""
    for attempt in range(_TRIES):
        try:
            return _attempt(client, dataset, folder)
        except _Interrupted as interruption:
            why = str(interruption)
            wait = interruption.wait if interruption.wait is not None else float(2**attempt)
            if attempt + 1 < _TRIES:
                sleep(min(wait, _LONGEST_WAIT))
    raise RegisterRefused(
        f"Impossible de télécharger « {dataset} » depuis {client.base_url.host} : {why}. Vérifiez la connexion à internet puis "
        "relancez la commande (elle reprendra où elle s'est arrêtée), ou chargez des fichiers avec « essaim register load »."
    )


def _attempt(client: httpx.Client, dataset: str, folder: Path) -> Fetched | None:
    target, part, memo = folder / f"{dataset}.csv", folder / f"{dataset}.csv.part", folder / f"{dataset}.json"
    known = _remembered(memo)
    headers = _conditions(known, target, part)
    try:
        with client.stream("GET", EXPORT.format(dataset=dataset), params={"delimiter": ";", "use_labels": "false"}, headers=headers) as answer:
            if answer.status_code == 304:
                return Fetched(dataset, target, fresh=False)
            if answer.status_code in (404, 410):
                return None
            if answer.status_code == 416:
                part.unlink(missing_ok=True)
                raise _Interrupted("le fichier a changé pendant le téléchargement", 0.0)
            _refuse_for_now(answer)
            _written(answer, part, memo, known)
    except httpx.HTTPError as error:
        raise _Interrupted(_told(error)) from error
    _refuse_what_is_no_table(part, dataset, client.base_url.host)
    part.replace(target)
    _remember(memo, {**_remembered(memo), "complete": True})
    return Fetched(dataset, target, fresh=True)


def _conditions(known: dict[str, Any], target: Path, part: Path) -> dict[str, str]:
    """Headers: go on with what is begun when the server can tell it is the same content; else ask whether anything changed."""
    headers = {"Accept-Encoding": "identity", "User-Agent": "essaim (+https://data.education.gouv.fr)"}
    validator = known.get("etag") or known.get("last_modified")
    if part.exists() and part.stat().st_size and validator and not str(validator).startswith("W/"):
        return headers | {"Range": f"bytes={part.stat().st_size}-", "If-Range": str(validator)}
    if target.exists() and known.get("complete"):
        if known.get("etag"):
            headers["If-None-Match"] = known["etag"]
        if known.get("last_modified"):
            headers["If-Modified-Since"] = known["last_modified"]
    return headers


def _refuse_for_now(answer: httpx.Response) -> None:
    if answer.status_code == 429 or answer.status_code >= 500:
        wait = answer.headers.get("Retry-After", "")
        raise _Interrupted(f"le serveur répond {answer.status_code}", float(wait) if wait.isdigit() else None)
    if answer.status_code not in (200, 206):
        raise RegisterRefused(f"Le portail répond {answer.status_code} pour {answer.url.path} : ce téléchargement n'est pas permis.")


def _written(answer: httpx.Response, part: Path, memo: Path, known: dict[str, Any]) -> None:
    """The body at the end of what is begun (206) or from the start (200); refused when shorter than announced."""
    goes_on = answer.status_code == 206
    if not goes_on:
        known = {"etag": answer.headers.get("ETag"), "last_modified": answer.headers.get("Last-Modified"), "complete": False}
        _remember(memo, known)
    start = part.stat().st_size if goes_on else 0
    with part.open("ab" if goes_on else "wb") as opened:
        for chunk in answer.iter_bytes():
            opened.write(chunk)
    expected = answer.headers.get("Content-Length")
    received = part.stat().st_size - start
    if expected and expected.isdigit() and received < int(expected):
        raise _Interrupted(f"le transfert s'est arrêté à {received} octets sur {expected}")
    if not expected and "chunked" not in answer.headers.get("Transfer-Encoding", "").lower() and not _ends_a_line(part):
        raise _Interrupted("le transfert s'est arrêté au milieu d'une ligne")


def _ends_a_line(part: Path) -> bool:
    """Where nothing announces the length, a table that does not end its last line was cut."""
    with part.open("rb") as opened:
        opened.seek(max(0, part.stat().st_size - 1))
        return opened.read(1) in (b"", b"\n")


def _refuse_what_is_no_table(part: Path, dataset: str, host: str) -> None:
    """A page of a network's own portal, an error told as JSON or nothing at all, under a status of success: the file kept so far is not
    replaced by it."""
    with part.open("rb") as opened:
        start = opened.read(4096).decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    told = "une page web" if start.startswith("<") else "un message" if start.startswith(("{", "[")) else "un fichier vide" if not start else ""
    if not told:
        return
    part.unlink(missing_ok=True)
    raise RegisterRefused(
        f"« {dataset} » : {host} a répondu par {told} au lieu du fichier (page de connexion d'un réseau, panne ou maintenance du portail ?). "
        "Ce qui avait été téléchargé est gardé. Ouvrez l'adresse dans un navigateur, puis relancez la commande, ou chargez des fichiers avec "
        "« essaim register load »."
    )


def _remembered(memo: Path) -> dict[str, Any]:
    try:
        told = json.loads(memo.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return told if isinstance(told, dict) else {}


def _remember(memo: Path, told: dict[str, Any]) -> None:
    temporary = memo.with_suffix(".tmp")
    temporary.write_text(json.dumps(told))
    temporary.replace(memo)


def _told(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.ConnectError):
        return "le serveur est injoignable (pas de connexion à internet ?)"
    if isinstance(error, httpx.TimeoutException):
        return "le serveur n'a pas répondu à temps"
    return "le transfert a été interrompu"
