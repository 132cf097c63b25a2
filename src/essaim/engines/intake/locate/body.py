"""The lines under a header: data kept; blank, total, note and repeated header lines left out with their reason."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from ..grid import row_numbers
from ..masks import true_rows
from .headers import is_numbering
from .shape import CODE, DATA, NUMBER, TEXT, kind_of, one_line
from .sums import is_description, is_example, sums_of_lines

BLANK, TOTAL, NOTE, REPEATED, NUMBERING, SECTION, TITLE, EXAMPLE, UNITS = (
    "ligne vide",
    "ligne de total",
    "note",
    "répétition de l'en-tête",
    "numéros de colonnes",
    "intertitre",
    "texte avant le tableau",
    "ligne d'exemple",
    "unités ou formats des colonnes",
)
_TOTAL = re.compile(
    r"\s*(?:\*\s*)?(?:s(?:ous|/|\.)?[\s./-]*)?tota(?:l|ux)(?:\s+(?:g[ée]n[ée]ra(?:l|ux)|r[ée]sultat|cumul[ée]|interm[ée]diaire|ht|ttc|h\.t\.?|t\.t\.c\.?))*\s*:?\s*$"
    r"|\s*(?:s(?:ous|/|\.)?[\s./-]*)?tota(?:l|ux)\s+\S.*$"
    r"|\s*(?:montant\s+)?(?:t\.?v\.?a\b|net\s+[àa]\s+payer).{0,20}$"
    r"|\s*(?:[àa]\s+reporter|reports?)\s*:?\s*$|\s*report\s+(?:de\s+la\s+)?page\b.{0,20}$"
    r"|\s*(?:ensemble|cumul|moyenne|somme|r[ée]capitulatif|grand\s+total)\s*:?\s*$",
    re.IGNORECASE,
)
_NOTE = re.compile(r"\s*(?:\*+|\(\d+\)|\(\*\)|sources?\b|notes?\b|nb\b|n\.b\.|l[ée]gende\b|remarques?\s*:|fait\s+[àa]\b|signature|lecture\s*:|champ\s*:|attention\b|©|(?:[ée]dit[ée]e?|imprim[ée]e?|extrait)\s+le\b)", re.IGNORECASE)
_MARKS = ["otal", "OTAL", "otaux", "OTAUX", "nsemble", "NSEMBLE", "umul", "UMUL", "oyenne", "OYENNE", "omme", "OMME", "écap", "ecap", "ÉCAP", "ECAP", "TVA", "tva", "T.V", "payer", "PAYER", "eport", "EPORT"]
_LOT = re.compile(r"\s*(?:lot|tranche|chapitre)\s+(?:n[°o]\s*)?\w{1,3}\b", re.IGNORECASE)
_SCHOOL = re.compile(r"\s*(?:(?:UAI|RNE)?\W*\d{7} ?[A-Z]\b|(?:[ée]cole|coll[èe]ge|lyc[ée]e|groupe scolaire)\b)", re.IGNORECASE)
MARKED = "|".join(map(re.escape, _MARKS))
_CANDIDATES = 200_000
GLANCED = 50_000


@dataclass(frozen=True, slots=True)
class Profile:
    """What an ordinary line of the table looks like, from a ``sample`` of its lines."""

    fill: int
    texts: int
    kinds: tuple[str | None, ...]
    sample: pl.DataFrame
    _schools: dict[int, bool] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def text_columns(self) -> list[int]:
        return [i for i, kind in enumerate(self.kinds) if kind == TEXT]

    def names_schools(self, place: int) -> bool:
        """Whether a fifth of the cells of a column name schools: looked at when first asked."""
        if place not in self._schools:
            column = self.sample.to_series(place)
            self._schools[place] = 5 * sum(bool(_SCHOOL.match(cell)) for cell in column if cell) >= column.len()
        return self._schools[place]


def split_body(
    frame: pl.DataFrame, rows: pl.Series, labels: Sequence[str], header: Sequence[str | None] | None, wide: frozenset[int]
) -> tuple[pl.DataFrame, pl.Series, list[tuple[int, str]]]:
    """Data lines, their row numbers, and the lines left out. ``wide``: rows that hold a horizontally merged cell."""
    if not frame.height:
        return frame, rows, []
    fill = filled(frame)
    if _is_all_data(frame, fill, labels, header):
        return frame, rows, []
    profile = _profile(frame, fill)
    reasons: dict[int, str] = {}
    blanks = true_rows(fill == 0).to_list()
    for position in _candidates(frame, fill, profile, header).to_list():
        cells = frame.row(position)
        reason = _reason(cells, labels, header, profile, int(rows[position]) in wide, position)
        if reason:
            reasons[position] = reason
    reasons.update(dict.fromkeys(sums_of_lines(frame, fill, profile.fill, profile.kinds, reasons), TOTAL))
    reasons.update(_titles_between(frame, fill, profile, reasons))
    reasons.update(_trailing(frame, fill, profile, reasons, set(blanks)))
    dropped = sorted({*reasons, *blanks})
    if not dropped:
        return frame, rows, []
    skipped = [(int(rows[i]), reasons.get(i, BLANK)) for i in dropped]
    keep = pl.Series([True]).new_from_index(0, frame.height).scatter(dropped, False)
    return frame.filter(keep), rows.filter(keep), skipped


def _is_all_data(frame: pl.DataFrame, fill: pl.Series, labels: Sequence[str], header: Sequence[str | None] | None) -> bool:
    """Whether no line is worth a close look (see ``_candidates``) but the first, which is data, whatever an ordinary one looks
    like. False says nothing."""
    if frame.height > GLANCED or is_sparse(fill, frame.width).any() or fill[-1] < 3:
        return False
    looks = [pl.all().str.contains_any(_MARKS).any()]
    if header is not None and (label := next((i for i, cell in enumerate(header) if cell), None)) is not None:
        looks.append((pl.nth(label) == header[label]).any().alias("\x00again"))
    return begins_with_data(frame.row(0), labels, header) and not any(frame.select(looks).row(0))


def begins_with_data(first: Sequence[str | None], labels: Sequence[str], header: Sequence[str | None] | None) -> bool:
    """Whether the line under a header is none of these: the numbers of the columns, an example, units, the header again, a total."""
    repeated = header is not None and _repeats(first, header, labels)
    return not (repeated or is_numbering(first) or is_example(first) or is_description(first) or any(_TOTAL.match(cell) for cell in first if cell))


def is_sparse(fill: pl.Series, width: int) -> pl.Series:
    """Lines too little filled to be taken for data unseen; every other holds three cells at least when there are six columns."""
    return fill <= max(1, width // 3)


def filled(frame: pl.DataFrame) -> pl.Series:
    """How many cells of each line hold something; columns without any empty cell are only counted."""
    holed = [name for name, count in zip(frame.columns, frame.null_count().row(0), strict=True) if count]
    full = pl.lit(frame.width - len(holed), dtype=pl.UInt32)
    return frame.select(pl.sum_horizontal(full, pl.col(holed).is_not_null()).cast(pl.UInt32)).to_series() if holed else _same(frame)


def _same(frame: pl.DataFrame) -> pl.Series:
    return pl.Series([frame.width], dtype=pl.UInt32).new_from_index(0, frame.height)


def _profile(frame: pl.DataFrame, fill: pl.Series) -> Profile:
    sample = frame[true_rows(fill > 1).head(300)]
    if frame.width < 3 or not sample.height:
        sample = frame[true_rows(fill > 0).head(300)]
    usual = tuple(_usual_kind(column.to_list()) for column in sample.iter_columns())
    fills = sorted(value for value in fill.head(2000).to_list() if value)
    typical = fills[int(len(fills) * 0.6)] if fills else 0
    return Profile(typical, sum(kind in (TEXT, CODE) for kind in usual), usual, sample)


def _usual_kind(cells: list[str | None]) -> str | None:
    """The most frequent shape of the cells, the first seen if several are; found as soon as one is more than half of them."""
    texts = Counter(filter(None, cells))
    found: Counter[str] = Counter()
    half = texts.total() / 2
    for text, times in texts.items():
        kind = kind_of(text)
        found[kind] += times
        if found[kind] > half:
            return kind
    return found.most_common(1)[0][0] if found else None


def _candidates(
    frame: pl.DataFrame, fill: pl.Series, profile: Profile, header: Sequence[str | None] | None
) -> pl.Series:
    """Positions worth a close look: sparse lines, lines with a total word, lines that repeat the header."""
    looks = (fill > 0) & (fill <= max(1, profile.fill // 3))
    marks = [place for place, kind in enumerate(profile.kinds) if kind == TEXT or place < 2]
    if marks:
        looks = looks | _marked(frame[:, marks[:6]], fill, profile)
    if header is not None:
        first_label = next((i for i, cell in enumerate(header) if cell), None)
        if first_label is not None:
            looks = looks | (frame.to_series(first_label) == header[first_label]).fill_null(False)
    rows = true_rows(looks)
    first = row_numbers(min(2, frame.height), 0)
    return pl.concat([first, rows.filter(rows > 1)]).head(_CANDIDATES)


def _marked(frame: pl.DataFrame, fill: pl.Series, profile: Profile) -> pl.Series:
    """Lines with a word of total in one of the columns of ``frame``."""
    marks = pl.any_horizontal(pl.all().str.contains_any(_MARKS).fill_null(False))
    if profile.texts > 2 and frame.height > 50_000:
        short = fill < profile.fill
        found = frame.filter(short).rechunk().select(marks).to_series()  # lines of many small pieces would take twice the time
        return pl.Series([False]).new_from_index(0, frame.height).scatter(true_rows(short).filter(found), True)
    return frame.select(marks).to_series()


def _reason(
    cells: Sequence[str | None],
    labels: Sequence[str],
    header: Sequence[str | None] | None,
    profile: Profile,
    wide: bool,
    position: int,
) -> str | None:
    found = [cell for cell in cells if cell]
    if header is not None and _repeats(cells, header, labels):
        return REPEATED
    if position == 0 and is_numbering(cells):
        return NUMBERING
    if position < 2 and is_example(cells):
        return EXAMPLE
    if position == 0 and is_description(cells):
        return UNITS
    if _is_total(cells, found, profile):
        return TOTAL
    if len(found) == 1 and profile.fill >= 2:
        place = next(i for i, cell in enumerate(cells) if cell)
        if profile.kinds[place] == TEXT and _SCHOOL.match(found[0]) and not profile.names_schools(place):
            return SECTION
    if len(found) == 1 and profile.fill >= 3:
        place = next(i for i, cell in enumerate(cells) if cell)
        if _NOTE.match(found[0]) and len(found[0]) > 12:
            return NOTE
        expected = profile.kinds[place]
        if _LOT.match(found[0]) and place == 0:
            return SECTION
        if kind_of(found[0]) not in DATA and (wide or (place == 0 and expected in (CODE, NUMBER))):
            return SECTION
    return None


def _repeats(cells: Sequence[str | None], header: Sequence[str | None], labels: Sequence[str]) -> bool:
    pairs = [
        (one_line(cell), one_line(head or ""), label) for cell, head, label in zip(cells, header, labels, strict=False) if cell
    ]
    same = sum(cell in (head, label) for cell, head, label in pairs)
    return len(pairs) >= 1 and same == len(pairs) and (same >= 2 or len(header) == 1)


def _is_total(cells: Sequence[str | None], found: list[str], profile: Profile) -> bool:
    label = next((cell for cell in found[:3] if _TOTAL.match(cell)), None)
    if label is None:
        return False
    others = [cell for cell in found if cell is not label]
    if any(kind_of(cell) == CODE or _identifier(cell) for cell in others) or (_SOMME.match(label) and any(_PICARDY.match(cell) for cell in others)):
        return False
    texts = sum(kind_of(cell) == TEXT for cell in found)
    loose = len(label.split()) > 1 and not re.match(r"\s*(?:s(?:ous|/|\.)?[\s./-]*)?tota(?:l|ux)\s+(?:g[ée]n|r[ée]s)", label, re.IGNORECASE)
    if profile.texts <= 1:
        return not loose or len(found) > 1
    return texts < profile.texts and (len(found) < profile.fill or not loose or (texts == 1 and profile.texts > 2))


# The département of the Somme is no sum: its code, its académie or its region stands beside it.
_SOMME = re.compile(r"\s*somme\s*$", re.IGNORECASE)
_PICARDY = re.compile(r"\s*(?:0?80|amiens|picardie|hauts[- ]de[- ]france)\s*$", re.IGNORECASE)


def _identifier(cell: str) -> bool:
    return bool(re.fullmatch(r"\d{7}\s?[A-Za-z]|\d{9}|\d{14}|2[ABab]\d{3}", cell.strip()))


def _titles_between(frame: pl.DataFrame, fill: pl.Series, profile: Profile, reasons: dict[int, str]) -> dict[int, str]:
    """Lines of one text just above a repeated header: the title of what follows."""
    titles: dict[int, str] = {}
    for position in [i for i, reason in reasons.items() if reason == REPEATED and profile.fill >= 3]:
        above = position - 1
        while above >= 0 and above not in reasons and fill[above] <= 1:
            if any(kind_of(cell) in DATA for cell in frame.row(above) if cell):
                break
            if fill[above]:
                titles[above] = SECTION
            above -= 1
    return titles


def _trailing(
    frame: pl.DataFrame, fill: pl.Series, profile: Profile, reasons: dict[int, str], blanks: set[int]
) -> dict[int, str]:
    """Notes at the foot of the table: from the end, lines of one or two cells that do not look like data."""
    notes: dict[int, str] = {}
    for position in range(frame.height - 1, max(-1, frame.height - 200), -1):
        if position in reasons or position in blanks:
            continue
        cells = frame.row(position)
        found = [cell for cell in cells if cell]
        if not _is_foot(cells, found, profile, after_blank=position - 1 in blanks):
            break
        notes[position] = NOTE
    return notes


def _is_foot(cells: Sequence[str | None], found: list[str], profile: Profile, after_blank: bool) -> bool:
    if len(found) > 2 or profile.fill < 2 or any(_identifier(cell) for cell in found):
        return False
    if _NOTE.match(found[0]) and len(found) < profile.fill:
        return True
    place = next(i for i, cell in enumerate(cells) if cell)
    shape = kind_of(found[0])
    if len(found) == 1 and profile.fill >= 3:
        return shape not in DATA and (shape != profile.kinds[place] or len(found[0]) > 60 or after_blank)
    return after_blank and profile.fill >= 4 and all(kind_of(cell) not in DATA for cell in found)
