"""The import wizard: hand in a file, answer what only its sender knows, read every issue, see the effect, accept."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from essaim.equipment.reads.naming import known_names, sender_labels
from essaim.evaluation.reads.lineage import described_entries, entries_of_submission
from essaim.foundation import acts, tasks
from essaim.foundation import reads as foundation
from essaim.foundation.contracts import contract as contract_named
from essaim.foundation.models import State, Submission
from essaim.foundation.reads import submissions as reads
from essaim.foundation.storage import bytes_path
from essaim.kernel.french import folded
from essaim.kernel.organisations import check_siren
from essaim.portal.forms import UploadForm
from essaim.portal.paging import page_number
from essaim.portal.reads.effects import effect_on_figures
from essaim.portal.reads.home import TO_CORRECT
from essaim.portal.reads.places import school_names
from essaim.portal.reads.wording import known_already
from essaim.territories.acts import may_name
from essaim.territories.reads.naming import labelled

STEPS = ("Envoyer le fichier", "Répondre aux questions", "Lire les remarques et l'effet", "Accepter")
SEVERITIES = {"blocking": "Bloquant", "warning": "À vérifier", "notice": "Pour information"}


@login_required
@require_GET
def submission_list(request: HttpRequest) -> HttpResponse:
    """Submissions that the reader may see, newest first, narrowed by state, contract and text."""
    found = reads.visible_to(request.user).select_related("received_by")
    state, contract, text = (request.GET.get(name, "").replace("\x00", "").strip()[:200] for name in ("etat", "contrat", "q"))
    if state == TO_CORRECT:
        found = reads.with_rows_to_correct(found)
    elif state in State.values:
        found = found.filter(state=state)
    if contract:
        found = found.filter(contract=contract)
    if text:
        found = found.filter(filename__icontains=text) | found.filter(sender__icontains=text) | found.filter(sender__in=_called(request, text))
    page = Paginator(found, 25).get_page(request.GET.get("page"))
    for item in page:
        item.title = contract_named(item.contract).title
    held = sorted(set(reads.visible_to(request.user).order_by().values_list("contract", flat=True)))
    context = {
        "page": page,
        "senders": sender_labels({item.sender for item in page}),
        "states": (*State.choices, (TO_CORRECT, "Avec des lignes à corriger")),
        "contracts": [(code, contract_named(code).title) for code in held],
        "state": state,
        "contract": contract,
        "text": text,
    }
    return render(request, "portal/submissions/list.html", context)


def _sender(request: HttpRequest, code: str) -> dict[str, Any]:
    """How a sender is shown; ``unnamed``: its number, when nobody knows its name and the reader may give it."""
    named = known_names([code])
    unnamed = code if not named and check_siren(code).value and may_name(request.user) else ""
    return {"sender": labelled(code, named.get(code)), "unnamed": unnamed}


def _called(request: HttpRequest, text: str) -> list[str]:
    """Senders of the submissions that the reader may see whose name holds ``text``, accents and case ignored."""
    names = known_names(set(reads.visible_to(request.user).order_by().values_list("sender", flat=True).distinct()))
    return sorted(code for code, name in names.items() if folded(text) in folded(name))


@login_required
@require_http_methods(["GET", "POST"])
def submission_new(request: HttpRequest) -> HttpResponse:
    """Step 1: the files and what they are. Several files may be sent at once; each becomes a submission."""
    form = UploadForm(request.POST or None, request.FILES or None, account=request.user, initial={"contract": request.GET.get("contrat")})
    if request.method == "POST" and form.is_valid():
        received, refused = [], []
        for file in form.cleaned_data["files"]:
            try:
                received.append(_received(request, form, file))
            except acts.ActRefused as refusal:
                refused.append(f"{file.name} : {refusal}")
        for text in refused:
            messages.error(request, text)
        if len(received) == 1 and not refused:
            return redirect("depot", pk=received[0].pk)
        if received:
            messages.success(request, f"{len(received)} fichiers reçus ; leur vérification a commencé.")
            return redirect("depots")
    context = {
        "form": form, "steps": STEPS, "unfinished": foundation.unfinished_uploads(request.user),
        "hours": settings.ESSAIM_UPLOAD_HOURS, "largest": settings.ESSAIM_UPLOAD_MAX_MB,
    }  # fmt: skip
    return render(request, "portal/submissions/new.html", context, status=400 if form.errors else 200)


def _received(request: HttpRequest, form: UploadForm, file: Any) -> Submission:
    submission = acts.receive(
        file=file, filename=file.name, contract=form.cleaned_data["contract"], sender=form.cleaned_data["sender"] or None, by=request.user
    )
    if submission.is_known:
        messages.info(request, known_already(file.name))
    if submission.state == State.RECEIVED:
        tasks.enqueue_check(submission, request.user)
    return submission


def visible_submission(request: HttpRequest, pk: int) -> Submission:
    """The submission, if the reader may see it; 404 otherwise, so that nothing tells it exists."""
    return get_object_or_404(reads.visible_to(request.user), pk=pk)


def may_act(request: HttpRequest, submission: Submission) -> bool:
    """Whether the reader may hand in, accept and correct for this sender."""
    return any(foundation.may_send(m, submission.contract, submission.sender) for m in foundation.active_mandates(request.user))


@login_required
@require_GET
def submission_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Where a submission stands and what to do next. The same page through every state; only its middle changes."""
    submission = visible_submission(request, pk)
    context = _context(request, submission)
    if request.htmx:
        return render(request, "portal/submissions/_state.html", context)
    return render(request, "portal/submissions/detail.html", context)


