"""A key written twice in one JSON object loses a value without a word in any reader: refused where the two differ."""

from __future__ import annotations

import json

import pytest

from essaim.engines.intake import check
from essaim.engines.intake.reading.json_keys import check_keys
from essaim.equipment.contracts import DELIVERIES
from intake.understanding import uai

RECORD = f'{{"uai": "{uai(1)}", "materiel": "Tablette", "quantite": 5, "date_livraison": "2022-03-01"%s}}'


@pytest.mark.parametrize("wrap", ["[{}]", "{}", '{{"livraisons": [{}]}}', "{0}\n{0}", '{{"total_count": 1, "results": [{{"fields": {}}}]}}'], ids=["array", "object", "named array", "lines", "envelope"])
def test_two_values_for_one_key_refuse_the_file_and_are_both_shown(wrap):
    """« quantite » 5, then 900: neither is counted."""
    result = check(wrap.format(RECORD % ', "quantite": 900').encode(), "e.json", DELIVERIES)
    assert result.status == "refused" and result.issues["code"].to_list() == ["json_repeated_key"]
    assert all(shown in result.issues["message"][0] for shown in ("« quantite »", "« 5 »", "« 900 »"))


@pytest.mark.parametrize("record", [RECORD % ', "quantite": 5', RECORD % ', "observations": "dit \\"quantite\\": 3"', (RECORD % "").replace('":', '" :'), (RECORD % "").replace('":', '"\t:')])
def test_the_same_value_twice_texts_that_look_like_keys_and_spaces_before_colons_are_read(record):
    result = check(f"[{record}]".encode(), "e.json", DELIVERIES)
    assert result.rows["quantity"].to_list() == [5] and result.rows_refused == 0


def test_a_repeated_key_deep_in_lists_of_lists_is_seen():
    with pytest.raises(Exception, match="deux fois"):
        check_keys(b'[[[{"a": [[{"b": 1, "b": 2}]]}]]]', json.loads('[[[{"a": [[{"b": 2}]]}]]]'))
