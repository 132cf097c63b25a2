"""Several hands on the same thing: double clicks, stale tabs, two people at once. Nothing is counted twice, nobody is left in the dark."""

from __future__ import annotations

from journeys.people import AUTHORITY, LEAD, accept, parts, withdraw
from journeys.workbooks import deliveries, messy


def _one_row(school, mark: str, quantity: int) -> bytes:
    row = [school.uai, school.name, school.commune, "tablette", quantity, "12/03/2026", "16/03/2026", mark, None]
    return messy(f"Suivi TNE — {mark}", [row])


def _entries(site, path: str) -> list[tuple[str, int]]:
    """Postings of the deposit shown at ``path``, with what each wrote."""
    return site.ask("SELECT kind, entries FROM foundation_posting WHERE submission_id = ? AND status = 'done'", int(path.strip("/").split("/")[-1]))


def test_a_double_click_accepts_once(visit, site):
    """Two clicks in the same breath send one acceptance: one posting, one row."""
    sender = visit(AUTHORITY)
    before, pupils = parts(sender_lead := visit(LEAD))
    path = sender.upload(_one_row(site.distinct[0], "D1", 9), "double clic.xlsx")
    sender.page.dblclick("button:has-text('Accepter')")
    sender.page.wait_for_selector(".fr-badge--success")
    assert _entries(site, path) == [("acceptance", 1)]
    assert parts(sender_lead) == (before + 9, pupils)
    sender.go(path)
    withdraw(sender)


def test_a_stale_tab_is_told_and_changes_nothing(visit, site):
    """Accepted in one tab, accepted again then refused from another opened before: told each time, counted once."""
    sender = visit(AUTHORITY)
    path = sender.upload(_one_row(site.distinct[0], "D2", 8), "vieil onglet.xlsx")
    first, stale = sender.page, sender.tab()
    sender.go(path)
    refusing = sender.tab()
    sender.go(path)
    sender.page = first
    accept(sender)
    stale.click("button:has-text('Accepter')")
    stale.wait_for_selector("text=rien n'a été compté deux fois")
    refusing.click("summary:has-text('Refuser ce dépôt')")
    refusing.fill("#motif", "Je n'avais pas vu")
    refusing.click("button:text-is('Refuser')")
    refusing.wait_for_selector(".fr-alert--error")
    assert refusing.locator(".fr-badge--success").count() == 1
    assert _entries(site, path) == [("acceptance", 1)]
    first.reload()
    sender.page = first
    withdraw(sender)


def test_two_people_accept_the_same_deposit_at_once(visit, site):
    """The authority and the territory's lead press the button together: one posting, and both see it accepted."""
    sender, lead = visit(AUTHORITY), visit(LEAD)
    path = sender.upload(_one_row(site.distinct[1], "D3", 6), "ensemble.xlsx")
    lead.go(path)
    for person in (sender, lead):  # both are sent before either is answered
        person.page.locator("button:has-text('Accepter')").click(no_wait_after=True)
    for person in (sender, lead):
        person.page.wait_for_selector(".fr-badge--success")
    assert _entries(site, path) == [("acceptance", 1)]
    withdraw(sender)


def test_two_people_work_at_once_without_meeting(visit, site):
    """Two deposits handed in and accepted side by side: both counted, each seen under its own name."""
    people = (visit(AUTHORITY), visit(LEAD, width=800))
    before, pupils = parts(people[1])
    paths = []
    for person, school, quantity in zip(people, site.distinct, (4, 3), strict=False):
        person.go("/depots/nouveau/")
        person.page.select_option("select[name=contract]", "equipment.deliveries")
        if person is people[1]:
            person.page.fill("input[name=sender]", site.sender)
        content = _one_row(school, f"E{quantity}", quantity)
        person.page.set_input_files("input[type=file]", {"name": f"à deux {quantity}.xlsx", "mimeType": "application/octet-stream", "buffer": content})
    for person in people:
        person.page.locator("text=Envoyer et vérifier").click(no_wait_after=True)
    for person in people:
        person.page.wait_for_selector("button:has-text('Accepter')")
        paths.append(person.page.url.removeprefix(site.address))
    for person in people:
        person.page.locator("button:has-text('Accepter')").click(no_wait_after=True)
    for person, quantity in zip(people, (4, 3), strict=True):
        person.page.wait_for_selector(".fr-badge--success")
        assert f"à deux {quantity}.xlsx" in person.page.inner_text("h1")
    assert paths[0] != paths[1] and [_entries(site, path) for path in paths] == [[("acceptance", 1)]] * 2
    assert parts(people[1]) == (before + 7, pupils)
    for person, path in zip(people, paths, strict=True):
        person.go(path)
        withdraw(person)
    assert parts(people[1]) == (before, pupils)


def test_the_same_file_sent_twice_is_recognised(visit, site):
    """Sent again, a file leads to the deposit already there."""
    sender = visit(AUTHORITY)
    content = _one_row(site.distinct[0], "D4", 2)
    first = sender.upload(content, "deux fois.xlsx")
    assert sender.upload(content, "deux fois.xlsx") == first
    assert "rien n'a été compté deux fois" in sender.page.inner_text("main")


def test_without_javascript(visit, site):
    """The whole job with scripts switched off: reload to see the progress, forms alone."""
    reader = visit(AUTHORITY, java_script_enabled=False)
    page = reader.go("/")
    page.fill("main input[name=q]", site.distinct[0].uai)
    page.click("main form[role=search] button")
    assert site.distinct[0].name in page.inner_text("main")
    page = reader.go("/depots/nouveau/")
    page.select_option("select[name=contract]", "equipment.deliveries")
    content = deliveries(site.distinct, "S1", first=3, second=2)
    page.set_input_files("input[type=file]", {"name": "sans script.xlsx", "mimeType": "application/octet-stream", "buffer": content})
    page.click("text=Envoyer et vérifier")
    for _ in range(60):
        if page.locator("#resultat").count():
            break
        page.click("text=Actualiser")
        page.wait_for_timeout(500)
    accept(reader)
    page.click("text=Voir chaque remarque")
    page.select_option("#severity", "blocking")
    page.click("button:text-is('Filtrer')")
    assert page.locator("tbody tr").count() == 2 and "severity=blocking" in page.url
    page.click("nav.fr-breadcrumb >> text=sans script.xlsx")
    page.click("summary:has-text('Retirer ce dépôt')")
    withdraw_form = page.locator("form[action$='/retirer/']")
    withdraw_form.locator("textarea").fill("Essai")
    withdraw_form.locator("button").click()
    page.wait_for_selector(".fr-badge:has-text('Retiré')")
