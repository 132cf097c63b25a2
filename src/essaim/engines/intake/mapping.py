"""Columns of a sender's table understood as fields of a contract, each with its score and its reason."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import polars as pl

from essaim.kernel.french import folded
from essaim.kernel.identity import Same

from .contract import Contract, Field, FieldType
from .issues_messages import IGNORE_CHOICE, MAPPING_QUESTION
from .mapping_content import SPECIFICITY, fit, sample_of
from .mapping_names import (
    FieldNames,
    HeaderName,
    accented_otherwise,
    field_names,
    name_scores,
    of_a_person,
    of_another_party,
    of_another_state,
    qualified_otherwise,
    read_headers,
)
from .mapping_pairs import heaviest_pairs
from .mapping_wide import WideColumns, doubtful_codes, wide_columns
from .report import Mapping, Question
from .tables import RawTable

IGNORE = ""
ACCEPTED = 60.0
ASKED = 70.0
CERTAIN = 94.0
CLOSE = 6.0
_NEAR = 80.0


@dataclass(frozen=True, slots=True)
class TableMapping:
    """``fields``: field → position of its column. ``wide``: columns turned into rows, if any. ``questions`` are still open;
    ``remarks`` are (code, field, detail) about columns."""

    mapping: tuple[Mapping, ...]
    fields: dict[str, int]
    unmapped: tuple[str, ...]
    missing: tuple[str, ...]
    layout: str
    headers: tuple[HeaderName, ...]
    questions: tuple[Question, ...] = ()
    wide: WideColumns | None = None
    remarks: tuple[tuple[str, str, str], ...] = ()


@lru_cache(maxsize=256)
def _known_names(same: Same[Contract]) -> FieldNames:
    return field_names(same.value)


def known_names(contract: Contract) -> FieldNames:
    """Every spelling of the fields of ``contract``, prepared once."""
    return _known_names(Same(contract))


@lru_cache(maxsize=256)
def _telling(same: Same[Contract]) -> np.ndarray:
    """Which fields are of a type that stands out. Not to be changed."""
    return np.array([SPECIFICITY[field.type] >= 0.85 for field in same.value.fields])


@dataclass(frozen=True, slots=True)
class _HeaderScores:
    """What headers alone say, column by field. ``barred``: the header speaks of another state of what the field holds;
    ``candidates``: for each column, the fields whose content is worth a look, with what its header says. Nothing in it may be changed."""

    names: np.ndarray
    spelling: dict[tuple[int, int], str]
    barred: np.ndarray
    candidates: tuple[list[tuple[int, float]], ...]

    @property
    def known(self) -> np.ndarray:
        """Whether the header of each column is exactly that of a field."""
        return self.names.max(axis=1, initial=0.0) >= CERTAIN


@lru_cache(maxsize=256)
def _header_scores(same: Same[Contract], headers: tuple[HeaderName, ...]) -> _HeaderScores:
    """Files of one layout follow one another: their headers are compared once."""
    contract, known = same.value, _known_names(same)
    names, spelling = name_scores(list(headers), known, len(contract.fields))
    barred = np.array([[of_another_state(header, field, words) or of_a_person(header, field, words) or of_another_party(header, field, words) for field, words in zip(contract.fields, known.words, strict=True)] for header in headers])
    for line, header in enumerate(headers):
        for position in map(int, np.flatnonzero(names[line] >= 50)):
            if barred[line, position] or accented_otherwise(header.text, contract.fields[position]):  # « Commandé » is a number, « commande » a reference
                names[line, position] = 0.0
            elif names[line, position] < CERTAIN:
                names[line, position] -= qualified_otherwise(header, contract.fields[position], known.words[position])
    candidates = tuple([(at, float(scores[at])) for at in _candidates(scores, contract, bool(header.forms))] for scores, header in zip(names, headers, strict=True))
    return _HeaderScores(names, spelling, barred.reshape(names.shape), candidates)


def named_alike(contract: Contract, headers: tuple[HeaderName, ...], field: str, place: int) -> tuple[list[int], bool]:
    """The columns whose header is about as near to the names of ``field`` as that of the column at ``place``, and whether that one is
    a known name."""
    names = _header_scores(Same(contract), headers).names[:, contract.field_names.index(field)]
    near = np.flatnonzero(names >= max(_NEAR, min(names[place], CERTAIN) - CLOSE))
    return [int(line) for line in near if line != place], bool(names[place] >= CERTAIN)


def layout_of(table: RawTable, contract: Contract) -> str:
    """Fingerprint of a layout: the contract and the headers, accents, case and order of rows apart."""
    return _layout(Same(contract), tuple(column.header for column in table.columns))


@lru_cache(maxsize=256)
def _layout(same: Same[Contract], written: tuple[str, ...]) -> str:
    contract, headers = same.value, [folded(header) for header in written]
    text = f"{contract.code}\n" + "\n".join(headers)
    if not any(headers):
        text += f"sans en-tête {len(headers)}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def map_table(table: RawTable, contract: Contract, memory: MappingOf[str, MappingOf[str, str]], answers: MappingOf[str, str]) -> TableMapping:
    """Best assignment of columns to fields. What was confirmed (``memory[layout]``: letter or header → field) or answered comes first."""
    layout = layout_of(table, contract)
    headers = read_headers([column.header for column in table.columns])
    settled = _settled(table, contract, layout, memory, answers)
    together = _together(table, contract)
    settled |= {at: field for at, field in together.items() if at not in settled and (not field or field not in settled.values())}
    scores = _Scores.of(table, contract, headers)
    given = {key.removeprefix(f"code:{layout}:"): value for key, value in answers.items() if key.startswith(f"code:{layout}:")}
    wide = wide_columns(table, contract, headers, scores.names, settled, known_names(contract), given)
    unsure = {} if wide or layout in memory else _unsure_block(table, contract, headers, scores.names, settled, layout, given)
    free = [i for i in range(len(table.columns)) if i not in settled and not (wide and i in wide.positions)]
    spoken_for = set(settled.values()) | (wide.fields if wide else set())
    chosen = _assigned(scores.total, free, contract, taken=spoken_for)
    mapping = _mapping(table, contract, scores, settled, chosen, together)
    questions = _questions(table, contract, scores, chosen, layout, free, spoken_for) if layout not in memory else ()
    if wide and layout not in memory:
        doubtful = dict(doubtful_codes(table, contract, headers, wide, layout, given, known_names(contract)))
        questions = tuple(q for q in questions if q.about not in doubtful) + tuple(q for letter, q in doubtful.items() if letter not in {m.column for m in mapping})
    questions = tuple(q for q in questions if q.about not in unsure) + tuple(unsure.values())
    fields = {name: position for position, name in {**chosen, **settled}.items() if name != IGNORE}
    covered = set(fields) | (wide.fields if wide else set())
    used = set(fields.values()) | (wide.positions if wide else set())
    return TableMapping(
        mapping + (wide.mapping(table) if wide else ()),
        fields,
        tuple(_title(table, i) for i in range(len(table.columns)) if i not in used and settled.get(i) != IGNORE),
        tuple(item.name for item in contract.fields if item.name not in covered),
        layout,
        headers,
        questions,
        wide,
        _duplicates(table, contract, scores, fields, used),
    )


def _unsure_block(
    table: RawTable, contract: Contract, headers: tuple[HeaderName, ...], names: np.ndarray, settled: dict[int, str], layout: str, given: MappingOf[str, str]
) -> dict[str, Question]:
    """Letter → question, for columns that would each be of a category by nearly its name: « Tablettes neuves », « Tablettes reconditionnées »."""
    if not contract.wide:
        return {}
    known = known_names(contract)
    block = wide_columns(table, contract, headers, names, settled, known, given, least=0)
    found = dict(doubtful_codes(table, contract, headers, block, layout, given, known)) if block else {}
    return found if block and len(found) + len(block.codes) >= 2 else {}


def _title(table: RawTable, position: int) -> str:
    column = table.columns[position]
    return column.header or column.letter


def _settled(
    table: RawTable, contract: Contract, layout: str, memory: MappingOf[str, MappingOf[str, str]], answers: MappingOf[str, str]
) -> dict[int, str]:
    """Position → field already known from memory or answers (``""`` leaves the column out): ``mapping:<layout>:<letter>`` for one
    layout, ``column:<letter or header>`` for any, ``wanted:<layout>:<field>`` where the answer is the letter of the column."""
    remembered = memory.get(layout, {})
    if not remembered and not answers:
        return {}
    names = set(contract.field_names) | {IGNORE}
    found: dict[int, str] = {}
    given = {folded(key.removeprefix("column:")): value for key, value in answers.items() if key.startswith("column:")}
    wanted = {answers[key]: field for field in contract.field_names if answers.get(key := f"wanted:{layout}:{field}")}
    for position, column in enumerate(table.columns):
        said = (wanted.get(column.letter), given.get(folded(column.letter)), given.get(folded(column.header) or "\0"))
        for value in (answers.get(f"mapping:{layout}:{column.letter}"), *said, remembered.get(column.letter), remembered.get(column.header)):
            if value is not None and value in names and (value == IGNORE or value not in found.values()):
                found[position] = value
                break
    return found


def _together(table: RawTable, contract: Contract) -> dict[int, str]:
    """Position → field that the contract knows from the headers being together (``""`` leaves the column out)."""
    if contract.together is None:
        return {}
    meant = {folded(header): field for header, field in contract.together([column.header for column in table.columns]).items()}
    return {at: meant[folded(column.header)] for at, column in enumerate(table.columns) if folded(column.header) in meant}


@dataclass(frozen=True, slots=True)
class _Scores:
    names: np.ndarray
    content: np.ndarray
    total: np.ndarray
    spelling: dict[tuple[int, int], str]

    @classmethod
    def of(cls, table: RawTable, contract: Contract, headers: tuple[HeaderName, ...]) -> _Scores:
        said = _header_scores(Same(contract), headers)
        content = np.full(said.names.shape, np.nan)
        total = said.names.copy()
        headerless = not any(header.forms for header in headers)
        for line, (candidates, few) in enumerate(zip(said.candidates, said.known.tolist(), strict=True)):
            texts = sample_of(table.frame.get_column(f"c{line}"), few=few) if candidates else []
            for position, name in candidates:
                field = contract.fields[position]
                content[line, position] = share = fit(texts, field)
                prior = _prior(line, position, len(headers), contract) if headerless else 0.0
                total[line, position] = _combined(name, share, field, bool(texts), prior, bool(headers[line].forms))
        looked_at = np.array([bool(candidates) for candidates in said.candidates])
        total[looked_at[:, None] & said.barred] = 0.0
        _leave_to_their_header(contract, total, said.names, content)
        return cls(said.names, content, total, said.spelling)


def _candidates(scores: np.ndarray, contract: Contract, has_header: bool) -> list[int]:
    """Fields whose content is worth a look: those whose name is near; any telling type when no name is."""
    best = float(scores.max(initial=0.0))
    if has_header and best >= ACCEPTED:
        near = [int(i) for i in np.flatnonzero(scores >= max(50.0, best - (CLOSE if best >= CERTAIN else 25)))]
        schools = [] if best >= CERTAIN else [i for i, field in enumerate(contract.fields) if field.type is FieldType.UAI and i not in near]
        return near + schools
    return [i for i, field in enumerate(contract.fields) if not has_header or scores[i] >= 50 or SPECIFICITY[field.type] >= 0.85]


def _prior(line: int, position: int, columns: int, contract: Contract) -> float:
    """Without header, a file often keeps the order of the model: a small bonus for it."""
    if columns == len(contract.fields):
        return 14.0 if line == position else 0.0
    return max(0.0, 12.0 - 3.0 * abs(line - position))


def _combined(name: float, share: float, field: Field, has_texts: bool, prior: float, named: bool) -> float:
    """Name first, tempered by content; content alone counts as far as the type is telling. Under a header that says something
    else, only an identifier speaks for itself: what is required is asked, the rest left."""
    identifies = SPECIFICITY[field.type] >= 0.98 and share >= 0.9 and has_texts
    if name >= 50:
        if identifies:
            return max(name, 90.0)
        if not has_texts:
            return name
        if field.type is FieldType.TEXT:
            return name - (4 if name >= CERTAIN else 30 if share == 0 else 4) * (share < 0.35)
        doubt = 20 if name >= CERTAIN else 45 if share > 0 else 70
        return name - doubt * max(0.0, 0.5 - share) + 4 * (share - 0.9 if share > 0.9 else 0.0)
    if not has_texts or share < 0.6:
        return 0.0
    alone = 100 * share * SPECIFICITY[field.type]
    score = min(90.0, alone * 0.82 + prior) if SPECIFICITY[field.type] >= 0.85 else min(75.0, 40 + 0.35 * alone + prior)
    if identifies or not named:
        return score
    return min(score, ASKED - 1) if field.required or field.type is FieldType.CODE else 0.0


def _leave_to_their_header(contract: Contract, total: np.ndarray, names: np.ndarray, content: np.ndarray) -> None:
    """A column whose header is exactly a field's is no other field's, unless its cells all fit there and not here."""
    certain = names >= CERTAIN
    held = np.where(np.isnan(content), 0.0, content)
    own = np.where(certain, held, 0.0).max(axis=1, initial=0.0, keepdims=True)
    elsewhere = (held >= 0.9) & (_telling(Same(contract)) | (own < 0.5))
    total[certain.any(axis=1, keepdims=True) & ~certain & ~elsewhere] = 0.0


def _assigned(total: np.ndarray, free: list[int], contract: Contract, taken: set[str]) -> dict[int, str]:
    """Position → field of the assignment whose summed score is greatest, pairs under ACCEPTED left out."""
    fields = [i for i, field in enumerate(contract.fields) if field.name not in taken]
    if not free or not fields:
        return {}
    gain = total[np.ix_(free, fields)]
    # A high power: one certain pair outweighs several doubtful ones.
    weights = np.where(gain >= ACCEPTED - 8, (gain / 100) ** 8, 0.0)
    lines, columns = _best_pairs(weights)
    floor = ACCEPTED - 8
    return {free[a]: contract.fields[fields[b]].name for a, b in zip(lines, columns, strict=True) if gain[a, b] >= floor}


def _best_pairs(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lines and columns of the assignment of greatest weight. When no two lines want the same column, each has its best
    one and nothing needs solving."""
    wanted = weights.argmax(axis=1)
    lines = np.flatnonzero(weights.max(axis=1) > 0)
    if len(np.unique(wanted[lines])) == len(lines):
        return lines, wanted[lines]
    return heaviest_pairs(weights)


