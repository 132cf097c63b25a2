"""How senders and buyers are shown: by the name that somebody knows, with their number."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import polars as pl
from django.conf import settings
from django.db.models import Count, Max

from essaim.equipment.contracts import PUBLIC_CONTRACTS
from essaim.foundation.models import Account, Mandate
from essaim.foundation.reads.facts import ledger, table_spec
from essaim.foundation.reads.submissions import visible_to
from essaim.kernel.organisations import check_siren
from essaim.territories.contracts import ORGANISATIONS
from essaim.territories.reads.naming import labelled, last_postings, organisation_names

_OWNER = "owner/organisation/"


def known_names(codes: Collection[str], stamp: tuple[int, int] | None = None) -> dict[str, str]:
    """Names of those of ``codes`` that somebody knows: administrators, the register, else the buyers themselves in the public
    contracts they publish. ``stamp``: that of `names_stamp`, when it was just asked."""
    if not any(codes):
        return {}
    given, bought = stamp or names_stamp()
    found = organisation_names(codes, last=given)
    left = {code for code in codes if code and code not in found}
    if left and bought:
        buyers = _buyers(str(settings.ESSAIM_LEDGER_URL), bought)
        found |= {code: buyers[code[:9]] for code in left if code[:9] in buyers}
    return found


def sender_names(codes: Collection[str], stamp: tuple[int, int] | None = None) -> dict[str, str]:
    """What to call each of ``codes`` in a list: its name; « Organisme sans nom (SIREN …) », or the code, when nobody knows it."""
    known = known_names(codes, stamp)
    return {code: known.get(code) or labelled(code, None) for code in codes}


def sender_labels(codes: Collection[str]) -> dict[str, str]:
    """The same with its number: « Commune de Laon (SIREN 210204086) »."""
    known = known_names(codes)
    return {code: labelled(code, known.get(code)) for code in codes}


@dataclass(frozen=True, slots=True)
class Nameless:
    """A SIREN that nobody can name: how many submissions it sent (``last_at``: the last one), how many mandates speak of it."""

    siren: str
    submissions: int
    last_at: datetime | None
    mandates: int


def nameless(account: Account) -> list[Nameless]:
    """Senders that ``account`` may see, and organisations of mandates, that nobody can name; the greatest senders first."""
    sent = visible_to(account).order_by().values_list("sender").annotate(Count("pk"), Max("received_at"))
    held: dict[str, list[int]] = {}
    for scope, organisation in Mandate.objects.values_list("scope", "organisation"):
        own = scope.removeprefix(_OWNER) if scope.startswith(_OWNER) else ""
        for code in {own, organisation} - {""}:
            held.setdefault(code, []).append(1)
    told = {sender: (count, last) for sender, count, last in sent}
    codes = [code for code in {*told, *held} if check_siren(code).value == code]
    known = known_names(codes)
    found = [Nameless(code, *told.get(code, (0, None)), len(held.get(code, ()))) for code in codes if code not in known]
    return sorted(found, key=lambda item: (-item.submissions, -item.mandates, item.siren))


def names_stamp() -> tuple[int, int]:
    """The last numbers posted about names and about public contracts: changes whenever a name may have been given."""
    given, bought = last_postings(ORGANISATIONS, PUBLIC_CONTRACTS)
    return given, bought


@lru_cache(maxsize=2)
def _buyers(_ledger: str, last: int) -> dict[str, str]:
    """The name that most contracts of each buyer give, by SIREN, as known at the submission ``last``."""
    rows = pl.DataFrame(ledger().state(table_spec(PUBLIC_CONTRACTS), known_at=last, columns=("buyer_siret", "buyer_name")))
    named = rows.drop_nulls().with_columns(pl.col("buyer_siret").str.head(9).alias("siren"))
    counted = named.group_by("siren", "buyer_name").len().sort("len", "buyer_name", descending=[True, False])
    return dict(counted.unique("siren", keep="first", maintain_order=True).select("siren", "buyer_name").iter_rows())
