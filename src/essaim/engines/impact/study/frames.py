"""Tables handed to a study: csv, parquet and Stata files, pandas, polars or Arrow frames — all become one polars frame."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from essaim.engines.impact.panel import Panel
from essaim.engines.impact.refusal import Refusal
from essaim.engines.impact.study.plan import Data

Floats = npt.NDArray[np.float64]
READERS = (".csv", ".csv.gz", ".tsv", ".parquet", ".dta")


def read_table(path: Path) -> pl.DataFrame:
    """Read a file by its extension. A csv's separator (``;``, ``,`` or tab) is found in its first line."""
    name = path.name.lower()
    if not path.is_file():
        raise Refusal("file", f"Fichier introuvable : {path.name}.")
    if name.endswith(".parquet"):
        try:
            return pl.read_parquet(path)
        except (pl.exceptions.PolarsError, OSError):
            raise Refusal("file", f"{path.name} n'est pas un fichier parquet lisible.") from None
    if name.endswith(".dta"):
        return _read_stata(path)
    if name.endswith((".csv", ".csv.gz", ".tsv")):
        return _read_csv(path)
    raise Refusal("file", f"Format non reconnu : {path.name}. Formats lus : {', '.join(READERS)}.")


def _read_stata(path: Path) -> pl.DataFrame:
    import struct

    import pandas as pd

    try:
        return pl.from_pandas(pd.read_stata(path, convert_categoricals=False))
    except (ValueError, OSError, struct.error, KeyError):
        raise Refusal("file", f"{path.name} n'est pas un fichier Stata lisible.") from None


def _read_csv(path: Path) -> pl.DataFrame:
    import gzip

    try:
        content = gzip.decompress(path.read_bytes()) if path.name.endswith(".gz") else path.read_bytes()
    except (OSError, EOFError):
        raise Refusal("file", f"{path.name} n'est pas une archive gzip lisible.") from None
    if not content.strip():
        raise Refusal("file", f"{path.name} est vide.")
    first = content.split(b"\n", 1)[0]
    separator = max((";", ",", "\t"), key=lambda s: first.count(s.encode()))
    try:
        return pl.read_csv(content, separator=separator, infer_schema_length=None, decimal_comma=separator == ";",
                           null_values=["", "NA", "NaN", "."])
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        raise Refusal("file", f"{path.name} n'est pas un csv lisible en UTF-8 ({type(error).__name__}).") from None


def frame_of(table: Any) -> pl.DataFrame:
    """A polars frame from polars, pandas or Arrow."""
    if isinstance(table, pl.DataFrame):
        return table
    if hasattr(table, "column_names"):
        found = pl.from_arrow(table)
        assert isinstance(found, pl.DataFrame)
        return found
    if hasattr(table, "iloc"):
        return pl.from_pandas(table)
    raise Refusal("frame", "Une table pandas, polars ou Arrow est attendue.")


def prepared(frame: pl.DataFrame, data: Data) -> pl.DataFrame:
    """The frame with the plan's derived columns and only its rows."""
    try:
        for name, expression in data.derive.items():
            frame = frame.with_columns(pl.sql_expr(expression).alias(name))
        return frame if data.where is None else frame.filter(pl.sql_expr(data.where))
    except pl.exceptions.PolarsError as error:
        raise Refusal("derive", f"Expression de data.derive ou data.where illisible : {error}") from None


def columns_used(frame: pl.DataFrame, names: Sequence[str | None]) -> list[str]:
    """Names present, in order, without repetition. Refuses an absent column."""
    wanted = [n for n in dict.fromkeys(names) if n is not None]
    absent = [n for n in wanted if n not in frame.columns]
    if absent and not frame.columns:
        raise Refusal("column", f"Ce plan lit des données ({', '.join(absent)}) : les donner avec --data.")
    if absent:
        raise Refusal("column", f"Colonne(s) absente(s) des données : {', '.join(absent)}. "
                                f"Colonnes présentes : {', '.join(frame.columns[:20])}.")
    return wanted


def frame_fingerprint(frame: pl.DataFrame, names: Sequence[str] | None = None) -> str:
    """SHA-256 of the columns used, whatever the order of rows and columns."""
    kept = frame.select(sorted(names)) if names else frame.select(sorted(frame.columns))
    ordered = kept.sort(kept.columns, nulls_last=True, maintain_order=False)
    return hashlib.sha256(ordered.write_csv(float_precision=None).encode()).hexdigest()


def panel_fingerprint(panel: Panel) -> str:
    """SHA-256 of a panel already read."""
    digest = hashlib.sha256()
    for part in (panel.unit, panel.cluster, panel.period, panel.outcome, panel.cohort, panel.covariates, panel.weights):
        digest.update(b"-" if part is None else np.ascontiguousarray(part).tobytes())
    digest.update("|".join(map(str, (*panel.unit_labels, *panel.cluster_labels, *panel.period_labels))).encode())
    return digest.hexdigest()


def panel_of(frame: pl.DataFrame, data: Data, outcome: str) -> Panel:
    """The plan's panel for one outcome."""
    if data.period is None or (data.cohort is None and data.exposure is None):
        raise Refusal("plan", "Nommer data.period, et data.cohort ou data.exposure : cette analyse lit un panel.")
    return Panel.read(frame, unit=data.unit, cluster=data.cluster, time=data.period, outcome=outcome, cohort=data.cohort,
                      exposure=data.exposure, covariates=data.covariates, weights=data.weights,
                      missing_covariates=data.missing_covariates, lost_clusters=data.lost_clusters,
                      require_never_treated=data.never_treated)


def texts(frame: pl.DataFrame, column: str) -> pl.Series:
    """Column as texts; whole numbers held as floats (as Stata does) are written without their « .0 »."""
    values = frame[column]
    if values.dtype.is_float() and ((values.drop_nulls() % 1) == 0).all():
        values = values.cast(pl.Int64, strict=False)
    return values.cast(pl.String)


def by_cluster(frame: pl.DataFrame, cluster: str, column: str, labels: Sequence[Any] | npt.NDArray[Any]) -> list[str]:
    """Value of ``column`` for each cluster of ``labels``. Refuses a column that varies inside a cluster."""
    table = frame.select(pl.col(cluster).cast(pl.String).alias("_c"), pl.col(column).cast(pl.String).alias("_v")).unique()
    found = dict(table.iter_rows())
    if table.height != len(found):
        raise Refusal("strata", f"« {column} » prend plusieurs valeurs dans une même grappe : ce n'est pas une strate.")
    return [str(found[_text(label)]) for label in labels]


def _text(label: Any) -> str:
    return str(label.item() if hasattr(label, "item") else label)


def cluster_means(frame: pl.DataFrame, cluster: str, columns: Sequence[str], labels: Sequence[Any] | npt.NDArray[Any]) -> Floats:
    """Mean of each column by cluster, clusters × columns, in the order of ``labels``."""
    table = frame.group_by(pl.col(cluster).cast(pl.String).alias("_c")).agg([pl.col(c).mean() for c in columns])
    found = {row[0]: row[1:] for row in table.iter_rows()}
    return np.array([[np.nan if v is None else v for v in found[_text(label)]] for label in labels], float)
