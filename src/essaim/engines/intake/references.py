"""How the intake asks a register about the things a file names, without knowing where the register lives."""

from __future__ import annotations

from typing import Protocol

import polars as pl


class Reference(Protocol):
    """A register of things that files refer to. Calls are vectorised over *distinct* values.

    ``known(values)`` → frame ``value, known (bool), replaced_by (str|null), closed_on (date|null)``.
    ``find(queries)``: queries hold ``query`` (row id) and any of ``name, commune, departement, postal_code``; answer is one
    row per candidate: ``query, value, label, score`` (0–100), best first, at most 5 a query.
    ``attributes(values)`` → frame ``value`` plus whatever the register knows (``departement, name, commune, pupils, classes``).
    """

    def known(self, values: pl.Series) -> pl.DataFrame: ...

    def find(self, queries: pl.DataFrame) -> pl.DataFrame: ...

    def attributes(self, values: pl.Series) -> pl.DataFrame: ...
