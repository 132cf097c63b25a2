"""Files of one model read together: the same answer as file by file, whatever a sender has done to their copy."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from essaim.engines.intake import check, check_many, to_json
from essaim.engines.intake.locate.headers import rivals_allowed
from essaim.engines.intake.mapping_names import vocabulary
from essaim.engines.intake.reading.alike import read_alike
from essaim.engines.intake.tables import Limits
from intake.understanding import CONTRACT, good

HEAD = list(good())
WORDS = vocabulary(CONTRACT)


def _lines(rows, start=0):
    return [HEAD] + [[value or "" for value in good(**{"N° de commande": f"BC-{start + i}", "Quantité": str(1 + i % 40)}).values()] for i in range(rows)]


def _repeat(lines, place):
    lines.insert(place, list(HEAD))


def _other_header(lines, place):
    lines.insert(place, [*reversed(HEAD)])


def _set(place_of_cell, text):
    def act(lines, place):
        lines[place][place_of_cell % len(lines[place])] = text

    return act


def _line(*cells):
    def act(lines, place):
        lines.insert(place, [*cells, *[""] * (len(HEAD) - len(cells))])

    return act


SPOILED = {
    "blank line": _line(),
    "total": _line("TOTAL", "", "12"),
    "total inside a cell": _set(2, "sous-total du lot"),
    "note": _line("Source : service des moyens généraux"),
    "section": _line("École de Laon"),
    "header again": _repeat,
    "another header": _other_header,
    "numbers of columns": _line(*map(str, range(1, len(HEAD) + 1))),
    "units": _line(*["(nombre)", "(en €)", "jj/mm/aaaa"] * 3),
    "a label as value": _set(1, HEAD[1]),
    "words only": lambda lines, place: lines.insert(place, list("abcdefghijklmnop"[: len(HEAD)])),
    "words of the contract": lambda lines, place: lines.insert(place, [HEAD[-1], HEAD[0], HEAD[1], HEAD[2], "12", *[""] * (len(HEAD) - 5)]),
    "blanks": _set(0, " \u00a0"),
    "short line": lambda lines, place: lines.__setitem__(place, lines[place][:3]),
    "long line": lambda lines, place: lines[place].append("de trop"),
    "two schools in a line": lambda lines, place: lines[place].__setitem__(slice(0, 2), ["0020001A", "0020002B"]),
    "quotes": _set(3, '"a;b"'),
    "apostrophe": _set(3, "'=1+1"),
    "a word with an apostrophe": _set(3, "l'étage d’en haut"),
    "repetition": _set(0, "idem"),
    "a sign of repetition": _set(1, "″"),
    "far number": _set(HEAD.index("Quantité"), "4999"),
    "only the header": lambda lines, place: lines.__delitem__(slice(1, None)),
    "nothing": lambda lines, place: None,
}  # fmt: skip


def _told(found):
    return to_json(found), found.rows.to_dicts(), found.refused.to_dicts(), found.missing_why.to_dicts(), found.extra


def _bytes(lines, end="\n", encoding="utf-8"):
    return end.join(";".join(line) for line in lines).encode(encoding, "replace")


def _same_as_alone(files):
    for (content, name), together in zip(files, check_many(files, CONTRACT), strict=True):
        assert _told(together) == _told(check(content, name, CONTRACT)), name


@pytest.mark.parametrize("fault", SPOILED)
@pytest.mark.parametrize("size", [12, 230])
def test_one_spoiled_copy_of_the_model_is_understood_as_if_alone(fault, size):
    """At the top, in the middle or at the end of one copy among clean ones, each fault gives what it gives alone."""
    files = [(_bytes(_lines(size, 1000)), "propre.csv"), (_bytes(_lines(size + 1, 5000)), "propre2.csv")]
    for place in (1, size // 2, size):
        lines = _lines(size)
        SPOILED[fault](lines, place)
        files.append((_bytes(lines), f"{fault} {place}.csv"))
    _same_as_alone(files)


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.tuples(st.sampled_from(sorted(SPOILED)), st.sampled_from(["\n", "\r\n"]), st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16"])), min_size=2, max_size=6),
    st.integers(0, 10**6),
)
def test_any_mix_of_copies_is_understood_as_if_alone(kinds, seed):
    """Faults, line ends and encodings drawn at random."""
    draw = random.Random(seed)
    files = []
    for number, (fault, end, encoding) in enumerate(kinds):
        lines = _lines(draw.choice([5, 60, 240]), 1000 * number)
        SPOILED[fault](lines, draw.randrange(1, len(lines)))
        files.append((_bytes(lines, end, encoding), f"{number}.csv"))
    _same_as_alone(files)


def test_copies_of_the_model_are_read_at_once():
    """Clean copies all have their answer from one reading, in place and of the right sheet; one with a total is left to be read alone."""
    spoiled = _lines(30)
    spoiled.append(["TOTAL"])
    contents = [_bytes(_lines(5)), _bytes(_lines(300, 10), "\n"), _bytes(spoiled), _bytes(_lines(7, 900)) + b"\n"]
    found = read_alike([(content, f"copie {i}.csv") for i, content in enumerate(contents)], Limits(), WORDS)
    assert sorted(found) == [0, 1, 3]
    assert [(read.filename, read.tables[0].sheet, read.tables[0].frame.height) for read in found.values()] == [
        ("copie 0.csv", "copie 0", 5), ("copie 1.csv", "copie 1", 300), ("copie 3.csv", "copie 3", 7)]  # fmt: skip
    assert found[3].tables[0].frame["row"].to_list() == list(range(2, 9)) and found[3].tables[0].frame["c0"][0] == _lines(7, 900)[1][0]


def test_limits_hold_for_files_read_at_once():
    """Too many rows, columns or characters are left to the ordinary reading, which refuses them."""
    files = [(_bytes(_lines(20)), "a.csv"), (_bytes(_lines(20)), "b.csv")]
    for limits in (Limits(rows=10), Limits(columns=3), Limits(cell_characters=20), Limits(file_bytes=100)):
        assert read_alike(files, limits, WORDS) == {}
        assert [found.status for found in check_many(files, CONTRACT, limits=limits)] == ["refused"] * 2 or limits.cell_characters == 20


def test_a_header_is_beyond_doubt_only_when_it_fills_each_column_with_a_label_of_its_own():
    """A gap, the same label twice, a number or a school among the labels leave it in doubt."""
    assert rivals_allowed(HEAD, WORDS) is not None
    for other in (["", *HEAD[1:]], [HEAD[1], *HEAD[1:]], ["12", *HEAD[1:]], ["École 0020001A", *HEAD[1:]], ["x" * 71, *HEAD[1:]]):
        assert rivals_allowed(other, WORDS) is None


def test_what_is_usual_is_told_file_by_file():
    """A number far from those of its own file is told with their usual value, not with that of the files beside it."""
    small, large = _lines(40), _lines(40, 100)
    place = HEAD.index("Quantité")
    for line in large[1:]:
        line[place] = "900"
    small[5][place] = "4900"
    files = [(_bytes(small), "petit.csv"), (_bytes(large), "grand.csv")]
    assert "outlier" in set(check_many(files, CONTRACT)[0].issues["code"])
    _same_as_alone(files)
