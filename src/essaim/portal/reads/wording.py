"""Words for what the journal and mandates hold as codes: nobody should need to know how a scope is written to read one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from essaim.equipment.reads.naming import known_names
from essaim.foundation.contracts import UnknownContract
from essaim.foundation.contracts import contract as contract_named
from essaim.foundation.models import Act, Mandate
from essaim.foundation.reads.journal_search import ACT_LABELS
from essaim.kernel.departements import name_of
from essaim.portal.reads.places import school_names
from essaim.territories.reads.naming import labelled

LABELS = ACT_LABELS | {
    "refresh_contradictions": "Sources comparées", "comment_contradiction": "Contradiction commentée", "assigned_contradiction": "Contradiction prise en charge",
    "released_contradiction": "Contradiction rendue", "explained_contradiction": "Contradiction expliquée", "settled_contradiction": "Contradiction réglée",
    "reopened_contradiction": "Contradiction rouverte", "save_view": "Vue enregistrée", "rename_view": "Vue renommée", "delete_view": "Vue supprimée",
    "send_digest": "Rappel du jour envoyé", "project_register": "Registre national chargé",
}  # fmt: skip
_DETAILS = {
    "number": "n°", "new": "nouvelles", "changed": "modifiées", "unchanged": "inchangées", "withdrawn": "retirées", "status": "résultat", "rows": "lignes",
    "refused": "à corriger", "contract": "contenu", "sender": "au nom de", "filename": "fichier", "reason": "motif", "role": "rôle", "scope": "périmètre",
    "starts_on": "depuis le", "ends_on": "jusqu'au", "title": "titre", "why": "raison", "day": "jour", "created": "créés", "departement": "département",
    "opened": "ouvertes", "reopened": "rouvertes", "settled": "réglées", "text": "texte", "label": "usage", "organisation": "organisation",
    "expires_on": "expire le", "issuer": "fournisseur d'identité", "answers": "réponses",
}  # fmt: skip
# What only programs read: fingerprints, keys, versions.
_UNSAID = {"sha256", "stamp", "account", "note", "version", "arrived", "prefix", "mandate", "token"}
_RESULTS = {"clean": "sans remarque", "issues": "avec remarques", "refused": "refusé"}


def told(act: Act, senders: Mapping[str, str] | None = None) -> str:
    """What an act says besides its name, in one line of French. ``senders``: how senders are called, by code."""
    said = ((_DETAILS.get(key, key), (senders or {}).get(value, value) if key == "sender" else _value(key, value)) for key, value in act.details.items() if key not in _UNSAID)
    return " · ".join(f"{label} : {text}" for label, text in said if text)


def _value(key: str, value: Any) -> str:
    if value in (None, "", [], {}):
        return ""
    if key == "status":
        return _RESULTS.get(str(value), str(value))
    if key == "scope":
        return scope_words(str(value))
    if key == "contract":
        return _contract(str(value))
    if isinstance(value, Mapping):
        return ", ".join(str(item) for item in value.values())
    return str(value)


def _contract(code: str) -> str:
    try:
        return contract_named(code).title
    except UnknownContract:
        return code


_KINDS = {
    "departement": "département", "territory": "territoire", "dsden": "DSDEN", "academie": "académie", "region": "région", "organisation": "organisation",
    "commune": "commune", "epci": "intercommunalité",
}  # fmt: skip


def scope_words(scope: str, names: Mapping[str, str] | None = None) -> str:
    """``programme/territory/02`` → « territoire : Aisne (02) ». ``names``: of organisations and schools, by code."""
    level, code = scope.rsplit("/", 1) if "/" in scope else ("", scope)
    level = level.rsplit("/", 1)[-1]
    if scope == "national":
        return "France entière"
    if level == "establishment":
        return f"établissement : {(names or {}).get(code, '')} ({code})".replace(":  (", "(")
    name = (names or {}).get(code) or (name_of(code) if level in {"departement", "territory", "dsden"} else "")
    if level == "organisation":
        return f"{_KINDS[level]} : {labelled(code, name or None)}"
    return f"{_KINDS.get(level, level)} : {name} ({code})" if name and name != code else f"{_KINDS.get(level, level)} : {code}"


def mandate_words(mandates: Iterable[Mandate]) -> dict[int, str]:
    """Each mandate by its key: « Direction d'école ou d'établissement, établissement : École Jean Moulin (0020011B) »."""
    held = list({item.pk: item for item in mandates}.values())
    codes = {item.scope.rsplit("/", 1)[-1] for item in held if "/" in item.scope}
    schools = {uai: f"{row.name or uai}, {row.commune}" for uai, row in school_names(sorted(codes)).items()} if codes else {}
    names = known_names(codes) | schools
    return {item.pk: f"{item.get_role_display()}, {scope_words(item.scope, names)}" for item in held}


def known_already(filename: str) -> str:
    """What is said of a file handed in before."""
    return f"« {filename} » avait déjà été déposé : voici ce dépôt, rien n'a été compté deux fois."
