"""What is decided at a glance about an ordinary file is what the close look decides."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from essaim.engines.intake.cells_missing import why_missing
from essaim.engines.intake.cells_readers import read_cell, reads_as
from essaim.engines.intake.contract import Field, FieldType
from essaim.engines.intake.locate import body, headers, shape
from essaim.engines.intake.mapping_content import SAMPLE, fit, sample_of
from essaim.engines.intake.reading import delimited
from essaim.engines.intake.tables import FileRefused, Limits
from essaim.kernel.french import read_date

LABELS = ("UAI", "Commune", "Date", "Nombre")
VOCABULARY = frozenset(("uai", "commune", "date", "nombre", "date de livraison"))
WORDS = ["0020011D", "Laon", "Total", "TOTAL général", "Sous-total", "ensemble", "Moyenne", "12", "2021-03-05", "UAI", "Commune", "Nombre", "1", "2", "3", "4",
         "Source : mairie de Laon", "École A", "nd", "*** note", "Date", " uai ", "2021", "0020012E École B"]  # fmt: skip
CELLS = st.one_of(st.sampled_from(WORDS), st.none(), st.integers(0, 99).map(str))
LINES = st.lists(st.tuples(*[CELLS] * 4), min_size=1, max_size=12)


def frame_of(lines):
    return pl.DataFrame([list(column) for column in zip(*lines, strict=True)], schema={f"c{i}": pl.String for i in range(len(lines[0]))})


@settings(deadline=None)
@given(LINES, st.sampled_from((LABELS, None)))
def test_a_body_without_anything_odd_is_kept_whole(lines, header):
    """Whenever the glance says that every line is data, the close look leaves none out."""
    frame = frame_of(lines)
    rows = pl.int_range(2, 2 + frame.height, dtype=pl.UInt32, eager=True)
    if not body._is_all_data(frame, body.filled(frame), LABELS, header):
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(body, "_is_all_data", lambda *given: False)
        kept, numbers, skipped = body.split_body(frame, rows, LABELS, header, frozenset())
    assert kept.equals(frame) and numbers.equals(rows) and skipped == []


def test_an_ordinary_body_is_known_at_a_glance():
    """The glance is worth something: a plain table passes, a total, a sparse line or its header again does not."""
    plain = [("0020011D", "Laon", "2021-03-05", "12"), ("0020012E", "Guise", None, "5")] * 3
    odd = [("Total", None, None, "17"), (None, "Laon", None, None), LABELS]
    told = [body._is_all_data(frame_of(lines), body.filled(frame_of(lines)), LABELS, LABELS) for lines in (plain, *([*plain, line, *plain] for line in odd))]
    assert told == [True, False, False, False]


@settings(deadline=None)
@given(LINES)
def test_lines_that_cannot_be_the_header_are_passed_over(lines):
    """The header found is the same as when every line is weighed."""
    window = headers.Window(tuple(lines), tuple(lines), tuple(range(1, len(lines) + 1)))
    found = headers.find_header(window, VOCABULARY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(headers, "_cannot_beat", lambda *given: False)
        assert headers.find_header(window, VOCABULARY) == found


def test_data_lines_are_not_weighed(monkeypatch):
    """Under a header of the contract's words, ordinary lines are passed over."""
    lines = [LABELS, *[("0020011D", "Laon", "2021-03-05", "12")] * 30]
    weighed = []
    monkeypatch.setattr(headers, "_score", lambda window, kinds, position, *more: weighed.append(position) or (8.0 if position == 0 else 1.0))
    assert headers.find_header(headers.Window(tuple(lines), tuple(lines), tuple(range(31))), VOCABULARY).first == 0
    assert weighed == [0]


@settings(deadline=None)
@given(st.one_of(st.text(max_size=12), st.sampled_from(WORDS), st.sampled_from(("Date de  livraison", "(Uai)", "éa", "ÉA", "œ"))))
def test_a_first_letter_rules_out_only_what_is_not_expected(cell):
    """Words are looked for in the vocabulary unless none begins as they do."""
    vocabulary = VOCABULARY | {"ea", "oe", "2021"}
    assert shape.is_expected(cell, vocabulary) == (shape.words_of(cell) in vocabulary or " ".join(cell.split()).casefold() in vocabulary)


