"""Parameters as every operation takes them: texts that a database can hold, pages, days."""

from __future__ import annotations

from typing import Annotated

from ninja import Query
from pydantic import AfterValidator, Field, StringConstraints


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("le caractère nul n'est pas permis")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("texte mal encodé : UTF-8 est attendu") from None
    return text


Text = Annotated[str, StringConstraints(max_length=2000), AfterValidator(_storable)]
Short = Annotated[str, StringConstraints(max_length=250), AfterValidator(_storable)]
PageNumber = Annotated[int, Field(ge=1, le=100_000, description="Page, à partir de 1.")]
PageSize = Annotated[int, Field(ge=1, le=500, description="Éléments par page.")]
Identifier = Annotated[int, Field(ge=1, le=2**53)]
Shorts = Annotated[list[Short], Query(max_length=100)]
