"""What is looked for byte by byte, by blocks or by first letter is what the plain way finds."""

from __future__ import annotations

import os
import random
import subprocess
import sys

import pytest

from essaim.engines.intake.locate.shape import (
    BOOLEAN,
    CODE,
    DATE,
    MISSING,
    NUMBER,
    PROSE,
    TEXT,
    YEAR,
    kind_of,
)
from essaim.engines.intake.reading.delimited import _sample_width
from essaim.engines.intake.reading.scan import count_lines, holds, may_start_with_wide_space


@pytest.mark.parametrize(("needle", "rare"), [(b"<!", b"!"), (b"<f", b"f"), (b"hidden=", b"h"), (b"ab", b"b")])
def test_a_needle_is_found_by_its_rare_byte(needle, rare):
    """At the start, at the end, nowhere, after thousands of rare bytes alone."""
    draw = random.Random(2)
    for size in (0, 1, 5, 60, 9_000):
        noise = bytes(draw.choice(needle + b"xy <") for _ in range(size)).replace(needle, b"..")
        for content in (noise, needle + noise, noise + needle, noise + needle[:-1], rare * 3_000 + noise + needle, rare * 3_000):
            assert holds(content, needle, rare) == (needle in content)


@pytest.mark.parametrize("content", [b"a", b"a\n", b"\n", b"a\r\nb", "é;b\n\n1;2".encode()])
def test_lines_are_counted_ended_or_not(content):
    """As the pieces between line ends, but for an empty one after the last."""
    assert count_lines(content) == len(content.removesuffix(b"\n").split(b"\n"))


@pytest.mark.parametrize(
    ("text", "doubtful"),
    [("a;b\n1;2", False), ("é;ç\nà;œ", False), ("a;b\n1;\u00a02", True), ("\u00a0a;b", True), ("a;b\n\u202f1;2", True), ('a;"\u00a0b"', True), ("a;x\u00a0y", False)],
)
def test_a_field_that_begins_with_a_wide_space_is_never_missed(text, doubtful):
    """Accents of other bytes raise no doubt, nor do wide spaces inside a field."""
    assert may_start_with_wide_space(text.encode(), ";") == doubtful


@pytest.mark.parametrize(
    ("text", "kind"),
    [("2021", YEAR), ("1850", NUMBER), ("2021-2022", YEAR), ("2021/22", YEAR), ("12", NUMBER), ("12.5", NUMBER), ("5.", NUMBER), (".5", TEXT),
     ("1 234,5 €", NUMBER), ("1.234.567", NUMBER), ("-5", NUMBER), ("(3)", NUMBER), ("2021-02-03", DATE), ("2021-13-45", DATE), ("2021-02", YEAR),
     ("31/12/2021", DATE), ("2021-02-03 10:00", DATE), ("20210-2-03", CODE), ("0020011B", CODE), ("nd", MISSING), ("#REF!", MISSING), ("oui", BOOLEAN),
     ("École", TEXT), ("R12", CODE), ("a@b.fr", CODE), ("http://x", CODE), ("5", NUMBER), ("٣", NUMBER), ("x" * 161, PROSE), (" " * 200 + "12", NUMBER)],
)  # fmt: skip
def test_the_shape_of_a_cell(text, kind):
    """Shortcuts by first character give the shape that the whole list of patterns gives."""
    assert kind_of(text) == kind


@pytest.mark.parametrize(
    ("content", "width"),
    [(b"a;b;c\n1;2\n", 3), (b"a\n", 1), (b"", 1), (b"a;b\r\n1;2;3;4\r\n", 4), (b'a;"b;c;d"\n1;2\n', 2), (b"a;b\r1;2;3\n", 3), (b"a;b\n1;2;3;4;5", 5)],
)
def test_the_width_of_a_text_is_that_of_its_widest_record(content, width):
    """With and without quotes, with any line end, complete or not."""
    assert _sample_width(content, ";") == width


HERE = r"""
import os, sys, threading
os.environ["_RJEM_MALLOC_CONF"], os.environ["OPENBLAS_NUM_THREADS"], os.environ["ESSAIM_HOME"] = "background_thread:false", "1", "/secret"
from essaim.engines.intake.contain import contained, warm
from essaim.engines.intake.grid import letter_of
from essaim.engines.intake.tables import FileRefused, Limits
from essaim.config.cli.files import _home
assert contained(letter_of, 27, here=True) == "AB" and warm._idle == []
assert str(contained(_home, here=True)) == "var"
from essaim.engines.intake.reading import read_file
big = b"uai;nom;nombre\n" + b"0350001A;Ecole Jean Moulin;12\n" * 3_000_000
for call, limits, code in (((read_file, big, "a.csv"), Limits(seconds=0.05), "too_much_time"), ((letter_of, "x"), Limits(), "unreadable_file")):
    try:
        raise SystemExit(contained(*call, here=True, limits=limits))
    except FileRefused as refusal:
        assert refusal.code == code, refusal.code
try:
    os.waitpid(-1, os.WNOHANG)
    raise SystemExit("a call is left")
except ChildProcessError:
    pass
stop = threading.Event()
threading.Thread(target=stop.wait).start()
assert contained(letter_of, 27, here=True) == "AB" and len(warm._idle) == 1
stop.set()
warm.close_all()
"""


def test_a_call_forked_from_its_own_process_knows_no_setting_and_leaves_nothing():
    """Without a thread at work the call is forked from here; with one, from a process kept ready, as any other."""
    done = subprocess.run([sys.executable, "-c", HERE], capture_output=True, text=True, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}, timeout=300)
    assert done.returncode == 0, done.stderr
