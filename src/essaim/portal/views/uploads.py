"""Sending a file part after part: what the upload script asks, in JSON. The form of the wizard does without."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from essaim.foundation import acts, tasks
from essaim.foundation.models import State, Upload
from essaim.foundation.reads import uploads_of
from essaim.portal.reads.wording import known_already

# A part is small enough for a slow line to lose little, and grows on a quick one.
PART_BYTES, MOST_BYTES = 2**18, 2**21
View = Callable[..., HttpResponse]


def answering(view: View) -> View:
    """Decorates a view that a script calls: refusals are JSON with a French ``message``; nobody signed in is a 401."""

    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **named: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return _refused(401, "Votre session est terminée : reconnectez-vous, puis choisissez de nouveau le fichier. L'envoi reprendra où il en est.")
        try:
            return view(request, *args, **named)
        except acts.PartRefused as refusal:
            return _refused(409, str(refusal), offset=refusal.offset)
        except acts.ActForbidden as refusal:
            return _refused(403, str(refusal))
        except acts.ActRefused as refusal:
            return _refused(400, str(refusal))

    return answered


def _refused(status: int, message: str, **more: Any) -> JsonResponse:
    return JsonResponse({"message": message, **more}, status=status)


def _told(upload: Upload) -> dict[str, Any]:
    return {"address": reverse("envoi", args=[upload.key]), "offset": upload.offset, "size": upload.size, "part": PART_BYTES, "most": MOST_BYTES}


def _whole_number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else -1


def _upload(request: HttpRequest, key: str) -> Upload:
    return get_object_or_404(uploads_of(request.user), key=key)


@require_POST
@answering
def upload_begin(request: HttpRequest) -> HttpResponse:
    """Opens the way for a file, or says from which byte to go on."""
    said = {name: request.POST.get(name, "").replace("\x00", "").strip()[:255] for name in ("filename", "contract", "sender", "mark")}
    said["mark"] = said["mark"][:100]
    upload = acts.begin_upload(size=_whole_number(request.POST.get("size", "")), by=request.user, **said)
    return JsonResponse(_told(upload), status=201)


@require_http_methods(["GET", "PATCH"])
@answering
def upload_part(request: HttpRequest, key: str) -> HttpResponse:
    """GET: how far the file came. PATCH: the bytes that follow, from the byte named by ``Upload-Offset``."""
    upload = _upload(request, key)
    if request.method == "PATCH":
        announced = _whole_number(request.headers.get("Content-Length", ""))
        if not 0 < announced <= MOST_BYTES:
            return _refused(413, "Partie trop grande.")
        offset = _whole_number(request.headers.get("Upload-Offset", ""))
        sha256 = request.headers.get("Upload-Part-Sha256", "")[:64]
        upload = acts.append_part(upload=upload, offset=offset, content=request.body, sha256=sha256, by=request.user)
    return JsonResponse(_told(upload))


@require_POST
@answering
def upload_finish(request: HttpRequest, key: str) -> HttpResponse:
    """The file is whole: it becomes a submission, whose check begins. Asked twice, the same submission."""
    submission = acts.finish_upload(upload=_upload(request, key), by=request.user)
    if submission.is_known:
        messages.info(request, known_already(submission.filename))
    if submission.state == State.RECEIVED:
        tasks.enqueue_check(submission, request.user)
    return JsonResponse({"address": reverse("depot", args=[submission.pk]), "is_known": submission.is_known})


@login_required
@require_POST
def upload_abandon(request: HttpRequest, key: str) -> HttpResponse:
    """What was received of the file is forgotten."""
    upload = _upload(request, key)
    acts.abandon_upload(upload=upload, by=request.user)
    messages.success(request, f"L'envoi de « {upload.filename} » est abandonné : rien n'en a été gardé.")
    return redirect("depot-nouveau")
