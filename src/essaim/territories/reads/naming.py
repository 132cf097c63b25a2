"""What organisations are called: by the names given, by the register, by the sources of the register; and what else they are known as."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from functools import lru_cache

import polars as pl
from django.conf import settings
from django.db.models import Max

from essaim.engines.intake.contract import Contract
from essaim.foundation.models import Posting
from essaim.kernel.organisations import check_siren

from ..contracts import ORGANISATIONS
from ..sources import OTHER, sent_by
from .declared import SIRENS
from .frames import frame, register_stamp
from .standing import standing

_CODES: dict[str, tuple[str, ...]] = {}
for _code, _siren in SIRENS.items():
    _CODES[_siren] = (*_CODES.get(_siren, ()), _code)


def aliases(code: str) -> frozenset[str]:
    """``code`` and what else the register calls the same organisation: the SIREN of a département or région, or its own code."""
    return frozenset({code, SIRENS.get(code, code), *_CODES.get(code, ())})


def organisation_names(codes: Iterable[str], *, last: int | None = None) -> dict[str, str]:
    """Names of those of ``codes`` (SIREN, SIRET, code of the register, UAI, source of the register) that somebody knows.
    ``last``: see `given_names`."""
    wanted = {code for code in codes if code}
    if not wanted:
        return {}
    given = given_names(last)
    found = _sources(wanted)
    found |= {code: given[key] for code in wanted for key in _keys(code) if key in given}
    return found | _registered(wanted - set(found))


def _keys(code: str) -> tuple[str, ...]:
    """Under what an organisation may be known."""
    return (code, *sorted((aliases(code) | aliases(_siren_of(code))) - {code}))


def _siren_of(code: str) -> str:
    """The SIREN of a SIRET, of a département or région; any other code as it is."""
    return code[:9] if re.fullmatch(r"\d{14}", code) else SIRENS.get(code, code)


def last_postings(*contracts: Contract) -> tuple[int, ...]:
    """The last number posted under each of ``contracts``; 0 before the first."""
    done = Posting.objects.filter(status=Posting.Status.DONE, submission__contract__in=[item.code for item in contracts])
    found = dict(done.order_by().values_list("submission__contract").annotate(Max("number")))
    return tuple(found.get(item.code, 0) for item in contracts)


def given_names(last: int | None = None) -> dict[str, str]:
    """Names that administrators gave, by SIREN: the last one given. ``last``: the last number posted about them, when known."""
    number = last_postings(ORGANISATIONS)[0] if last is None else last
    return _given(str(settings.ESSAIM_LEDGER_URL), number) if number else {}


@lru_cache(maxsize=2)
def _given(_ledger: str, last: int) -> dict[str, str]:
    """As they stand at the submission ``last``."""
    rows = standing(ORGANISATIONS, known_at=last)
    return dict(rows.sort("submission").select("siren", "name").iter_rows())


def _sources(codes: Collection[str]) -> dict[str, str]:
    """Published data sets, which are senders too: « Code officiel géographique : communes, 2026 »."""
    told = {}
    for code in codes:
        source, year = sent_by(code)
        if source is not OTHER:
            told[code] = f"{source.title}, {year}" if year else source.title
        elif code == OTHER.code:
            told[code] = OTHER.title
    return told


def _registered(codes: Collection[str]) -> dict[str, str]:
    named = _named_bodies(register_stamp())
    found = {}
    for code in codes:
        name = next((named[key] for key in _keys(code) if key in named), None)
        if name is not None:
            found[code] = name
    return found | _schools({code for code in set(codes) - set(found) if re.fullmatch(r"\d{7}[A-Z]", code)})


@lru_cache(maxsize=2)
def _named_bodies(stamp: str) -> dict[str, str]:
    """Names of the register by code, for as long as it is the same."""
    bodies = frame("organisations")
    return {} if bodies is None else dict(bodies.select("code", "name").iter_rows())


def _schools(uais: Collection[str]) -> dict[str, str]:
    schools = frame("establishments")
    if schools is None or not uais:
        return {}
    rows = schools.filter(pl.col("uai").is_in(sorted(uais))).select("uai", "name", "kind", "commune_name").rows()
    told = {uai: ", ".join(part for part in (name or kind, commune) if part) for uai, name, kind, commune in rows}
    return {uai: name for uai, name in told.items() if name}


def labelled(code: str, name: str | None) -> str:
    """« Commune de Laon (SIREN 210204086) »; « Organisme sans nom (SIREN …) » when nobody knows the name; a code alone otherwise."""
    siren = _siren_of(code)
    if check_siren(siren).value is not None:
        return f"{name or 'Organisme sans nom'} (SIREN\u00a0{siren})"
    if name is None:
        return code
    return f"{name} (UAI\u00a0{code})" if re.fullmatch(r"\d{7}[A-Z]", code) else name
