"""Code lists: their spellings, and the codes that a product or the first words of a text name."""

from __future__ import annotations

from functools import lru_cache

from essaim.kernel.french import folded
from essaim.kernel.identity import Same

from .contract import Code, Field


def singular(key: str) -> str:
    """Each word without the mark of its plural."""
    return " ".join(word[:-1] if len(word) > 3 and word[-1] in "sx" else word for word in key.split())


def code_spellings(field: Field) -> dict[str, str]:
    """Folded spelling (and its singular) → code value, for a field's code list; the first code declared wins."""
    return _spellings(Same(field.codes))


@lru_cache(maxsize=512)
def _spellings(listed: Same[tuple[Code, ...]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for exact in (True, False):
        for code in listed.value:
            for name in (code.value, code.label, *code.aliases):
                key = folded(name) if exact else singular(folded(name))
                found.setdefault(key or name.strip(), code.value)
    return found


# What goes with a product and is sold under its name.
_ACCESSORIES = frozenset(
    ("dock", "station", "chargeur", "batterie", "housse", "coque", "adaptateur", "cable", "support", "stylet", "clavier", "souris", "licence", "garantie", "sacoche", "lampe",
     "telecommande", "ecran", "moniteur", "extension", "filtre", "pen", "pencil", "keyboard", "folio", "case", "charger", "monitor", "lot", "pack", "alimentation")
)  # fmt: skip


def product_code(key: str, field: Field, spellings: dict[str, str]) -> str | None:
    """The code of the product that a text begins with (``hp probook 450 g8``); None for what is sold with it (``probook dock``,
    ``ipad chariot``), unless it comes besides (``probook avec sacoche``)."""
    words = key.split()
    products = _products(Same(field.codes))
    for cut in range(min(4, len(words)), 0, -1):
        value = products.get(" ".join(words[:cut]))
        if value is not None:
            left = words[cut:]
            own = next((place for place, word in enumerate(left) if word in ("avec", "et", "inclus")), len(left))
            rest = f" {' '.join(left[:own])} "
            other = any(len(name) > 2 and f" {name} " in rest for name, code in spellings.items() if code != value)
            return None if other or _ACCESSORIES.intersection(left[:own]) else value
    return None


@lru_cache(maxsize=512)
def _products(listed: Same[tuple[Code, ...]]) -> dict[str, str]:
    return {folded(name): code.value for code in listed.value for name in code.products}


def head_code(key: str, spellings: dict[str, str]) -> str | None:
    """The code that the first words name (``tablettes samsung galaxy tab a8``): a French name begins with what the thing is, so a
    cover for a tablet is no tablet. None for a word that begins the name of another code too (``ordinateur``, ``micro``), and
    when the other words name one (``tablettes et chariot``)."""
    words = key.split()
    for cut in range(min(5, len(words) - 1), 0, -1):
        for head in (" ".join(words[:cut]), singular(" ".join(words[:cut]))):
            value = spellings.get(head)
            if value is not None:
                others = [name for name, other in spellings.items() if other != value]
                rest = f" {' '.join(words[cut:])} "
                unsure = len(head) < 4 or any((cut == 1 and name.startswith(f"{head} ")) or (len(name) > 2 and f" {name} " in rest) for name in others)
                return None if unsure else value
    return None
