"""What is hidden from the public is the same, cell for cell, as when secrecy is worked out plainly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from essaim.engines.measures import figures, secrecy
from essaim.engines.measures.suppression import Level, hide

from . import plain_secrecy, world

MONTHS = ("2020-10", "2021-03", "2021-09")
# Two in three count persons; gaps compare what is asked beside them.
PLAIN = {
    item.code: replace(item, small_counts_secret=index % 3 > 0) for index, item in enumerate(world.INDICATORS) if item.of is None
}
GAP = replace(world.BY_CODE["gap"], of=PLAIN["devices_per_100"])
# Several gaps over the same groups and one over others, read together.
ASKED = (
    *PLAIN.values(), GAP, replace(GAP, code="gap_used", of=PLAIN["used"]), replace(GAP, code="gap_late", of=PLAIN["late"]),
    replace(GAP, code="gap_rep", gap_by="rep", gap_groups=("REP", "hors EP")), replace(GAP, code="gap_delay", of=PLAIN["delay_median"]),
)  # fmt: skip


def with_regions() -> pl.DataFrame:
    """The small country under two regions, so that chains have three levels."""
    held = world.hierarchies()
    departements = held.filter(pl.col("level") == "departement")
    region = pl.col("unit").replace_strict({"02": "32", "95": "11"})
    return pl.concat([held, departements.with_columns(pl.lit("region").alias("level"), region.alias("unit"))])


def published(monkeypatch, asked, seed: int, *, plainly: bool, **more) -> pl.DataFrame:
    with monkeypatch.context() as patched:
        if plainly:
            patched.setattr(secrecy, "protected", plain_secrecy.protected)
        return figures(
            asked, world.frames(world.entries(seed, count=70)), with_regions(), attributes=world.attributes(), period=MONTHS,
            public=True, threshold=4 + seed % 9, **more,
        ).frame  # fmt: skip


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    ("level", "by"),
    [
        ("departement", None), ("departement", "sector"), ("region", "category"), ("commune", None), ("commune", "sector"),
        ("establishment", None), ("programme/wave", "rep"), ("national", "buyer"), ("departement", ("sector", "category")),
    ],
)  # fmt: skip
def test_the_secrecy_given_is_the_plain_one(monkeypatch, seed: int, level: str, by: object) -> None:
    """Tables shared between indicators, gaps and periods hide and show what they do one at a time."""
    names = (by,) if isinstance(by, str) else tuple(by or ())  # type: ignore[arg-type]
    facts = {"category", "buyer"} & set(names)
    asked = [item for item in ASKED if set(names) <= set(item.breakdowns) and not (facts and item.kind == "gap")]
    if "buyer" in names:
        asked = [item for item in asked if all(part.facts is world.ORDERS for part in item.measures)]
    if "category" in names:
        asked = [item for item in asked if all(part.facts is not world.PROFILE for part in item.measures)]
    found = published(monkeypatch, asked, seed, plainly=False, level=level, by=by)
    assert found.equals(published(monkeypatch, asked, seed, plainly=True, level=level, by=by))
    assert found["suppressed"].any() and not found["suppressed"].all()


counts = st.one_of(st.integers(0, 12), st.sampled_from([20, 40, 75]))


@st.composite
def chains(draw) -> list[Level]:
    """Nested tables of one to three levels, some units without a parent, with or without groups."""
    groups, above, found = draw(st.integers(0, 3)), 0, []
    for depth in range(draw(st.integers(1, 3))):
        size = 1 if depth == 0 else draw(st.integers(1, 9))
        parents = [-1] * size if depth == 0 else draw(st.lists(st.integers(-1, above - 1), min_size=size, max_size=size))
        cells = np.array(draw(st.lists(counts, min_size=size * groups, max_size=size * groups)), dtype=float).reshape(size, groups)
        total = cells.sum(axis=1) if groups else np.array(draw(st.lists(counts, min_size=size, max_size=size)), dtype=float)
        found.append(Level(np.array(parents), total, (total > 0) & (total < 5), cells, (cells > 0) & (cells < 5)))
        above = size
    return found


@given(chains())
@settings(max_examples=200, deadline=None)
def test_the_cells_chosen_are_the_plain_ones(levels: list[Level]) -> None:
    """Families known at once choose the same partners as families looked for at each cell."""
    chosen = hide(levels, 5)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Level, "children", lambda level, parent: np.flatnonzero(level.parent == parent))
        plainly = hide(levels, 5)
    for found, plain in zip(chosen, plainly, strict=True):
        assert (found.totals == plain.totals).all() and (found.cells == plain.cells).all()
