"""Keyboard alone, a telephone of 360 pixels, a page zoomed twice, and axe on every page and state."""

from __future__ import annotations

import pytest

from essaim.portal.reads.accounts import PASSWORD
from journeys.people import AUTHORITY, FIGURE, LEAD, Visitor
from journeys.workbooks import deliveries, unidentified

PUBLIC = (
    "/", "/connexion/", "/recherche/?q=ecole", "/territoires/02/", "/territoires/02/etablissements/", "/territoires/02/etablissements/?q=zzzz",
    "/territoires/02/tableau/", "/territoires/02/tableau/?domaine=evaluation",
    "/indicateurs/", FIGURE, f"{FIGURE}?par=category", f"{FIGURE}?periode=abc&connu=31/02/2026", "/contrats/", "/contrats/equipment.deliveries/",
    "/aide/", "/aide/deposer/", "/accessibilite/", "/mentions-legales/", "/api/v1/docs", "/donnees-ouvertes/", "/nimporte/quoi/",
)  # fmt: skip
MEMBERS = ("/", FIGURE, "/depots/", "/depots/?q=zzzz", "/depots/nouveau/", "/equipement/suivi/", "/reception/", "/journal/",
    "/depots/?etat=a-corriger", "/mon-compte/", "/mon-compte/jetons/", "/equipement/suivi/?q=zzzz", "/equipement/contradictions/?q=zzzz",
)  # fmt: skip
STEERING = (
    "/", "/territoires/02/", FIGURE, f"{FIGURE}etablissements/", f"{FIGURE}origine/", "/depots/", "/equipement/suivi/", "/equipement/contradictions/",
    "/reception/", "/journal/", "/journal/?q=zzzz", "/territoires/02/tableau/", "/mon-compte/", f"{FIGURE}?par=category&connu=2026-06-30",
)  # fmt: skip
MANAGING = ("/", "/comptes/", "/comptes/?q=zzzz", "/mon-compte/", "/journal/")
PHONE, DESK = 360, 1280
# What sticks out of the window, and controls that no finger can reach: outside it, without size, or covered.
OVERFLOWS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
UNREACHABLE = """() => {
  const lost = [];
  for (const item of document.querySelectorAll('main a[href], main button, main input:not([type=hidden]), main select, main textarea, main summary')) {
    if (item.closest('.essaim-scroll, details:not([open]), svg, .fr-sr-only') || item.matches('.fr-checkbox-group input, .fr-radio-group input')) continue;
    const box = item.getBoundingClientRect();
    if (box.width < 1 || box.height < 1 || box.left < -1 || box.right > document.documentElement.clientWidth + 1) lost.push(item.outerHTML.slice(0, 120));
  }
  return lost;
}"""


@pytest.fixture(scope="module")
def pages_with_work(site, browser, signed_in) -> dict[str, str]:
    """Deposits in the states that a sender meets: checked with issues, asking a question."""
    visitor = Visitor(site, browser.new_context(locale="fr-FR", storage_state=signed_in.get(AUTHORITY)))
    if AUTHORITY not in signed_in:
        visitor.sign_in(AUTHORITY)
        signed_in[AUTHORITY] = visitor.context.storage_state()
    made = {
        "issues": visitor.upload(deliveries(site.distinct, "A1"), "avec un nom de fichier vraiment très long pour un téléphone de poche.xlsx"),
        "question": visitor.upload(unidentified([site.twins[0], *site.distinct[:3]], "Q2"), "question.xlsx"),
        "refused": visitor.upload(b"%PDF-1.7\n%%EOF\n", "refus.xlsx"),
    }
    visitor.context.close()
    return made


def _addresses(account: str | None, made: dict[str, str], site) -> tuple[str, ...]:
    if account is None:
        return PUBLIC
    if account == "administration":
        return (*MANAGING, *(f"/comptes/{row[0]}/" for row in site.ask("SELECT min(id) FROM foundation_account WHERE username = 'audit'")))
    if account not in (AUTHORITY, LEAD):
        return ("/", "/depots/", "/depots/nouveau/", "/reception/", "/equipement/suivi/", "/equipement/contradictions/", "/journal/", "/mon-compte/")
    if account == LEAD:
        first = site.ask("SELECT min(id) FROM equipment_contradiction")[0][0]
        return (*STEERING, f"/etablissements/{site.distinct[0].uai}/", *([f"/equipement/contradictions/{first}/"] if first else []))
    number, row, sheet = site.ask(
        "SELECT number, 2, 'Feuil1' FROM foundation_submission WHERE contract = 'equipment.deliveries' AND sender = ? AND state = 'accepted'", site.sender
    )[0]
    return (
        *MEMBERS, *made.values(), f"{made['issues']}remarques/", f"{made['issues']}corrections/", f"/etablissements/{site.distinct[0].uai}/",
        f"/origine/{number}/{row}/?feuille={sheet}",
    )  # fmt: skip


