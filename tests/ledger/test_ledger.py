"""What each door of the ledger promises and refuses."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pytest

from essaim.engines.ledger import (
    DuplicateKey,
    Ledger,
    LedgerRefused,
    OutOfOrder,
    SpecMismatch,
    TableSpec,
    UnknownSubmission,
)

from .replaying import BY_FILE, BY_KEY, BY_SENDER_KEY, FIELDS, rows

NOW = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
C1 = {"order_number": "C1", "uai": "0020001A", "quantity": 12, "price_eur": 99.5, "departement": "02"}
C2 = {
    "order_number": "C2",
    "uai": "0950002B",
    "quantity": 3,
    "delivered_on": date(2021, 9, 1),
    "departement": "95",
}


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger")


def post(ledger: Ledger, spec: TableSpec, number: int, *items: dict, sender: str = "laon", start: int = 2):
    return ledger.post(spec, rows(*items, start=start), submission=number, sender=sender, posted_at=NOW)


def withdraw(ledger: Ledger, spec: TableSpec, number: int, target: int):
    return ledger.withdraw(spec, target=target, submission=number, posted_at=NOW)


def quantities(ledger: Ledger, spec: TableSpec, **asked) -> dict:
    return {row["order_number"]: row["quantity"] for row in ledger.state(spec, **asked).to_pylist()}


def test_counts_and_preview_agree(ledger: Ledger) -> None:
    """A preview tells what the post then does, and which cells change from what to what."""
    post(ledger, BY_KEY, 1, C1, C2)
    repaired = rows({**C1, "quantity": 10, "price_eur": None}, C2, {**C2, "order_number": "C3"})
    preview = ledger.preview(BY_KEY, repaired, sender="laon")
    assert (preview.new, preview.changed, preview.unchanged, preview.withdrawn) == (1, 1, 1, 0)
    assert preview.changes.to_pylist() == [
        {"order_number": "C1", "column": "price_eur", "old": "99.5", "new": None},
        {"order_number": "C1", "column": "quantity", "old": "12", "new": "10"},
    ]
    assert ledger.last(BY_KEY) == 1
    posted = ledger.post(BY_KEY, repaired, submission=2, sender="laon", posted_at=NOW)
    assert (posted.new, posted.changed, posted.unchanged, posted.withdrawn, posted.entries) == (1, 1, 1, 0, 3)
    assert quantities(ledger, BY_KEY) == {"C1": 10, "C2": 3, "C3": 3}
    assert quantities(ledger, BY_KEY, known_at=1) == {"C1": 12, "C2": 3}
    assert quantities(ledger, BY_KEY, known_at=0) == {}


def test_same_content_adds_no_entry_but_is_a_claim(ledger: Ledger) -> None:
    """Posted again under a new number: no entry; withdrawing the first file then keeps the row, now traced to the second."""
    post(ledger, BY_KEY, 1, C1)
    again = post(ledger, BY_KEY, 2, C1, sender="rectorat", start=8)
    assert (again.entries, again.submission, again.unchanged) == (0, None, 1)
    assert ledger.posted(BY_KEY, 2) and ledger.last(BY_KEY) == 2
    withdraw(ledger, BY_KEY, 3, target=1)
    [row] = ledger.state(BY_KEY).to_pylist()
    assert (row["quantity"], row["origin"], row["sender"], row["source_row"]) == (12, 2, "rectorat", 8)
    withdraw(ledger, BY_KEY, 4, target=2)
    assert quantities(ledger, BY_KEY) == {}


def test_withdrawing_a_correction_brings_the_first_value_back(ledger: Ledger) -> None:
    """The restored row points to the first file's cell; the past stays as it was known."""
    post(ledger, BY_KEY, 1, C1, start=5)
    post(ledger, BY_KEY, 2, {**C1, "quantity": 99})
    outcome = withdraw(ledger, BY_KEY, 3, target=2)
    assert (outcome.changed, outcome.entries) == (1, 2)
    [row] = ledger.state(BY_KEY).to_pylist()
    assert (row["quantity"], row["submission"], row["origin"], row["source_row"]) == (12, 3, 1, 5)
    assert quantities(ledger, BY_KEY, known_at=2) == {"C1": 99}


