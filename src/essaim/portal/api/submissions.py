"""Handing in files by program: the same acts as the import wizard, the same states, the same rights."""

# ruff: noqa: B008 — django-ninja declares parameters by their defaults

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.http import Http404, HttpRequest, HttpResponse
from ninja import File, Form, Query, Router, Schema
from ninja.files import UploadedFile
from pydantic import Field

from essaim.foundation import acts, tasks
from essaim.foundation.models import State, Submission
from essaim.foundation.reads import replaced
from essaim.foundation.reads import submissions as reads
from essaim.portal.api.access import READING, WRITING, account_of
from essaim.portal.api.texts import Identifier, PageNumber, PageSize, Short, Text

router = Router(tags=["Dépôts"])
_ISSUES_IN_REPORT = 500
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Progress(Schema):
    """Avancement d'un travail en cours."""

    done: int
    total: int
    step: str


class Question(Schema):
    """Ce que seul l'expéditeur sait : une question et ses choix."""

    id: str
    kind: str
    sheet: str
    message: str
    choices: list[list[Any]] = Field(description="[valeur à répondre, libellé, score]")
    free: str = Field("", description="Ce qui peut être répondu à la place d'un choix : « date », ou rien.")
    holds: bool = Field(False, description="Rien n'est accepté avant la réponse : elle décide d'un champ obligatoire ou de la clé.")


class Effect(Schema):
    """Lignes nouvelles, modifiées, inchangées, retirées : prévues avant l'acceptation, constatées après."""

    new: int
    changed: int
    unchanged: int
    withdrawn: int


class Replacement(Schema):
    """Quantités déjà inscrites que ce dépôt remplacerait, au lieu de s'y ajouter."""

    rows: int = Field(description="Lignes concernées.")
    before: int
    after: int
    unit: str
    message: str = Field(description="La même chose en une phrase, avec ce qui distinguerait d'autres matériels.")


class SubmissionOut(Schema):
    """Un dépôt."""

    id: int
    number: int | None = Field(description="Numéro d'inscription au registre, une fois accepté.")
    contract: str
    filename: str
    sha256: str
    size: int = Field(description="Octets.")
    sender: str
    received_at: datetime
    state: str = Field(description="received, checking, checked, accepting, accepted, refused ou withdrawn.")
    state_label: str
    status: str = Field(description="Résultat de la vérification : clean, issues, refused, ou vide avant.")
    rows_read: int | None
    rows_accepted: int | None
    rows_refused: int | None
    accepted_at: datetime | None
    reason: str
    corrects: int | None


class SubmissionFull(SubmissionOut):
    """Un dépôt, ses questions, son effet."""

    is_known: bool = Field(False, description="Vrai quand ce contenu avait déjà été déposé : rien n'est compté deux fois.")
    progress: Progress
    questions: list[Question]
    preview: Effect | None
    replaced: Replacement | None = Field(description="Avant l'acceptation seulement, et quand des quantités seraient remplacées.")


class SubmissionPage(Schema):
    """Une page de dépôts."""

    total: int
    page: int
    size: int
    items: list[SubmissionOut]


class RowPage(Schema):
    """Une page d'anomalies ou de lignes."""

    total: int
    page: int
    size: int
    items: list[dict[str, Any]]


class Answers(Schema):
    """Réponses aux questions : identifiant de la question → valeur choisie."""

    answers: dict[Short, Short] = Field(min_length=1, max_length=500)


class Reason(Schema):
    """Pourquoi."""

    reason: Text


class Corrections(Schema):
    """Lignes refusées, corrigées : source_sheet, source_row et les champs du contrat."""

    rows: list[dict[Short, str | int | float | bool | None]] = Field(min_length=1, max_length=5000)


def _visible(request: HttpRequest, pk: int) -> Submission:
    found = reads.visible_to(account_of(request)).filter(pk=pk).first()  # type: ignore[arg-type]
    if found is None:
        raise Http404
    return found


def _told(item: Submission) -> dict[str, Any]:
    plain = (
        "number", "contract", "filename", "sha256", "size", "sender", "received_at", "state", "status", "rows_read",
        "rows_accepted", "rows_refused", "accepted_at", "reason",
    )  # fmt: skip
    told = {name: getattr(item, name) for name in plain}
    return told | {"id": item.pk, "state_label": item.get_state_display(), "corrects": item.corrects_id}


