"""Values looked up in registers: unknown, closed, former, and schools found again by name and commune."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from typing import NamedTuple

import polars as pl

from essaim.kernel import uai
from essaim.kernel.french import folded, format_date

from .cells_readers import read_cell
from .check_batch import Batch
from .check_cells import Typed
from .contract import Field, FieldType, Severity
from .issues import finding
from .issues_messages import IGNORE_CHOICE, REFERENCE_QUESTION, expected_of
from .masks import true_rows
from .references import Reference
from .report import Question

FOUND = 85.0
APART = 4.0
POSSIBLE = 60.0
_PLACE_WORDS = (("postal", "postal_code"), ("departement", "departement"), ("commune", "commune"), ("ville", "commune"))


@dataclass(frozen=True, slots=True)
class Answer:
    """What one query of names came to: ``value`` when sure, else the candidates (value, label, score), best first."""

    value: str | None
    candidates: tuple[tuple[str, str, float], ...]


def resolve_references(
    batch: Batch, typed: Typed, references: MappingOf[str, Reference], answers: MappingOf[str, str]
) -> list[tuple[int, Question]]:
    """Looks every referenced field up; completes ``typed`` (values, findings, attributes) and gives the questions still open,
    each with the number of its file."""
    questions: list[tuple[int, Question]] = []
    for field in batch.contract.fields:
        reference = references.get(field.reference or "")
        if reference is None:
            continue
        questions += _find_missing(batch, typed, field, reference, answers)
        _look_up(batch, typed, field, reference)
        distinct = typed.columns[field.name].drop_nulls().unique()
        typed.attributes[field.name] = reference.attributes(distinct) if len(distinct) else pl.DataFrame({"value": []}, schema={"value": pl.String})
    return questions


def _look_up(batch: Batch, typed: Typed, field: Field, reference: Reference) -> None:
    values = typed.columns[field.name]
    distinct = values.drop_nulls().unique()
    if not len(distinct):
        return
    known = reference.known(distinct)
    odd = known.filter(~pl.col("known") | pl.col("replaced_by").is_not_null() | pl.col("closed_on").is_not_null())
    if not odd.height:
        return
    rows = true_rows(values.is_in(odd["value"].implode()))
    cells = pl.DataFrame({"index": rows.cast(pl.UInt32), "value": values.gather(rows)}).join(odd, on="value", how="left", maintain_order="left")
    if field.type is FieldType.COMMUNE:
        _replace_former(typed, field, cells)
        cells = cells.filter(pl.col("replaced_by").is_null())
    unknown = cells.filter(~pl.col("known"))
    if unknown.height:
        suggestion = unknown["replaced_by"].fill_null(_suggested(batch, typed, field, unknown["index"], reference))
        typed.findings.append(finding("reference_unknown", field.name, unknown["index"], value=unknown["value"], suggestion=suggestion,
                                      severity=field.reference_severity, expected=expected_of(field)))  # fmt: skip
    _closed(batch, typed, field, cells.filter(pl.col("known") & (pl.col("closed_on").is_not_null() | pl.col("replaced_by").is_not_null())))


def _replace_former(typed: Typed, field: Field, cells: pl.DataFrame) -> None:
    former = cells.filter(pl.col("replaced_by").is_not_null())
    if former.height:
        typed.columns[field.name] = typed.columns[field.name].scatter(former["index"], former["replaced_by"])
        typed.findings.append(finding("reference_former", field.name, former["index"], value=former["value"], suggestion=former["replaced_by"]))


def _closed(batch: Batch, typed: Typed, field: Field, cells: pl.DataFrame) -> None:
    """Closed schools, unless every date of the row is before the closing."""
    if not cells.height:
        return
    dates = [typed.columns[item.name].gather(cells["index"]) for item in batch.contract.fields if item.type is FieldType.DATE]
    if dates:
        latest = pl.DataFrame(dates).select(pl.max_horizontal(pl.all()))[:, 0]
        before = (latest <= cells["closed_on"].cast(pl.Date)).fill_null(False)
        cells = cells.filter(~before)
    if cells.height:
        since = pl.Series([f" depuis le {format_date(day)}" if day else "" for day in cells["closed_on"].cast(pl.Date).to_list()], dtype=pl.String)
        typed.findings.append(finding("reference_closed", field.name, cells["index"], value=cells["value"], suggestion=cells["replaced_by"], detail=since))


def _roles(batch: Batch, field: Field) -> dict[str, str]:
    """Field of the contract → what the register calls it (name, commune, departement, postal_code)."""
    roles: dict[str, str] = {}
    for name in field.references_with:
        helper = batch.contract.field(name)
        key = folded(name)
        role = {FieldType.COMMUNE: "commune", FieldType.DEPARTEMENT: "departement"}.get(helper.type)
        role = role or next((role for word, role in _PLACE_WORDS if word in key), "name")
        if role not in roles.values():
            roles[name] = role
    return roles


def _queries(batch: Batch, typed: Typed, field: Field, rows: pl.Series) -> pl.DataFrame:
    """Frame ``index`` and the register's words for each row; rows without a name are left out."""
    roles = _roles(batch, field)
    if "name" not in roles.values():
        return pl.DataFrame()
    columns = {role: typed.columns[name].gather(rows).cast(pl.String) for name, role in roles.items()}
    frame = pl.DataFrame({"index": rows.cast(pl.UInt32), **columns}).filter(pl.col("name").is_not_null())
    return _split_names(frame) if frame.height and "commune" in frame.columns else frame


