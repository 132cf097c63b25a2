"""Signing in through an OpenID Connect provider: the real exchange on loopback, and every way of forging it."""

from __future__ import annotations

import time
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client
from django.urls import reverse
from oidc_provider_mock import User, run_server_in_thread

from essaim.foundation import acts
from essaim.foundation.models import Account, Act, Role
from essaim.portal.sign_in import provider as providers
from essaim.portal.sign_in.backend import ProviderBackend

PERSON = {
    "given_name": "Léa", "usual_name": "Martin", "email": "lea.martin@exemple.fr", "siret": "21750001600019", "uid": "lea",
}  # fmt: skip
START, BACK = "/connexion/fournisseur/", "/connexion/fournisseur/retour/"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def server():
    """A provider on a loopback port."""
    people = [User(sub="lea-123", claims=PERSON), User(sub="paul-9", claims={"given_name": "Paul", "family_name": "Roy"})]
    with run_server_in_thread(user_claims=people) as found:
        yield f"http://localhost:{found.server_port}"


@pytest.fixture(autouse=True)
def configured(db, settings, server, tmp_path):
    """The site trusts this provider. It gives no ``kid`` and only knows the standard scopes."""
    settings.ESSAIM_OIDC_ISSUER, settings.OIDC_RP_CLIENT_ID, settings.OIDC_RP_CLIENT_SECRET = server, "essaim", "secret"
    settings.OIDC_RP_SCOPES, settings.OIDC_VERIFY_KID = "openid profile email", False
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    providers.forget()
    yield
    providers.forget()


def _asked(client: Client, query: str = "") -> str:
    """The address at the provider to which the button leads."""
    answer = client.get(START + query)
    assert answer.status_code == 302
    return answer.headers["Location"]


def _came_back(asked: str, sub: str = "lea-123") -> str:
    """What the provider answers once the person has agreed: path and query of our own address."""
    answer = requests.post(asked, data={"sub": sub}, allow_redirects=False, timeout=10)
    found = urlsplit(answer.headers["Location"])
    return f"{found.path}?{found.query}"


def _signed_in(client: Client, sub: str = "lea-123", query: str = ""):
    return client.get(_came_back(_asked(client, query), sub))


def test_the_question_carries_a_state_a_nonce_and_a_challenge():
    """PKCE with SHA-256, a fresh state and a fresh nonce each time; the scopes of the settings."""
    client = Client()
    first, second = (parse_qs(urlsplit(_asked(client)).query) for _ in range(2))
    assert first["code_challenge_method"] == ["S256"] and first["redirect_uri"] == [f"http://testserver{BACK}"]
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name][0]) >= 32 and first[name] != second[name]


def test_a_first_sign_in_opens_an_account_without_mandate_and_says_what_to_do():
    """Names, address and SIREN come from the claims; the page explains; the act is in the journal without any name."""
    client = Client()
    answer = _signed_in(client)
    assert (answer.status_code, answer.headers["Location"]) == (302, reverse("sans-mandat"))
    account = Account.objects.get(oidc_subject="lea-123")
    assert (account.given_name, account.family_name, account.email, account.siren) == ("Léa", "Martin", PERSON["email"], "217500016")
    assert not account.has_usable_password() and not account.mandates.exists()
    page = client.get(answer.headers["Location"]).content.decode()
    assert account.username in page and "Que faire" in page
    act = Act.objects.get(name="arrive")
    assert act.account == account and "Martin" not in str(act.details)


def test_the_next_sign_in_finds_the_same_account_by_issuer_and_subject():
    """A changed address changes nothing to who it is; with a mandate, the person arrives where they were going."""
    _signed_in(Client())
    account = Account.objects.get(oidc_subject="lea-123")
    Account.objects.filter(pk=account.pk).update(email="ancienne@exemple.fr")
    acts.grant_mandate(account=account, role=Role.TEACHER, scope="establishment/0020011B", by=acts.local_administrator())
    answer = _signed_in(Client(), query="?next=/depots/")
    assert answer.headers["Location"] == "/depots/"
    account.refresh_from_db()
    assert account.email == PERSON["email"] and Account.objects.filter(oidc_subject="lea-123").count() == 1


