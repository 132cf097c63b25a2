"""Lines added up by the natural key: those of one thing each, a thing given twice once, and those that their sender says add up;
which lines a sum is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from essaim.kernel.french import format_number

from .check_batch import Batch
from .check_cells import Typed
from .contract import Contract
from .issues import Finding, finding, refused_rows, remark_on_table
from .issues_messages import ADDED, LEAVE_CHOICE, VALUE_QUESTION
from .report import Question

_SHOWN, _ASKED = 5, 20


@dataclass(frozen=True, slots=True)
class Sums:
    """``out``: rows that no longer stand for themselves (added to another, or refused); ``added``: those of them that another
    row counts; ``lines``: row that holds a sum (``first``) → each of its lines (``line``), as positions in the batch."""

    findings: list[Finding]
    out: pl.Series
    added: pl.Series
    lines: pl.DataFrame


def add_up(batch: Batch, typed: Typed, summed: pl.Series | None) -> Sums | None:
    """Adds up the good lines of the tables of one line a thing, and the rows ``summed``, in ``typed``: the first of each key holds the
    sum. None where there is nothing to add up."""
    listed = [number for number, part in enumerate(batch.parts) if part.each is not None]
    if not listed and summed is None:
        return None
    frame = _lines(batch, typed, summed)
    keys = [name for name in batch.contract.key if name in typed.columns]
    good = frame.filter((pl.col("_part").is_in(listed) | pl.col("_summed")) & ~pl.col("_bad"))
    uncounted = [number for number in listed if not batch.parts[number].each.counts]  # type: ignore[union-attr]
    again, conflicts = _twice(good, keys, uncounted)
    good = good.filter(~pl.col("_index").is_in([*again["_index"], *conflicts["_index"]]))
    groups = good.group_by(["_file", *keys], maintain_order=True).agg(pl.col("_index"), *_kept(batch.contract, keys))
    differing = _write(typed, groups, good, batch.contract, keys)
    whole = lines = groups.select(pl.col("_index").list.first().alias("first"), pl.col("_index").alias("line")).explode("line")
    if uncounted:  # a line that stands alone with its quantity is told as any other
        alone = groups.filter(pl.col("_index").list.len() == 1)["_index"].explode()
        lines = lines.filter(~pl.col("first").is_in(alone.implode()) | ~batch.places.part.gather(whole["first"]).is_in(uncounted))
    rest = pl.concat([lines.filter(pl.col("line") != pl.col("first"))["line"], again["_index"]])
    bad = frame.filter(pl.col("_part").is_in(good["_part"].unique().implode()) & pl.col("_bad"))["_index"]
    out = pl.repeat(False, batch.size, dtype=pl.Boolean, eager=True).scatter(pl.concat([rest, bad, conflicts["_index"]]), True)
    for name in _added(batch.contract):
        typed.columns[name] = typed.columns[name].set(out, None)
    told = [*_told_twice(batch, again, conflicts), *_counted(batch, good, keys, listed), *_told_added(batch, rest, listed), *_differ(batch, good, differing)]
    return Sums(told, out, rest, lines)


def _added(contract: Contract) -> tuple[str, ...]:
    """The fields whose numbers are added up."""
    return tuple(dict.fromkeys((*contract.adds, *([contract.listing.count] if contract.listing else []))))


def ask_kinds(batch: Batch, typed: Typed) -> list[tuple[int, Question]]:
    """What each unknown text of the kind means, asked once a file; the lines that say it wait. ``value:<field>:<text>`` is remembered."""
    listing = batch.contract.listing
    if listing is None or listing.kind is None or all(part.each is None for part in batch.parts):
        return []
    field = batch.contract.field(listing.kind)
    choices = (("", LEAVE_CHOICE, 0.0), *((code.value, code.label, 0.0) for code in field.codes))
    asked: dict[tuple[int, str], Question] = {}
    for item in (item for item in typed.findings if item.code == "code_unknown" and item.field == field.name):
        for index, text in item.frame.select("index", "value").iter_rows():
            number = int(batch.places.part[index])
            file = batch.file_of_part[number]
            if batch.parts[number].each is not None and len(asked) < _ASKED and (file, text) not in asked:
                message = VALUE_QUESTION.format(text=text, label=field.label)
                asked[file, text] = Question(f"value:{field.name}:{text}", "mapping", batch.places.sheets[number], text, message, choices)
    return [(file, question) for (file, _), question in asked.items()]


def _lines(batch: Batch, typed: Typed, summed: pl.Series | None) -> pl.DataFrame:
    """Every row with its place, what names it, whether it is refused, and whether its sender says that it adds up."""
    counts = dict(batch.places.part.value_counts().iter_rows())
    nothing = pl.Series([None], dtype=pl.UInt64)
    named = [part.each.identity if part.each is not None else nothing.new_from_index(0, counts.get(number, 0)) for number, part in enumerate(batch.parts)]
    return typed.frame().with_columns(
        pl.int_range(batch.size, dtype=pl.UInt32).alias("_index"),
        batch.places.part.alias("_part"),
        batch.places.row.alias("_row"),
        batch.files().alias("_file"),
        pl.concat(named).alias("_named"),
        refused_rows(typed.findings, batch.size).alias("_bad"),
        (pl.lit(False) if summed is None else summed).alias("_summed"),
    )


def _twice(good: pl.DataFrame, keys: Sequence[str], uncounted: Sequence[int]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Lines that name a thing already named: with the same key (all but the first), or with another (all of them). Where lines have a
    quantity (the parts ``uncounted``) one number may be that of a model: only the same key is the same thing."""
    apart = pl.when(pl.col("_part").is_in(list(uncounted))).then(pl.struct(keys).hash()).otherwise(0)
    named = good.filter(pl.col("_named").is_not_null()).with_columns(apart.alias("_apart"))
    by = ["_file", "_named", "_apart"]
    several = named.filter(pl.len().over(by) > 1).with_columns(pl.struct(keys).n_unique().over(by).alias("_kinds"), pl.col("_row").implode().over(by).alias("_rows"))
    same = several.filter(pl.col("_kinds") == 1).with_columns(pl.col("_row").first().over(by).alias("_first"))
    again = same.filter(pl.int_range(pl.len()).over(by) > 0)
    return again, several.filter(pl.col("_kinds") > 1)


