"""Files never seen before, composed from the habits of senders: read as they are, or asked about; never wrong in silence."""

from __future__ import annotations

import pytest

from essaim.engines.intake import annotated_workbook, check
from essaim.equipment.contracts import DELIVERIES, INVENTORY
from intake.composed import Composed, blocks, lines

FILES = [*((lines, DELIVERIES, seed) for seed in range(60)), *((blocks, INVENTORY, seed) for seed in range(40))]


def said(file: Composed, frame):
    return sorted(map(str, frame.select(file.fields).rows()))


@pytest.mark.parametrize(("compose", "contract", "seed"), FILES, ids=[f"{item[0].__name__}-{item[2]}" for item in FILES])
def test_a_file_never_seen_says_what_its_sender_meant(compose, contract, seed):
    """Every row and nothing but the rows; nothing asked, nothing refused."""
    file = compose(seed)
    result = check(file.content, file.filename, contract)
    assert said(file, result.rows) == sorted(map(str, file.truth)), result.summary
    assert not result.questions and result.refused.height == 0


@pytest.mark.parametrize(("compose", "contract", "seed"), FILES[::10], ids=[f"{item[0].__name__}-{item[2]}" for item in FILES[::10]])
def test_its_annotated_workbook_says_the_same(compose, contract, seed):
    """Handed in again untouched, whatever the format it came in."""
    file = compose(seed)
    first = check(file.content, file.filename, contract)
    again = check(annotated_workbook(file.content, file.filename, first), "rendu.xlsx", contract)
    assert said(file, again.rows) == said(file, first.rows) and again.status == first.status