def test_a_file_replaces_its_perimeter(ledger: Ledger) -> None:
    """A row left out of the sender's new file is withdrawn, another sender's is not; withdrawing the file restores it."""
    post(ledger, BY_FILE, 1, C1, C2)
    post(ledger, BY_FILE, 2, {**C2, "order_number": "C9"}, sender="cergy")
    assert post(ledger, BY_FILE, 3, C1).withdrawn == 1
    assert set(quantities(ledger, BY_FILE)) == {"C1", "C9"}
    withdraw(ledger, BY_FILE, 4, target=3)
    assert set(quantities(ledger, BY_FILE)) == {"C1", "C2", "C9"}
    assert post(ledger, BY_FILE, 5).entries == 0
    assert set(quantities(ledger, BY_FILE)) == {"C1", "C2", "C9"}


def test_a_key_that_changes_departement_stands_once(ledger: Ledger) -> None:
    """A row handed in again for another département leaves the first one."""
    post(ledger, BY_KEY, 1, C1)
    assert post(ledger, BY_KEY, 2, {**C1, "departement": "2A"}).changed == 1
    assert post(ledger, BY_KEY, 3, {**C1, "departement": None}).changed == 1
    assert ledger.state(BY_KEY, departements=["02", "2A"]).num_rows == 0
    assert ledger.state(BY_KEY, departements=[None]).num_rows == 1
    assert ledger.state(BY_KEY, departements=[]).num_rows == 0
    assert ledger.verify(BY_KEY).ok


def test_repeating_an_act_gives_the_first_outcome(ledger: Ledger) -> None:
    """The same number with the same content does nothing, even after other acts."""
    first = post(ledger, BY_KEY, 1, C1, C2)
    gone = withdraw(ledger, BY_KEY, 4, target=1)
    assert post(ledger, BY_KEY, 1, C2, C1) == first
    assert withdraw(ledger, BY_KEY, 4, target=1) == gone
    assert ledger.entries(BY_KEY).num_rows == 4


def test_numbers_out_of_order_are_refused(ledger: Ledger) -> None:
    """A lower number, a number used by another sender, other rows or another act, a number that is none."""
    post(ledger, BY_KEY, 5, C1)
    for attempt in (
        lambda: post(ledger, BY_KEY, 4, C2),
        lambda: post(ledger, BY_KEY, 5, C1, sender="cergy"),
        lambda: post(ledger, BY_KEY, 5, {**C1, "quantity": 1}),
        lambda: withdraw(ledger, BY_KEY, 5, target=5),
    ):
        with pytest.raises(OutOfOrder):
            attempt()
    for number in (0, -1, True, 1.5):
        with pytest.raises(LedgerRefused, match="numéro"):
            post(ledger, BY_KEY, number, C1)
    assert ledger.entries(BY_KEY).num_rows == 1


def test_a_key_given_twice_is_refused(ledger: Ledger) -> None:
    """Even with equal rows, and with a null in the key; the message names the key."""
    with pytest.raises(DuplicateKey, match="C1") as refusal:
        post(ledger, BY_KEY, 1, C1, C2, C1)
    assert refusal.value.examples == (("C1",),)
    assert isinstance(refusal.value, ValueError)
    with pytest.raises(DuplicateKey):
        post(ledger, BY_KEY, 1, {**C1, "order_number": None}, {**C2, "order_number": None})
    assert ledger.tables() == ()


def test_withdrawals_that_make_no_sense_are_refused(ledger: Ledger) -> None:
    """Unknown target, target withdrawn already, target itself a withdrawal; nothing is created or written."""
    with pytest.raises(UnknownSubmission):
        withdraw(ledger, BY_KEY, 1, target=1)
    assert ledger.tables() == ()
    post(ledger, BY_KEY, 1, C1)
    withdraw(ledger, BY_KEY, 2, target=1)
    for target, message in ((9, "n'y figure pas"), (1, "déjà retiré"), (2, "lui-même un retrait")):
        with pytest.raises(UnknownSubmission, match=message):
            withdraw(ledger, BY_KEY, 3, target=target)
    assert ledger.last(BY_KEY) == 2


def test_the_sender_may_be_part_of_the_key(ledger: Ledger) -> None:
    """Two senders may use the same order number, and each corrects only its own."""
    post(ledger, BY_SENDER_KEY, 1, C1)
    post(ledger, BY_SENDER_KEY, 2, {**C1, "quantity": 7}, sender="L'Haÿ-les-Roses")
    post(ledger, BY_SENDER_KEY, 3, {**C1, "quantity": 1})
    found = {row["sender"]: row["quantity"] for row in ledger.state(BY_SENDER_KEY).to_pylist()}
    assert found == {"laon": 1, "L'Haÿ-les-Roses": 7}
    assert ledger.state(BY_SENDER_KEY, where={"sender": "L'Haÿ-les-Roses"}).num_rows == 1


