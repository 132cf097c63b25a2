"""Figures of training, resources and families against the known truth of the demonstration, after its files came through the door."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from essaim.config.demo import in_order
from essaim.config.demo_levers import lever_files
from essaim.evaluation.reads import figures
from essaim.foundation import acts, clock
from essaim.territories.acts import load_synthetic_register
from essaim.territories.acts.synthetic import synthetic_schools
from essaim.territories.reads import demonstration_schools

from .naive_equipment import ends
from .naive_equipment import pupils as enrolled

DEPARTEMENTS, SCHOOLS = ("02", "95"), 30
MONTHS = ("2025-03", "2026-01", "2026-10")
PARIS = ZoneInfo("Europe/Paris")


def _month(day: date) -> str:
    return f"{day:%Y-%m}"


def _twelve_months_before(month: str) -> str:
    return f"{int(month[:4]) - 1}{month[4:]}"


class Truth:
    """Rows of one contract and the schools of one unit, asked one indicator at a time in plain Python."""

    def __init__(self, files, schools):
        self.schools = {item.uai: item for item in schools}
        self.rows = {}
        for file in files:
            self.rows.setdefault(file.contract, []).extend(row for row in file.rows if row["uai"] in self.schools)

    def until(self, contract, month, dated_by="held_on"):
        return [row for row in self.rows.get(contract, []) if _month(row[dated_by]) <= month]

    def during(self, contract, month, dated_by):
        return [row for row in self.rows.get(contract, []) if _month(row[dated_by]) == month]

    def pupils(self, month):
        return sum(enrolled(item, ends(month)[1]) for item in self.schools.values())

    def share(self, rows):
        return len({row["uai"] for row in rows}) / len(self.schools) * 100

    def lately(self, contract, month, dated_by, counted):
        since = _twelve_months_before(month)
        return [row for row in self.until(contract, month, dated_by) if _month(row[dated_by]) > since and row[counted] > 0]

    def of(self, code, month):
        return getattr(self, code.replace(".", "_"))(month)

    def training_schools_trained(self, month):
        return self.share([row for row in self.until("training.attendance", month) if row["attended"]])

    def training_hours_per_100_pupils(self, month):
        return sum(row["attended"] * row["hours"] for row in self.until("training.attendance", month)) / self.pupils(month) * 100

    def training_attendance_rate(self, month):
        rows = [row for row in self.until("training.attendance", month) if row["registered"] is not None]
        return sum(row["attended"] for row in rows) / sum(row["registered"] for row in rows) * 100

    def training_unknown_profile_share(self, month):
        rows = self.until("training.attendance", month)
        return sum(row["attended"] for row in rows if row["profile"] == "inconnu") / sum(row["attended"] for row in rows) * 100

    def training_attendances(self, month):
        return sum(row["attended"] for row in self.during("training.attendance", month, "held_on"))

    def resources_openings(self, month):
        return sum(row["openings"] for row in self.during("resources.uses", month, "month"))

    def resources_openings_per_100_pupils(self, month):
        rows = self.during("resources.uses", month, "month")
        return sum(row["openings"] for row in rows if row["role"] == "eleve") / self.pupils(month) * 100

    def resources_schools_using(self, month):
        return self.share(self.lately("resources.uses", month, "month", "openings"))

    def resources_ent_schools(self, month):
        return self.share(self.lately("resources.audience", month, "week", "visits"))

    def families_attendances(self, month):
        return sum(row["reached"] for row in self.during("families.actions", month, "held_on"))

    def families_schools_reached(self, month):
        return self.share(self.until("families.actions", month))

    def families_attendances_per_100_pupils(self, month):
        return sum(row["reached"] for row in self.until("families.actions", month)) / self.pupils(month) * 100

    def families_relays(self, month):
        return sum(row["relays"] or 0 for row in self.until("families.actions", month))


CODES = [name.replace("_", ".", 1) for name in vars(Truth) if name.split("_")[0] in ("training", "resources", "families")]


@pytest.mark.django_db(transaction=True)
def test_the_three_other_levers_tell_the_truth(stores):
    """Whatever the layout, what the engine says of training, resources and families is what was made up, at several months."""
    admin = acts.local_administrator()
    with clock.travel(datetime(2024, 9, 2, 9, tzinfo=PARIS)):
        load_synthetic_register(by=admin, departements=DEPARTEMENTS, schools=SCHOOLS)
    schools = demonstration_schools(DEPARTEMENTS)
    files = in_order(list(lever_files(schools)))
    assert {file.contract for file in files} >= {"training.attendance", "resources.uses", "families.actions"}
    for index, file in enumerate(files):
        with clock.travel(datetime.combine(file.sent_on, time(9), PARIS).replace(microsecond=index)):
            found = acts.receive(content=file.content, filename=file.filename, contract=file.contract, sender=file.sender.code, by=admin)
            found = acts.check(submission=found, by=admin, contain=False)
            assert found.report["questions"] == [], (file.filename, found.report["questions"])
            assert found.rows_accepted == len(file.rows), (file.filename, found.report["summary"])
            acts.accept(submission=found, by=admin)
    made = synthetic_schools(departements=DEPARTEMENTS, schools=SCHOOLS)
    compared = 0
    for departement in DEPARTEMENTS:
        truth = Truth(files, [item for item in made if item.departement == departement])
        for row in figures(CODES, level="departement", units=[departement], period=MONTHS).rows():
            expected = truth.of(row["indicator"], row["period"])
            where = (row["indicator"], departement, row["period"])
            assert (row["value"] or 0) == pytest.approx(expected, abs=1e-6), where
            compared += bool(expected)
    assert compared > 40
