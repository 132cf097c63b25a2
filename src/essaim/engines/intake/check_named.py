"""Tables whose own name says that they may not count: an example, a former version, a summary of the others, orders beside deliveries.

Same columns, other meaning: only its sheet or its title tells such a table from the one to count. What nobody would count (examples,
instructions) is left aside and told; the rest is asked, once per layout."""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import PurePosixPath

import polars as pl

from essaim.kernel.french import folded

from .check_batch import Part
from .check_result import Aside
from .check_status import begins_with, holds_word, of_status
from .context import lines_above
from .contract import Contract, FieldType
from .issues_messages import (
    HIDDEN_QUESTION,
    LEFT,
    LEFT_HIDDEN,
    LEGEND_QUESTION,
    NAMED_CHOICES,
    NAMED_QUESTION,
)
from .report import Question

COUNT, LEAVE = "count", "leave"
HIDDEN = "masquée"
_EXAMPLES = re.compile(r"\b(?:exemples?|mode d emploi|consignes?|instructions?|lisez moi|lire d abord|read ?me|example)\b|^(?:notice|aide|help)$")
_VERSIONS = re.compile(
    r"\b(?:recap\w*|syntheses?|totaux|cumuls?|anciens?|anciennes?|old|archives?|brouillons?|copie|sauvegarde|obsoletes?|modeles?|gabarits?|template"
    r"|annulee?s?|ne pas utiliser|tcd|backup|draft|summary)\b"
)
_COPY = re.compile(r"\((\d{1,2})\)\s*$")
# What may come before the word that names a table: « Liste des commandes », « 3 - Commandes ».
_BEFORE = re.compile(r"(?:(?:\d+|liste|tableau|suivi|etat|point|export|extraction|fichier|feuille|onglet|recapitulatif|detail|releve) (?:(?:des?|du|d|les?|la|n) )*)*")
_TITLE, _SENTENCE = 60, 160
# How legends call the rows they speak of.
_COLOURS = re.compile(r"\b(?:rouges?|verte?s?|jaunes?|oranges?|grise?s?|grisee?s?|bleue?s?|roses?|violet\w*|noire?s?|barree?s?|surlign\w*|couleurs?|italique|gras)\b")


def by_title(part: Part, contract: Contract) -> list[Part]:
    """The table cut where titles between its rows name different kinds of file: « COMMANDES », then « LIVRAISONS » lower down."""
    words = {*contract.named, *contract.not_named}
    cuts = [(row, text) for row, text in part.table.sections if words.intersection(_opening(text))]
    if not cuts:
        return [part]
    starts = [0, *(row for row, _ in cuts)]
    pieces = []
    for number, start in enumerate(starts):
        stop = starts[number + 1] if number + 1 < len(starts) else 2**32
        frame = part.table.frame.filter(pl.col("row").is_between(start, stop, closed="left"))
        prose = ((start, (cuts[number - 1][1],)),) if number else part.table.prose
        sections = tuple(item for item in part.table.sections if start < item[0] < stop)
        skipped = part.table.skipped if not number else ()
        pieces.append(replace(part, rows=frame.height, table=replace(part.table, frame=frame, prose=prose, sections=sections, skipped=skipped)))
    return [piece for piece in pieces if piece.rows]


def set_aside_by_name(
    parts: Sequence[Part], aside: Sequence[Part], contract: Contract, answers: MappingOf[str, str], filename: str
) -> tuple[list[Part], list[Aside]]:
    """The tables to count, with the questions their names raise, and those left aside. The name of the file itself was chosen with
    the contract: it raises none. ``aside``: tables of the file that are not of the contract, read as headings."""
    stem = PurePosixPath(filename).name.split(".")[0]
    filters = [_filtered(lines_above(part, aside, parts), contract) if part.table.prose or aside else None for part in parts]
    doubts = [
        _Doubt(word, True) if word else None if folded(part.table.sheet) == folded(stem) and not part.table.prose else _doubt(part, parts, contract)
        for part, word in zip(parts, filters, strict=True)
    ]
    if not any(doubts):
        return list(parts), []
    plain = any(not doubt for doubt in doubts)
    kept, left, open_ = [], [], []
    for part, doubt in zip(parts, doubts, strict=True):
        if doubt is None or not (plain or doubt.alone):
            kept.append(part)
            continue
        question = _question(part, doubt, contract)
        answer = answers.get(question.id) or (LEAVE if doubt.settled else None)
        if answer == LEAVE:
            left.append(Aside(part, LEFT_HIDDEN.format(name=_name(part)) if doubt.word == HIDDEN else LEFT.format(name=_name(part), word=doubt.word), code="table_left"))
            if question.id not in answers:
                open_.append(question)
        else:
            kept.append(part if answer == COUNT else _asking(part, question))
    return [_asking(kept[0], *open_), *kept[1:]] if kept else kept, left


@dataclass(frozen=True, slots=True)
class _Doubt:
    """The word that makes a table doubtful; ``alone``: even in a file without other tables; ``settled``: not counted before the
    sender says so, but holding nothing; ``text``: how it is asked."""

    word: str
    alone: bool = False
    settled: bool = False
    text: str = NAMED_QUESTION


