"""Forms of the portal."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm, UsernameField
from dsfr.forms import DsfrBaseForm

from essaim.foundation import reads as foundation
from essaim.foundation.contracts import contracts
from essaim.foundation.models import Role
from essaim.foundation.permissions import rights_of
from essaim.territories.contracts import KINDS_OF_ORGANISATION


class SeveralFiles(forms.ClearableFileInput):
    """A file input that takes several files."""

    allow_multiple_selected = True


class FilesField(forms.FileField):
    """One or more files, each within the size allowed."""

    widget = SeveralFiles

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        files = data if isinstance(data, (list, tuple)) else [data]
        cleaned = [super(FilesField, self).clean(item, initial) for item in files]
        largest = settings.ESSAIM_UPLOAD_MAX_MB
        for item in cleaned:
            if item.size > largest * 2**20:
                raise forms.ValidationError(f"« {item.name} » dépasse {largest} Mo : enregistrez-le compressé (xlsx ou zip), ou découpez-le, par année par exemple.")
        return cleaned


class UploadForm(DsfrBaseForm):
    """What is handed in: the kind of file, in whose name, the files."""

    contract = forms.ChoiceField(label="Que contient votre fichier ?")
    sender = forms.CharField(
        label="Au nom de", required=False, max_length=64,
        help_text="SIREN de la collectivité, ou UAI. Laissez vide pour envoyer au nom de votre propre organisme.",
    )
    files = FilesField(
        label="Vos fichiers",
        help_text="Votre tableur tel qu'il est : xlsx, xls, ods, csv, zip… Titres, totaux et notes ne gênent pas.",
    )

    def __init__(self, *args: Any, account: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mandates = foundation.active_mandates(account)
        allowed = [c for c in contracts() if any(rights_of(m).may_submit(c.code) for m in mandates)]
        choices = [(c.code, c.title) for c in allowed]
        # What is not chosen is not guessed: orders taken for deliveries would be told only at the end.
        self.fields["contract"].choices = choices if len(choices) < 2 else [("", "Choisissez…"), *choices]  # type: ignore[attr-defined]
        self.fields["sender"].widget.attrs["placeholder"] = foundation.default_sender(account)


class AccountForm(DsfrBaseForm):
    """A person who is to sign in. Without a password, through the identity provider only."""

    username = forms.CharField(label="Identifiant", max_length=150, help_text="Par exemple marie.durand.")
    email = forms.EmailField(label="Adresse électronique", required=False, help_text="Sert aussi à se connecter.")
    organisation = forms.CharField(label="Organisme", required=False, max_length=200)
    siren = forms.CharField(label="SIREN de l'organisme", required=False, max_length=9)
    password = forms.CharField(
        label="Mot de passe provisoire", required=False, strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Laissez vide si la personne se connecte par le fournisseur d'identité.",
    )


class PasswordForm(DsfrBaseForm):
    """One's own new password, and the one it replaces."""

    current = forms.CharField(
        label="Mot de passe actuel", strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    password = forms.CharField(
        label="Nouveau mot de passe", strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Douze caractères au moins ; quelques mots sans rapport entre eux se retiennent bien.",
    )
    again = forms.CharField(
        label="Nouveau mot de passe, encore une fois", strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        """Both writings of the new password must be the same."""
        given = super().clean() or {}
        if given.get("password") and given.get("again") and given["password"] != given["again"]:
            self.add_error("again", "Les deux mots de passe ne sont pas les mêmes.")
        return given


SCOPES = (
    ("national", "France entière"), ("programme/territory", "Territoire du programme (code du département)"),
    ("administrative/departement", "Département"), ("academic/academie", "Académie"),
    ("owner/organisation", "Organisme (SIREN)"), ("establishment", "Établissement (UAI)"),
)  # fmt: skip


class MandateForm(DsfrBaseForm):
    """A role, where, and until when."""

    role = forms.ChoiceField(label="Rôle", choices=Role.choices)
    level = forms.ChoiceField(label="Sur", choices=SCOPES)
    code = forms.CharField(label="Code", required=False, max_length=64, help_text="02, 971, un SIREN, une UAI… Laissez vide pour la France entière.")
    organisation = forms.CharField(
        label="Au nom de", required=False, max_length=64, help_text="SIREN ou code de l'organisme dont la personne envoie les fichiers, s'il y a lieu."
    )
    starts_on = forms.DateField(label="À partir du", required=False, widget=forms.DateInput(attrs={"type": "date"}), help_text="Aujourd'hui si vide.")
    ends_on = forms.DateField(label="Jusqu'au", required=False, widget=forms.DateInput(attrs={"type": "date"}), help_text="Sans fin si vide.")

    def clean(self) -> dict[str, Any]:
        """``scope`` is what the act takes; a place without code, or a code for the country, is told beside the field."""
        given = super().clean() or {}
        level, code = given.get("level"), (given.get("code") or "").strip()
        if level != "owner/organisation":  # a sender's own code is kept as written
            code = code.upper()
        if level == "national":
            given["scope"] = "national"
            if code:
                self.add_error("code", "La France entière n'a pas de code : videz ce champ, ou choisissez un lieu.")
        elif level:
            given["scope"] = f"{level}/{code}"
            if not code:
                self.add_error("code", "Écrivez le code du lieu.")
        return given


class OrganisationNameForm(DsfrBaseForm):
    """What an organisation is called."""

    siren = forms.CharField(label="SIREN", max_length=20, help_text="Neuf chiffres ; un SIRET convient.", widget=forms.TextInput(attrs={"inputmode": "numeric"}))
    name = forms.CharField(label="Nom de l'organisme", max_length=255, help_text="Tel qu'il doit être lu partout : « Syndicat scolaire de la Vallée ».")
    kind = forms.ChoiceField(label="Nature", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = [(item.value, item.label) for item in KINDS_OF_ORGANISATION]
        self.fields["kind"].choices = [("", "Non précisée"), *known]  # type: ignore[attr-defined]


class SignInForm(AuthenticationForm, DsfrBaseForm):
    """Identifier or address, and password."""

    error_messages = {
        "invalid_login": "Identifiant ou mot de passe inexact. Vérifiez les majuscules ; après plusieurs essais, le compte est bloqué une heure.",
        "inactive": "Ce compte est fermé. Demandez son ouverture à l'administration de la plateforme.",
    }

    username = UsernameField(label="Identifiant ou adresse électronique", widget=forms.TextInput(attrs={"autofocus": True}))
