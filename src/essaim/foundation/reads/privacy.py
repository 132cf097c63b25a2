"""Everything that is kept about one person, in a form that can be handed to them."""

from __future__ import annotations

from typing import Any

from ..models import Account, Act, ApiToken, Layout, Submission, Upload

_ACCOUNT = (
    "username", "email", "given_name", "family_name", "organisation", "siren", "is_active", "oidc_issuer", "oidc_subject",
    "opened_at", "seen_at", "last_login",
)  # fmt: skip


def personal_data(account: Account) -> dict[str, Any]:
    """Account, mandates, files handed in, answers confirmed, tokens (without their secrets) and acts of ``account``, as values
    that JSON holds. Counted facts are not personal: schools and devices, never persons."""
    mandates = account.mandates.values("role", "scope", "organisation", "starts_on", "ends_on", "granted_at")
    handed_in = Submission.objects.filter(received_by=account).order_by("pk")
    confirmed = Layout.objects.filter(confirmed_by=account).order_by("pk")
    tokens = ApiToken.objects.filter(account=account).order_by("pk")
    acts = Act.objects.filter(account=account).order_by("pk")
    return {
        "compte": {name: getattr(account, name) for name in _ACCOUNT},
        "mandats": list(mandates),
        "depots": list(handed_in.values("pk", "contract", "filename", "sender", "received_at", "state", "reason")),
        "envois": list(Upload.objects.filter(owner=account).values("contract", "filename", "sender", "size", "offset", "begun_at")),
        "reponses_memorisees": list(confirmed.values("sender", "contract", "confirmed_at")),
        "jetons": list(tokens.values("label", "prefix", "created_at", "expires_at", "used_at", "revoked_at")),
        "actes": list(acts.values("at", "name", "object_type", "object_id", "details")),
    }