def _doubt(part: Part, parts: Sequence[Part], contract: Contract) -> _Doubt | None:
    name = part.table.sheet.rsplit("/", 1)[-1]
    sheet = folded(name)
    if found := _EXAMPLES.search(sheet):
        return _Doubt(_written(found[0], name), settled=True)
    others = [other for other in parts if other is not part]
    if found := _VERSIONS.search(sheet) or _copied(part, others):
        return _Doubt(_written(found[0], name))
    if word := _other_act(part, sheet, others, contract):
        titles = [cells[0] for _, cells in part.table.prose if cells]
        return _Doubt(_written(word, " ".join([name, *titles])), True, any(_is_named(other, contract) for other in others))
    if legend := _legend(part, contract):
        return _Doubt(legend, True, text=LEGEND_QUESTION)
    return _Doubt(HIDDEN) if part.table.hidden else None


def _legend(part: Part, contract: Contract) -> str | None:
    """The line around a table by which a colour or a sign means that rows did not happen, or only in part: « En rouge : non livré »."""
    lines = [*(cell for _, cells in part.table.prose for cell in cells), *(text for _, text in (*part.table.sections, *part.table.notes))]
    void = (*contract.undone, *contract.partly)
    keys = ((line, folded(line)) for line in lines if len(line) <= _SENTENCE and (line.lstrip().startswith("*") or _COLOURS.search(folded(line))))
    return next((" ".join(line.split()) for line, key in keys if holds_word(key, void)), None)


def _filtered(lines: Sequence[Sequence[str]], contract: Contract) -> str | None:
    """What a filter above a pivot says of all its lines, where it says that they did not happen: « Statut : Commandé »."""
    pairs = [pair for cells in lines for pair in (*pairwise(cells), *((cell.partition(":")[0], cell.partition(":")[2]) for cell in cells))]
    return next((value.strip() for label, value in pairs if len(value) <= _TITLE and of_status(label) and begins_with(value, contract.undone)), None)


def _written(key: str, text: str) -> str:
    """A word found in folded text as the sender wrote it."""
    return next((word for word in text.split() if folded(word) == key), key)


def _copied(part: Part, others: Sequence[Part]) -> re.Match[str] | None:
    """« Livraisons (2) » beside « Livraisons »: how spreadsheets name a copy."""
    found = _COPY.search(part.table.sheet)
    original = part.table.sheet[: found.start()].strip() if found else None
    return found if any(other.table.sheet.strip() == original for other in others) else None


def _other_act(part: Part, sheet: str, others: Sequence[Part], contract: Contract) -> str | None:
    """The word by which a sheet or the title of a table names another kind of file; columns that say what they count are believed
    when no other table of the file has the name of the contract."""
    titles = [cells[0] for _, cells in part.table.prose if len(cells) == 1]
    said = {word for title in titles for word in folded(title).split()} | set(sheet.split())
    if said & set(contract.named):
        return None
    word = next((word for word in (*sheet.split(), *(word for title in titles for word in _opening(title))) if word in contract.not_named), None)
    if word is None or (_columns_say(part, contract) and not any(_is_named(other, contract) for other in others)):
        return None
    return word


def _opening(title: str) -> list[str]:
    """The word that opens a short title, a plural or the only one: « COMMANDES 2022 », not « Commande n° 12 »."""
    if len(title) > _TITLE or ":" in title:
        return []
    key = folded(title)
    words = key[_BEFORE.match(key).end() :].split()  # type: ignore[union-attr]
    return words[:1] if words and (words[0].endswith("s") or len(words) == 1) else []


def _is_named(part: Part, contract: Contract) -> bool:
    words = [folded(part.table.sheet), *(folded(cells[0]) for _, cells in part.table.prose if cells)]
    return bool(set(contract.named).intersection(" ".join(words).split()))


def _columns_say(part: Part, contract: Contract) -> bool:
    """Whether the header of a number or a date of the table has the name of the contract: « Quantité livrée »."""
    counted = [place for name, place in part.mapping.fields.items() if contract.field(name).type in (FieldType.INTEGER, FieldType.DATE)]
    words = " ".join(folded(part.table.columns[place].header) for place in counted)
    return bool(set(contract.named).intersection(words.split()))


def _name(part: Part) -> str:
    titles = [cells[0] for _, cells in part.table.prose if len(cells) == 1 and len(cells[0]) <= _TITLE]
    return " – ".join([part.table.sheet, *titles[-1:]])


def _question(part: Part, doubt: _Doubt, contract: Contract) -> Question:
    text = HIDDEN_QUESTION if doubt.word == HIDDEN else doubt.text
    message = text.format(name=_name(part), rows=part.rows, title=contract.title, word=doubt.word)
    identity = f"table:{part.mapping.layout}:{folded(doubt.word) or doubt.word}"
    return Question(identity, "mapping", part.table.sheet, _name(part), message, NAMED_CHOICES, not doubt.settled)


def _asking(part: Part, *questions: Question) -> Part:
    return replace(part, mapping=replace(part.mapping, questions=(*part.mapping.questions, *questions))) if questions else part
