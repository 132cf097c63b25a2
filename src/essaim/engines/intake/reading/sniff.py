"""What the bytes are, whatever the file is called."""

from __future__ import annotations

import io
import re
import zipfile

from ..tables import FileRefused

_BLANK = b"\x00 \t\r\n\xef\xbb\xbf\xff\xfe"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (OLE, "ole"),
    (b"PAR1", "parquet"),
    (b"\x1f\x8b", "gzip"),
    (b"%PDF", "pdf"),
    (b"\x89PNG", "image"),
    (b"\xff\xd8\xff", "image"),
    (b"GIF8", "image"),
    (b"{\\rtf", "rtf"),
    (b"Rar!", "archive"),
    (b"7z\xbc\xaf", "archive"),
    (b"BZh", "archive"),
    (b"\xfd7zXZ", "archive"),
    (b"\x7fELF", "program"),
    (b"MZ\x90", "program"),
    (b"SQLite format 3", "database"),
    (b"ARROW1", "arrow"),
)

_ADVICE = {
    "pdf": "C'est un document PDF : demandez le tableur d'origine (.xlsx, .ods ou .csv).",
    "image": "C'est une image : demandez le tableur d'origine (.xlsx, .ods ou .csv).",
    "rtf": "C'est un document texte : copiez le tableau dans un tableur et enregistrez-le en .xlsx.",
    "archive": "Cette archive n'est pas lue : déposez le fichier lui-même, ou une archive .zip.",
    "program": "C'est un programme, il n'est pas accepté.",
    "database": "C'est une base de données : exportez la table en .csv ou .xlsx.",
    "arrow": "Le format Arrow n'est pas lu : enregistrez la table en .parquet ou .csv.",
    "word": "C'est un document de traitement de texte : copiez le tableau dans un tableur (.xlsx).",
    "slides": "C'est une présentation : copiez le tableau dans un tableur (.xlsx).",
    "xlsb": "Le format binaire .xlsb n'est pas lu : ouvrez le classeur et enregistrez-le en .xlsx.",
    "xml": "C'est un document XML qui n'est pas un tableur : enregistrez le tableau en .xlsx ou .csv.",
    "binary": "Ce n'est pas un fichier de tableur reconnu : enregistrez le tableau en .xlsx, .ods ou .csv.",
}

# Extensions the user may rightly give to each format; another one is told as a notice.
EXTENSIONS: dict[str, tuple[str, ...]] = {
    "xlsx": (".xlsx",),
    "xlsm": (".xlsm",),
    "xls": (".xls",),
    "ods": (".ods",),
    "fods": (".fods", ".xml"),
    "csv": (".csv", ".tsv", ".txt", ".tab"),
    "txt": (".txt", ".prn", ".lst", ".lis", ".asc", ".dat"),
    "csv.gz": (".csv.gz", ".tsv.gz", ".txt.gz"),
    "zip": (".zip",),
    "parquet": (".parquet",),
    "jsonl": (".jsonl", ".ndjson", ".json"),
    "json": (".json", ".geojson"),
    "html": (".html", ".htm"),
    "xmlss": (".xml",),
}


def refuse_kind(kind: str) -> FileRefused:
    """The refusal of a known but unreadable kind of file, with what to do instead."""
    return FileRefused("unsupported_format", f"Ce fichier ne peut pas être lu. {_ADVICE[kind]}")


def sniff(content: bytes) -> str:
    """The format of ``content``: xlsx, xlsm, ods, xls, parquet, gzip, zip, json, jsonl, html, xmlss, fods or csv.

    Refuses empty files, other kinds of documents, encrypted workbooks and binary noise."""
    if not content[:4096].strip(_BLANK) and not content.strip(_BLANK):
        raise FileRefused("empty_file", "Le fichier est vide : il ne contient aucune donnée.")
    kind = next((name for signature, name in _SIGNATURES if content.startswith(signature)), "")
    if kind == "zip":
        return _sniff_zip(content)
    if kind == "ole":
        return _sniff_ole(content)
    if kind in _ADVICE:
        raise refuse_kind(kind)
    return kind or _sniff_text(content)


def _sniff_zip(content: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = set(archive.namelist())
            mimetype = archive.read("mimetype")[:80] if "mimetype" in names else b""
    except Exception:
        raise truncated() from None
    if "xl/workbook.bin" in names:
        raise refuse_kind("xlsb")
    if any(name.startswith("xl/") for name in names) and "[Content_Types].xml" in names:
        return "xlsm" if any(name.startswith("xl/vbaProject") for name in names) else "xlsx"
    if mimetype.startswith(b"application/vnd.oasis.opendocument.spreadsheet"):
        return "ods"
    if "word/document.xml" in names or mimetype.startswith(b"application/vnd.oasis.opendocument.text"):
        raise refuse_kind("word")
    if "ppt/presentation.xml" in names or mimetype.startswith(b"application/vnd.oasis.opendocument.pres"):
        raise refuse_kind("slides")
    return "zip"


def truncated() -> FileRefused:
    """The refusal of a damaged or cut file."""
    return FileRefused(
        "truncated_file",
        "Le fichier est endommagé ou incomplet : ouvrez-le, enregistrez-le de nouveau, puis renvoyez-le.",
    )


def encrypted() -> FileRefused:
    """The refusal of a password-protected file."""
    return FileRefused(
        "encrypted_file",
        "Le fichier est protégé par un mot de passe : retirez la protection, puis renvoyez-le.",
    )


def _wide(name: str) -> bytes:
    return name.encode("utf-16-le")


def _sniff_ole(content: bytes) -> str:
    if _wide("EncryptedPackage") in content or _wide("EncryptionInfo") in content:
        raise encrypted()
    if _wide("WordDocument") in content:
        raise refuse_kind("word")
    if _wide("PowerPoint Document") in content:
        raise refuse_kind("slides")
    if _wide("Workbook") in content or _wide("Book") in content:
        return "xls"
    directory = (int.from_bytes(content[48:52], "little") + 1) * 512
    cut = len(content) < 1536 or len(content) < directory + 128
    raise truncated() if cut else refuse_kind("binary")


def _sniff_text(content: bytes) -> str:
    head = content[:65536]
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        head = head.decode("utf-16", "replace").encode()
    head = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    lower = head[:4096].lower()
    if lower.startswith((b"<?xml", b"<")):
        return _sniff_markup(lower, content)
    if head[:1] == b"{" and re.match(rb'\{\s*("|\})', head):
        return "json"
    if head[:1] == b"[" and re.match(rb"\[\s*(\{|\[|\])", head):
        return "json"
    return "csv"


def _sniff_markup(lower: bytes, content: bytes) -> str:
    if b"urn:schemas-microsoft-com:office:spreadsheet" in lower and b"<workbook" in lower:
        return "xmlss"
    if b"office:document" in lower and b"opendocument" in lower:
        return "fods"
    if b"<table" in content[:2_000_000].lower() or b"<html" in lower:
        return "html"
    if lower.startswith(b"<?xml") or b"xmlns" in lower:
        raise refuse_kind("xml")
    return "csv"
