"""Figures follow the ledger: what is added up act after act equals a full computation, and the past never moves."""

from __future__ import annotations

import os
import random
from datetime import date, timedelta

import pytest

from equipment_files import hand_in
from essaim.engines.measures import IndicatorRefused, LevelUnknown
from essaim.evaluation.reads import STORE, figures, figures_if_accepted, trace
from essaim.evaluation.reads.keeping import computed, folder, read, stored_number
from essaim.evaluation.tasks import refresh_figures
from essaim.foundation import acts
from essaim.foundation.models import Posting, Submission
from essaim.territories.reads import demonstration_schools

from .conftest import forget

CODES = (
    "territories.pupils", "equipment.devices_per_100_pupils", "equipment.schools_equipped", "equipment.delivered_over_ordered",
    "equipment.late_orders", "equipment.delay_median", "equipment.used_over_present", "equipment.social_gap",
)  # fmt: skip
PERIODS = ("2025-12", "2026-03")


def asked(**more):
    return [row for level in ("national", "departement", "establishment") for row in figures(CODES, level=level, period=PERIODS, **more).rows()]


def rows_of(kind: str, rng: random.Random, turn: int) -> list[dict]:
    uais = [row["uai"] for row in demonstration_schools(("02", "95"))]
    day = date(2025, 10, 1) + timedelta(days=rng.randrange(150))
    made = []
    for line in range(rng.randrange(1, 5)):
        common = {"uai": rng.choice(uais), "category": rng.choice(("tablette", "ordinateur_portable", "ecran_interactif"))}
        reference = f"{rng.randrange(6)}-{line}"
        made.append({
            "orders": {**common, "order_ref": f"BC-{reference}", "line": "1", "quantity": 20, "ordered_on": day, "planned_on": day + timedelta(days=30)},
            "deliveries": {
                **common, "delivery_ref": f"BL-{reference}", "order_ref": f"BC-{reference}", "quantity": rng.randrange(1, 25),
                "delivered_on": day + timedelta(days=40), "installed_on": day + timedelta(days=50),
            },
            "inventory": {**common, "counted_on": day, "quantity": 20, "in_use": rng.randrange(20)},
        }[kind])  # fmt: skip
    keys = {"orders": ("order_ref",), "deliveries": ("delivery_ref",), "inventory": ("uai", "category", "counted_on")}[kind]
    return list({tuple(row[name] for name in keys): row for row in made}.values())


def act_at_random(admin, rng: random.Random, turn: int, accepted: list[Submission]) -> None:
    if accepted and rng.random() < 0.3:
        acts.withdraw(submission=accepted.pop(rng.randrange(len(accepted))), reason="Erreur d'envoi", by=admin)
        return
    kind = rng.choice(("orders", "deliveries", "deliveries", "inventory"))
    accepted.append(hand_in(kind, *rows_of(kind, rng, turn), by=admin, sender=rng.choice(("217500016", "210204086"))))


@pytest.mark.parametrize("seed", [3, pytest.param(11, marks=pytest.mark.once)])
def test_figures_kept_up_to_date_are_those_of_a_full_computation(admin, seed: int) -> None:
    """After any sequence of acceptances and withdrawals, refreshed figures equal recomputed ones; and each figure asked later as
    it was known then has the value and the fingerprint seen then."""
    rng, accepted, seen = random.Random(seed), [], {}
    asked()
    for turn in range(9):
        act_at_random(admin, rng, turn, accepted)
        number = Posting.objects.order_by("-number").values_list("number", flat=True)[0]
        seen[number] = asked()
        if turn % 4 == 3:
            STORE.clear()
            forget()
            assert asked() == seen[number]
    assert len({str(rows) for rows in seen.values()}) > 3
    for number, rows in seen.items():
        assert asked(known_at=number) == rows
    forget()
    STORE.clear()
    for number, rows in list(seen.items())[::3]:
        assert asked(known_at=number) == rows


def test_another_process_reads_what_one_wrote(admin) -> None:
    """The task writes cells down at the last number; a process that starts reads them and gives the same figures, by category
    too; running the task again changes nothing, and a damaged file is made again."""
    hand_in("deliveries", *rows_of("deliveries", random.Random(1), 0), by=admin)
    number = refresh_figures.func()
    assert stored_number(()) == stored_number(("category",)) == number
    kept, again = read((), number), refresh_figures.func()
    assert again == number and kept is not None and kept.number == number
    fresh = computed((), number, {})
    assert {item: sum(layer["n"].sum() for layer in layers) for item, layers in kept.cells.frames.items()} == {
        item: sum(layer["n"].sum() for layer in layers) for item, layers in fresh.cells.frames.items()
    }
    before = asked(), figures(CODES[3:4], level="departement", period="2026-03", by="category").rows()
    forget()
    assert (asked(), figures(CODES[3:4], level="departement", period="2026-03", by="category").rows()) == before
    written = list(folder().glob("cells-*"))
    assert written
    for path in written:
        path.write_bytes(path.read_bytes()[:100])
    forget()
    assert asked() == before[0]


def test_cells_of_another_version_of_the_program_do_not_stay_in_the_cache(admin) -> None:
    """Once the current ones are kept, files of another form and what a killed process left half written are removed; those that a
    process of the other version has just written, and every current one, stay."""
    hand_in("deliveries", *rows_of("deliveries", random.Random(1), 0), by=admin)
    refresh_figures.func()
    own = {path.name for path in folder().iterdir()}
    old, partial, fresh = (folder() / name for name in ("cells-0123456789abcdef.zip", ".cells-0-1.zip.77.1", "cells-00-11.zip"))
    for path in (old, partial, fresh, *(folder() / name for name in own)):
        path.touch()
        if path is not fresh:
            os.utime(path, (0, 0))
    refresh_figures.func()
    assert {path.name for path in folder().iterdir()} == {*own, fresh.name}


