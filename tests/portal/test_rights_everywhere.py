"""Every address found by itself, pages and API, asked with what belongs to somebody else: not a word of it, not a change.

Nothing is listed here but the values that fill addresses: an address or an operation added tomorrow is walked tomorrow.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver, reverse

from essaim.equipment import acts as equipment_acts
from essaim.equipment.models import Contradiction, Note, SavedView
from essaim.foundation import acts
from essaim.foundation.models import Account, Mandate, Role, Submission
from essaim.portal.api.application import api
from portal.test_rights import ROLES, SEES_PARIS, _body, _named
from portal_world import PARIS_MARK, PARIS_SCHOOLS, PARIS_SENDER, built, world  # noqa: F401

# What the reader asked, given back in a link.
_OWN_WORDS = re.compile(rf"feuille(?:=|%3D|%253D){PARIS_MARK}")
STRANGERS = [role for role in ROLES if role not in SEES_PARIS]
LEAVING = {"deconnexion", "connexion", "oidc-connexion", "oidc-retour", "deconnexion-fournisseur"}


@pytest.fixture
def paris(world) -> dict[str, Any]:  # noqa: F811
    """What fills addresses: everything of Paris, with its mark in an order, a contradiction, a comment, a view, an account."""
    by, admin = world.accounts["paris"], world.admin
    order = f"Code UAI;Catégorie;Quantité commandée;N° de commande;Date de commande;Modèle\n{PARIS_SCHOOLS[0]};tablette;7;BC-{PARIS_MARK};2026-01-05;{PARIS_MARK}\n"
    sent = acts.receive(content=order.encode(), filename=f"{PARIS_MARK}-commande.csv", contract="equipment.orders", sender=PARIS_SENDER, by=by)
    acts.accept(submission=acts.check(submission=sent, by=by), by=by)
    equipment_acts.refresh_contradictions(departements=["75"], by=None, on=date(2026, 6, 1))
    found = Contradiction.objects.filter(departement="75").first()
    equipment_acts.comment(contradiction=found, text=PARIS_MARK, by=world.accounts[Role.NATIONAL])
    view = equipment_acts.save_view(name=PARIS_MARK, query="q=x", by=by)
    hidden = acts.open_account(username=f"compte-{PARIS_MARK}", by=admin)
    acts.grant_mandate(account=hidden, role=Role.TEACHER, scope=f"establishment/{PARIS_SCHOOLS[0]}", by=admin)
    return {
        "contradiction": found.pk, "equipement-vue": view.pk, "comptes-": hidden.pk, "jeton": 1, "depot": world.paris.pk, "waiting": world.waiting.pk,
        "uai": PARIS_SCHOOLS[0], "code": "75", "form": "csv", "level": "departement", "unit": "75", "number": world.paris.number, "row": 2,
        "mandate": hidden.mandates.get().pk, "act": "accepter", "name": "index", "key": "0" * 32, "kind": "indicateurs",
    }  # fmt: skip


def _filled(name: str, converters: Any, given: dict[str, Any]) -> dict[str, Any]:
    """The parameters of an address; KeyError for one that nobody thought of."""
    values = {}
    for key in converters:
        if key == "pk":
            values[key] = next(value for start, value in given.items() if name.startswith(start))
        elif key == "code" and name.startswith(("contrat", "chiffre", "donnees-ouvertes")):
            values[key] = "equipment.deliveries" if name.startswith("contrat") else "equipment.late_orders"
        elif key == "act" and name.startswith("contradiction"):
            values[key] = "prendre"
        elif key == "number" and name.startswith("comptes"):
            values[key] = given["mandate"]
        else:
            values[key] = given[key]
    return values


def _addresses(given: dict[str, Any]) -> dict[str, str]:
    found = {}
    for space, name, pattern in _named(get_resolver().url_patterns):
        if name in LEAVING or space == "api-v1" or not pattern.name:
            continue
        more = f"?q={PARIS_MARK[:6]}&feuille={PARIS_MARK}" if name == "origine" else ""
        found[name] = reverse(name, kwargs=_filled(name, pattern.pattern.converters, given)) + more
    return found


def _held() -> list[Any]:
    """Everything that an act could change, of anybody."""
    kinds = (Submission, Contradiction, Note, SavedView, Mandate)
    people = list(Account.objects.order_by("pk").values("pk", "username", "is_active", "password", "erased_at"))
    return [people, *(list(kind.objects.order_by("pk").values()) for kind in kinds)]


def test_no_page_nor_fragment_says_a_word_of_another_place(world, paris):  # noqa: F811
    """Each address is asked by steering first, so that whatever is kept is kept full; then by everybody else, as a page and as a
    fragment. The word of Paris reaches steering on many pages, and nobody else on any."""
    addresses = _addresses(paris)
    assert len(addresses) > 55
    steering = world.client(Role.NATIONAL)
    browsers = {role: world.client(role) for role in (Role.TERRITORY, Role.AUTHORITY, Role.DIRECTOR, "nobody", None)}
    told, wrong = set(), []
    for name, address in addresses.items():
        if PARIS_MARK in _body(steering.get(address)):
            told.add(name)
        for role, browser in browsers.items():
            for headers in ({}, {"HX-Request": "true"}):
                answer = browser.get(address, headers=headers)
                text = _OWN_WORDS.sub("", _body(answer))
                if answer.status_code >= 500 or PARIS_MARK in text:
                    wrong.append((name, role, bool(headers), answer.status_code))
    assert wrong == []
    assert {"depots", "depot", "depot-fichier", "equipement-suivi", "equipement-suivi-export", "contradiction", "journal", "origine"} <= told


def test_nobody_changes_anything_of_another_place(world, paris):  # noqa: F811
    """Every address, posted to with the identifiers of Paris, by everybody who has no mandate there: nothing moves."""
    addresses, wrong = _addresses(paris), []
    del addresses["equipement-vues"]  # keeping a view of one's own is nobody else's business
    given = {"version": 1, "texte": "essai", "reason": "essai", "raison": "essai", "nom": "essai", "acte": "supprimer", "owner": world.accounts["nobody"].pk}
    for role in STRANGERS:
        browser, before = world.client(role), _held()
        wrong += [(name, role) for name, address in addresses.items() if browser.post(address, given).status_code >= 500]
        if _held() != before:
            wrong.append(("quelque chose a changé", role))
    assert wrong == []


def _operations() -> list[tuple[str, str]]:
    return [(method, path) for path, item in api.get_openapi_schema()["paths"].items() for method in item]


def _called(client: Client, method: str, path: str, given: dict[str, Any], headers: dict[str, str]) -> Any:
    values = {"pk": given["waiting"] if method == "post" else given["depot"], "number": given["number"], "uai": given["uai"], "code": "equipment.late_orders"}
    address = re.sub(r"{(\w+)}", lambda found: str(values[found[1]]), path)
    query = "?indicator=equipment.delivered_over_ordered&level=departement&unit=75&period=2026-03&hierarchy=administrative&size=100"
    if method == "get":
        return client.get(address + query, headers=headers)
    body = {"reason": "essai", "answers": {"a": "b"}, "rows": [{"source_sheet": "a", "source_row": 2}]}
    return client.post(address, body, content_type="application/json", headers=headers)


def test_no_operation_of_the_api_says_or_does_anything_elsewhere(world, paris):  # noqa: F811
    """Each operation of the description, by each token and by none, on what is of Paris: no word, no change, no failure; without a
    token, only what is declared open answers."""
    operations, client, wrong, told = _operations(), Client(), [], set()
    assert len(operations) > 20
    described = api.get_openapi_schema()["paths"]
    bearers = {role: {} if role in (None, "nobody") else world.bearer(role) for role in STRANGERS}
    steering = world.bearer(Role.NATIONAL, is_read_only=True)
    before = _held()
    for method, path in operations:
        if PARIS_MARK in _body(_called(client, method, path, paris, steering)):
            told.add(path)
        for role, headers in bearers.items():
            answer = _called(client, method, path, paris, headers)
            is_open = {} in described[path][method].get("security", [])
            if answer.status_code >= 500 or PARIS_MARK in _body(answer):
                wrong.append((method, path, role, answer.status_code))
            if not headers and not is_open and answer.status_code != 401:
                wrong.append((method, path, "sans jeton", answer.status_code))
    assert wrong == [] and _held() == before
    assert {"/api/v1/submissions", "/api/v1/submissions/{pk}", "/api/v1/trace/submissions/{number}", "/api/v1/trace"} <= told