def _kept(contract: Contract, keys: Sequence[str]) -> list[pl.Expr]:
    """What the sum of lines says: numbers added up where all are known, anything else where all say the same."""
    found = []
    for name in contract.field_names:
        if name in _added(contract):
            found.append(pl.when(pl.col(name).null_count() == 0).then(pl.col(name).sum()).alias(name))
        elif name not in keys:
            found.append(pl.when(pl.col(name).n_unique() == 1).then(pl.col(name).first()).alias(name))
    return found


def _write(typed: Typed, groups: pl.DataFrame, good: pl.DataFrame, contract: Contract, keys: Sequence[str]) -> list[str]:
    """Writes each sum on its first line; the fields that its lines do not agree on."""
    first = groups["_index"].list.first()
    differing = []
    for name in (name for name in typed.columns if name not in keys):
        before = typed.columns[name]
        after = groups[name].cast(before.dtype)
        if name not in _added(contract) and before.gather(good["_index"]).null_count() < good.height:
            known = groups.select("_index", pl.Series("known", after)).filter(pl.col("known").is_null()).explode("_index")["_index"]
            if len(known) and before.gather(known.drop_nulls()).is_not_null().any():
                differing.append(name)
        typed.columns[name] = before.scatter(first, after)
    return differing


def _told_twice(batch: Batch, again: pl.DataFrame, conflicts: pl.DataFrame) -> list[Finding]:
    found = []
    for number, part in enumerate(batch.parts):
        if part.each is None:
            continue
        mine, clashing = again.filter(pl.col("_part") == number), conflicts.filter(pl.col("_part") == number)
        header = part.each.header or "numéro"
        if mine.height:
            detail = mine.select(pl.format("« {} » que la ligne {}", pl.lit(header), "_first"))[:, 0]
            found.append(replace(finding("thing_repeated", None, mine["_index"], detail=detail), letter=part.each.letter))
        if clashing.height:
            labels = ", ".join(batch.contract.field(name).label for name in batch.contract.key if name != "sender")
            texts = [f"« {header} » que {_others(row, rows)}" for row, rows in clashing.select("_row", "_rows").iter_rows()]
            item = finding("thing_conflict", None, clashing["_index"], detail=pl.Series(texts, dtype=pl.String), expected=f"un seul de : {labels}")
            found.append(replace(item, letter=part.each.letter))
    return found


