"""The naive ledger the real one is compared with: lists and dictionaries, replayed from the start every time."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl
import pyarrow as pa

from essaim.engines.ledger import TableSpec

FIELDS = pa.schema(
    [
        ("order_number", pa.string()),
        ("uai", pa.string()),
        ("quantity", pa.int64()),
        ("price_eur", pa.float64()),
        ("delivered_on", pa.date32()),
    ]
)
BY_KEY = TableSpec("equipment.deliveries", FIELDS, ("order_number",))
BY_SENDER_KEY = TableSpec("equipment.orders", FIELDS, ("sender", "order_number"))
BY_FILE = TableSpec("equipment.inventory", FIELDS, ("order_number",), "perimeter", ("sender",))
BY_OWN_FILE = TableSpec("equipment.stock", FIELDS, ("sender", "order_number"), "perimeter", ("sender",))
BY_SCHOOL = TableSpec("equipment.rooms", FIELDS, ("order_number",), "perimeter", ("uai",))
EVERY_KIND = (BY_KEY, BY_SENDER_KEY, BY_FILE, BY_OWN_FILE, BY_SCHOOL)


def rows(*items: dict, start: int = 2) -> pl.DataFrame:
    """Rows as the intake gives them: contract columns, département, source position."""
    schema = pl.Schema(pl.DataFrame(FIELDS.empty_table()).schema)
    names = [*schema.names(), "departement"]
    frame = pl.DataFrame(
        [{name: item.get(name) for name in names} for item in items],
        schema={**schema, "departement": pl.String},
    )
    return frame.with_columns(
        pl.lit("Feuil1").alias("source_sheet"),
        pl.int_range(start, start + frame.height, dtype=pl.Int64).alias("source_row"),
    )


@dataclass
class Naive:
    """Replays acts one after the other. ``acts``: number → ("post", sender, rows) or ("withdraw", target)."""

    spec: TableSpec
    acts: dict[int, tuple] = field(default_factory=dict)

    def state(self, known_at: int | None = None) -> set[tuple]:
        """Contract values (and département, key) of the rows standing at a number."""
        seen = {n: act for n, act in self.acts.items() if known_at is None or n <= known_at}
        gone = {act[1] for act in seen.values() if act[0] == "withdraw"}
        table: dict[tuple, dict] = {}
        for number in sorted(seen):
            if seen[number][0] == "withdraw" or number in gone:
                continue
            _, sender, frame = seen[number]
            claims = [{**row, "sender": sender} for row in frame.to_dicts()]
            if self.spec.replaces == "perimeter":
                replaced = {self._pick(row, self.spec.perimeter) for row in claims}
                table = {k: r for k, r in table.items() if self._pick(r, self.spec.perimeter) not in replaced}
            table.update({self._pick(row, self.spec.key): row for row in claims})
        return {self.values(row) for row in table.values()}

    def values(self, row: dict) -> tuple:
        """What two ledgers must agree on."""
        return self._pick(row, dict.fromkeys((*self.spec.key, *FIELDS.names, "departement")))

    @staticmethod
    def _pick(row: dict, names) -> tuple:
        return tuple(row[name] for name in names)

    def seen(self, table: pa.Table) -> set[tuple]:
        """The same values of a state given by the real ledger; fails on a key given twice."""
        found = [self.values(row) for row in table.to_pylist()]
        assert len(found) == len(set(found))
        return set(found)