def test_trace_points_every_entry_to_the_cell_that_says_it(ledger: Ledger) -> None:
    """Newest first; −1 and +1 alike name the file and row that state their values; claims can be asked for."""
    post(ledger, BY_KEY, 1, C2, C1)
    post(ledger, BY_KEY, 2, C1, sender="rectorat", start=40)
    post(ledger, BY_KEY, 3, {**C1, "quantity": 10}, start=7)
    withdraw(ledger, BY_KEY, 4, target=3)

    def told(**asked):
        names = ("submission", "sign", "quantity", "origin", "source_row", "sender")
        return [tuple(row[name] for name in names) for row in ledger.trace(BY_KEY, **asked).to_pylist()]

    history = [
        (4, 1, 12, 2, 40, "rectorat"),
        (4, -1, 10, 3, 7, "laon"),
        (3, 1, 10, 3, 7, "laon"),
        (3, -1, 12, 1, 3, "laon"),
        (1, 1, 12, 1, 3, "laon"),
    ]
    assert told(key={"order_number": "C1"}) == history
    assert told(key={"order_number": "C1"}, known_at=3) == history[2:]
    assert (2, 0, 12, 2, 40, "rectorat") in told(key={"order_number": "C1"}, claims=True)
    assert told(where={"uai": ["0950002B"]}) == [(1, 1, 3, 1, 2, "laon")]
    with pytest.raises(LedgerRefused, match="inconnue"):
        ledger.trace(BY_KEY, where={"couleur": "rouge"})


def test_entries_and_columns(ledger: Ledger) -> None:
    """Entries of one act, of a département, of a key; chosen columns; unknown ones refused."""
    post(ledger, BY_KEY, 1, C1, C2)
    post(ledger, BY_KEY, 2, {**C1, "quantity": 1})
    assert ledger.entries(BY_KEY, submission=2)["sign"].to_pylist() == [-1, 1]
    assert ledger.entries(BY_KEY, submission=2, known_at=1).num_rows == 0
    assert ledger.entries(BY_KEY, departements=["95"]).num_rows == 1
    assert ledger.entries(BY_KEY, key={"order_number": "C1"}, known_at=1).num_rows == 1
    assert ledger.state(BY_KEY, columns=["quantity"]).column_names == ["quantity"]
    with pytest.raises(LedgerRefused, match="couleur"):
        ledger.state(BY_KEY, columns=["couleur"])


def test_sql_over_the_files_gives_the_totals(ledger: Ledger) -> None:
    """DuckDB sums the signed entries of the files at any number; « 02 » stays text; an empty table is typed too."""
    query = "SELECT departement, sum(sign * quantity)::BIGINT FROM {} GROUP BY ALL ORDER BY 1"
    with duckdb.connect() as sql:
        assert sql.execute(query.format(ledger.duckdb_source(BY_KEY))).fetchall() == []
        post(ledger, BY_KEY, 1, C1, C2)
        post(ledger, BY_KEY, 2, {**C1, "quantity": 10}, C2)
        assert sql.execute(query.format(ledger.duckdb_source(BY_KEY))).fetchall() == [("02", 10), ("95", 3)]
        earlier = ledger.duckdb_source(BY_KEY, known_at=1)
        assert sql.execute(query.format(earlier)).fetchall() == [("02", 12), ("95", 3)]
    assert all(Path(name).is_file() and "part=entries" in name for name in ledger.files(BY_KEY))
    assert set(ledger.files(BY_KEY, known_at=1)) < set(ledger.files(BY_KEY))


def test_a_contract_may_gain_a_column(ledger: Ledger) -> None:
    """Old entries read as null; giving the value changes the row; reading works before and after the first new post."""
    post(ledger, BY_KEY, 1, C1, C2)
    wider = replace(BY_KEY, schema=FIELDS.append(pa.field("serial", pa.string())))
    assert ledger.state(wider)["serial"].to_pylist() == [None, None]
    assert ledger.post(wider, rows(C2), submission=2, sender="laon", posted_at=NOW).unchanged == 1
    known = rows(C1).with_columns(pl.lit("S-1").alias("serial"))
    assert ledger.post(wider, known, submission=3, sender="laon", posted_at=NOW).changed == 1
    assert sorted(ledger.state(wider)["serial"].to_pylist(), key=str) == [None, "S-1"]
    assert quantities(ledger, BY_KEY) == {"C1": 12, "C2": 3}
    with duckdb.connect() as sql:
        assert sql.execute(f"SELECT max(serial) FROM {ledger.duckdb_source(wider)}").fetchall() == [("S-1",)]
    assert ledger.verify(wider).ok


