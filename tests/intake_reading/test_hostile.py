"""Files made to harm, or merely broken, are refused or contained with a clear message."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import time
import zipfile
from pathlib import Path

import pytest

from essaim.engines.intake.contain import contained
from essaim.engines.intake.contain.exchange import load, store
from essaim.engines.intake.reading import read_file
from essaim.engines.intake.tables import FileRefused, Limits, ReadFile

from .grids import HEADER, LINES, package, sheet_xml, values, workbook

GOOD = workbook(("F", [HEADER, *LINES]))
ENTITIES = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
EXTERNAL = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


def zipped(*members: tuple[str, bytes]) -> bytes:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return output.getvalue()


def lying(content: bytes, size: int) -> bytes:
    """The same one-member zip declaring another unpacked size."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        real = archive.infolist()[0].file_size
    return content.replace(real.to_bytes(4, "little"), size.to_bytes(4, "little"))


def ole(stream: str) -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + stream.encode("utf-16-le") + bytes(2048)


BOMB = bytes(40 * 2**20)
CASES = {
    "empty": (b"", "a.csv", "empty_file"),
    "blank": (b"\xef\xbb\xbf\r\n \n", "a.csv", "empty_file"),
    "pdf": (b"%PDF-1.7 ...", "a.xls", "unsupported_format"),
    "image": (b"\x89PNG\r\n\x1a\n" + bytes(100), "a.xlsx", "unsupported_format"),
    "noise": (os.urandom(5000).replace(b"\x00", b"\x01"), "a.csv", "unsupported_format"),
    "page without table": (b"<html><body><p>Session expir\xc3\xa9e</p></body></html>", "a.xls", "html_without_table"),
    "word": (zipped(("word/document.xml", b"<a/>"), ("[Content_Types].xml", b"<a/>")), "a.xlsx", "unsupported_format"),
    "zip bomb": (zipped(("a.csv", BOMB)), "a.zip", "zip_bomb"),
    "gzip bomb": (gzip.compress(BOMB), "a.csv.gz", "zip_bomb"),
    "nested zip": (zipped(("b.zip", zipped(("a.csv", b"a;b\n1;2\n")))), "a.zip", "nested_archive"),
    "lying zip": (lying(zipped(("a.csv", b"uai;n\n" + b"0350001A;1\n" * 9000)), 12), "a.zip", ("zip_bomb", "truncated_file", "empty_archive")),
    "workbook bomb": (package(GOOD, xl__worksheets__sheet1_xml=sheet_xml(" " * 2**25)), "a.xlsx", "zip_bomb"),
    "sheet entities": (package(GOOD, xl__worksheets__sheet1_xml=ENTITIES + sheet_xml("")[38:]), "a.xlsx", "xml_entities"),
    "external entity": (package(GOOD, xl__workbook_xml=EXTERNAL + b"<workbook/>"), "a.xlsx", "xml_entities"),
    "string entities": (package(GOOD, xl__sharedStrings_xml=ENTITIES + b"<sst/>"), "a.xlsx", "xml_entities"),
    "truncated workbook": (GOOD[: len(GOOD) // 2], "a.xlsx", "truncated_file"),
    "truncated gzip": (gzip.compress(b"a;b\n" * 1000)[:-20], "a.csv.gz", "truncated_file"),
    "truncated parquet": (b"PAR1" + bytes(200), "a.parquet", "truncated_file"),
    "truncated json": (b'{"marches": [{"id": "1"}, {"id"', "a.json", "invalid_json"),
    "deep json": (b"[" * 100_000 + b"]" * 100_000, "a.json", ("too_deep", "invalid_json")),
    "encrypted workbook": (ole("EncryptedPackage"), "a.xlsx", "encrypted_file"),
    "old word": (ole("WordDocument"), "a.xls", "unsupported_format"),
    "broken xls": (ole("Workbook"), "a.xls", "truncated_file"),
}


@pytest.mark.parametrize("case", CASES)
def test_refused_with_a_french_sentence(case):
    """Each hostile or broken file is refused by its own code and a sentence that says what to do."""
    content, name, code = CASES[case]
    with pytest.raises(FileRefused) as refusal:
        read_file(content, name)
    assert refusal.value.code in (code if isinstance(code, tuple) else (code,))
    message = str(refusal.value)
    assert message.endswith((".", ")")) and len(message) > 30 and "Traceback" not in message


def test_encrypted_zip_member_is_refused():
    """A zip whose member asks for a password is refused as such."""
    content = bytearray(zipped(("a.csv", b"a;b\n1;2\n")))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(FileRefused) as refusal:
        read_file(bytes(content), "a.zip")
    assert refusal.value.code == "encrypted_file"


def test_macros_links_and_formulas_are_told_not_run():
    """Macros and external links are only told; formulas give their stored value, or are told when they have none."""
    rows = [("UAI", "Quantité", "Double"), ("0350001A", 2, "=B2*2"), ("0350002B", 3, "=B3*2")]
    content = package(
        workbook(("F", rows)), **{"xl__vbaProject.bin": b"macro"}, xl__externalLinks__externalLink1_xml=b"<externalLink/>"
    )
    result = read_file(content, "a.xlsm")
    assert result.format == "xlsm"
    assert set(dict(result.notices)) == {"formula_without_value", "external_links", "macros"}
    assert [row[:2] for row in values(result.tables[0])] == [("0350001A", "2"), ("0350002B", "3")]


def test_stored_formula_values_are_used():
    """A formula counts as the value the sender's spreadsheet stored."""
    cell = '<c r="{0}{1}" t="inlineStr"><is><t>{2}</t></is></c>'
    body = f'<row r="1">{cell.format("A", 1, "UAI")}{cell.format("B", 1, "Nombre")}</row>'
    body += f'<row r="2">{cell.format("A", 2, "0350001A")}<c r="B2"><f>1+1</f><v>2</v></c></row>'
    result = read_file(package(GOOD, xl__worksheets__sheet1_xml=sheet_xml(body)), "a.xlsx")
    assert values(result.tables[0]) == [("0350001A", "2")]
    assert "formula_without_value" not in dict(result.notices)


def test_nul_bytes_are_told():
    """A few NUL bytes in a text are dropped and told."""
    result = read_file(b"uai;nom;n\n0350001A;\xc3\x89cole\x00;3\n0350002B;B;4\n" * 20, "a.csv")
    assert values(result.tables[0])[0] == ("0350001A", "École", "3")
    assert "nul_bytes" in dict(result.notices)


# -- containment -------------------------------------------------------------------------------------------------


def test_contained_reading_is_the_same_reading():
    """What comes back from the separate process equals a reading in place."""
    inside = contained(read_file, GOOD, "a.xlsx", limits=Limits(seconds=60))
    outside = read_file(GOOD, "a.xlsx")
    assert isinstance(inside, ReadFile) and inside.notices == outside.notices
    assert inside.tables[0].frame.equals(outside.tables[0].frame)
    assert inside.tables[0].columns == outside.tables[0].columns


def test_contained_refusals_come_back():
    """A refusal raised inside keeps its code and its sentence."""
    with pytest.raises(FileRefused) as refusal:
        contained(read_file, b"%PDF-1.7", "a.pdf", limits=Limits(seconds=60))
    assert refusal.value.code == "unsupported_format" and "PDF" in str(refusal.value)


def test_time_and_memory_are_bounded():
    """Too long or too big is refused, and no process is left."""
    rows = b"uai;nom;commune;nombre\n" + b"0350001A;\xc3\x89cole Jean Moulin;Rennes;12\n" * 1_500_000
    started = time.monotonic()
    for limits, code in ((Limits(seconds=0.2), "too_much_time"), (Limits(memory_bytes=150 * 2**20), "too_much_memory")):
        with pytest.raises(FileRefused) as refusal:
            contained(read_file, rows, "a.csv", limits=limits)
        assert refusal.value.code == code
    assert time.monotonic() - started < 60
    assert [line for line in _children() if "contain.cell" in line] == []


def _children() -> list[str]:
    listing = subprocess.run(["ps", "--ppid", str(os.getpid()), "-o", "args="], capture_output=True, text=True, check=False)
    return listing.stdout.splitlines()


def test_a_forged_result_is_not_executed(tmp_path: Path):
    """A compromised process cannot make the server run code through its result."""
    import pickle

    class Forged:
        def __reduce__(self):
            return (os.system, ("true",))

    (tmp_path / "result").write_bytes(pickle.dumps(("value", Forged())))
    with pytest.raises(pickle.UnpicklingError):
        load(tmp_path, "result")


def test_exchange_keeps_frames(tmp_path: Path):
    """Frames, series, dates and dataclasses survive the exchange."""
    result = read_file(GOOD, "a.xlsx")
    store(tmp_path, "value", {"r": result, "s": result.tables[0].frame["row"]})
    back = load(tmp_path, "value")
    assert back["r"].tables[0].frame.equals(result.tables[0].frame)
    assert back["s"].to_list() == [2, 3, 4]
