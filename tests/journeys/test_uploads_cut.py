"""A file on its way meets a cut line, a page left, a double click, two tabs, a site restarted: it arrives once, whole, without
sending again what was received."""

from __future__ import annotations

import re

from journeys.people import AUTHORITY, WAIT_MS
from journeys.workbooks import School

PART = re.compile(r"/depots/envois/[0-9a-f]{32}/$")
KIND = "equipment.deliveries"


def _large(schools: list[School], mark: str, rows: int = 2000) -> bytes:
    """About four megabytes of deliveries whose comments are long."""
    lines = ["n° BL;UAI;Catégorie;Quantité livrée;Date de livraison;Commentaire"]
    lines += [f"{mark}-{n};{schools[n % len(schools)].uai};tablette;1;2026-03-10;{mark} {'remarque longue ' * 120}" for n in range(rows)]
    return ("\n".join(lines) + "\n").encode()


def _file(content: bytes, name: str) -> dict[str, object]:
    return {"name": name, "mimeType": "text/csv", "buffer": content}


def _choose(page, *files) -> None:
    page.select_option("select[name=contract]", KIND)
    page.set_input_files("input[type=file]", list(files))


def _parts(page) -> list[int]:
    """The offset of each part that the page sends, as they go; grows while the page lives."""
    seen: list[int] = []

    def note(request) -> None:
        if request.method == "PATCH" and PART.search(request.url):
            seen.append(int(request.headers["upload-offset"]))

    page.on("request", note)
    return seen


def _kept(site, name: str) -> list[tuple[int, int, int | None]]:
    return site.ask("SELECT foundation_upload.\"offset\", size, submission_id FROM foundation_upload WHERE filename = ?", name)


def _forgive(visitor) -> None:
    """The browser writes a line for each request that did not arrive; that is what the test asked for."""
    visitor.complaints = [text for text in visitor.complaints if not re.search(r"net::ERR_|Failed to load resource", text)]


def _cut_after(page, parts: int) -> None:
    """Lets ``parts`` parts through, then nothing more."""
    count = [0]

    def gate(route) -> None:
        count[0] += 1
        if count[0] > parts:
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route(PART, gate)


def test_a_line_cut_in_the_middle_resumes_where_it_was(visit, site):
    """Cut after two parts: the page says so and waits; the line back, it goes on from the byte received, and the file counts once."""
    sender, name = visit(AUTHORITY), "ligne coupée.csv"
    content = _large(site.distinct, "C1")
    page = sender.go("/depots/nouveau/")
    _cut_after(page, 2)
    sent = _parts(page)
    _choose(page, _file(content, name))
    page.click("text=Envoyer et vérifier")
    page.wait_for_selector(".essaim-upload:has-text('Connexion perdue')")
    ((received, size, _),) = _kept(site, name)
    assert 0 < received < size == len(content)
    assert 0 < int(page.get_attribute(".essaim-upload progress", "value")) < 100
    del sent[:]
    page.unroute(PART)
    page.click("text=Réessayer maintenant")
    page.wait_for_selector("#resultat")
    assert sent[0] == received and sorted(sent) == sent  # the same byte again only when it did not arrive
    (made,) = site.ask("SELECT id, size FROM foundation_submission WHERE filename = ?", name)
    assert made[1] == len(content) and _kept(site, name)[0][2] == made[0]
    assert (site.home / "files" / "uploads").is_dir() and not list((site.home / "files" / "uploads").iterdir())
    _forgive(sender)


def test_a_page_left_in_the_middle_goes_on_another_day(visit, site):
    """The page reloaded lists what was cut short; the same file chosen again sends only what is missing."""
    sender, name = visit(AUTHORITY), "page quittée.csv"
    content = _large(site.distinct, "C2")
    path = site.home / name
    path.write_bytes(content)
    page = sender.go("/depots/nouveau/")
    _cut_after(page, 2)
    page.select_option("select[name=contract]", KIND)
    page.set_input_files("input[type=file]", path)
    page.click("text=Envoyer et vérifier")
    page.wait_for_selector(".essaim-upload:has-text('Connexion perdue')")
    ((received, _, _),) = _kept(site, name)
    page.close()
    page = sender.tab()
    sender.go("/depots/nouveau/")
    assert name in page.inner_text("section[aria-labelledby=inacheves]")
    sent = _parts(page)
    page.select_option("select[name=contract]", KIND)
    page.set_input_files("input[type=file]", path)
    page.click("text=Envoyer et vérifier")
    page.wait_for_selector("#resultat")
    assert sent[0] == received and sent == sorted(set(sent))
    _forgive(sender)