def _mapping(
    table: RawTable, contract: Contract, scores: _Scores, settled: dict[int, str], chosen: dict[int, str], together: dict[int, str]
) -> tuple[Mapping, ...]:
    found = []
    names = contract.field_names
    for position, column in enumerate(table.columns):
        if settled.get(position):
            reason = "d'après les autres en-têtes du fichier" if together.get(position) == settled[position] else "confirmé par l'expéditeur"
            found.append(Mapping(column.letter, column.header, settled[position], 100.0, reason))
        elif position in chosen:
            field = chosen[position]
            index = names.index(field)
            score = round(float(min(100.0, scores.total[position, index])), 1)
            found.append(Mapping(column.letter, column.header, field, score, _reason(scores, position, index)))
    return tuple(found)


def _reason(scores: _Scores, line: int, position: int) -> str:
    name, share = scores.names[line, position], scores.content[line, position]
    spelling = scores.spelling.get((line, position), "")
    content = "" if np.isnan(share) else f", {share:.0%} du contenu convient".replace("%", "\u00a0%")
    if name >= CERTAIN:
        return ("en-tête identique" if name >= 99.5 else f"en-tête connu (« {spelling} »)") + content
    if name >= 50:
        return f"en-tête proche de « {spelling} »{content}"
    return f"reconnu à son contenu{content}"