def test_claiming_an_address_does_not_enter_somebody_elses_account():
    """A local account with the same address is left alone; an administrator may join the two."""
    admin = acts.local_administrator()
    local = acts.open_account(username="lea", email=PERSON["email"], by=admin)
    client = Client()
    _signed_in(client)
    arrived = Account.objects.get(oidc_subject="lea-123")
    assert arrived.pk != local.pk and arrived.email == ""
    assert "déjà celle d'un autre compte" in client.get(reverse("sans-mandat")).content.decode().replace("&#x27;", "'")
    with pytest.raises(acts.ActForbidden):
        acts.link_identity(arrived=arrived, account=local, by=local)
    acts.link_identity(arrived=arrived, account=local, by=admin)
    _signed_in(Client())
    assert Account.objects.get(oidc_subject="lea-123").pk == local.pk


def test_the_session_key_changes_at_sign_in():
    """A key planted in the browser before sign-in opens nothing after it (session fixation)."""
    client = Client()
    asked = _asked(client)
    before = client.session.session_key
    client.get(_came_back(asked))
    assert client.session.session_key != before and "_auth_user_id" in client.session


def test_an_answer_serves_once():
    """The same code and state again, from the same browser or another: refused in French, nobody signed in."""
    client = Client()
    address = _came_back(_asked(client))
    client.get(address)
    client.logout()
    for browser in (client, Client()):
        answer = browser.get(address)
        assert answer.status_code == 400 and "Connexion refusée" in answer.content.decode()
        assert "_auth_user_id" not in browser.session


def test_an_answer_meant_for_another_browser_is_refused():
    """The state belongs to the browser that asked (login CSRF)."""
    address = _came_back(_asked(Client()))
    victim = Client()
    _asked(victim)
    assert victim.get(address).status_code == 400 and "_auth_user_id" not in victim.session


def test_an_error_that_nobody_asked_for_signs_nobody_out():
    """An image that points to the answer address with ``error=`` does not end a session."""
    client = Client()
    _signed_in(client)
    assert client.get(f"{BACK}?error=access_denied&state=inconnu").status_code == 400
    assert "_auth_user_id" in client.session


def test_giving_up_at_the_provider_is_told():
    """The person declines: a page, and nobody signed in."""
    client = Client()
    state = parse_qs(urlsplit(_asked(client)).query)["state"][0]
    answer = client.get(f"{BACK}?error=access_denied&state={state}")
    assert answer.status_code == 403 and "abandonnée" in answer.content.decode()


def test_a_closed_account_does_not_come_back():
    """Closed by the administration: the provider still knows them, the platform does not let them in."""
    _signed_in(Client())
    Account.objects.filter(oidc_subject="lea-123").update(is_active=False)
    client = Client()
    assert _signed_in(client).status_code == 403 and "_auth_user_id" not in client.session


@pytest.mark.parametrize("place", ["https://pirate.example/", "//pirate.example", "/\\pirate.example", "javascript:alert(1)"])
def test_after_sign_in_one_stays_on_the_site(place):
    """``next`` leads nowhere else."""
    _signed_in(Client())
    account = Account.objects.get(oidc_subject="lea-123")
    acts.grant_mandate(account=account, role=Role.TEACHER, scope="establishment/0020011B", by=acts.local_administrator())
    from urllib.parse import quote

    answer = _signed_in(Client(), query=f"?next={quote(place)}")
    assert answer.headers["Location"] == "/"


def _forged(client: Client, monkeypatch, server: str, key=KEY, algorithm: str = "RS256", **changes):
    """The answer to a genuine question, with an identity token made by us. The provider's key is ours; the rest is checked."""
    asked = parse_qs(urlsplit(_asked(client)).query)
    now = int(time.time())
    claims = {"iss": server, "aud": "essaim", "sub": "lea-123", "exp": now + 300, "iat": now, "nonce": asked["nonce"][0]} | changes
    token = jwt.encode({name: value for name, value in claims.items() if value is not None}, key, algorithm=algorithm)
    monkeypatch.setattr(ProviderBackend, "get_token", lambda self, payload: {"id_token": token, "access_token": "a"})
    monkeypatch.setattr(ProviderBackend, "retrieve_matching_jwk", lambda self, token: KEY.public_key())
    monkeypatch.setattr(ProviderBackend, "get_userinfo", lambda self, *args: {"sub": "lea-123", **PERSON})
    return client.get(f"{BACK}?code=c&state={asked['state'][0]}")


