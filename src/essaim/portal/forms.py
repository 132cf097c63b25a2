"""Forms of the portal."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from dsfr.forms import DsfrBaseForm

from essaim.foundation import reads as foundation
from essaim.foundation.contracts import contracts
from essaim.foundation.permissions import rights_of


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
                raise forms.ValidationError(f"« {item.name} » dépasse {largest} Mo : découpez-le ou demandez l'aide de l'administration.")
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
        self.fields["contract"].choices = [(c.code, c.title) for c in allowed]  # type: ignore[attr-defined]
        self.fields["sender"].widget.attrs["placeholder"] = foundation.default_sender(account)


class SignInForm(AuthenticationForm, DsfrBaseForm):
    """Identifier or address, and password."""

    error_messages = {
        "invalid_login": "Identifiant ou mot de passe inexact. Vérifiez les majuscules ; après plusieurs essais, le compte est bloqué une heure.",
        "inactive": "Ce compte est fermé. Demandez son ouverture à l'administration de la plateforme.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "Identifiant ou adresse électronique"
