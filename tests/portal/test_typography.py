"""French punctuation never wraps to the start of a line, on any page, whoever wrote the sentence."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from django.urls import reverse

from essaim.foundation.models import Role
from essaim.portal.typography import typeset
from portal_world import built, world  # noqa: F401

LOOSE = re.compile(r" [;:?!»]|« ")


class Shown(HTMLParser):
    """Texts that a page shows, code and fields aside."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.inside: list[str] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        if tag in {"textarea", "script", "style", "pre", "code", "kbd"}:
            self.inside.append(tag)

    def handle_endtag(self, tag):
        if self.inside and self.inside[-1] == tag:
            self.inside.pop()

    def handle_data(self, data):
        if not self.inside:
            self.texts.append(data)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("<p>Reste : 3 ; quoi ? « oui » !</p>", "<p>Reste_: 3 ; quoi_? «_oui_»_!</p>".replace(" ;", "_;")),
        ('<a title="a : b" data-x=\'{"a" : 1}\'>lire : ici</a>', '<a title="a : b" data-x=\'{"a" : 1}\'>lire_: ici</a>'),
        ("<textarea>a : b</textarea> : <pre>x ? y</pre>", "<textarea>a : b</textarea>_: <pre>x ? y</pre>"),
        ("<code>a : b</code><kbd>c ! d</kbd><script>e ? f : g</script>", "<code>a : b</code><kbd>c ! d</kbd><script>e ? f : g</script>"),
        ("Fragment : sans balise", "Fragment_: sans balise"),
        ("", ""),
    ],
)
def test_only_what_is_shown_is_set(written, shown):
    """Spaces before punctuation and inside quotation marks are narrow; attributes, code and typed text are left."""
    assert typeset(written.encode()).decode() == shown.replace("_", "\u202f")


def test_setting_twice_changes_nothing():
    """A page set again is the same page."""
    once = typeset("<p>Vu : « oui » ?</p>".encode())
    assert typeset(once) == once


PAGES = (
    "accueil", "indicateurs", "contrats", "aide", "accessibilite", "mentions-legales", "donnees-ouvertes", "depots", "contradictions",
    "equipement-suivi", "journal", "compte",
)  # fmt: skip


def test_no_page_lets_its_punctuation_wrap(world):  # noqa: F811
    """Pages as they are sent: templates, menus and messages alike."""
    browser = world.client(Role.TERRITORY)
    loose, tight = [], 0
    for name in PAGES:
        answer = browser.get(reverse(name))
        assert answer.status_code == 200, name
        texts = Shown(answer.content.decode()).texts
        loose += [(name, text) for text in texts if LOOSE.search(text)]
        tight += sum("\u202f" in text for text in texts)
    assert loose == [] and tight > len(PAGES)
