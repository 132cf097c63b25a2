"""What is not said: remarks that would bury those that matter."""

import pytest

from essaim.engines.intake import check
from essaim.engines.intake.cells_readers import read_cell
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
