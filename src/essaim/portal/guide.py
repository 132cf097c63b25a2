"""The user guide: Markdown pages shipped with the application and served as its help."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

FOLDER = Path(__file__).resolve().parent / "guide_pages"
ORDER = ("index", "deposer", "remarques", "chiffres", "territoires", "equipement", "volets", "roles", "evaluation", "installer", "accessibilite", "mentions-legales")


@dataclass(frozen=True, slots=True)
class GuidePage:
    """A page: its name in the address, its title, its HTML (written by us, raw HTML disabled)."""

    name: str
    title: str
    html: SafeString


@cache
def guide_page(name: str) -> GuidePage | None:
    """The page called ``name``, None when there is none. The installation's own page of that name comes before ours."""
    if name not in {item.stem for item in FOLDER.glob("*.md")}:
        return None
    own = Path(settings.ESSAIM_GUIDE_DIR) / f"{name}.md" if settings.ESSAIM_GUIDE_DIR else None
    text = (own if own is not None and own.is_file() else FOLDER / f"{name}.md").read_text(encoding="utf-8")
    title = next((line.lstrip("# ").strip() for line in text.splitlines() if line.startswith("# ")), name)
    html = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    return GuidePage(name, title, mark_safe(html))


@cache
def guide_pages() -> tuple[GuidePage, ...]:
    """Every page, in reading order."""
    names = sorted({item.stem for item in FOLDER.glob("*.md")}, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))
    return tuple(page for name in names if (page := guide_page(name)))
