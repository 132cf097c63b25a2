"""Reading files: ours against the bare readers, same machine, interleaved; ratios, never absolute promises.

Run ``python bench/bench_reading.py [--rows N]``. Prints one line a job: job, ours, peer, limit, ratios, peak memory.
"""

from __future__ import annotations

import datetime as dt
import io
import random
import resource
import statistics
import time
import zipfile
from collections.abc import Callable
from typing import Any
from xml.parsers import expat

import openpyxl
import polars as pl
import xlsxwriter

from essaim.engines.intake.annotate import annotate
from essaim.engines.intake.contain import contained
from essaim.engines.intake.reading import read_file
from essaim.engines.intake.tables import Limits

HEADERS = ("UAI", "Nom", "Commune", "Code commune", "Date", "Catégorie", "Quantité", "Prix", "Taux", "Fournisseur", "Numéro", "Remarque")


def csv_bytes(rows: int) -> bytes:
    """A delivery file of ``rows`` × 12 with accents, dates and decimal commas."""
    numbers = pl.int_range(rows, eager=True)
    frame = pl.DataFrame({"n": numbers}).select(
        pl.format("{}A", (pl.col("n") + 1_000_000)).alias(HEADERS[0]),
        pl.format("École élémentaire {}", pl.col("n") % 40_000).alias(HEADERS[1]),
        pl.format("Commune {}", pl.col("n") % 3_000).alias(HEADERS[2]),
        pl.format("{}", 35_000 + pl.col("n") % 400).alias(HEADERS[3]),
        pl.lit("31/08/2021").alias(HEADERS[4]),
        pl.lit("VPI").alias(HEADERS[5]),
        (pl.col("n") % 30).alias(HEADERS[6]),
        pl.format("{},50", pl.col("n") % 999).alias(HEADERS[7]),
        pl.format("{},5 %", pl.col("n") % 99).alias(HEADERS[8]),
        pl.format("F{}", pl.col("n") % 50).alias(HEADERS[9]),
        pl.col("n").alias(HEADERS[10]),
        pl.when(pl.col("n") % 3 == 0).then(pl.lit("à vérifier")).alias(HEADERS[11]),
    )
    return frame.write_csv(separator=";").encode()


def xlsx_bytes(rows: int) -> bytes:
    """The same kind of file as a workbook, with dates, percents and zero-padded codes."""
    output = io.BytesIO()
    book = xlsxwriter.Workbook(output, {"constant_memory": True})
    sheet = book.add_worksheet("Livraisons")
    date, percent, code = (book.add_format({"num_format": f}) for f in ("dd/mm/yyyy", "0.0%", "00000"))
    sheet.write_row(0, 0, HEADERS)
    chance = random.Random(1)
    start = dt.datetime(2021, 1, 1)  # noqa: DTZ001
    for i in range(1, rows + 1):
        sheet.write_row(i, 0, (f"{i:07d}A", f"École {i}", f"Commune {i % 3000}"))
        sheet.write_number(i, 3, 1000 + i % 3000, code)
        sheet.write_datetime(i, 4, start + dt.timedelta(days=i % 900), date)
        sheet.write_row(i, 5, (["VPI", "ENI", "PC"][i % 3], i % 30, chance.random() * 1000))
        sheet.write_number(i, 8, (i % 100) / 100, percent)
        sheet.write_row(i, 9, (f"F{i % 50}", i, "ok"))
    book.close()
    return output.getvalue()


def medians(pairs: int, *jobs: Callable[[], Any]) -> list[float]:
    """Median seconds of each job, run in turn ``pairs`` times."""
    spent: list[list[float]] = [[] for _ in jobs]
    for _ in range(pairs):
        for place, job in enumerate(jobs):
            started = time.perf_counter()
            job()
            spent[place].append(time.perf_counter() - started)
    return [statistics.median(times) for times in spent]


