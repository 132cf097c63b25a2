"""The French analyser: forms of a word meet, accents and case are ignored, identifiers keep their form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from essaim.engines.search import analysed, indexed_words, plain_words

WORDS = st.text(alphabet="abcdefghijklmnopqrstuvwxyzéèêàâçùûîïôœ'- ", max_size=60)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Les écoles élémentaires", "ÉCOLE ÉLÉMENTAIRE"),
        ("l'évaluation d’un élève", "évaluations des élèves"),
        ("cœur", "coeur"),
        ("Sacré-Cœur", "SACRE COEUR".replace("SACRE", "Sacré")),
        ("équipements numériques", "équipement numérique"),
        ("formation des enseignants", "formations d'enseignant"),
    ],
)
def test_forms_of_the_same_words_meet(one, other):
    """Singular and plural, elisions, ligatures and capitals give the same stems."""
    assert analysed(one) == analysed(other)


def test_the_stemmer_sees_accents_before_they_are_removed():
    """``privée`` meets ``privé`` only if the ending is read with its accent."""
    assert analysed("école privée") == analysed("écoles privés") == ("ecol", "priv")
    assert all(word.isascii() for word in analysed("élevé élève garçon"))


def test_identifiers_keep_their_form():
    """A UAI or a postal code is not stemmed."""
    assert analysed("0020011B 02000") == ("0020011b", "02000")
    assert plain_words("UAI n°0020011B") == ("uai", "n", "0020011b")


def test_stop_words_go_unless_they_are_everything():
    """``Les`` alone can still be looked for."""
    assert analysed("le lycée de la mer") == analysed("lycée mer")
    assert analysed("les") == analysed("les", keep_stop_words=True) != ()


@given(WORDS)
def test_what_is_typed_is_found(text):
    """Every plain word and every stem of a text is in what its index holds; case never matters."""
    held = set(indexed_words(text))
    assert set(plain_words(text)) | set(analysed(text)) <= held
    assert analysed(text) == analysed(text.upper())


@given(WORDS)
def test_analysis_gives_plain_ascii_words(text):
    """No blank, accent or capital comes out."""
    for word in (*analysed(text), *plain_words(text), *indexed_words(text)):
        assert word and word.isascii() and word == word.lower() and " " not in word
