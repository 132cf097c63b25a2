"""Signing in and out through the provider in a real browser, under the site's own content security policy."""

from __future__ import annotations

from datetime import date

import pytest

from essaim.foundation import acts
from essaim.foundation.models import Account, Role

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(browser):
    """A page in a profile of its own; the test fails when the console speaks of the content security policy."""
    context = browser.new_context()
    found = context.new_page()
    errors: list[str] = []
    found.on("console", lambda message: errors.append(message.text) if message.type == "error" and "Security Policy" in message.text else None)
    yield found
    context.close()
    assert not errors


def test_a_person_signs_in_with_the_provider_and_out_of_both(page, live_server, settings, tmp_path):
    """From the sign-in page to the provider, back without mandate, then with one, then out of the site and of the provider."""
    from oidc_provider_mock import User, run_server_in_thread

    from essaim.portal.sign_in import provider as providers

    person = User(sub="lea-123", claims={"given_name": "Léa", "usual_name": "Martin", "email": "lea@exemple.fr"})
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    with run_server_in_thread(user_claims=[person]) as server:
        settings.ESSAIM_OIDC_ISSUER = f"http://localhost:{server.server_port}"
        settings.OIDC_RP_CLIENT_ID, settings.OIDC_RP_CLIENT_SECRET = "essaim", "secret"
        settings.OIDC_RP_SCOPES, settings.OIDC_VERIFY_KID = "openid profile email", False
        settings.ESSAIM_BASE_URL = live_server.url
        providers.forget()
        page.set_default_timeout(60_000)
        page.goto(f"{live_server.url}/connexion/")
        page.get_by_role("link", name="Se connecter avec ProConnect").click()
        page.get_by_role("button", name="lea-123").click()
        page.get_by_role("heading", name="Votre compte n'a pas encore de mandat").wait_for()
        account = Account.objects.get(oidc_subject="lea-123")
        assert account.username in page.content()
        admin = acts.local_administrator()
        acts.grant_mandate(account=account, role=Role.TRAINER, scope="administrative/departement/02", starts_on=date(2020, 9, 1), by=admin)
        page.goto(f"{live_server.url}/depots/")
        page.get_by_role("heading", level=1).wait_for()
        page.get_by_role("button", name="Se déconnecter").click()
        page.get_by_role("heading", name="Vous êtes déconnecté d'Essaim").wait_for()
        page.wait_for_url(f"http://localhost:{server.server_port}/**", timeout=60_000)
        page.goto(f"{live_server.url}/depots/")
        page.wait_for_url(f"{live_server.url}/connexion/**")
    providers.forget()
