"""Every route × every role × own scope, foreign scope, nobody: the status, and never a word of somebody else's data.

A route that nobody described here fails the test: rights are thought of before an address exists.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from essaim.foundation.models import Role, State, Submission
from portal_world import (  # noqa: F401
    AISNE_SCHOOLS,
    PARIS_MARK,
    PARIS_SCHOOLS,
    built,
    country,
    deliveries,
    upload,
    world,
)

NATIONWIDE = {Role.NATIONAL, Role.EVALUATOR, Role.AUDITOR, Role.ADMINISTRATOR}
SEES_AISNE = NATIONWIDE | {Role.TERRITORY, Role.AUTHORITY, Role.TRAINER, Role.FAMILIES}
SEES_PARIS = NATIONWIDE | {"paris"}
ROLES = [*Role.values, "paris", "nobody", None]
OPEN, SIGNED, SCOPED, GUARDED, POST = "open", "signed", "scoped", "guarded", "post"


@dataclass(frozen=True)
class Route:
    """How a route behaves. OPEN: 200 for all. SIGNED: needs a session. SCOPED: 200 inside the scope, 404 outside.
    GUARDED: whoever may see it, people of the other place get neither 200 nor a word. POST: not by GET."""

    kind: str
    own: tuple[Any, ...] = ()
    foreign: tuple[Any, ...] = ()
    unsettled: frozenset[str] = frozenset()
    query: str = ""


def _routes(world: Any) -> dict[str, Route]:  # noqa: F811
    mine, theirs, waiting = (world.aisne.pk,), (world.paris.pk,), world.waiting.pk
    school, other = (AISNE_SCHOOLS[0],), (PARIS_SCHOOLS[0],)
    code = "equipment.late_orders"
    figure, foreign = ("departement", "02", code), ("departement", "75", code)
    authority = frozenset({Role.AUTHORITY, Role.DIRECTOR, Role.TEACHER, "paris"})
    deposit = Route(SCOPED, mine, theirs)
    return {
        **dict.fromkeys(
            ("accueil", "recherche", "indicateurs", "contrats", "aide", "accessibilite", "mentions-legales", "healthz", "readyz",
             "donnees-ouvertes", "api-reference", "openapi-json"), Route(OPEN)),
        **dict.fromkeys(("contrat", "contrat-schema", "contrat-modele"), Route(OPEN, ("equipment.deliveries",))),
        "aide-page": Route(OPEN, ("index",)),
        "territoire": Route(OPEN, ("02",), ("02",)), "territoire-etablissements": Route(OPEN, ("02",), ("02",)),
        "territoire-tableau": Route(OPEN, ("02",), ("02",)),
        "etablissement": Route(OPEN, school, other), "chiffre": Route(OPEN, figure, foreign),
        "donnees-ouvertes-fichier": Route(OPEN, ("indicateurs", code, "csv")),
        "depots": Route(SIGNED), "depot-nouveau": Route(SIGNED), "jetons": Route(SIGNED), "compte": Route(SIGNED),
        "chiffre-etablissements": Route(SCOPED, figure, foreign, authority),
        "chiffre-trace": Route(SCOPED, figure, foreign, authority),
        "origine": Route(SCOPED, (world.aisne.number, 2), (world.paris.number, 2), query="?feuille=temoin-de-l-aisne"),
        "depot": deposit, "depot-anomalies": deposit, "depot-corrections": deposit, "depot-annote": deposit, "depot-fichier": deposit, "depot-ecritures": deposit,
        "depot-repondre": Route(POST, mine, (waiting,)), "depot-acte": Route(POST, (*mine, "accepter"), (waiting, "accepter")),
        "envois": Route(POST), "envoi-fin": Route(POST, ("0" * 32,)), "envoi-abandon": Route(POST, ("0" * 32,)),
        "jeton-revoquer": Route(POST, (1,), (1,)), "deconnexion": Route(POST),
    }  # fmt: skip


# Pages of rooms whose own tests say who sees what; here, that the people of another place see nothing.
ROOM_PAGES = ("equipement-", "contradiction", "reception", "etablissement-", "etablissements-", "journal", "comptes", "compte-", "mandat", "rappels", "carte", "tableau")
ELSEWHERE = {
    "connexion": "test_attacks", "oidc-connexion": "test_oidc", "oidc-retour": "test_oidc", "sans-mandat": "test_oidc",
    "deconnexion-fournisseur": "test_oidc", "api": "redirection", "api-v1-index": "redirection", "api-unknown": "test_api", "api-root": "test_api",
    "envoi": "test_uploads", "organismes": "test_organisation_names", "metrics": "its own test",
}  # fmt: skip


def _named(patterns: list[Any], inside: str = "") -> list[tuple[str, str, URLPattern]]:
    found = []
    for item in patterns:
        if isinstance(item, URLResolver):
            found += _named(item.url_patterns, item.namespace or inside)
        else:
            found.append((inside, item.name or str(item.pattern), item))
    return found


def _api_operation(space: str, name: str) -> bool:
    return space == "api-v1" and name not in ("openapi-json", "api-root")


def test_every_route_is_described_here(world):  # noqa: F811
    """An address that this test does not know has rights that nobody thought of."""
    known = set(_routes(world)) | set(ELSEWHERE)
    unknown = [
        name for space, name, _ in _named(get_resolver().url_patterns)
        if name not in known and not _api_operation(space, name) and not name.startswith(ROOM_PAGES)
    ]  # fmt: skip
    assert not unknown


def _address(name: str, args: tuple[Any, ...]) -> str:
    return reverse(f"api-v1:{name}" if name == "openapi-json" else name, args=args)


def _body(answer: Any) -> str:
    """What the answer says, its headers too; not where it leads, which repeats the address asked."""
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return content.decode("utf-8", "replace") + str({name: value for name, value in answer.headers.items() if name != "Location"})


@pytest.mark.parametrize("role", ROLES)
def test_each_role_sees_its_own_scope_and_nothing_else(country, role):  # noqa: F811
    """Walks every route as one role, on its own data then on somebody else's, after the roles before it did."""
    browser = country.client(role)
    browser.raise_request_exception = False
    wrong = []
    for name, route in _routes(country).items():
        for args, seers, is_foreign in ((route.own, SEES_AISNE, False), (route.foreign or route.own, SEES_PARIS, True)):
            sheet = "de-paris" if is_foreign and role in SEES_PARIS else "de-l-aisne"  # others must not say the word themselves
            answer = browser.get(_address(name, args) + route.query.replace("de-l-aisne", sheet))
            if not _as_expected(route, role, answer, seers, is_foreign):
                wrong.append((name, args, answer.status_code))
            if role not in SEES_PARIS and PARIS_MARK in _body(answer):
                wrong.append((name, args, "leaks"))
    assert not wrong


