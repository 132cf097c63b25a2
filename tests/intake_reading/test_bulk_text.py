"""Long delimited files take the columnar way and read like short ones, wrong bytes and odd quotes included."""

from __future__ import annotations

import random

import pytest

from essaim.engines.intake.reading import read_file, scan
from essaim.engines.intake.reading.encoding import seems_utf8

from .grids import values

ROW = "0350001A;École Jean Moulin;Rennes;12;31/08/2021\n"
HEAD = "UAI;Nom;Commune;Quantité;Date\n"


def long_text(*last: str) -> bytes:
    return (HEAD + ROW * 30_000 + "".join(last)).encode()


def test_a_wrong_byte_far_down_is_found():
    """A Windows-1252 byte that no sample sees still gives a text without damaged accents, and is told."""
    content = long_text() + b"0350002B;Coll\xe8ge;Br\xe9al;3;01/09/2021\n"
    result = read_file(content, "a.csv")
    assert values(result.tables[0])[-1] == ("0350002B", "Collège", "Bréal", "3", "01/09/2021")
    assert {"mixed_encoding", "encoding_guessed"} & set(dict(result.notices))


def test_samples_cut_inside_a_character_are_sound():
    """Sampling never takes a cut accent for a wrong byte, wherever the cut falls."""
    for shift in range(4):
        assert seems_utf8(b"a" * shift + "é€𝄞".encode() * 300_000)
    assert not seems_utf8(b"a" * 100 + b"\xe9" + b"b" * 2_000_000)


def test_blank_cells_of_a_long_file_are_empty():
    """White space, no-break spaces and empty quotes count as empty in a long file as in a short one."""
    last = '0350002B;" ";\u00a0;"";\u202f\n'
    assert values(read_file(long_text(last), "a.csv").tables[0])[-1] == ("0350002B", None, None, None, None)
    assert values(read_file((HEAD + ROW * 3 + last).encode(), "a.csv").tables[0])[-1] == ("0350002B", None, None, None, None)


def test_total_and_blank_lines_far_down_are_left_out():
    """A blank line and a total at the foot of a long file are skipped under their own row numbers."""
    table = read_file(long_text(";;;;\n", "TOTAL;;;360000;\n"), "a.csv").tables[0]
    assert table.frame.height == 30_000
    assert dict(table.skipped) == {30_002: "ligne vide", 30_003: "ligne de total"}


def by_counting(content: bytes) -> bool:
    """The rule of regular quotes, spelled with whole copies of the text."""
    plain = content.replace(b'""', b"")
    opening = plain.count(b';"') + plain.count(b'\n"') + plain.startswith(b'"')
    closing = plain.count(b'";') + plain.count(b'"\n') + plain.count(b'"\r') + plain.endswith(b'"')
    return content.count(b'"') % 2 == 0 and opening == closing and opening + closing == plain.count(b'"')


@pytest.mark.parametrize("block", [3, 5, 16])
def test_quotes_are_counted_by_blocks(monkeypatch, block):
    """The rule gives the same answer whatever the blocks cut, runs of quotes and ends of file included."""
    monkeypatch.setattr(scan, "_BLOCK", block)
    chance = random.Random(block)
    pieces = (b'"a";', b'"a""b"\n', b'"";', b"x\n", b'"x\r\n"', b'"', b';"y"', b'"""z"', b'q"q', b"\r")
    told = set()
    for _ in range(3_000):
        content = b"".join(chance.choice(pieces) for _ in range(chance.randint(1, 7)))
        told.add(by_counting(content))
        assert scan.regular_quotes(content, ";") == by_counting(content), content
    assert told == {True, False}