def test_declarations_that_do_not_fit_are_refused(ledger: Ledger) -> None:
    """Another key or type than stored, reserved names, unknown key columns, values that are not of their type."""
    post(ledger, BY_KEY, 1, C1)
    with pytest.raises(SpecMismatch, match="diffère"):
        ledger.state(replace(BY_KEY, key=("order_number", "uai")))
    retyped = FIELDS.set(2, pa.field("quantity", pa.string()))
    with pytest.raises(SpecMismatch, match="quantity"):
        ledger.state(replace(BY_KEY, schema=retyped))
    wrong = (
        TableSpec("t", FIELDS, ()),
        TableSpec("t", FIELDS, ("couleur",)),
        TableSpec("t", FIELDS, ("uai",), "perimeter", ("couleur",)),
        TableSpec("t", FIELDS, ("uai",), "perimeter", ()),
        TableSpec("t", FIELDS, ("uai",), "file"),
        TableSpec("../t", FIELDS, ("uai",)),
        TableSpec("t", FIELDS.append(pa.field("sign", pa.int8())), ("uai",)),
        TableSpec("t", pa.schema([("uai", pa.list_(pa.string()))]), ("uai",)),
    )
    for spec in wrong:
        with pytest.raises(SpecMismatch):
            post(ledger, spec, 1, C1)
    with pytest.raises(SpecMismatch, match="absentes"):
        ledger.post(BY_KEY, pl.DataFrame({"quantity": [1]}), submission=2, sender="laon", posted_at=NOW)
    text = rows(C2).with_columns(pl.lit("douze").alias("quantity"))
    with pytest.raises(SpecMismatch, match="type"):
        ledger.post(BY_KEY, text, submission=2, sender="laon", posted_at=NOW)


def test_compaction_changes_nothing_but_files(ledger: Ledger) -> None:
    """Many small files become few; entries, states, acts and outcomes stay; old files go when asked."""
    for number in range(1, 12):
        outcome = post(ledger, BY_KEY, number, {**C1, "quantity": number})
    before = [ledger.state(BY_KEY, known_at=n).to_pylist() for n in range(12)]
    entries = ledger.entries(BY_KEY).to_pylist()
    done = ledger.compact(BY_KEY, keep_hours=0)
    assert done.after < done.before and done.removed > 0
    assert [ledger.state(BY_KEY, known_at=n).to_pylist() for n in range(12)] == before
    assert ledger.entries(BY_KEY).to_pylist() == entries
    assert post(ledger, BY_KEY, 11, {**C1, "quantity": 11}) == outcome
    assert post(ledger, BY_KEY, 12, C2).new == 1
    assert ledger.verify(BY_KEY, journal=range(1, 13)).problems == ()
    assert ledger.compact(BY_FILE).before == 0


def test_submissions_are_listed(ledger: Ledger) -> None:
    """Each act with what it did, and whether it still stands."""
    post(ledger, BY_KEY, 1, C1)
    withdraw(ledger, BY_KEY, 3, target=1)
    told = ledger.submissions(BY_KEY).to_pylist()
    assert [(act["submission"], act["kind"], act["target"], act["is_withdrawn"]) for act in told] == [
        (1, "post", None, True),
        (3, "withdraw", 1, False),
    ]
    assert told[0]["posted_at"] == NOW
    assert ledger.submissions(BY_FILE).num_rows == 0


def test_types_come_back_as_they_went_in(ledger: Ledger) -> None:
    """Decimals, booleans, instants, unsigned and dictionary columns: stored, compared, restored."""
    schema = pa.schema(
        [
            ("code", pa.dictionary(pa.int32(), pa.string())),
            ("amount", pa.decimal128(12, 2)),
            ("is_new", pa.bool_()),
            ("seen_at", pa.timestamp("ms", tz="UTC")),
            ("rank", pa.uint16()),
            ("departement", pa.string()),
        ]
    )
    spec = TableSpec("kinds", schema, ("code",))
    table = pa.Table.from_pylist(
        [{"code": "a", "amount": None, "is_new": True, "seen_at": NOW, "rank": 3, "departement": "2A"}],
        schema=schema,
    )
    assert ledger.post(spec, table, submission=1, sender="laon", posted_at=NOW).new == 1
    assert ledger.post(spec, table, submission=2, sender="laon", posted_at=NOW).entries == 0
    [row] = ledger.state(spec, where={"departement": "2A"}).to_pylist()
    assert {name: row[name] for name in schema.names} == table.to_pylist()[0]
    assert row["source_row"] is None