def _as_expected(route: Route, role: str | None, answer: Any, seers: set[str], is_foreign: bool) -> bool:
    status = answer.status_code
    asked_to_sign_in = status == 302 and answer.headers["Location"].startswith("/connexion/")
    if route.kind == OPEN:
        return status == 200
    if route.kind == POST:
        return status in (302, 405)
    if role is None:
        return asked_to_sign_in or (route.kind == SCOPED and status == 404)
    if route.kind == SIGNED:
        return status == 200
    if role in route.unsettled and not (is_foreign and role != "paris"):
        return status in (200, 404)
    return status == (200 if role in seers else 404)


@pytest.mark.parametrize("role", ROLES)
def test_pages_of_rooms_say_nothing_of_another_place(country, role):  # noqa: F811
    """The equipment pages, asked with the identifiers of Paris: nothing of Paris is said to people of the Aisne."""
    given = {"form": "csv", "uai": PARIS_SCHOOLS[0], "pk": 1, "act": "commenter", "code": "75", "name": "x", "number": country.paris.number}
    browser = country.client(role)
    for space, name, pattern in _named(get_resolver().url_patterns):
        if not name.startswith(ROOM_PAGES):
            continue
        asked = {key: given[key] for key in pattern.pattern.converters}
        answer = browser.get(reverse(name, kwargs=asked))
        assert answer.status_code < 500, (space, name)
        assert role in SEES_PARIS or PARIS_MARK not in _body(answer), name
        if role is None:
            assert answer.status_code in (302, 404, 405, 403), name