def _questions(
    table: RawTable, contract: Contract, scores: _Scores, chosen: dict[int, str], layout: str, free: list[int], spoken_for: set[str]
) -> tuple[Question, ...]:
    """Columns whose best fields are too close to call, or that are only understood by half. ``spoken_for``: fields found otherwise."""
    names = contract.field_names
    certain = _certain(scores, chosen, names)
    asked = []
    for position in free:
        best = chosen.get(position)
        if best in certain:
            continue
        order = np.argsort(-scores.total[position])[:4]
        score = scores.total[position, names.index(best)] if best else float(scores.total[position, order[0]])
        if best is None and (score < ACCEPTED - 8 or names[order[0]] in chosen.values() or names[order[0]] in spoken_for):
            continue
        rivals = [i for i in order if names[i] != best and names[i] not in certain and scores.total[position, i] >= max(ACCEPTED - 8, score - CLOSE)]
        if score >= CERTAIN or (score >= ASKED and not rivals):
            continue
        choices = [(names[i], contract.fields[i].label, round(float(scores.total[position, i]), 1)) for i in order if scores.total[position, i] >= 40]
        column = table.columns[position]
        message = MAPPING_QUESTION.format(letter=column.letter, header=column.header or "sans en-tête")
        near = {names[i] for i in order if scores.total[position, i] >= ACCEPTED - 8} - _certain(scores, chosen, names)
        holds = bool(near & decisive(contract))
        asked.append(Question(f"mapping:{layout}:{column.letter}", "mapping", table.sheet, column.letter, message, (*choices, (IGNORE, IGNORE_CHOICE, 0.0)), holds))
    return tuple(asked)


