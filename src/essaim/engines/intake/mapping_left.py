"""Columns that a field would take by their name and that are left unread, for what else they say: another currency, a part of the whole."""

from __future__ import annotations

import re

from essaim.kernel.french import folded

from .check_batch import Part
from .contract import Contract, FieldType
from .issues_messages import CURRENCY
from .listing_columns import without
from .mapping_units import AMOUNT, LONGEST, OWN_UNIT

_SAID = 100.0
_FOREIGN = re.compile(r"(?:\b(?:xpf|f\.? ?cfp|cfp|usd|us dollars?|dollars?|gbp|livres sterling|chf|(?:en )?francs (?:cfp|suisses?|pacifique)|en francs|cad|centimes?|cents)\b|[$£¥])", re.IGNORECASE)


def in_euros(part: Part, contract: Contract) -> Part:
    """The table without the columns of amounts in another currency, told: their numbers are not euros."""
    used, remarks = part.mapping.fields, []
    titles = [cell for _, cells in part.table.prose for cell in cells if len(cell) <= LONGEST and not AMOUNT.search(cell)]
    for name, place in used.items():
        if contract.field(name).type is not FieldType.MONEY:
            continue
        header = " ".join(part.table.columns[place].header.split())
        said = next((text for text in (header, *titles) if not OWN_UNIT.search(header) and _FOREIGN.search(text)), None)
        if said is not None:
            remarks.append(("currency", name, CURRENCY.format(header=header, said=said)))
    return without(part, contract, [name for _, name, _ in remarks]).remarked(remarks) if remarks else part


def of_whole_stock(part: Part, contract: Contract) -> Part:
    """The table without its quantity when what was taken for it is only what lies idle, beside what is in use: « En service | En stock »
    are two parts of what is there."""
    listing = contract.listing
    place = part.mapping.fields.get(listing.count) if listing else None
    if listing is None or place is None or not set(listing.states) & set(part.mapping.fields):
        return part
    said = any(item.field == listing.count and item.score >= _SAID for item in part.mapping.mapping)
    return part if said or folded(part.table.columns[place].header) not in listing.idle else without(part, contract, (listing.count,))
