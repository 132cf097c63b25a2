"""The encoding of a text file, found from its bytes."""

from __future__ import annotations

import codecs
import re

import polars as pl

from ..tables import FileRefused
from .sniff import refuse_kind

_LABELS = {
    "utf-8": "UTF-8",
    "cp1252": "Windows-1252",
    "latin-1": "Latin-1",
    "mac_roman": "Mac Roman",
    "cp850": "DOS (page 850)",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
}
_PIECE = 65_536
_HIGH = re.compile(rb"[\x80-\xff]")
_FRENCH = frozenset("éèêëàâîïôùûüçÉÈÊÀÂÎÔÛÇœŒ«»°’€–“”²\u00a0")
_STRANGE = bytes([*range(1, 9), *range(14, 32), 127])
_CAPITAL_WITHIN = re.compile(r"(?<=[a-z])[À-ÖØ-ÞŒ](?=[a-z])")  # « MatÇriel »
_UNDEFINED_1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")


def encoding_label(encoding: str) -> str:
    """The name of an encoding as users know it."""
    return _LABELS.get(encoding, encoding)


def decode(content: bytes) -> tuple[bytes, str, tuple[tuple[str, str], ...]]:
    """UTF-8 bytes without BOM, the encoding found, and notices. Refuses binary noise.

    Clean UTF-8 input is returned without a copy when it has no BOM."""
    for bom, encoding in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if content.startswith(bom):
            content = content[len(bom) :]
            return (content, "utf-8", ()) if encoding == "utf-8" and _is_utf8(content) else _recode(content, encoding)
    wide = _wide_without_bom(content)
    if wide:
        return _recode(content, wide)
    content, notices = _without_nul(content)
    if _is_utf8(content):
        return content, "utf-8", notices
    guess = _guess(content)
    if guess == "utf-8":
        repaired = content.decode("utf-8", errors="essaim_1252").encode()
        message = "Le fichier mélange deux encodages (UTF-8 et Windows-1252) : les accents ont été rétablis."
        return repaired, "utf-8", (*notices, ("mixed_encoding", message))
    told = ("encoding_guessed", f"L'encodage du fichier n'est pas UTF-8 : il a été lu en {encoding_label(guess)}.")
    return content.decode(guess, "replace").encode(), guess, (*notices, told)


def seems_utf8(content: bytes) -> bool:
    """Whether a text may be read as UTF-8 bytes without BOM before every byte is checked: its samples are sound.

    The columnar reader refuses a wrong byte further down; ``decode`` then finds the true encoding."""
    if content.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\x00" in content:
        return False
    if _strange(content[:65536]) > 8:
        return False
    step = max(_PIECE, len(content) // 16)
    return all(_sound(content[start : start + _PIECE]) for start in range(0, len(content), step))


def _strange(piece: bytes) -> int:
    """How many control characters no text holds, zero apart."""
    return len(piece) - len(piece.translate(None, _STRANGE))


def _sound(piece: bytes) -> bool:
    """Whether bytes cut anywhere out of a text are UTF-8, their broken first and last characters set aside."""
    start = next((i for i, byte in enumerate(piece[:4]) if byte & 0xC0 != 0x80), 4)
    try:
        codecs.getincrementaldecoder("utf-8")().decode(piece[start:])
    except UnicodeDecodeError:
        return False
    return True


def _is_utf8(content: bytes) -> bool:
    if content.isascii():
        return True
    try:
        pl.Series([content], dtype=pl.Binary).cast(pl.String)
    except pl.exceptions.PolarsError:
        return False
    return True


def _recode(content: bytes, encoding: str) -> tuple[bytes, str, tuple[tuple[str, str], ...]]:
    text = content.decode(encoding, "replace").lstrip("\ufeff")
    if text.count("\ufffd") > max(4, len(text) // 100):
        raise refuse_kind("binary")
    return text.replace("\x00", "").encode("utf-8", "replace"), encoding, ()


def _wide_without_bom(content: bytes) -> str | None:
    head = content[:4096]
    if len(head) < 4 or b"\x00" not in head:
        return None
    half = len(head) // 2
    odd, even = head[1::2].count(0), head[0::2].count(0)
    if odd > half * 0.7 and even < half * 0.1:
        return "utf-16-le"
    if even > half * 0.7 and odd < half * 0.1:
        return "utf-16-be"
    return None


def _without_nul(content: bytes) -> tuple[bytes, tuple[tuple[str, str], ...]]:
    head, holed = content[:65536], b"\x00" in content
    strange = _strange(head) + (head.count(0) if holed else 0)
    if strange > max(8, len(head) // 20):
        raise refuse_kind("binary")
    if not holed:
        return content, ()
    nuls = content.count(0)
    if nuls > len(content) // 10:
        raise FileRefused("binary_content", "Le fichier contient des données binaires : exportez-le de nouveau en .csv.")
    message = f"Le fichier contenait {nuls} octet(s) nul(s) : ils ont été retirés."
    return content.replace(b"\x00", b""), (("nul_bytes", message),)


def _guess(content: bytes) -> str:
    sample = b" ".join(content[max(0, m.start() - 8) : m.start() + 8] for m, _ in zip(_HIGH.finditer(content), range(4000), strict=False))
    strict = sample.decode("utf-8", "replace")
    accents = sum(character in _FRENCH for character in strict)
    if accents > 3 * strict.count("\ufffd"):
        return "utf-8"
    narrow = "latin-1" if _UNDEFINED_1252.search(content) else "cp1252"
    best, best_score = narrow, _french_score(sample, narrow) + 0.05
    for encoding in ("mac_roman", "cp850"):
        score = _french_score(sample, encoding)
        if score > best_score:
            best, best_score = encoding, score
    return best


def _french_score(sample: bytes, encoding: str) -> float:
    text = sample.decode(encoding, "replace")
    high = [character for character in text if ord(character) > 127]
    if not high:
        return 0.0
    odd = sum(not character.isalpha() and character not in _FRENCH for character in high) + len(_CAPITAL_WITHIN.findall(text))
    return (sum(character in _FRENCH for character in high) - odd) / len(high)


def _as_1252(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    wrong = error.object[error.start : error.end]
    return wrong.decode("cp1252", "replace"), error.end


codecs.register_error("essaim_1252", _as_1252)