AXE = "async contrast => (await axe.run({resultTypes: ['violations'], rules: {'color-contrast': {enabled: contrast}}})).violations"


def _faults(page, width: int) -> list[str]:
    """What axe finds, what cannot be reached and what sticks out at this width. Colours are the same at both: contrast, which costs as
    much as half of all other rules, is looked at once."""
    page.set_viewport_size({"width": width, "height": 800})
    found = [f"{item['id']} ({item['impact']}) : {node['target']}" for item in page.evaluate(AXE, width == DESK) for node in item["nodes"][:3]]
    found += [f"inatteignable : {item}" for item in page.evaluate(UNREACHABLE)]
    return [*found, "déborde à droite"] if page.evaluate(OVERFLOWS) > 0 else found


@pytest.mark.parametrize("account", [None, AUTHORITY, LEAD, "direction.ecole", "audit", "administration"])
def test_every_page_is_accessible_and_fits(visit, site, pages_with_work, account):
    """Opened on a telephone, then on a screen as wide as a desk: axe finds nothing, nothing sticks out, every control can be reached."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    reader = visit(account, width=PHONE, height=800)
    faults: dict[tuple[str, int], list[str]] = {}
    for path in _addresses(account, pages_with_work, site):
        page = reader.go(path)
        page.wait_for_load_state()
        page.evaluate("() => document.querySelectorAll('main details').forEach(item => { item.open = true; })")
        page.evaluate(axe.axe_script)
        for width in (PHONE, DESK):
            if found := _faults(page, width):
                faults[path, width] = found
        page.set_viewport_size({"width": PHONE, "height": 800})
    reader.complaints = [text for text in reader.complaints if "/nimporte/quoi/" not in text]
    assert faults == {}


def test_a_page_zoomed_twice_still_fits(visit, site, pages_with_work):
    """At 200 % a window of 1280 holds 640 points: no sideways scrolling, no control lost, the menu opens."""
    reader = visit(AUTHORITY, width=640, height=450, device_scale_factor=2)
    for path in ("/", "/territoires/02/", FIGURE, "/depots/", "/depots/nouveau/", pages_with_work["issues"], f"{pages_with_work['issues']}remarques/", "/equipement/suivi/"):
        page = reader.go(path)
        assert page.evaluate(OVERFLOWS) <= 0, path
        assert page.evaluate(UNREACHABLE) == [], path
    page.click("#bouton-menu")
    page.wait_for_selector("#menu.fr-modal--opened")
    page.click("#menu a:text-is('Dépôts')")
    page.wait_for_selector("h1:text-is('Dépôts')")


def test_a_window_of_320_points_needs_no_sideways_scrolling(visit, pages_with_work):
    """WCAG 1.4.10: at 320 points wide nothing sticks out, on the pages of a sender's day."""
    reader = visit(AUTHORITY, width=320, height=640)
    for path in ("/", "/territoires/02/", "/territoires/02/tableau/", FIGURE, "/depots/", "/depots/nouveau/", *pages_with_work.values(), "/equipement/suivi/", "/mon-compte/"):
        assert reader.go(path).evaluate(OVERFLOWS) <= 0, path


def test_readers_of_screens_hear_the_name_of_every_drawing_and_find_its_table(visit):
    """Each drawing is named, or hidden because cells beside it say the same; each curve and map stands with a table or list."""
    reader = visit(LEAD)
    for path in ("/", "/territoires/02/etablissements/", "/territoires/02/tableau/", FIGURE):
        page = reader.go(path)
        drawings = page.locator("main svg").all()
        assert drawings, path
        for item in drawings:
            assert item.get_attribute("aria-label") or item.get_attribute("aria-hidden") == "true" or item.get_attribute("role") == "img", path
        assert page.locator("main table").count() >= 1, path