# « École Jean Moulin (Laon) », « École Jean Moulin - Laon », « École Jean Moulin à Laon »: the commune at the end of the name.
_COMMUNE_AFTER = r"^(?<name>.*\S)\s*(?:\((?<inside>[^()\d][^()]*)\)|\s[-–—]\s+(?<after>[^-–—\d][^–—]*)|,\s*(?<last>[^,\d][^,]*)|\s[àÀ]\s+(?<at>[^\d]+))\s*$"
_LONGEST_NAME = 300
# « LAON - École Jean Moulin »: before it.
_COMMUNE_BEFORE = r"(?i)^(?<place>[^\d(),:–—]*[^\d(),:\s–—-])\s*(?:\s[-–—]\s|:|,|/)\s*(?<school>(?:[ée]coles?|coll[èe]ge|clg|col\.|lyc[ée]e|groupe scolaire|maternelle|e\.?\s?[emp]\.?\s?(?:pu|pr)?|lp|lpo|lgt)\b.*)$"


def _split_names(frame: pl.DataFrame) -> pl.DataFrame:
    """The commune written after or before the name of the school, where no other column says it."""
    names = frame["name"].set(frame["name"].str.len_bytes() > _LONGEST_NAME, None)
    parts = names.str.extract_groups(_COMMUNE_AFTER).struct.unnest()
    before = names.str.extract_groups(_COMMUNE_BEFORE).struct.unnest()
    place = before["place"].zip_with(before["place"].is_not_null(), parts.select(pl.coalesce(pl.col("inside", "after", "last", "at").replace("", None)))[:, 0])
    name = before["school"].zip_with(before["place"].is_not_null(), parts["name"])
    split = frame["commune"].is_null() & place.is_not_null()
    if not split.any():
        return frame
    return frame.with_columns(
        pl.when(split).then(name).otherwise(pl.col("name")).alias("name"), pl.when(split).then(place).otherwise(pl.col("commune")).alias("commune")
    )