def _whole(item: Submission) -> dict[str, Any]:
    shown = item.state in (State.CHECKED, State.ACCEPTED, State.WITHDRAWN)
    foreseen = reads.preview(item) if item.state == State.CHECKED and item.rows_accepted else None
    replacement = replaced(item, foreseen) if foreseen else None
    return _told(item) | {
        "is_known": getattr(item, "is_known", False),
        "progress": {"done": item.progress_done, "total": item.progress_total, "step": item.progress_step},
        "questions": item.report.get("questions", []),
        "preview": reads.preview_counts(item, foreseen) if shown else None,
        "replaced": replacement.as_json() if replacement else None,
    }


@router.get("", response=SubmissionPage, summary="Lister les dépôts", auth=READING)
def submission_list(
    request: HttpRequest,
    state: Annotated[State | None, Query(description="N'en garde que ceux dans cet état.")] = None,
    contract: Short = "",
    sender: Short = "",
    page: PageNumber = 1,
    size: PageSize = 50,
) -> dict[str, Any]:
    """Les dépôts que le jeton permet de voir, du plus récent au plus ancien."""
    found = reads.visible_to(account_of(request))  # type: ignore[arg-type]
    wishes = {"state": state, "contract": contract, "sender": sender}
    found = found.filter(**{name: wish for name, wish in wishes.items() if wish})
    start = (page - 1) * size
    return {"total": found.count(), "page": page, "size": size, "items": [_told(item) for item in found[start : start + size]]}


@router.post("", response={202: SubmissionFull}, summary="Déposer un fichier", auth=WRITING)
def submission_new(
    request: HttpRequest,
    response: HttpResponse,
    contract: Short = Form(..., description="Code du contrat de données."),
    file: UploadedFile = File(..., description="Le fichier tel qu'il est : xlsx, xls, ods, csv, zip, parquet…"),
    sender: Short = Form("", description="SIREN, UAI ou code de l'expéditeur. Par défaut celui du mandat."),
) -> tuple[int, dict[str, Any]]:
    """Le fichier est gardé puis vérifié par un travail de fond : suivez le dépôt à l'adresse donnée par l'en-tête Location.
    Le même contenu envoyé deux fois donne le même dépôt."""
    by = account_of(request)
    submission = acts.receive(file=file.file, filename=file.name or "fichier", contract=contract, sender=sender or None, by=by)  # type: ignore[arg-type]
    if submission.state == State.RECEIVED:
        tasks.enqueue_check(submission, by)  # type: ignore[arg-type]
    response["Location"] = f"/api/v1/submissions/{submission.pk}"
    return 202, _whole(submission)


@router.get("/{pk}", response=SubmissionFull, summary="Suivre un dépôt", auth=READING)
def submission_detail(request: HttpRequest, pk: Identifier) -> dict[str, Any]:
    """Où en est un dépôt : état, avancement, questions à répondre, effet prévu ou constaté."""
    return _whole(_visible(request, pk))


@router.get("/{pk}/report", response=dict[str, Any], summary="Lire le compte rendu", auth=READING)
def submission_report(request: HttpRequest, pk: Identifier) -> dict[str, Any]:
    """Le compte rendu de la vérification, dans la forme de « essaim check --json », avec les 500 premières anomalies
    (« issues_total » dit combien il y en a ; les suivantes se lisent page à page)."""
    submission = _checked(request, pk)
    found = reads.report(submission)
    issues = found["issues"]
    return found | {"issues": issues[:_ISSUES_IN_REPORT], "issues_total": len(issues)}


def _checked(request: HttpRequest, pk: int) -> Submission:
    submission = _visible(request, pk)
    if not submission.checked_key:
        raise acts.ActRefused("Ce dépôt n'a pas encore été vérifié : réessayez dans un instant.")
    return submission


@router.get("/{pk}/issues", response=RowPage, summary="Lire les anomalies", auth=READING)
def submission_issues(
    request: HttpRequest, pk: Identifier, severity: Short = "", code: Short = "", field: Short = "", page: PageNumber = 1, size: PageSize = 100
) -> Any:
    """Les anomalies, dans l'ordre du fichier, filtrées par gravité (blocking, warning, notice), code et champ."""
    return _page(reads.issues(_checked(request, pk), page=page, size=size, severity=severity, code=code, field=field))


