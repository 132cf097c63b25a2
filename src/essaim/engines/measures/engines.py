"""Where scans run: DuckDB in this process by default, or a Spark session. Facts in, polars frames of cells out."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias
from urllib.parse import unquote, urlparse

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    import ibis
    import ibis.expr.types as ir

Source: TypeAlias = pa.Table | pl.DataFrame | str | Path | Sequence[str | Path]
Facts: TypeAlias = Mapping[str, Source]


class FactsMissing(LookupError):
    """A fact table that an indicator needs was not given. ``args[0]`` is the French message."""


class Engine(Protocol):
    """What runs a scan."""

    def table(self, name: str, source: Source) -> ir.Table: ...
    def run(self, expr: ir.Table) -> pl.DataFrame: ...
    def sql(self, expr: ir.Table) -> str: ...


def given(name: str, facts: Facts) -> Source:
    """The fact table ``name``, or FactsMissing."""
    if name not in facts:
        raise FactsMissing(f"La table de faits « {name} » n'a pas été fournie.")
    return facts[name]


def paths_of(source: str | Path | Sequence[str | Path]) -> list[str]:
    """Local paths of Parquet files given as paths or ``file://`` addresses; other addresses are kept."""
    given = [source] if isinstance(source, str | Path) else list(source)
    found = []
    for item in given:
        text = str(item)
        found.append(unquote(urlparse(text).path) if text.startswith("file://") else text)
    return found


def whole_columns(source: Source) -> frozenset[str]:
    """The columns of a table in memory that have a value in every row; none is known of files."""
    if isinstance(source, pa.Table):
        return frozenset(name for name in source.column_names if source.column(name).null_count == 0)
    if isinstance(source, pl.DataFrame):
        return frozenset(name for name in source.columns if not source[name].has_nulls())
    return frozenset()


class DuckEngine:
    """Ibis on an in-memory DuckDB. It remembers how DuckDB reads the columns of Arrow tables already given."""

    def __init__(self, threads: int | None = None) -> None:
        import ibis

        self.connection: Any = ibis.duckdb.connect()
        self._schemas: dict[pa.Schema, ibis.Schema] = {}
        self._views: set[str] = set()
        if threads:
            self.connection.raw_sql(f"SET threads = {int(threads)}")

    def table(self, name: str, source: Source) -> ir.Table:
        view = "f_" + "".join(letter if letter.isalnum() else "_" for letter in name)
        if isinstance(source, pl.DataFrame):
            source = source.to_arrow()
        self._forget(view)
        self._views.add(view)
        if isinstance(source, pa.Table):
            self.connection.con.register(view, source)
            return self._registered(view, source.schema)
        files = ", ".join("'" + item.replace("'", "''") + "'" for item in paths_of(source))
        self.connection.raw_sql(
            f'CREATE OR REPLACE TEMP VIEW "{view}" AS SELECT * FROM read_parquet([{files}], '
            "union_by_name = true, hive_partitioning = true, hive_types_autocast = false)"
        )
        return self.connection.table(view)

    def known(self, view: str, number: int | None) -> str:
        """The view of those of its entries that are known at ``number``; all of them when None."""
        if number is None:
            return view
        name = f"{view}_known"
        self._views.add(name)
        self.connection.raw_sql(f'CREATE OR REPLACE TEMP VIEW "{name}" AS SELECT * FROM "{view}" WHERE submission <= {int(number)}')
        return name

    def _registered(self, view: str, columns: pa.Schema) -> ir.Table:
        """What ``connection.table`` gives, which asks DuckDB and parses every type each time."""
        import ibis.expr.operations as ops

        if columns not in self._schemas:
            self._schemas[columns] = self.connection.table(view).schema()
        return ops.DatabaseTable(view, schema=self._schemas[columns], source=self.connection, namespace=ops.Namespace()).to_expr()

    def _forget(self, view: str) -> None:
        """The same name may have held a table in memory or files: forget both."""
        if view in self._views:
            self.connection.con.unregister(view)
            self.connection.raw_sql(f'DROP VIEW IF EXISTS "{view}"')

    def forget(self) -> None:
        """Lets go of every table given."""
        for view in self._views:
            self._forget(view)
        self._views.clear()

    def run(self, expr: ir.Table) -> pl.DataFrame:
        return _as_frame(expr.to_pyarrow())

    def run_sql(self, text: str) -> pl.DataFrame:
        """The rows of a statement on the tables registered."""
        return _as_frame(self.connection.con.sql(text).to_arrow_table())

    def sql(self, expr: ir.Table) -> str:
        import ibis

        return str(ibis.to_sql(expr, dialect="duckdb"))

    def close(self) -> None:
        self.connection.disconnect()