def test_a_sound_token_made_this_way_is_accepted(monkeypatch, server):
    """The forgery of these tests is faithful: unchanged, it signs in."""
    client = Client()
    assert _forged(client, monkeypatch, server).status_code == 302 and "_auth_user_id" in client.session


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://autre.example"}, {"iss": None}, {"aud": "autre-site"}, {"aud": ["autre-site"]}, {"aud": None},
        {"aud": ["essaim", "autre-site"]}, {"azp": "autre-site"}, {"exp": -3600}, {"exp": None}, {"iat": 3600},
        {"iat": -7200}, {"iat": None}, {"nonce": "rejoué"}, {"nonce": None}, {"sub": None}, {"nbf": 3600},
    ],
    ids=str,
)  # fmt: skip
def test_a_token_not_for_us_not_now_or_not_from_them_is_refused(monkeypatch, server, changes):
    """Issuer, audience, authorised party, lifetime (seconds from now), nonce, subject: each alone is enough to refuse."""
    client = Client()
    now = int(time.time())
    claims = {name: now + value if isinstance(value, int) else value for name, value in changes.items()}
    answer = _forged(client, monkeypatch, server, **claims)
    assert answer.status_code == 400 and "_auth_user_id" not in client.session
    assert not Account.objects.filter(oidc_subject="lea-123").exists()


def test_a_token_signed_by_somebody_else_or_not_at_all_is_refused(monkeypatch, server):
    """Another key, the public key used as a shared secret, no signature."""
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    for key, algorithm in ((other, "RS256"), ("une clé partagée assez longue pour ne rien signaler", "HS256"), (None, "none")):
        client = Client()
        assert _forged(client, monkeypatch, server, key=key, algorithm=algorithm).status_code == 400
        assert "_auth_user_id" not in client.session


def test_the_provider_must_speak_of_the_same_person(monkeypatch, server):
    """Claims about somebody else than the subject of the identity token are refused."""

    class Answer:
        headers = {"content-type": "application/json"}

        def raise_for_status(self):
            pass

        def json(self):
            return {"sub": "quelqu'un d'autre", **PERSON}

    client = Client()
    asked = _asked(client)
    monkeypatch.setattr(ProviderBackend, "retrieve_matching_jwk", _key_of(server))
    monkeypatch.setattr("essaim.portal.sign_in.backend.requests.get", lambda *args, **named: Answer())
    assert client.get(_came_back(asked)).status_code in (400, 403) and "_auth_user_id" not in client.session


def _key_of(server: str):
    found = jwt.PyJWK(requests.get(f"{server}/jwks", timeout=10).json()["keys"][0])
    return lambda self, token: found


def test_a_provider_under_another_name_or_away_is_refused(settings, server):
    """The description must carry the issuer expected; without an answer, a page says to try later."""
    settings.ESSAIM_OIDC_ISSUER = server.replace("localhost", "127.0.0.1") + "/autre"
    providers.forget()
    answer = Client().get(START)
    assert answer.status_code == 503 and "Réessayez" in answer.content.decode()
    settings.ESSAIM_OIDC_ISSUER = ""
    assert Client().get(START).status_code == 404 and Client().get(BACK).status_code == 404


def test_signing_out_ends_the_session_here_then_at_the_provider(settings):
    """A form ends our session; a page of ours then leads to the provider with the identity token and a way back."""
    client = Client(enforce_csrf_checks=True)
    _signed_in(client)
    assert client.post("/deconnexion/").status_code == 403 and "_auth_user_id" in client.session
    client.handler.enforce_csrf_checks = False
    answer = client.post("/deconnexion/")
    assert answer.headers["Location"] == reverse("deconnexion-fournisseur") and "_auth_user_id" not in client.session
    page = client.get(answer.headers["Location"])
    address = page.context["address"]
    asked = parse_qs(urlsplit(address).query)
    assert asked["post_logout_redirect_uri"] == [f"{settings.ESSAIM_BASE_URL}/"] and asked["id_token_hint"][0].count(".") == 2
    assert page.headers["Refresh"].endswith(address)
    assert client.get(reverse("deconnexion-fournisseur")).headers["Location"] == "/"


def test_a_local_account_signs_out_without_the_provider():
    """Nothing to end elsewhere."""
    account = acts.open_account(username="local", password="un mot de passe assez long", by=acts.local_administrator())
    client = Client()
    client.force_login(account, backend="django.contrib.auth.backends.ModelBackend")
    assert client.post("/deconnexion/").headers["Location"] == "/"
    assert client.get("/deconnexion/").status_code == 405
