"""Every equipment figure against the known truth of the demonstration, after messy files came through the real door."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from essaim.equipment.demonstration import School, files_of, senders, truth_of
from essaim.equipment.indicators import INDICATORS
from essaim.evaluation.reads import figures
from essaim.foundation import acts, clock
from essaim.territories.acts import load_synthetic_register
from essaim.territories.acts.synthetic import synthetic_schools
from essaim.territories.reads import demonstration_schools, profile_frame

from .naive_equipment import NAIVE, Known

DEPARTEMENTS, SCHOOLS = ("02", "95"), 14
MONTHS = ("2024-12", "2025-04", "2025-09", "2026-03", "2026-10")
KNOWN_AT = (date(2025, 10, 20), None)


def _moment(day: date) -> datetime:
    return datetime.combine(day, time(9), ZoneInfo("Europe/Paris"))


def _handed_in(admin) -> list:
    """Every file of the demonstration, received, checked and accepted on the day it was sent."""
    schools = [School(**row) for row in demonstration_schools(DEPARTEMENTS)]
    files = [file for sender in senders(schools, communes=3) for file in files_of(truth_of(sender))]
    files.sort(key=lambda file: (file.sent_on, file.sender.code, file.contract))
    for index, file in enumerate(files):
        with clock.travel(_moment(file.sent_on).replace(microsecond=index)):
            found = acts.receive(content=file.content, filename=file.filename, contract=file.contract, sender=file.sender.code, by=admin)
            found = acts.check(submission=found, by=admin, contain=False)
            assert found.report["questions"] == []
            assert found.rows_accepted == len(file.rows), (file.filename, found.report["summary"])
            acts.accept(submission=found, by=admin)
    return files


def _quartiles(month: str) -> dict[str, str]:
    start = int(month[:4]) - (int(month[5:]) < 9)
    frame = profile_frame().filter(pl.col("school_year") <= f"{start}-{start + 1}").sort("school_year")
    last = frame.group_by("uai", maintain_order=True).last()
    return dict(last.select("uai", "ips_quartile").drop_nulls().iter_rows())


@pytest.mark.django_db(transaction=True)
def test_every_equipment_figure_is_the_truth(stores) -> None:
    """Each indicator, month, date of knowledge, level and unit: what the engine says of the files is what really happened."""
    assert set(NAIVE) == {item.code for item in INDICATORS}
    admin = acts.local_administrator()
    with clock.travel(_moment(date(2024, 9, 2))):
        load_synthetic_register(by=admin, departements=DEPARTEMENTS, schools=SCHOOLS)
    files = _handed_in(admin)
    made = {item.uai: item for item in synthetic_schools(departements=DEPARTEMENTS, schools=SCHOOLS)}
    units = {
        "national": {"FR": list(made.values())},
        "departement": {code: [item for item in made.values() if item.departement == code] for code in DEPARTEMENTS},
        "establishment": {uai: [item] for uai, item in made.items()},
    }
    met: dict[str, int] = dict.fromkeys(NAIVE, 0)
    for known_at in KNOWN_AT:
        rows: dict[str, list] = {kind: [] for kind in ("orders", "deliveries", "acknowledgements", "inventory")}
        for file in files:
            if known_at is None or file.sent_on <= known_at:
                rows[file.contract.split(".")[1]] += file.rows
        for level, held in units.items():
            shown = figures(list(NAIVE), level=level, period=MONTHS, known_at=known_at).rows()
            assert {(row["indicator"], row["unit"], row["period"]) for row in shown} == {
                (code, unit, month) for code in NAIVE for unit in held for month in MONTHS
            }
            for row in shown:
                known = Known(rows, held[row["unit"]], _quartiles(row["period"]))
                value, low = NAIVE[row["indicator"]](known, row["period"])
                where = (row["indicator"], level, row["unit"], row["period"], known_at)
                assert (row["value"], where) == (value if value is None else pytest.approx(value), where)
                assert (row["low"], where) == (low if low is None else pytest.approx(low), where)
                met[row["indicator"]] += value is not None
    assert {code for code, count in met.items() if not count} == {"equipment.reuse_share"}
