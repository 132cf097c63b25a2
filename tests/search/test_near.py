"""Near-duplicates: symmetric, stable, and equal to comparing every pair."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from essaim.engines.search import near_duplicates

TITLES = st.lists(
    st.lists(st.sampled_from(["tablette", "classe", "lecture", "robot", "atelier", "parent", "fracture", "maths", "langue", "projet"]), max_size=5).map(" ".join),
    max_size=12,
)


def _pairs(texts, **options):
    return {(texts[item.first], texts[item.second]) for item in near_duplicates(texts, **options)}


def test_reworded_titles_are_found_and_different_ones_are_not():
    """The same practice told twice is a pair; another practice that shares a common word is not."""
    texts = [
        "Lire avec une tablette en CP",
        "Lecture sur tablettes au CP : lire avec la tablette",
        "Programmer un robot en cycle 3",
        "Robots : programmer au cycle 3",
        "Café des parents",
    ]
    found = {(item.first, item.second) for item in near_duplicates(texts)}
    assert (2, 3) in found and (0, 1) in found
    assert all(4 not in pair for pair in found)


def test_empty_texts_match_nothing():
    """Nothing to compare is not a likeness."""
    assert near_duplicates(["", "", "   ", "!!"]) == ()
    assert near_duplicates([]) == ()


@settings(max_examples=60, deadline=None)
@given(TITLES)
def test_identical_texts_are_always_pairs(titles):
    """A text handed in twice is found, whatever stands between, with the highest likeness."""
    texts = ["usage des manuels numériques", *titles, "usage des manuels numériques"]
    best = {(item.first, item.second): item for item in near_duplicates(texts)}
    assert best[0, len(texts) - 1].spelling == 100.0
    assert best[0, len(texts) - 1].words == pytest.approx(1.0)


@settings(max_examples=60, deadline=None)
@given(TITLES)
def test_the_order_of_texts_does_not_matter(titles):
    """Reversing the list gives the same pairs of texts when every neighbour is kept."""
    forward = {frozenset(pair) for pair in _pairs(titles, top=50)}
    backward = {frozenset(pair) for pair in _pairs(titles[::-1], top=50)}
    assert forward == backward


@given(TITLES, st.floats(0, 100))
@settings(max_examples=40, deadline=None)
def test_pairs_respect_their_thresholds(titles, least):
    """Each pair once, in order of position, above the spelling asked."""
    found = near_duplicates(titles, spelling_at_least=least)
    assert len({(item.first, item.second) for item in found}) == len(found)
    assert all(item.first < item.second and item.spelling >= least and item.words + 1e-6 >= 0.25 for item in found)
    assert list(found) == sorted(found, key=lambda item: (-item.spelling, -item.words, item.first, item.second))


@pytest.mark.parametrize("wrong", [{"top": 0}, {"words_at_least": 1.5}, {"spelling_at_least": -1}])
def test_thresholds_out_of_bounds_are_refused(wrong):
    """A threshold that means nothing is refused."""
    with pytest.raises(ValueError):
        near_duplicates(["a", "b"], **wrong)
