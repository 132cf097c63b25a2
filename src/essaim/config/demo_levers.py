"""The demonstration of training, resources and families: one sender a territory and lever, in the layouts of authorities."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from essaim.equipment.demonstration import DemoFile, Sender
from essaim.equipment.demonstration.layouts import LAYOUTS
from essaim.equipment.demonstration.truth import siren_of
from essaim.families import demonstration as families
from essaim.kernel.departements import name_of
from essaim.resources import demonstration as resources
from essaim.training import demonstration as training

ROUNDS = (date(2025, 10, 31), date(2026, 10, 31))
NAMES = {
    "training": "Réseau Canopé, formation", "resources": "Délégation académique au numérique", "families": "Association de parents-relais",
}  # fmt: skip
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LeverSource:
    """Rows of a contract made up for the schools of a territory; ``dated_by`` says in which round they are sent."""

    contract: str
    rows: Callable[[Sequence[Row]], list[Row]]
    dated_by: str
    filename: str

    @property
    def lever(self) -> str:
        return self.contract.split(".")[0]


SOURCES = (
    LeverSource(training.CONTRACT, training.rows, "held_on", "formations"),
    LeverSource(resources.USES, resources.uses, "month", "usages"),
    LeverSource(resources.AUDIENCE, resources.audience, "week", "audience_ent"),
    LeverSource(families.CONTRACT, families.rows, "held_on", "familles"),
)


def lever_sender(lever: str, departement: str) -> Sender:
    """Who sends the files of ``lever`` in ``departement``."""
    return Sender(siren_of(f"{lever} {departement}"), f"{NAMES[lever]}, {name_of(departement) or departement}", departement, (), 0)


def lever_senders(schools: Sequence[Row]) -> list[Sender]:
    """Who sends the files of the levers, for the départements of ``schools``."""
    return [lever_sender(lever, place) for place in sorted({row["departement"] for row in schools}) for lever in NAMES]


def lever_files(schools: Sequence[Row]) -> Iterator[DemoFile]:
    """The files of the three levers, for the départements of ``schools`` (rows of ``demonstration_schools``)."""
    held: dict[str, list[Row]] = {}
    for school in schools:
        held.setdefault(school["departement"], []).append(school)
    for rank, (departement, members) in enumerate(sorted(held.items())):
        for number, source in enumerate(SOURCES):
            yield from _sent(source, departement, members, LAYOUTS[(rank + number) % len(LAYOUTS)])


def _sent(source: LeverSource, departement: str, members: Sequence[Row], layout: Any) -> Iterator[DemoFile]:
    sender = lever_sender(source.lever, departement)
    rows, before = source.rows(members), date.min
    for until in ROUNDS:
        chosen = tuple(row for row in rows if before < row[source.dated_by] <= until)
        before = until
        if not chosen:
            continue
        title = f"{source.filename}_{departement}_{until:%Y-%m}"
        filename, content = layout.write(source.contract, chosen, title, random.Random(title))
        yield DemoFile(filename, content, source.contract, sender, until + timedelta(days=4), chosen, 0)
