"""What every page knows: theme, navigation, links of the footer."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse


@dataclass(frozen=True, slots=True)
class Link:
    """An entry of a menu."""

    label: str
    url: str
    current: bool = False


MENU = (("Accueil", "accueil"), ("Indicateurs", "indicateurs"), ("Fichiers attendus", "contrats"), ("Données ouvertes", "donnees-ouvertes"), ("Aide", "aide"))
MEMBERS = (
    ("Accueil", "accueil"), ("Dépôts", "depots"), ("Suivi", "equipement-suivi"), ("Contradictions", "contradictions"),
    ("Réceptions", "reception"), ("Indicateurs", "indicateurs"), ("Fichiers attendus", "contrats"), ("Journal", "journal"), ("Aide", "aide"),
)
FOOTER = (("Plan et aide", "aide"), ("Accessibilité : partiellement conforme", "accessibilite"), ("Mentions légales", "mentions-legales"), ("Données ouvertes", "donnees-ouvertes"), ("API", "api-reference"))


@cache
def _addresses(entries: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """(label, address) of each entry; addresses do not change while a process lives."""
    return tuple((label, reverse(name)) for label, name in entries)


def _links(entries: tuple[tuple[str, str], ...], path: str) -> list[Link]:
    return [Link(label, url, path == url or (url != "/" and path.startswith(url))) for label, url in _addresses(entries)]


def site(request: HttpRequest) -> dict[str, object]:
    """Theme and mode of the installation, menus."""
    entries = MEMBERS if getattr(request, "user", None) and request.user.is_authenticated else MENU
    return {
        "theme": settings.ESSAIM_THEME,
        "demo": settings.ESSAIM_DEMO,
        "navigation": _links(entries, request.path),
        "footer_links": _links(FOOTER, request.path),
    }