def test_a_preview_tells_the_figures_of_tomorrow(admin) -> None:
    """What a checked submission would do to figures is what accepting it does, for tables made from others too."""
    hand_in("orders", *rows_of("orders", random.Random(5), 0), by=admin)
    content = "n° BL;n° BC;UAI;Catégorie;Quantité livrée;Date de livraison;Date d'installation\n"
    for index, row in enumerate(rows_of("orders", random.Random(5), 0)):
        content += f"BL-{index};{row['order_ref']};{row['uai']};{row['category']};20;2026-02-0{index + 1};2026-02-1{index}\n"
    waiting = acts.receive(content=content.encode(), filename="l.csv", contract="equipment.deliveries", sender="217500016", by=admin)
    waiting = acts.check(submission=waiting, by=admin, contain=False)
    codes = CODES[1:6]
    now = figures(codes, level="departement", period="2026-03").rows()
    preview = figures_if_accepted(waiting, codes, level="departement", period="2026-03").rows()
    acts.accept(submission=waiting, by=admin)
    after = figures(codes, level="departement", period="2026-03").rows()
    bare = [{**row, "fingerprint": ""} for row in after]
    assert preview == bare and [row["value"] for row in now] != [row["value"] for row in after]


def test_a_preview_leaves_alone_what_a_room_cannot_plan(admin) -> None:
    """Enrolments not yet accepted do not break the preview of figures made from them."""
    uai = demonstration_schools(("02",))[0]["uai"]
    content = f"Rentrée scolaire;UAI;Nombre total de classes;Nombre total d'élèves\n2025;{uai};4;90\n"
    waiting = acts.receive(content=content.encode(), filename="effectifs.csv", contract="territories.enrolment", sender="essai", by=admin)
    waiting = acts.check(submission=waiting, by=admin, contain=False)
    assert waiting.rows_accepted == 1
    found = figures_if_accepted(waiting, ["territories.pupils"], level="departement", period="2026-03").rows()
    assert [row["value"] for row in found] == [row["value"] for row in figures(["territories.pupils"], level="departement", period="2026-03").rows()]


def test_public_figures_of_one_unit_are_those_of_the_whole_table(admin) -> None:
    """Asking one département gives a public reader what the table of all départements shows, and the same to an agent."""
    for turn in range(4):
        for kind in ("orders", "deliveries"):
            hand_in(kind, *rows_of(kind, random.Random(turn), turn), by=admin)
    for public in (False, True):
        for by in (None, "sector", "school_level"):
            codes = [code for code in CODES if by is None or code != "equipment.social_gap"]
            whole = figures(codes, level="departement", period=PERIODS, by=by, public=public).rows()
            one = figures(codes, level="departement", units=["02"], period=PERIODS, by=by, public=public).rows()
            assert one == [row for row in whole if row["unit"] == "02"] and one
    assert any(row["suppressed"] for row in figures(CODES, level="departement", period=PERIODS, by=None, public=True).rows())


def test_questions_without_sense_are_refused_in_french(admin) -> None:
    """An unknown level, breakdown or month is told, with what exists."""
    with pytest.raises(LevelUnknown, match=r"Niveau « canton » inconnu\. Niveaux disponibles : .*departement"):
        figures(CODES[:1], level="canton", period="2026-03")
    with pytest.raises(LevelUnknown, match="canton"):
        figures(CODES[:1], level="canton", units=["1"], period="2026-03", public=True)
    with pytest.raises(IndicatorRefused, match="ne se ventile pas par « couleur »"):
        figures(CODES[1:2], level="departement", period="2026-03", by="couleur")
    with pytest.raises(ValueError, match="incomprise"):
        figures(CODES[:1], level="departement", period="mars")


def test_a_breakdown_that_is_also_a_column_of_facts_is_the_attribute(admin) -> None:
    """Enrolments have a column « sector » too: figures and traces group by the sector of the register."""
    shown = figures(["territories.pupils"], level="departement", units=["02"], period="2026-03", by="sector").rows()
    assert {row["breakdown"] for row in shown} <= {"public", "privé"}
    for row in shown:
        found = trace("territories.pupils", level="departement", unit="02", period="2026-03", by="sector", breakdown=row["breakdown"])
        rows = [item for item in found.to_pylist() if item["part"] == "numerator"]
        assert sum(item["sign"] * item["contribution"] for item in rows) == row["numerator"]
        assert all(item["origin"] for item in rows)


def test_a_trace_adds_up_and_leaves_claims_out(admin) -> None:
    """Two senders say the same row: the entries traced still add up to the figure, none of them has sign 0."""
    row = rows_of("inventory", random.Random(2), 0)[0]
    for sender in ("217500016", "210204086"):
        hand_in("inventory", row, by=admin, sender=sender)
    shown = figures(["equipment.used_over_present"], level="establishment", units=[row["uai"]], period="2026-03").rows()[0]
    found = trace("equipment.used_over_present", level="establishment", unit=row["uai"], period="2026-03").to_pylist()
    assert found and all(item["sign"] for item in found)
    assert sum(item["sign"] * item["contribution"] for item in found if item["part"] == "numerator") == shown["numerator"]