def decisive(contract: Contract) -> set[str]:
    """Fields without which nothing is known (required), that tell one row from another (key) or are added up: doubt about them holds acceptance."""
    return {item.name for item in contract.fields if item.required} | {*contract.key, *contract.adds}


def _certain(scores: _Scores, chosen: dict[int, str], names: tuple[str, ...]) -> set[str]:
    return {field for position, field in chosen.items() if scores.total[position, names.index(field)] >= CERTAIN}


def _duplicates(table: RawTable, contract: Contract, scores: _Scores, fields: dict[str, int], used: set[int]) -> tuple[tuple[str, str, str], ...]:
    """Columns left out because another one, with the same header, took the field."""
    remarks = []
    for name, position in fields.items():
        header = folded(table.columns[position].header)
        for other, column in enumerate(table.columns):
            if other not in used and header and folded(column.header) == header:
                same = _same_content(table.frame, position, other)
                kept = table.columns[position].letter
                detail = f"les colonnes {kept} et {column.letter} portent le même en-tête « {column.header} »" + (
                    " et le même contenu" if same else f", seule la colonne {kept} a été lue : vérifiez que c'est la bonne"
                )
                remarks.append(("column_duplicate", name, detail))
    return tuple(remarks)


def _same_content(frame: pl.DataFrame, one: int, other: int) -> bool:
    return frame[f"c{one}"].equals(frame[f"c{other}"], check_names=False)