def _others(row: int, rows: Sequence[int]) -> str:
    others = [str(other) for other in rows if other != row] or [str(row)]
    listed = ", ".join(others[:_SHOWN]) + ("…" if len(others) > _SHOWN else "")
    return f"la ligne {listed}" if len(others) == 1 else f"les lignes {listed}"


def _counted(batch: Batch, good: pl.DataFrame, keys: Sequence[str], listed: Sequence[int]) -> list[Finding]:
    """One remark a table of one line a thing: how many lines became how many."""
    found: list[Finding] = []
    listing = batch.contract.listing
    if listing is None:
        return found
    for number in listed:
        mine, each = good.filter(pl.col("_part") == number), batch.parts[number].each
        if not mine.height:
            continue
        sums, counts = mine.select(keys).n_unique(), each is None or each.counts
        if not counts and sums == mine.height:
            continue
        many = "s" if mine.height > 1 else ""
        unnamed = mine["_named"].null_count() if each and each.letter else 0
        said = f"Chaque ligne compte pour un {listing.word[0]}" if counts or each is None else f"Chaque ligne a son propre « {each.header} »"
        detail = f"{said} : {format_number(mine.height)} ligne{many} additionnée{many} en {format_number(sums)}."
        if unnamed and each:
            detail += f" {format_number(unnamed)} n'{'a' if unnamed == 1 else 'ont'} pas de « {each.header} » : un doublon n'y serait pas vu."
        found.append(remark_on_table("lines_counted", number, listing.count, detail=detail))
    return found


def _told_added(batch: Batch, rest: pl.Series, listed: Sequence[int]) -> list[Finding]:
    """One remark a table whose sender says that lines add up: how many were added to others."""
    counts = batch.places.part.gather(rest).alias("part").value_counts().sort("part")
    return [remark_on_table("rows_added", number, detail=ADDED.format(count=count)) for number, count in counts.iter_rows() if number not in listed]


def _differ(batch: Batch, good: pl.DataFrame, names: Sequence[str]) -> list[Finding]:
    detail = "Les lignes additionnées ne disent pas toutes la même chose de « {} » : laissé vide là où elles diffèrent."
    return [remark_on_table("lines_differ", int(good["_part"][0]), name, detail=detail.format(batch.contract.field(name).label)) for name in names]


def lines_of(batch: Batch, sums: Sums) -> pl.DataFrame:
    """Where each sum stands and where each of its lines does, in the sender's file (``LINES_SCHEMA``, with ``_file``)."""
    sheets = pl.Series(list(batch.places.sheets), dtype=pl.String)

    def places(of: pl.Series, sheet: str, row: str) -> list[pl.Series]:
        return [sheets.gather(batch.places.part.gather(of)).alias(sheet), batch.places.row.gather(of).alias(row)]

    files = batch.files().gather(sums.lines["first"]).alias("_file")
    return pl.DataFrame([*places(sums.lines["first"], "source_sheet", "source_row"), *places(sums.lines["line"], "line_sheet", "line_row"), files])