def _answers(frame: pl.DataFrame, reference: Reference) -> tuple[pl.DataFrame, dict[int, Answer]]:
    """One query per distinct combination; ``frame`` comes back with its ``query``."""
    words = [name for name in frame.columns if name != "index"]
    distinct = frame.select(words).unique(maintain_order=True).with_row_index("query")
    found = reference.find(distinct)
    answers: dict[int, Answer] = {}
    for query, value, label, score in found.select("query", "value", "label", "score").sort("query", "score", descending=[False, True]).iter_rows():
        before = answers.get(query)
        answers[query] = Answer(None, ((before.candidates if before else ()) + ((value, label, float(score)),))[:5])
    joined = frame.join(distinct, on=words, how="left", nulls_equal=True, maintain_order="left")
    return joined, {query: _decided(answer.candidates) for query, answer in answers.items()}


def _decided(candidates: tuple[tuple[str, str, float], ...]) -> Answer:
    best = candidates[0]
    sure = best[2] >= FOUND and (len(candidates) == 1 or best[2] - candidates[1][2] >= APART)
    return Answer(best[0] if sure else None, tuple(item for item in candidates if item[2] >= POSSIBLE))


def _suggested(batch: Batch, typed: Typed, field: Field, rows: pl.Series, reference: Reference) -> pl.Series:
    """For wrong or unknown identifiers, the one that the names give, when sure."""
    frame = _queries(batch, typed, field, rows)
    nothing = pl.Series([None], dtype=pl.String).new_from_index(0, len(rows))
    if not frame.height:
        return nothing
    joined, answers = _answers(frame, reference)
    given = {index: answers[query].value for index, query in joined.select("index", "query").iter_rows() if query in answers}
    return pl.Series([given.get(index) for index in rows.to_list()], dtype=pl.String)


def _find_missing(
    batch: Batch, typed: Typed, field: Field, reference: Reference, answers: MappingOf[str, str]
) -> list[tuple[int, Question]]:
    """Rows without the identifier but with a name: found (notice), asked (tie), or not found. Questions with their file."""
    values = typed.columns[field.name]
    empty = values.is_null()
    if len(typed.wrong[field.name]):
        empty = empty.scatter(typed.wrong[field.name], False)
    frame = _queries(batch, typed, field, true_rows(empty)) if empty.any() and field.references_with else pl.DataFrame()
    if not frame.height:
        return []
    frame = _identified(typed, field, frame)
    if not frame.height:
        return []
    frame = _in_sheets(batch, frame, reference)
    joined, found = _answers(frame, reference)
    words = [name for name in joined.columns if name not in ("index", "query")]
    settled = []
    for query, *texts in joined.select("query", *words).unique("query", maintain_order=True).iter_rows():
        about = ", ".join(f"« {text} »" for text in texts if text)
        settled.append(_settle(query, about, found.get(query, Answer(None, ())), field, answers))
    schema = {"query": pl.UInt32, "about": pl.String, "value": pl.String, "code": pl.String}
    table = pl.DataFrame([item[:4] for item in settled], schema=schema, orient="row")
    cells = joined.select("index", pl.col("query").cast(pl.UInt32)).join(table, on="query", how="left", maintain_order="left")
    _fill(typed, field, cells.filter(pl.col("value").is_not_null()))
    _tell(typed, field, cells.filter(pl.col("value").is_null()))
    return _open_questions(batch, cells, {item.query: item for item in settled if item.choices})


def _identified(typed: Typed, field: Field, frame: pl.DataFrame) -> pl.DataFrame:
    """Fills the rows whose name holds one right UAI (``0020011B - École Jean Moulin``); gives back the others."""
    if field.type is not FieldType.UAI:
        return frame
    told = frame["name"].str.extract_all(r"\b[0-9]{7} ?[A-Za-z]\b").list.eval(pl.element().str.replace(" ", "").str.to_uppercase()).list.unique()
    one = told.list.len() == 1
    given = told.list.first()
    right = {text for text in given.drop_nulls().unique().to_list() if uai.check(text).value}
    sure = one & given.is_in(list(right)).fill_null(False)
    _fill(typed, field, pl.DataFrame({"index": frame["index"], "value": given, "about": pl.select(pl.format("« {} »", frame["name"])).to_series()}).filter(sure))
    return frame.filter(~sure)