def unzip_and_expat(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            if name.startswith("xl/worksheets/sheet") or name == "xl/sharedStrings.xml":
                parser = expat.ParserCreate()
                parser.StartElementHandler = lambda name, attributes: None
                parser.Parse(archive.read(name), True)


def openpyxl_rows(content: bytes) -> None:
    for _ in openpyxl.load_workbook(io.BytesIO(content), read_only=True).worksheets[0].iter_rows(values_only=True):
        pass


def raw_csv(content: bytes) -> None:
    """Text columns, as the reading of ours gives them; the file, in memory for both, is not that of ``bench_check``."""
    pl.read_csv(content, separator=";", infer_schema=False)


def many_issues(count: int, sheet: str) -> pl.DataFrame:
    return pl.DataFrame({"row": pl.int_range(2, count + 2, dtype=pl.UInt32, eager=True)}).select(
        *(pl.lit(text).alias(name) for name, text in (("code", "x"), ("severity", "blocking"), ("sheet", sheet))),
        "row",
        *(pl.lit(text).alias(name) for name, text in (("column", "G"), ("field", "n"), ("value", "?"), ("expected", "un nombre"))),
        pl.lit(None, dtype=pl.String).alias("suggestion"),
        pl.lit("Ce n'est pas un nombre").alias("message"),
    )


def run(repeat: int = 5, rows: int = 1_000_000) -> list[dict[str, Any]]:
    """Reading a text file and a workbook against their floors, containment, the annotated workbook. Seconds, MiB."""
    csv, xlsx = csv_bytes(rows), xlsx_bytes(rows // 10)
    found = []

    def told(job: str, ours: float, peer: str, limit: str = "", ratio: float | None = None) -> None:
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        found.append({"job": job, "ours": ours, "peer": peer, "limit": limit, "ratio": ratio, "memory": memory})

    ours, raw = medians(repeat, lambda: read_file(csv, "a.csv"), lambda: raw_csv(csv))
    told(f"csv {rows:,} × 12", ours, f"polars reading it as text {raw:.3f} s", "≤ 1.5×", ours / raw)
    ours, floor = medians(repeat, lambda: read_file(xlsx, "a.xlsx"), lambda: unzip_and_expat(xlsx))
    (slow,) = medians(1, lambda: openpyxl_rows(xlsx))
    told(f"xlsx {rows // 10:,} × 12", ours, f"unzip+expat {floor:.3f} s", "≤ 2.5×", ours / floor)
    told(f"xlsx {rows // 10:,} × 12", ours, f"openpyxl {slow:.2f} s", "≥ 6× faster", slow / ours)
    small = xlsx_bytes(300)
    contained(read_file, small, "a.xlsx", limits=Limits())
    inside, outside = medians(repeat, lambda: contained(read_file, small, "a.xlsx", limits=Limits()), lambda: read_file(small, "a.xlsx"))
    told("xlsx 300 × 12, contained in a ready process", inside, f"in place {outside:.4f} s", "≤ 0.06 s", inside / outside)
    count = rows // 50
    named = f"{count:,} rows and as many issues"
    told(f"annotated workbook of csv, {named}", medians(1, annotation("a.csv", csv_bytes(count), count))[0], "none writes the sender's file back")
    content = xlsx_bytes(count)
    ours, peer = medians(min(repeat, 3), annotation("a.xlsx", content, count), lambda: openpyxl_again(content))
    told(f"annotated workbook of xlsx, {named}", ours, f"openpyxl, opening and saving alone {peer:.2f} s", "≥ 3× faster", peer / ours)
    return found


def openpyxl_again(content: bytes) -> None:
    """Without a mark, and without what it does not know: what giving back the sender's workbook costs at least with it."""
    openpyxl.load_workbook(io.BytesIO(content), rich_text=True).save(io.BytesIO())


def annotation(name: str, content: bytes, count: int) -> Callable[[], Any]:
    """Gives back a file of ``count`` rows with an issue on each."""
    read = read_file(content, name)
    summary = pl.DataFrame({"code": ["x"], "severity": ["blocking"], "field": ["n"], "count": [count], "message": ["m"]})
    issues = many_issues(count, read.tables[0].sheet)
    return lambda: annotate(content, name, read, issues, summary, title="Contrôle")