@settings(deadline=None)
@given(st.text(alphabet="ab1;,|\t\"\n ", max_size=60))
def test_the_only_separator_present_needs_no_weighing(text):
    """The same separator as when each is scored."""
    scores = {separator: delimited._separator_score(text, separator, VOCABULARY) for separator in delimited._SEPARATORS}
    best = max(scores, key=lambda separator: scores[separator])
    assert delimited.find_separator(text.encode(), VOCABULARY) == (best if scores[best] > 0 else ";")


@settings(deadline=None)
@given(st.lists(st.text(alphabet="ab", max_size=30), max_size=6), st.integers(1, 40))
def test_short_lines_hold_no_long_cell(lines, most):
    """A text said to have short lines has none that is longer; only one about as long as the limit may not be said to."""
    if delimited.has_short_lines("\n".join(lines).encode(), most):
        assert max(map(len, lines), default=0) <= most
    else:
        assert max(map(len, lines)) >= most


def test_a_long_cell_over_short_lines_is_refused():
    """Quotes join lines: the cell is measured, not its lines."""
    content = b'uai;n\n0350001A;"' + b"abc\n" * 20 + b'"\n'
    with pytest.raises(FileRefused) as refused:
        delimited.read_delimited(content, "a", Limits(cell_characters=40), frozenset())
    assert refused.value.code == "cell_too_long"
    assert delimited.read_delimited(content, "a", Limits(cell_characters=90), frozenset())[0].height == 2


TEXTS = st.lists(
    st.one_of(st.sampled_from(("12", "0", "007", "1.5", "1.234", "12.0", "-3", "2021-08-31", "2021-02-30", "0999-01-01", "20210831", "31/08/2021", "5000", "123456789", "douze", "1 200,5")),
              st.from_regex(r"[0-9]{1,9}(\.[0-9]{1,3})?", fullmatch=True), st.dates().map(str)), min_size=1, max_size=9)  # fmt: skip


def plain_fit(texts, field):
    """The share as it is defined, each text read in full."""
    shares = []
    for text in texts:
        value = read_cell(text, field).value
        if field.type is FieldType.DATE:
            shares.append(float(reads_as(text, field) and not text.replace(".", "").isdigit()))
        elif value is None or value < 0 or value > 4000:
            shares.append(0.0)
        else:
            shares.append(0.3 if text.strip().isdigit() and (len(text.strip()) >= 9 or text.strip().startswith("00")) else 1.0)
    return sum(shares) / len(shares)


@settings(deadline=None)
@given(TEXTS, st.sampled_from((FieldType.INTEGER, FieldType.DECIMAL, FieldType.MONEY, FieldType.PERCENT, FieldType.DATE)))
def test_plain_cells_fit_as_if_they_were_read(texts, kind):
    """Numbers and days as software writes them are told without being read; the share is the same."""
    bounds = {} if kind is FieldType.DATE else {"minimum": 0, "maximum": 4000}
    field = Field("n", "N", kind, **bounds)
    assert fit(texts, field) == plain_fit(texts, field)


@settings(deadline=None)
@given(TEXTS)
def test_a_text_column_of_dates_is_not_text(texts):
    """Four dates in five, and no less."""
    dates = sum(read_date(text) is not None for text in texts) >= 0.8 * len(texts)
    assert (fit(texts, Field("t", "T", FieldType.TEXT)) == 0.0) == dates


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.sampled_from(("nd", " ", "a", "b", "-", "12"))), max_size=2_000), st.booleans())
def test_a_sample_is_of_the_first_cells_that_hold_something(cells, few):
    """However many are empty before them."""
    size = 16 if few else SAMPLE
    held = list(dict.fromkeys([cell for cell in cells[: 64 * size] if cell is not None][: 8 * size]))
    wanted = [text for text in held[: 2 * size] if text.strip() and not why_missing(text, FieldType.INTEGER)][:size]
    assert sample_of(pl.Series(cells, dtype=pl.String), few=few) == wanted