def test_a_site_restarted_in_the_middle_loses_nothing(visit, site):
    """Web server and worker stopped and started again while the file is on its way: it goes on by itself, and is checked."""
    sender, name = visit(AUTHORITY), "redémarrage.csv"
    content = _large(site.distinct, "C3")
    page = sender.go("/depots/nouveau/")
    sent = _parts(page)
    _cut_after(page, 1)
    _choose(page, _file(content, name))
    page.click("text=Envoyer et vérifier")
    page.wait_for_selector(".essaim-upload:has-text('Connexion perdue')")
    ((received, _, _),) = _kept(site, name)
    site.restart()
    del sent[:]
    page.unroute(PART)
    page.wait_for_selector("#resultat")
    assert sent[0] == received
    assert site.ask("SELECT size FROM foundation_submission WHERE filename = ?", name) == [(len(content),)]
    _forgive(sender)


def test_a_double_click_sends_once(visit, site):
    """Two clicks in the same breath: one upload, one submission."""
    sender, name = visit(AUTHORITY), "double clic envoi.csv"
    page = sender.go("/depots/nouveau/")
    _choose(page, _file(_large(site.distinct, "C4", 700), name))
    page.dblclick("text=Envoyer et vérifier")
    page.wait_for_selector("#resultat")
    assert len(site.ask("SELECT id FROM foundation_submission WHERE filename = ?", name)) == 1 and len(_kept(site, name)) == 1


def test_two_tabs_send_the_same_file_at_once(visit, site):
    """The same file from two tabs: they meet on the same way and end on the same submission."""
    sender, name = visit(AUTHORITY), "deux onglets.csv"
    path = site.home / name
    path.write_bytes(_large(site.distinct, "C5"))
    tabs = [sender.page, sender.tab()]
    for tab in tabs:
        sender.page = tab
        sender.go("/depots/nouveau/")
        tab.select_option("select[name=contract]", KIND)
        tab.set_input_files("input[type=file]", path)
    for tab in tabs:
        tab.locator("text=Envoyer et vérifier").click(no_wait_after=True)
    for tab in tabs:
        tab.wait_for_selector("#resultat")
    assert tabs[0].url == tabs[1].url
    assert len(site.ask("SELECT id FROM foundation_submission WHERE filename = ?", name)) == 1
    sender.complaints = [text for text in sender.complaints if "409" not in text]  # one tab told that the other was faster


def test_several_files_go_one_after_the_other_each_with_its_bar(visit, site):
    """Three files: two received, each with its link; the empty one is refused in plain words, and blocks nobody."""
    sender = visit(AUTHORITY)
    page = sender.go("/depots/nouveau/")
    _choose(page, _file(_large(site.distinct, "C6", 30), "un.csv"), _file(b"", "rien.csv"), _file(_large(site.distinct, "C7", 30), "deux.csv"))
    page.click("text=Envoyer et vérifier")
    page.wait_for_selector("[data-uploads-said]:has-text('2 fichiers reçus sur 3')")
    rows = page.locator(".essaim-upload")
    assert rows.count() == 3 and page.locator(".essaim-upload progress").count() == 3
    assert "vide" in rows.nth(1).inner_text() and rows.nth(1).locator(".is-blocking").count() == 1
    rows.nth(2).locator("a").click()
    page.wait_for_selector("#resultat")
    assert "deux.csv" in page.inner_text("h1")
    sender.complaints = [text for text in sender.complaints if "400" not in text]


def test_a_file_too_large_is_refused_before_it_leaves(visit, site):
    """101 megabytes: told at once, with what to do; not a byte was sent."""
    sender = visit(AUTHORITY)
    path = site.home / "énorme.csv"
    with path.open("wb") as target:
        target.truncate(101 * 2**20)
    page = sender.go("/depots/nouveau/")
    sent = _parts(page)
    page.select_option("select[name=contract]", KIND)
    page.set_input_files("input[type=file]", path)
    page.click("text=Envoyer et vérifier")
    page.wait_for_selector(".essaim-upload .is-blocking")
    assert "100\u00a0Mo" in page.inner_text(".essaim-upload") and sent == []
    path.unlink()


def test_the_form_sends_without_a_script(visit, site):
    """JavaScript off: the same form sends the file whole, and an interrupted upload can still be given up."""
    sender, name = visit(AUTHORITY, java_script_enabled=False), "sans script.csv"
    page = sender.go("/depots/nouveau/")
    page.select_option("select[name=contract]", KIND)
    page.set_input_files("input[type=file]", _file(_large(site.distinct, "C8", 30), name))
    page.click("text=Envoyer et vérifier", timeout=WAIT_MS)
    assert name in page.inner_text("h1")
    assert len(site.ask("SELECT id FROM foundation_submission WHERE filename = ?", name)) == 1 and _kept(site, name) == []