def _in_sheets(batch: Batch, frame: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    """One sheet a commune: where nothing else says it and the register knows a school of that name there, the sheet's name does."""
    if "commune" not in frame.columns or not frame["commune"].null_count():
        return frame
    sheets = pl.Series(list(batch.places.sheets), dtype=pl.String).gather(batch.places.part.gather(frame["index"]))
    asked = frame.with_columns(sheets.alias("commune")).filter(frame["commune"].is_null())
    joined, answers = _answers(asked, reference)
    known = {sheet for query, sheet in joined.select("query", "commune").unique().iter_rows() if query in answers and answers[query].value}
    here = frame["commune"].is_null() & sheets.is_in(list(known))
    return frame.with_columns(pl.when(here).then(sheets).otherwise(pl.col("commune")).alias("commune")) if known else frame


class _Settled(NamedTuple):
    """What one query came to: a value, or the code of the issue with, when it is to be asked, its choices."""

    query: int
    about: str
    value: str | None
    code: str | None
    identity: str
    choices: tuple[tuple[str, str, float], ...]


def _settle(query: int, about: str, found: Answer, field: Field, answers: MappingOf[str, str]) -> _Settled:
    identity = f"reference:{hashlib.sha256(f'{field.name}|{folded(about)}'.encode()).hexdigest()[:16]}"
    chosen = answers.get(identity)
    if chosen:
        reading = read_cell(chosen, field)
        chosen = str(reading.value) if reading.value is not None else None
    value = chosen or (found.value if identity not in answers else None)
    if value is not None:
        return _Settled(query, about, value, None, identity, ())
    code = ("reference_not_found", "reference_unsure", "reference_ambiguous")[min(2, len(found.candidates))]
    if not found.candidates or identity in answers:
        return _Settled(query, about, None, code, identity, ())
    choices = (*found.candidates, ("", IGNORE_CHOICE.replace("cette colonne", "ces lignes"), 0.0))
    return _Settled(query, about, None, code, identity, choices)


def _fill(typed: Typed, field: Field, cells: pl.DataFrame) -> None:
    if cells.height:
        typed.columns[field.name] = typed.columns[field.name].scatter(cells["index"], cells["value"])
        typed.findings.append(finding("reference_found", field.name, cells["index"], suggestion=cells["value"], detail=cells["about"]))


def _tell(typed: Typed, field: Field, cells: pl.DataFrame) -> None:
    """Rows whose identifier is still unknown: refused when it is required; a tie is always told."""
    severity = Severity.BLOCKING if field.required else Severity.WARNING
    for (code,), rows in cells.partition_by("code", as_dict=True, maintain_order=True).items():
        if code != "reference_not_found" or field.required:
            found = finding(str(code), field.name, rows["index"], detail=rows["about"], severity=severity, expected=expected_of(field))
            typed.findings.append(found)
            typed.wrong[field.name] = pl.concat([typed.wrong[field.name].cast(pl.UInt32), rows["index"]])


def _open_questions(batch: Batch, cells: pl.DataFrame, asked: dict[int, _Settled]) -> list[tuple[int, Question]]:
    """Each question once for each file that has such rows, with the sheet where they first stand."""
    waiting = cells.filter(pl.col("query").is_in(list(asked)))
    files = pl.Series("file", list(batch.file_of_part), dtype=pl.UInt32)
    part = batch.places.part.gather(waiting["index"]).alias("part")
    told = waiting.select("query", part, files.gather(part)).unique(["query", "file"], keep="first", maintain_order=True)
    return [
        (file, Question(asked[query].identity, "reference", batch.places.sheets[part], asked[query].about,
                        REFERENCE_QUESTION.format(about=asked[query].about), asked[query].choices))
        for query, part, file in told.iter_rows()
    ]  # fmt: skip