@pytest.mark.parametrize("role", [item for item in ROLES if item not in SEES_PARIS])
@pytest.mark.parametrize("act", ["accepter", "refuser", "retirer", "verifier"])
def test_nobody_acts_on_a_deposit_of_another_place(world, role, act):  # noqa: F811
    """Accepting, refusing, withdrawing, checking by guessing a number: not found, and nothing changed."""
    for item in (world.waiting, world.paris):
        before = Submission.objects.filter(pk=item.pk).values().get()
        answer = world.client(role).post(reverse("depot-acte", args=[item.pk, act]), {"reason": "essai"})
        assert answer.status_code == 404 or (role is None and answer.status_code == 302)
        assert Submission.objects.filter(pk=item.pk).values().get() == before


@pytest.mark.parametrize("role", [Role.EVALUATOR, Role.AUDITOR])
def test_who_reads_everything_changes_nothing(world, role):  # noqa: F811
    """Evaluators and auditors see the deposits of all, and may act on none."""
    browser = world.client(role)
    for act in ("accepter", "refuser"):
        browser.post(reverse("depot-acte", args=[world.waiting.pk, act]), {"reason": "essai"})
    sent = browser.post(
        reverse("depot-nouveau"), {"contract": "equipment.deliveries", "files": upload(deliveries(AISNE_SCHOOLS, "audit"), "a.csv")}
    )
    assert sent.status_code == 400
    assert Submission.objects.get(pk=world.waiting.pk).state == State.CHECKED
    assert not Submission.objects.filter(received_by=world.accounts[role]).exists()


API_PATHS = ("", "/report", "/issues", "/refused-rows", "/annotated")
API_ACTS = {
    "accept": {}, "refuse": {"reason": "essai"}, "withdraw": {"reason": "essai"}, "answers": {"answers": {"a": "b"}},
    "corrections": {"rows": [{"source_sheet": "a", "source_row": 2}]},
}  # fmt: skip


@pytest.mark.parametrize("role", [item for item in ROLES if item not in (None, "nobody")])
def test_each_token_sees_what_its_mandate_sees(world, role):  # noqa: F811
    """The API, role by role: lists, deposits, traces, and acts on what is somebody else's."""
    client, header = Client(), world.bearer(role)
    listed = {item["id"] for item in client.get("/api/v1/submissions?size=500", headers=header).json()["items"]}
    for item, seers in ((world.aisne, SEES_AISNE), (world.paris, SEES_PARIS), (world.waiting, SEES_PARIS)):
        assert (item.pk in listed) == (role in seers)
        expected = 200 if role in seers else 404
        for path in API_PATHS:
            answer = client.get(f"/api/v1/submissions/{item.pk}{path}", headers=header)
            assert answer.status_code == expected, path
            assert role in SEES_PARIS or PARIS_MARK not in _body(answer)
        if item.number:
            answer = client.get(f"/api/v1/trace/submissions/{item.number}", headers=header)
            assert answer.status_code == expected
    if role in SEES_PARIS:
        return
    before = list(Submission.objects.order_by("pk").values())
    for act, given in API_ACTS.items():
        answer = client.post(f"/api/v1/submissions/{world.waiting.pk}/{act}", given, content_type="application/json", headers=header)
        assert answer.status_code == 404, act
    assert list(Submission.objects.order_by("pk").values()) == before


def test_what_is_kept_for_one_reader_is_not_given_to_another(world):  # noqa: F811
    """The same figure asked in turn by a reader of the place, the public, and the reader again: each gets their own."""
    ask = reverse("chiffre", args=["establishment", PARIS_SCHOOLS[0], "equipment.late_orders"])
    api = f"/api/v1/figures?indicator=equipment.late_orders&level=establishment&unit={PARIS_SCHOOLS[0]}"
    steering, public = world.client(Role.NATIONAL), world.client(None)
    header = world.bearer(Role.NATIONAL)
    first, hidden, again = (c.get(ask).context["public"] for c in (steering, public, steering))
    assert (first, hidden, again) == (False, True, False)
    rows = [public.get(api, headers=given).json()["rows"] for given in (header, {}, header)]
    assert rows[0] == rows[2]
    vary = public.get(ask).headers.get("Vary", "")
    assert "Cookie" in vary