class SparkEngine:
    """Ibis on a Spark session (any master). Arrow facts are handed over as Parquet in a temporary folder."""

    def __init__(self, session: Any | None = None, master: str | None = None) -> None:
        import ibis
        from pyspark.sql import SparkSession

        if session is None:
            builder = SparkSession.builder.appName("essaim")
            session = (builder.master(master) if master else builder).getOrCreate()
        self.session = session
        session.conf.set("spark.sql.sources.partitionColumnTypeInference.enabled", "false")
        session.conf.set("spark.sql.ansi.enabled", "false")
        self.connection: Any = ibis.pyspark.connect(session)
        self._folder = tempfile.TemporaryDirectory(prefix="essaim-spark-")

    def table(self, name: str, source: Source) -> ir.Table:
        view = "f_" + "".join(letter if letter.isalnum() else "_" for letter in name)
        if isinstance(source, pl.DataFrame):
            source = source.to_arrow()
        if isinstance(source, pa.Table):
            path = Path(self._folder.name) / f"{view}.parquet"
            pq.write_table(source, path)
            source = str(path)
        # Hadoop's connector to object stores answers to s3a.
        files = [f"s3a://{item[5:]}" if item.startswith("s3://") else item for item in paths_of(source)]
        reader = self.session.read.option("mergeSchema", "true")
        if any("=" in item for item in files):
            reader = reader.option("basePath", _base_of(files[0]))
        reader.parquet(*files).createOrReplaceTempView(view)
        return self.connection.table(view)

    def run(self, expr: ir.Table) -> pl.DataFrame:
        rows = self.session.sql(self.sql(expr))
        return _as_frame(rows.toArrow())

    def sql(self, expr: ir.Table) -> str:
        import ibis

        return str(ibis.to_sql(expr, dialect="pyspark"))

    def close(self) -> None:
        self._folder.cleanup()


def _base_of(path: str) -> str:
    """The folder above the first ``column=value`` folder."""
    parts = path.split("/")
    first = next(index for index, part in enumerate(parts) if "=" in part)
    return "/".join(parts[:first])


def _as_frame(table: pa.Table) -> pl.DataFrame:
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return frame


# An engine at rest in each process: opening and closing one costs more than counting a submission.
_AT_REST: dict[int, DuckEngine] = {}


@contextmanager
def opened(engine: str | Engine) -> Iterator[Engine]:
    """An engine by name (``duckdb``, ``spark``, ``spark:<master>``), closed at the end or left empty for the next; or the one
    given, kept open."""
    if not isinstance(engine, str):
        yield engine
    elif engine == "duckdb":
        with _lent() as lent:
            yield lent
    elif engine == "spark" or engine.startswith("spark:"):
        with closing(SparkEngine(master=engine.partition(":")[2] or None)) as made:
            yield made
    else:
        raise ValueError(f"Moteur de calcul inconnu : « {engine} » (duckdb, spark).")


@contextmanager
def _lent() -> Iterator[DuckEngine]:
    """The engine at rest, or a new one when there is none; it goes to rest in turn if the place is free and nothing failed.
    A forked process has its own: DuckDB's threads do not follow."""
    made = _AT_REST.pop(os.getpid(), None) or DuckEngine()
    try:
        yield made
        made.forget()
    except BaseException:
        made.close()
        raise
    if _AT_REST.setdefault(os.getpid(), made) is not made:
        made.close()
