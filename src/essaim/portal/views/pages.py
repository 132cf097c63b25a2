"""Contracts, help, legal pages, and the addresses that machines ask."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_GET

from essaim.engines.intake import table_schema
from essaim.engines.intake.contract import Contract
from essaim.engines.intake.issues_messages import expected_of
from essaim.foundation.contracts import UnknownContract, contract, contracts
from essaim.foundation.reads.facts import ledger
from essaim.portal.guide import guide_page, guide_pages
from essaim.portal.refusals import page_before
from essaim.portal.templates_of_files import template_workbook


def _contract(code: str) -> Contract:
    try:
        return contract(code)
    except UnknownContract as error:
        raise Http404(str(error)) from error


@require_GET
def contract_list(request: HttpRequest) -> HttpResponse:
    """The kinds of files understood."""
    rooms: dict[str, list[Contract]] = {}
    for item in contracts():
        rooms.setdefault(item.code.split(".")[0], []).append(item)
    return render(request, "portal/pages/contracts.html", {"rooms": rooms})


@require_GET
def contract_detail(request: HttpRequest, code: str) -> HttpResponse:
    """One kind of file: its columns, what they accept, how they may be headed."""
    contract = _contract(code)
    columns = [(field, "" if field.codes else expected_of(field)) for field in contract.fields]
    return render(request, "portal/pages/contract.html", {"contract": contract, "columns": columns})


@require_GET
def contract_schema(request: HttpRequest, code: str) -> JsonResponse:
    """The Table Schema of a contract, for Validata."""
    return JsonResponse(table_schema(_contract(code)), json_dumps_params={"ensure_ascii": False, "indent": 2})


@require_GET
def contract_template(request: HttpRequest, code: str) -> HttpResponse:
    """A workbook ready to be filled."""
    response = HttpResponse(
        template_workbook(_contract(code)), content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    )
    response.headers["Content-Disposition"] = f'attachment; filename="modele-{code}.xlsx"'
    return response


@require_GET
def help_page(request: HttpRequest, name: str = "index") -> HttpResponse:
    """A page of the user guide."""
    page = guide_page(name)
    if page is None:
        raise Http404
    return render(request, "portal/pages/guide.html", {"page": page, "pages": guide_pages()})


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """No such page, or not for this reader."""
    return render(request, "portal/errors/404.html", status=404)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Known, and not allowed."""
    return render(request, "portal/errors/403.html", status=403)


def misunderstood(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A request that makes no sense."""
    return render(request, "portal/errors/400.html", status=400)


def failed(request: HttpRequest) -> HttpResponse:
    """The site failed. Told in plain words even when what failed is what every page needs."""
    number = structlog.contextvars.get_contextvars().get("request_id", "")
    try:
        return render(request, "portal/errors/500.html", {"number": number}, status=500)
    except Exception:
        return HttpResponse(_bare(number), status=500)


def _bare(number: str) -> str:
    """The page of a failure without what other pages read (account, messages, theme): the database may be what failed."""
    try:
        return render_to_string("portal/errors/bare.html", {"number": number})
    except Exception:
        return "<!DOCTYPE html><html lang=fr><title>Essaim</title><p>Une erreur est survenue de notre côté. Rien n'est perdu : réessayez dans un instant."


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form too old, or sent from elsewhere."""
    return render(request, "portal/errors/stale_form.html", {"before": page_before(request)}, status=403)


@require_GET
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("ok", content_type="text/plain")


@require_GET
def readyz(request: HttpRequest) -> JsonResponse:
    """Database, ledger and files can be used; 503 and which one when not."""
    checks: dict[str, Any] = {}
    for name, test in (("database", _database), ("ledger", lambda: ledger().tables()), ("files", _files)):
        try:
            test()
            checks[name] = "ok"
        except Exception as error:
            checks[name] = type(error).__name__
    ready = all(value == "ok" for value in checks.values())
    return JsonResponse(checks, status=200 if ready else 503)


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _files() -> None:
    folder = Path(settings.ESSAIM_FILES_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    probe = folder / ".sonde"
    probe.write_bytes(b"")
    probe.unlink(missing_ok=True)
