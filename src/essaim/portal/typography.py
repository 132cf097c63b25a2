"""French punctuation on every page: the space before « ; : ? ! » and inside quotation marks is narrow and never breaks a line.

Texts are written with ordinary spaces, in templates as in the messages of engines and acts, which also go to terminals, mails and
JSON; what people read in a browser is set here, once, on the page as it leaves."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

NARROW = "\u202f"
_PAIRS = [(f" {mark}", f"{NARROW}{mark}") for mark in ";:?!»"] + [("« ", f"«{NARROW}")]
# Only in what is shown: what follows reaches a tag that opens (or the end) before one that closes. One search a pair: each begins
# with a literal, which is found ten times faster than an alternative.
_RULES = [(loose.encode(), re.compile(f"{re.escape(loose)}(?=[^<>]*(?:<|$))".encode()), tight.encode()) for loose, tight in _PAIRS]
# What is meant to be copied, or sent back as it is.
_AS_WRITTEN = re.compile(rb"<(textarea|script|style|pre|code|kbd)\b.*?</\1>", re.DOTALL)


def typeset(page: bytes) -> bytes:
    """``page`` (HTML in UTF-8) with the spaces of French punctuation; attributes, code and what is typed stay as written."""
    done, start = [], 0
    for kept in _AS_WRITTEN.finditer(page):
        done += [_text(page[start : kept.start()]), kept[0]]
        start = kept.end()
    return b"".join([*done, _text(page[start:])])


def _text(part: bytes) -> bytes:
    for loose, rule, tight in _RULES:
        if loose in part:
            part = rule.sub(tight, part)
    return part


class Typeset:
    """Middleware: sets the punctuation of HTML pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if getattr(response, "is_typeset", False):
            return response
        if not response.streaming and response.headers.get("Content-Type", "").startswith("text/html"):
            response.content = typeset(response.content)
        return response