def _context(request: HttpRequest, submission: Submission) -> dict[str, Any]:
    contract = contract_named(submission.contract)
    context: dict[str, Any] = {
        "submission": submission,
        "contract": contract,
        "fields": {field.name: field.label for field in contract.fields},
        "may_act": may_act(request, submission),
        "waiting": submission.state in (State.RECEIVED, State.CHECKING, State.ACCEPTING),
        "steps": STEPS,
        "severities": SEVERITIES,
        "questions": submission.report.get("questions", []),
        **_sender(request, submission.sender),
    }
    if submission.status == "refused":
        said = [item["message"] for item in submission.report.get("summary", [])] + [text for _, text in submission.report.get("notices", [])]
        context |= {"why": list(dict.fromkeys(said)), "unreadable": not submission.report.get("tables")}
    if submission.rows_read is not None:
        told = submission.report.get("extra", {})
        context["added"] = told.get("added", 0)
        # A row that adds lines up stands for each of them.
        standing = (submission.rows_accepted or 0) - told.get("sums", 0) + context["added"]
        context["repeated"] = max(0, submission.rows_read - standing - (submission.rows_refused or 0))
    context["held"] = any(item["holds"] for item in context["questions"])
    context["step"] = _step(submission, context)
    foreseen = reads.preview(submission) if submission.state == State.CHECKED and submission.rows_accepted else None
    if submission.state in (State.CHECKED, State.ACCEPTED, State.WITHDRAWN):
        context["counts"] = reads.preview_counts(submission, foreseen)
    if foreseen is not None:
        context |= {"changes": foreseen.changes.slice(0, 20).to_pylist(), "replaced": foundation.replaced(submission, foreseen)}
        context["effects"] = effect_on_figures(submission)
    return context


def _step(submission: Submission, context: dict[str, Any]) -> int:
    if submission.state in (State.RECEIVED, State.CHECKING):
        return 1
    if submission.state == State.CHECKED:
        return 2 if context["questions"] else 3
    return 4


@login_required
@require_POST
def submission_answer(request: HttpRequest, pk: int) -> HttpResponse:
    """Step 2: answers kept, and the file checked again with them."""
    submission = visible_submission(request, pk)
    asked = {item["id"] for item in submission.report.get("questions", [])}
    answers = {key: value for key in asked if (value := request.POST.get(f"libre-{key}") or request.POST.get(f"question-{key}")) is not None}
    if not answers:
        messages.warning(request, "Aucune réponse choisie : les colonnes concernées resteront de côté.")
        return redirect("depot", pk=pk)
    return _act(request, submission, lambda: acts.check(submission=submission, by=request.user, answers=answers))


