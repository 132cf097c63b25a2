"""What is not said: remarks that would bury those that matter."""

from math import log10
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from essaim.engines.intake import check
from essaim.engines.intake.cells_readers import read_cell
from essaim.engines.intake.contract import Contract, Field, FieldType
from essaim.equipment.contracts import CATEGORY, DELIVERIES
from intake.understanding import codes, good, numbered, run, table, uai


def test_rows_refused_for_want_of_an_identifier_are_not_said_to_look_alike():
    """Without UAI, « same identity as line 3 » would be told of every row."""
    bare = [{key: text for key, text in good().items() if key != "UAI"} for _ in range(5)]
    assert codes(run(table(bare))) == {"column_missing"}
    empty = run(table(numbered(3) + [good(UAI=None, Quantité=str(i)) for i in range(1, 4)]))
    assert "duplicate_conflict" not in codes(empty) and empty.refused.height == 3


@pytest.mark.parametrize(("values", "told"), [([str(int(1.25**i)) for i in range(8, 62)], set()), (["12"] * 40 + ["13"] * 10 + ["120000"], {"outlier"})])
def test_a_long_tail_is_not_a_mistake_of_unit(values, told):
    """Communes grow without a gap up to Paris; a price in cents stands alone."""
    rows = numbered(len(values), **{"Montant HT": None})
    for row, value in zip(rows, values, strict=True):
        row["Prix unitaire HT"] = value
    assert codes(run(table(rows))) == told


FAR = Contract("t.far", 1, "Loin", "", (Field("id", "Nom", FieldType.TEXT, required=True), Field("price", "Prix", FieldType.DECIMAL)), key=("id",))


def _far_in_plain_words(values: list[float]) -> list[int]:
    """Places of the values a hundred times the usual one, six robust deviations from it and three times the largest of the others."""
    positive = [value for value in values if value > 0]
    if len(values) < 30 or not positive:
        return []
    usual = median(positive)
    spread = 1.4826 * median(abs(log10(value / usual)) for value in positive)
    limit = usual * 10 ** max(2, 6 * spread)
    limit = max(limit, 3 * max(value for value in [0.0, *values] if value <= limit))
    return [place for place, value in enumerate(values) if value > limit]


@settings(deadline=None)
@given(
    low=st.lists(st.integers(-3, 40), min_size=25, max_size=60), wide=st.lists(st.integers(1, 9).map(lambda power: 7**power), max_size=20),
    high=st.lists(st.integers(3, 8).map(lambda power: 1.3 * 10**power), max_size=4),
)  # fmt: skip
def test_numbers_far_from_the_others_are_those_plain_words_say(low, wide, high):
    """However the others are spread, the shortcuts tell the same rows as the definition."""
    values = [float(value) for value in (*low, *wide, *high)]
    found = check(("Nom;Prix\n" + "".join(f"n{place};{value}\n" for place, value in enumerate(values))).encode(), "x.csv", FAR)
    assert sorted(found.issues.filter(code="outlier")["row"]) == [place + 2 for place in _far_in_plain_words(values)]


@pytest.mark.parametrize(
    ("text", "value"),
    [("Tablettes Samsung Galaxy Tab A8", "tablette"), ("Imprimante laser couleur A3", "imprimante_reseau"), ("Écran interactif 75 pouces", "ecran_interactif"), ("Ordinateur portable HP 250 G8", "ordinateur_portable")],
)  # fmt: skip
def test_a_category_followed_by_a_brand_is_read_aloud(text, value):
    """The first words say what it is; the sender is asked to look."""
    found = read_cell(text, CATEGORY)
    assert (found.value, found.remark) == (value, "code_head") and found.suggestion


@pytest.mark.parametrize("text", ["Housse pour tablette", "Ordinateur HP EliteBook", "PC Dell", "Tablettes et chariot", "Micro portable ou tablette", "Support vidéoprojecteur", "tablete"])
def test_what_begins_with_something_else_or_names_two_is_refused(text):
    """An accessory is not the thing, an ordinateur may be either kind, two things are not one."""
    found = read_cell(text, CATEGORY)
    assert found.value is None and found.problem == "code_unknown"


@pytest.mark.parametrize("text", ["néant", "Néant", "aucune", "s.o."])
def test_none_in_words_is_a_reason_not_a_value(text):
    """« Néant » under a date says that there is none."""
    content = f"UAI;Matériel;Quantité;Date de livraison;Date d'installation\n{uai(1)};Tablette;3;14/03/2022;{text}\n"
    result = check(content.encode(), "x.csv", DELIVERIES)
    assert result.rows["installed_on"].to_list() == [None] and result.missing_why["why"].to_list() == ["sans_objet"]




def test_a_table_without_rows_is_said_to_be_empty_not_to_lack_its_columns():
    """The model sent back unfilled."""
    result = check("UAI;Matériel;Quantité;Date de livraison\n".encode(), "modele.csv", DELIVERIES)
    assert result.status == "refused" and "aucune ligne" in result.summary["message"][0] and "Aucun tableau" not in result.summary["message"][0]