@router.get("/{pk}/refused-rows", response=RowPage, summary="Lire les lignes refusées", auth=READING)
def submission_refused_rows(request: HttpRequest, pk: Identifier, page: PageNumber = 1, size: PageSize = 100) -> Any:
    """Les lignes refusées, en texte, prêtes à être corrigées et renvoyées."""
    return _page(reads.refused_rows(_checked(request, pk), page=page, size=size))


def _page(found: reads.Page) -> dict[str, Any]:
    return {"total": found.total, "page": found.page, "size": found.size, "items": list(found.items)}


@router.get("/{pk}/annotated", summary="Obtenir le classeur annoté", auth=READING, response=Any, openapi_extra={
    "responses": {200: {"description": "Le classeur", "content": {XLSX: {"schema": {"type": "string", "format": "binary"}}}}}
})  # fmt: skip
def submission_annotated(request: HttpRequest, pk: Identifier) -> HttpResponse:
    """Le classeur de l'expéditeur, ses anomalies colorées et commentées."""
    from django.utils.http import content_disposition_header

    submission = _checked(request, pk)
    response = HttpResponse(reads.annotated(submission), content_type=XLSX)
    stem = submission.filename.rsplit(".", 1)[0]
    response.headers["Content-Disposition"] = content_disposition_header(True, f"{stem} - annoté.xlsx") or "attachment"
    return response


@router.post("/{pk}/answers", response=SubmissionFull, summary="Répondre aux questions", auth=WRITING)
def submission_answer(request: HttpRequest, pk: Identifier, payload: Answers) -> dict[str, Any]:
    """Les réponses sont retenues pour cet expéditeur et ce modèle de fichier, et le fichier est vérifié à nouveau."""
    submission = _checked(request, pk)
    asked = {item["id"] for item in submission.report.get("questions", [])}
    if unknown := sorted(set(payload.answers) - asked):
        raise acts.ActRefused(f"Ce dépôt ne pose pas ces questions : {', '.join(unknown)[:200]}.")
    return _whole(acts.check(submission=submission, by=account_of(request), answers=payload.answers))  # type: ignore[arg-type]


@router.post("/{pk}/accept", response=SubmissionFull, summary="Accepter un dépôt", auth=WRITING)
def submission_accept(request: HttpRequest, pk: Identifier) -> dict[str, Any]:
    """Inscrit les lignes retenues au registre ; les chiffres sont à jour aussitôt. Accepter deux fois ne change rien."""
    return _whole(acts.accept(submission=_visible(request, pk), by=account_of(request)))  # type: ignore[arg-type]


@router.post("/{pk}/refuse", response=SubmissionFull, summary="Refuser un dépôt", auth=WRITING)
def submission_refuse(request: HttpRequest, pk: Identifier, payload: Reason) -> dict[str, Any]:
    """Refuse un dépôt avant son acceptation ; son expéditeur en lit le motif."""
    return _whole(acts.refuse(submission=_visible(request, pk), reason=payload.reason, by=account_of(request)))  # type: ignore[arg-type]


@router.post("/{pk}/withdraw", response=SubmissionFull, summary="Retirer un dépôt accepté", auth=WRITING)
def submission_withdraw(request: HttpRequest, pk: Identifier, payload: Reason) -> dict[str, Any]:
    """Les chiffres redeviennent ce qu'ils seraient sans ce dépôt ; l'historique garde les deux."""
    return _whole(acts.withdraw(submission=_visible(request, pk), reason=payload.reason, by=account_of(request)))  # type: ignore[arg-type]


@router.post("/{pk}/corrections", response={202: SubmissionFull}, summary="Corriger des lignes refusées", auth=WRITING)
def submission_corrections(request: HttpRequest, pk: Identifier, payload: Corrections) -> tuple[int, dict[str, Any]]:
    """Les lignes corrigées forment un petit dépôt à part, vérifié puis accepté comme les autres."""
    by = account_of(request)
    correction = acts.correct_rows(submission=_visible(request, pk), rows=payload.rows, by=by)  # type: ignore[arg-type]
    if correction.state == State.RECEIVED:
        tasks.enqueue_check(correction, by)  # type: ignore[arg-type]
    return 202, _whole(correction)