def test_the_menu_of_a_telephone_leads_everywhere(visit):
    """At 360 points the menu opens, lists what the wide page lists, and closes."""
    reader = visit(LEAD, width=PHONE, height=700)
    page = reader.go("/")
    page.click("#bouton-menu")
    page.wait_for_selector("#menu.fr-modal--opened")
    shown = [item.inner_text() for item in page.locator("#menu .fr-nav__link").all() if item.is_visible()]
    assert {"Accueil", "Dépôts", "Indicateurs", "Aide"} <= set(shown)
    assert page.locator("#menu button:has-text('Se déconnecter')").first.is_visible()
    page.keyboard.press("Escape")
    page.wait_for_selector("#menu:not(.fr-modal--opened)", state="attached")


FOCUS = """() => { const item = document.activeElement; const style = getComputedStyle(item);
  const box = item.getBoundingClientRect();
  return [item.tagName, (item.name || item.innerText || item.id || '').trim().slice(0, 60), style.outlineStyle !== 'none' || style.boxShadow !== 'none', box.width > 0]; }"""


def _tab_to(page, wanted: str, most: int = 60) -> None:
    """Presses Tab until the focus is on ``wanted`` (its text, name or id); each stop on the way must be seen."""
    for _ in range(most):
        page.keyboard.press("Tab")
        tag, name, is_seen, has_size = page.evaluate(FOCUS)
        assert tag == "BODY" or (is_seen and has_size), f"le focus ne se voit pas sur {tag} « {name} »"
        if wanted in name:
            return
    raise AssertionError(f"« {wanted} » n'est pas atteint au clavier")


def test_the_job_by_keyboard_alone(visit, site):
    """Sign in, hand in, open the issues, accept and withdraw without a mouse; the focus is always seen."""
    reader = visit()
    page = reader.go("/")
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUS)[1] == "Contenu"  # the first stop jumps over the header
    page.keyboard.press("Enter")
    page = reader.go("/connexion/")
    assert page.evaluate("() => document.activeElement.name") == "username"
    page.keyboard.type(AUTHORITY)
    _tab_to(page, "password")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Se déconnecter", state="attached")
    _tab_to(page, "Dépôts")
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:text-is('Dépôts')")
    _tab_to(page, "Déposer un fichier")
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:text-is('Déposer un fichier')")
    _tab_to(page, "contract")
    page.keyboard.type("Livraisons")
    _tab_to(page, "files")
    content = deliveries(site.distinct, "K1", first=2, second=1)
    page.set_input_files("input[type=file]", {"name": "clavier.xlsx", "mimeType": "application/octet-stream", "buffer": content})
    _tab_to(page, "Envoyer et vérifier")
    page.keyboard.press("Enter")
    page.wait_for_selector("#resultat")
    page.keyboard.press("Control+Home")
    _tab_to(page, "Accepter")
    page.keyboard.press("Enter")
    page.wait_for_selector(".fr-badge--success")
    _tab_to(page, "Retirer ce dépôt")
    page.keyboard.press("Enter")
    _tab_to(page, "reason")
    page.keyboard.type("Essai au clavier")
    _tab_to(page, "Retirer")
    page.keyboard.press("Enter")
    page.wait_for_selector(".fr-badge:has-text('Retiré')")


# A4 sideways less its margins, in points of the screen.
PAPER = {"width": 1032, "height": 703}
CUT = """() => [...document.querySelectorAll('main table')].filter(t => t.getBoundingClientRect().right > innerWidth + 1
    || [...t.querySelectorAll('caption')].some(c => getComputedStyle(c).position === 'absolute')).map(t => t.innerText.slice(0, 60))"""


def test_on_paper_tables_are_whole_and_definitions_are_there(visit):
    """Printed: no menu, no form, no table past the edge, no caption under its table; each figure with the date and its definition."""
    reader = visit(LEAD)
    for path in ("/territoires/02/tableau/", "/equipement/suivi/", f"{FIGURE}", "/territoires/02/", "/indicateurs/"):
        page = reader.go(path)
        page.set_viewport_size(PAPER)
        page.emulate_media(media="print")
        assert page.evaluate(CUT) == [], path
        for hidden in (".fr-nav", ".fr-footer", ".fr-breadcrumb", "form.essaim-noprint"):
            assert page.locator(hidden).count() == 0 or not page.locator(hidden).first.is_visible(), (path, hidden)
    page = reader.go("/territoires/02/")
    folded = ".essaim-figure details p"
    seen = f"[...document.querySelectorAll('{folded}')].map(item => item.checkVisibility())"
    page.emulate_media(media="screen")
    assert not any(page.evaluate(seen))
    page.emulate_media(media="print")
    assert page.evaluate(seen) and all(page.evaluate(seen))
    assert "Situation à la fin de" in page.inner_text("main")
