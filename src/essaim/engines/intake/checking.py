"""The whole check of a file: read, map, type, look up, apply rules, tell everything at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from .check_apart import Repeats, marked, repeats_a_code, told_apart
from .check_batch import Batch, Part, build_batch
from .check_cells import SILENT, Typed, check_bounds, check_required, type_columns
from .check_comments import check_comments
from .check_headings import set_apart
from .check_keys import Existing, check_duplicates, check_history, repeats_a_key
from .check_named import by_title, set_aside_by_name
from .check_received import Contain, Reader, fingerprint
from .check_references import resolve_references
from .check_result import EMPTY, Aside, Outcome, empty_check, split_by_file
from .check_status import check_status, with_status
from .check_sums import Sums, add_up, ask_kinds, lines_of
from .check_wanted import absent, wanted
from .context import complete
from .contract import NUMERIC, Contract
from .dates_apart import dates_joined
from .fill_down import repeated, said_once
from .issues import Finding, remark_on_table
from .listing import listed
from .mapping import map_table
from .mapping_groups import by_group
from .mapping_left import in_euros, of_whole_stock
from .mapping_names import vocabulary
from .mapping_taxes import without_taxes
from .mapping_units import beside_quantities, in_packs
from .mapping_years import which_year
from .nested import unnested
from .references import Reference
from .report import Check, Question
from .reshaped import Reshaped
from .rules import check_outliers, check_rules
from .tables import FileRefused, Limits, RawTable, ReadFile
from .threads import side_by_side

Progress = Callable[[float, str], None]
Memory = MappingOf[str, MappingOf[str, str]]


@dataclass(frozen=True, slots=True)
class CheckInputs:
    """What every file of a batch is checked with. ``memory``: layout → {column letter or header → field (``""`` leaves it out)};
    ``answers``: question → choice; ``references``: register name → Reference; ``existing``: keys → rows of the ledger."""

    references: MappingOf[str, Reference]
    memory: Memory
    answers: MappingOf[str, str]
    sender: str | None = None
    existing: Existing | None = None


def check(
    content: bytes | Path,
    filename: str,
    contract: Contract,
    *,
    references: MappingOf[str, Reference] | None = None,
    memory: Memory | None = None,
    answers: MappingOf[str, str] | None = None,
    sender: str | None = None,
    existing: Existing | None = None,
    limits: Limits | None = None,
    progress: Progress | None = None,
    contain: Contain = False,
) -> Check:
    """Understands one file as ``contract`` and gives back its rows and every issue. Never raises on a bad file: see ``status``.

    ``memory``: layout fingerprint → {column letter or header → field name, ``""`` to leave the column out}, as confirmed before by
    this sender. ``answers``: question id → choice; ``value:<field>:<text>`` → replacement of a text the sender corrected.
    ``existing``: frame of distinct keys → frame of the rows the ledger holds under them. ``contain`` reads in a separate process
    under ``limits`` of memory and time (``"here"``: forked from this one, which must hold no secret). ``progress(share, step)`` is told the steps, ``share`` from 0 to 1.
    """
    inputs = CheckInputs(references if references is not None else {}, memory or {}, answers or {}, sender, existing)
    tell = progress or (lambda share, step: None)
    tell(0.0, "Lecture du fichier")
    read, sha256 = Reader(vocabulary(contract), limits or Limits(), contain).receive(content, filename)
    del content
    if isinstance(read, FileRefused):
        return empty_check(contract, filename, sha256, ((read.code, str(read)),), sender)
    tell(0.4, "Compréhension des colonnes")
    files = [(read, sha256)]
    del read
    return _checked(files, contract, inputs, tell)[0]


def check_many(
    files: Iterable[tuple[bytes | Path, str]],
    contract: Contract,
    *,
    references: MappingOf[str, Reference] | None = None,
    memory: Memory | None = None,
    answers: MappingOf[str, str] | None = None,
    sender: str | None = None,
    limits: Limits | None = None,
    progress: Progress | None = None,
    contain: Contain = False,
) -> list[Check]:
    """Checks many files of one contract together: one Check a file, in order, equal to what ``check`` gives file by file.

    Contained files share the processes that read them: one that breaks its process is read again apart from the others."""
    inputs = CheckInputs(references if references is not None else {}, memory or {}, answers or {}, sender)
    tell = progress or (lambda share, step: None)
    pending = list(files)
    results: list[Check | None] = []
    readable: list[tuple[ReadFile, str]] = []
    received = Reader(vocabulary(contract), limits or Limits(), contain).receive_all(pending)
    for number, (_, filename) in enumerate(pending):
        tell(0.5 * number / max(len(pending), 1), f"Lecture de {filename}")
        read, sha256 = next(received)
        if isinstance(read, FileRefused):
            results.append(empty_check(contract, filename, sha256, ((read.code, str(read)),), sender))
        else:
            readable.append((read, sha256))
            results.append(None)
    checked = iter(_checked(readable, contract, inputs, tell))
    return [item if item is not None else next(checked) for item in results]


def check_read(files: Sequence[tuple[ReadFile, str]], contract: Contract, inputs: CheckInputs, tell: Progress) -> list[Check]:
    """Checks files already read, each with the SHA-256 of its bytes."""
    return _checked(list(files), contract, inputs, tell)


def _checked(files: list[tuple[ReadFile, str]], contract: Contract, inputs: CheckInputs, tell: Progress) -> list[Check]:
    """Empties ``files`` of their cells as it goes, so that a large file is not held twice."""
    kept, ignored = _understood(files, contract, inputs)
    if not kept:
        return split_by_file(Outcome(contract, files, None, ignored, inputs.sender))
    tell(0.5, "Lecture des cellules")
    batch = build_batch(contract, kept, inputs.answers)
    typed = type_columns(batch)
    tell(0.7, "Recherche dans les registres")
    questions = ask_kinds(batch, typed)
    questions += resolve_references(batch, typed, inputs.references, inputs.answers)
    tell(0.85, "Vérification des règles")
    merged, counts, sums, asked = _rules(batch, typed, inputs)
    tell(1.0, "Terminé")
    outcome = Outcome(contract, files, (batch, typed), ignored, inputs.sender, (*questions, *asked), merged, counts)
    return split_by_file(outcome if sums is None else replace(outcome, added=sums.added, lines=lines_of(batch, sums)))


def _understood(files: list[tuple[ReadFile, str]], contract: Contract, inputs: CheckInputs) -> tuple[list[Part], list[Aside]]:
    """Tables of every file mapped: those to check, those to leave aside with the reason."""
    kept: list[Part] = []
    ignored: list[Aside] = []
    for number, (read, sha256) in enumerate(files):
        usable, others = set_apart(*_sorted_out(_mapped(number, read, contract, inputs), contract), contract)
        usable = listed([piece for part in usable for piece in by_title(part, contract)], contract, inputs.answers)
        completed = [without_taxes(part, contract) for part in complete(usable, [item.part for item in others], contract, read.filename, inputs.answers)]
        completed, named = set_aside_by_name(completed, [item.part for item in others], contract, inputs.answers, read.filename)
        others += named
        completed, refusal = wanted(completed, contract, inputs.answers, read.filename)
        if refusal is None:
            kept += [marked(part, contract) for part in completed]
        else:
            lacking = [tuple(item.name for item in absent(part, contract)) for part in completed]
            others = [*(Aside(part, refusal, names) for part, names in zip(completed, lacking, strict=True)), *others]
        ignored += [replace(item, part=item.part.emptied()) for item in others]
        files[number] = (replace(read, tables=()), sha256)
    return kept, ignored


def _rules(batch: Batch, typed: Typed, inputs: CheckInputs) -> tuple[pl.Series, dict[str, int], Sums | None, Sequence[tuple[int, Question]]]:
    def of_cells() -> list[Finding]:
        return check_required(batch, typed) + check_bounds(batch, typed)

    adding = any(part.each is not None or part.marks is not None or repeats_a_code(part) for part in batch.parts) or len(batch.parts) > len(set(batch.file_of_part))
    works: tuple[Callable[[], Any], ...] = (
        of_cells,
        lambda: [] if adding else check_outliers(batch, typed),
        lambda: adding or repeats_a_key(batch, typed),
    )
    # Values far from the others, and keys given twice, are told last; nothing they need changes meanwhile.
    cells, far, twice = side_by_side(lambda work: work(), works, batch.size)
    typed.findings += cells + check_rules(batch, typed, of_size=False) + check_status(batch) + check_comments(batch)
    repeats = told_apart(batch, typed, inputs.answers) if adding else Repeats()
    sums = add_up(batch, typed, repeats.summed) if adding else None
    typed.findings += (sums.findings if sums else []) + check_rules(batch, typed, of_size=True)
    typed.findings += check_outliers(batch, typed) if adding else far
    out = sums.out if sums is not None else None
    duplicates, merged = check_duplicates(batch, typed, out) if twice else ([], pl.Series([], dtype=pl.UInt32))
    typed.findings += duplicates
    jumps, counts = check_history(batch, typed, inputs.existing, inputs.sender, out)
    typed.findings += jumps
    typed.findings += _column_remarks(batch)
    return merged, counts, sums, repeats.questions


def _column_remarks(batch: Batch) -> list[Finding]:
    lying = [remark_on_table("table_turned", number) for number, part in enumerate(batch.parts) if part.table.turned]
    return lying + [
        remark_on_table(code, number, field or None, detail=detail)
        for number, part in enumerate(batch.parts)
        for code, field, detail in part.mapping.remarks
    ]


def _mapped(number: int, read: ReadFile, contract: Contract, inputs: CheckInputs) -> list[Part]:
    given: dict[str, Any] = {"contract": contract, "answers": inputs.answers}
    plain = (Reshaped(table).then(partial(unnested, **given)).then(partial(dates_joined, **given)) for table in read.tables)
    return [_part(number, piece, contract, inputs, found) for found in plain for piece in by_group(found.table, contract)]


def _part(number: int, table: RawTable, contract: Contract, inputs: CheckInputs, found: Reshaped) -> Part:
    mapping = map_table(table, contract, inputs.memory, inputs.answers)
    if found.questions or found.remarks:
        mapping = replace(mapping, questions=(*mapping.questions, *found.questions), remarks=(*mapping.remarks, *found.remarks))
    down = [position for name, position in mapping.fields.items() if contract.field(name).type not in NUMERIC] if table.merged else []
    counted = of_whole_stock(Part(number, table.filled(down), mapping, table.frame.height), contract)
    part = with_status(which_year(in_euros(counted, contract), contract, inputs.answers), contract)
    return said_once(beside_quantities(in_packs(repeated(part, contract), contract), contract), contract, inputs.answers)


def _sorted_out(parts: list[Part], contract: Contract) -> tuple[list[Part], list[Aside]]:
    """Tables of the contract, and those that clearly are not, each with what it lacks."""
    required = [item for item in contract.fields if item.required]
    scored = [(_relevance(part, contract), part) for part in parts]
    best = max((score for score, _ in scored), default=0.0)
    kept, ignored = [], []
    for score, part in scored:
        if part.rows and score >= max(0.34, 0.5 * best):
            kept.append(part)
        else:
            covered = {item.field for item in part.mapping.mapping}
            lacking = ", ".join(f"« {item.label} »" for item in required if item.name not in covered)
            ignored.append(Aside(part, f"Colonnes absentes : {lacking}. {_read_columns(part)}".strip() if lacking else EMPTY))
    return kept, ignored


def _read_columns(part: Part) -> str:
    heads = [" ".join(column.header.split())[:60] for column in part.table.columns if column.header]
    return f"Colonnes lues : {', '.join(f'« {head} »' for head in heads[:12])}{'…' if len(heads) > 12 else ''}." if heads else ""


def _relevance(part: Part, contract: Contract) -> float:
    """Share of required fields found (a field that names can stand for counts half), or of any fields when none is required."""
    covered = {item.field: item.score for item in part.mapping.mapping}
    if not covered:
        return 0.0
    required = [item for item in contract.fields if item.required and item.default is None]
    if not required:
        return min(1.0, 0.3 + len(covered) / max(len(contract.fields), 1))
    found = sum(1.0 if item.name in covered else 0.5 * any(name in covered for name in item.references_with) for item in required)
    return found / len(required)


__all__ = ["SILENT", "CheckInputs", "Progress", "check", "check_many", "check_read", "fingerprint"]
