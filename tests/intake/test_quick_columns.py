"""The fast ways of the intake give what the slow ones give."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from essaim.engines.intake import check, check_many, to_json
from essaim.engines.intake import check_received as receiving
from essaim.engines.intake.cells_quick import glance
from essaim.engines.intake.cells_readers import PLAIN, ColumnSense, read_cell, reads_as
from essaim.engines.intake.contract import Code, Contract, Field, FieldType
from essaim.engines.intake.mapping_content import fit
from essaim.engines.intake.mapping_pairs import heaviest_pairs
from essaim.engines.intake.tables import FileRefused
from essaim.kernel import uai

T = FieldType
TEXTS = [
    "0020011B", "0020011b", "0020011C", "002001 1B", "é020011B", "0020011", "1004", "01004", "2A004", "2B033", "20004", "97105", "99999", "+1234",
    "tablette", "Tablettes", "ecran", "12", "-5", "+7", "007", "1e3", "inf", "nan", "1.5", "2.500", "12.345", "-1.234", "999.999", "1000.123", "0.500",
    "5.12", "1,5", "1 234,5", "2021-02-03", "2021-02-31", "0999-01-01", "1000-01-01", "31/12/2021", "44562", "true", "false", "Vrai", "oui",
    "2021-2022", "2021-2023", "1799-1800", "02", "2A", "971", "20", "123456782", "123456789", "35600000000048", "W751234567", "w751234567", "nd",
    "N.D.", "-", "#N/A", "Err:502", "a  b", "a\u00a0b", " x", "x ", "", " ", "Ã©cole", "école", "a\tb", "Errata",
]  # fmt: skip
CODES = (Code("tablette", "Tablette"), Code("ecran", "Écran"))


def _field(kind: FieldType) -> Field:
    return Field("f", "F", kind, codes=CODES if kind is T.CODE else ())


@pytest.mark.parametrize("kind", list(T))
@pytest.mark.parametrize("times", [1, 900])
@pytest.mark.parametrize("sense", [PLAIN, ColumnSense(thousands=".")])
def test_a_glance_only_keeps_what_the_reader_of_cells_would_give(kind, times, sense):
    """In a short column and in a long one, a cell that is not left to be read has the value its reader gives; none is lost."""
    texts = [*TEXTS, None] * times
    seen = glance(pl.Series("f", texts, dtype=pl.String), _field(kind), sense)
    rest = set(seen.rest.to_list())
    assert seen.texts.to_list() == [texts[place] for place in seen.rest.to_list()]
    given = {text: read_cell(text, _field(kind), sense) for text in TEXTS}
    for place, (text, value) in enumerate(zip(texts, seen.values.to_list(), strict=True)):
        if place in rest:
            assert value is None and text is not None
        elif text is None or not text.strip():
            assert value is None
        else:
            assert value == given[text].value and given[text].problem is None


def test_a_glance_at_a_uai_knows_its_key():
    """Eight bytes worked on at once accept exactly the identifiers whose key letter follows from their digits."""
    draw = random.Random(1)
    texts = [f"{draw.randrange(10**7):07d}{draw.choice('ABCDEFGHIJKLMNOPQRSTUVWXYZ1é')}" for _ in range(20_000)]
    texts += [f"{number:07d}{uai.key_letter(f'{number:07d}')}" for number in range(0, 10**7, 1_009)]
    texts += [text[:place] + odd + text[place + 1 :] for text in texts[-50:] for place in range(8) for odd in "/:\x7f\x00é"]
    seen = glance(pl.Series("f", texts), _field(T.UAI), PLAIN)
    odd = set(seen.rest.to_list())
    assert [place not in odd for place in range(len(texts))] == [uai.check(text).value == text for text in texts]


def test_a_code_written_as_it_is_counts_as_the_reader_of_cells_says():
    """The share of a column that fits a list of codes is that of the cells its reader accepts, exact codes known at once included."""
    texts = [text for text in TEXTS if text.strip()]
    field = _field(T.CODE)
    assert fit(texts, field) == sum(reads_as(text, field) for text in texts) / len(texts) > 0


def test_a_long_column_of_few_texts_is_seen_by_its_distinct_texts():
    """Few texts, none odd: nothing is looked at cell by cell. One odd cell among a hundred thousand is still found."""
    texts = [f"remarque {number % 50}" for number in range(100_000)]
    assert glance(pl.Series("f", texts), _field(T.TEXT), PLAIN).distinct is not None
    texts[77_777] = "deux  blancs"
    seen = glance(pl.Series("f", texts), _field(T.TEXT), PLAIN)
    assert seen.distinct is None and seen.rest.to_list() == [77_777]


LONG = Contract(
    "t.long", 1, "Long", "",
    (Field("ref", "Référence", T.TEXT, required=True), Field("lot", "Lot", T.TEXT, pattern="L[0-9]{3}", max_length=4), Field("n", "Nombre", T.INTEGER, maximum=100)),
    key=("ref",),
)  # fmt: skip


def _long(rows: int) -> bytes:
    lots = {7: "X1", 60_000: "L12345"}
    lines = (f"R{number};{lots.get(number, f'L{number % 900:03d}')};{'x' if number == 9 else number % 90}" for number in range(rows))
    return ("Référence;Lot;Nombre\n" + "\n".join(lines)).encode()


def test_a_long_file_and_a_short_one_are_told_the_same_way():
    """The cells accused of a file of two hundred thousand lines are those accused of its pieces."""
    found = check(_long(210_000), "a.csv", LONG)
    accused = found.issues.select("code", "row", "field", "value").rows()
    assert accused == [("pattern", 9, "lot", "X1"), ("number_format", 11, "n", "x"), ("pattern", 60_002, "lot", "L12345"), ("too_long", 60_002, "lot", "L12345")]
    assert to_json(check(_long(50), "a.csv", LONG))["issues"] == to_json(found)["issues"][:2]


def test_rows_are_written_out_when_looked_at_and_counted_before():
    """How many rows are refused is known without them; looking at one side leaves the other to come."""
    found = check(_long(70_000), "a.csv", LONG)
    assert found.rows_refused == 3 and set(found.unbuilt) == {"rows", "refused", "issues", "summary"}
    assert to_json(found)["rows_refused"] == 3 and set(found.unbuilt) == {"rows", "refused"}
    assert found.refused["lot"].to_list() == ["X1", "L009", "L12345"] and found.rows.height == 69_997 and not found.unbuilt
    assert replace(found, filename="b").rows.equals(found.rows)


def test_a_report_for_people_writes_no_issue_out():
    """Without issues the report has the same counts, and the issues are still to be written."""
    found = check(_long(50), "a.csv", LONG)
    brief = to_json(found, issues=False)
    assert brief["issues"] == [] and "issues" in found.unbuilt
    assert {**brief, "issues": to_json(found)["issues"]} == to_json(found) and len(to_json(found)["issues"]) == 2


def test_the_heaviest_pairs_are_those_of_scipy_ties_included():
    """Same pairs as scipy on tables of any shape, where many weights are equal."""
    optimize = pytest.importorskip("scipy.optimize")
    draw = np.random.default_rng(3)
    for _ in range(300):
        shape = tuple(draw.integers(1, 14, 2))
        weights = draw.choice([0.0, 0.0, 0.08, 0.17, 0.43, 0.96, 1.0], shape)
        for ours, theirs in zip(heaviest_pairs(weights), optimize.linear_sum_assignment(weights, maximize=True), strict=True):
            assert ours.tolist() == theirs.tolist()


FILES = [(b"R\xc3\xa9f\xc3\xa9rence;Lot;Nombre\nA;L001;1\n", "a.csv"), (b"%PDF-1.4 x", "b.xlsx"), (b"R\xc3\xa9f\xc3\xa9rence;Lot;Nombre\nB;L002;x\n", "c.csv")]


def _told(found):
    return [to_json(item) for item in found]


def test_files_read_together_in_one_contained_process_are_those_read_alone(tmp_path):
    """Contained or not, from bytes or from paths, together or one by one: same reports, in order, the unreadable one apart."""
    alone = [to_json(check(content, name, LONG)) for content, name in FILES]
    paths = [(tmp_path / name, name) for _, name in FILES]
    for (path, _), (content, _) in zip(paths, FILES, strict=True):
        path.write_bytes(content)
    assert [item["status"] for item in alone] == ["clean", "refused", "issues"]
    assert _told(check_many(FILES, LONG)) == _told(check_many(FILES, LONG, contain=True)) == _told(check_many(paths, LONG, contain=True)) == alone


def test_a_file_that_breaks_the_shared_process_leaves_the_others_read(monkeypatch):
    """When the process of a group dies, its files are read again, each in its own."""
    from essaim.engines.intake import contain

    asked: list[str] = []

    def broken(function, *args, **named):
        asked.append(function.__name__)
        if function.__name__ == "read_files":
            raise FileRefused("contained_crash", "…")
        return function(*args, limits=named["limits"], vocabulary=named["vocabulary"])

    monkeypatch.setattr(contain, "contained", broken)
    assert [item.status for item in check_many(FILES, LONG, contain=True)] == ["clean", "refused", "issues"]
    assert asked == ["read_files", "read_file", "read_file", "read_file"]


def test_a_file_too_heavy_for_a_group_is_read_alone(monkeypatch):
    """Files that weigh more together than one may are not read together."""
    heavy = receiving.Reader(frozenset(), replace(receiving.Limits(), file_bytes=len(FILES[0][0]) + 1), False)
    assert heavy._together([FILES[0], FILES[2]]) == []


def test_a_file_on_disk_above_the_limit_is_refused_without_being_read_whole(tmp_path: Path):
    """The refusal says the weight; the fingerprint is still that of the bytes received."""
    path = tmp_path / "a.csv"
    path.write_bytes(FILES[0][0])
    read, sha256 = receiving.Reader(frozenset(), replace(receiving.Limits(), file_bytes=5), False).receive(path, "a.csv")
    assert isinstance(read, FileRefused) and read.code == "file_too_large" and sha256 == receiving.fingerprint(FILES[0][0])