@login_required
@require_POST
def submission_act(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """Accept, refuse, withdraw or check again."""
    submission = visible_submission(request, pk)
    reason = request.POST.get("reason", "")
    if act == "accepter":
        if submission.state == State.ACCEPTED:
            messages.info(request, "Ce dépôt était déjà accepté : rien n'a été compté deux fois.")
            return redirect("depot", pk=pk)
        return _act(request, submission, lambda: acts.accept(submission=submission, by=request.user), "Dépôt accepté : les chiffres sont à jour.")
    if act == "refuser":
        return _act(request, submission, lambda: acts.refuse(submission=submission, reason=reason, by=request.user), "Dépôt refusé ; son expéditeur en voit le motif.")
    if act == "retirer":
        return _act(request, submission, lambda: acts.withdraw(submission=submission, reason=reason, by=request.user), "Dépôt retiré : les chiffres sont revenus à ce qu'ils seraient sans lui.")
    if act == "verifier":
        return _act(request, submission, lambda: tasks.enqueue_check(submission, request.user), "Vérification relancée.")
    raise Http404


def _act(request: HttpRequest, submission: Submission, do: Any, done: str = "") -> HttpResponse:
    try:
        do()
    except acts.ActRefused as refusal:
        messages.error(request, str(refusal))
    else:
        if done:
            messages.success(request, done)
    return redirect("depot", pk=submission.pk)


@login_required
@require_GET
def submission_issues(request: HttpRequest, pk: int) -> HttpResponse:
    """Every issue, narrowed by severity, kind and field."""
    submission = visible_submission(request, pk)
    wish = {name: request.GET.get(name, "") for name in ("severity", "code", "field")}
    page = reads.issues(submission, page=page_number(request.GET.get("page")), **wish)
    contract = contract_named(submission.contract)
    context = {
        "submission": submission,
        "page": page,
        "wish": wish,
        "severities": SEVERITIES,
        "fields": {field.name: field.label for field in contract.fields},
        "summary": submission.report.get("summary", []),
    }
    return render(request, "portal/submissions/issues.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def submission_corrections(request: HttpRequest, pk: int) -> HttpResponse:
    """Refused rows repaired on screen: each page of repaired rows becomes a small submission."""
    submission = visible_submission(request, pk)
    contract = contract_named(submission.contract)
    page = reads.refused_rows(submission, page=page_number(request.GET.get("page")), size=10)
    if request.method == "POST":
        rows = _repaired(request, page.items, contract.field_names)
        try:
            correction = acts.correct_rows(submission=submission, rows=rows, by=request.user)
            if correction.state == State.RECEIVED:
                tasks.enqueue_check(correction, request.user)
        except acts.ActRefused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, "Corrections envoyées : elles forment un petit dépôt à part, à accepter après vérification.")
            return redirect("depot", pk=correction.pk)
    why: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for issue in reads.issues(submission, size=2000, severity="blocking").items:
        why.setdefault((issue["sheet"], issue["row"]), []).append(issue)
    rows = [{"cells": [(f, item.get(f.name), _about(why, item, f.name)) for f in contract.fields], "sheet": item["source_sheet"], "row": item["source_row"],
             "why": why.get((item["source_sheet"], item["source_row"]), [])} for item in page.items]
    return render(request, "portal/submissions/corrections.html", {"submission": submission, "page": page, "rows": rows, "contract": contract})


def _about(why: dict[tuple[str, int], list[dict[str, Any]]], row: dict[str, Any], field: str) -> list[dict[str, Any]]:
    """What is wrong with one cell of a refused row."""
    return [issue for issue in why.get((row["source_sheet"], row["source_row"]), []) if issue["field"] == field]


def _repaired(request: HttpRequest, refused: Any, names: tuple[str, ...]) -> list[dict[str, Any]]:
    rows = []
    for index, item in enumerate(refused):
        if request.POST.get(f"{index}-keep") != "on":
            continue
        rows.append(
            {"source_sheet": item["source_sheet"], "source_row": item["source_row"]}
            | {name: request.POST.get(f"{index}-{name}", "").strip() for name in names}
        )
    return rows


@login_required
@require_GET
def submission_entries(request: HttpRequest, pk: int) -> HttpResponse:
    """What this file changed: every entry posted under its number."""
    submission = visible_submission(request, pk)
    if submission.number is None:
        raise Http404
    entries = entries_of_submission(submission.number)
    page = Paginator(range(entries.num_rows), 50).get_page(request.GET.get("page"))
    shown = described_entries(entries.slice(page.start_index() - 1, 50)) if entries.num_rows else []
    names = school_names(sorted({uai for entry in shown if (uai := entry["values"].get("uai"))}))
    return render(request, "portal/submissions/entries.html", {"submission": submission, "page": page, "entries": shown, "names": names, "readable": reads.readable_numbers(request.user, shown)})


@login_required
@require_GET
def submission_annotated(request: HttpRequest, pk: int) -> HttpResponse:
    """The sender's own workbook back, with its anomalies."""
    submission = visible_submission(request, pk)
    if not submission.checked_key:
        raise Http404
    response = HttpResponse(
        reads.annotated(submission), content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    )
    stem = submission.filename.rsplit(".", 1)[0]
    response.headers["Content-Disposition"] = _attachment(f"{stem} - annoté.xlsx")
    return response


@login_required
@require_GET
def submission_file(request: HttpRequest, pk: int) -> FileResponse:
    """The file as it was received."""
    submission = visible_submission(request, pk)
    if not bytes_path(submission.sha256).exists():  # purged
        raise Http404
    return FileResponse(
        bytes_path(submission.sha256).open("rb"), as_attachment=True, filename=submission.filename, content_type="application/octet-stream"
    )


def _attachment(name: str) -> str:
    from django.utils.http import content_disposition_header

    return content_disposition_header(True, name) or "attachment"
