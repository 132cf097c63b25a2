"""Files with one column per category or per month: such columns become rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from essaim.kernel.french import folded

from .cells_readers import code_spellings, read_cell, repaired_mojibake
from .contract import Contract, Field, FieldType, Wide
from .mapping_names import HeaderName
from .report import Mapping
from .tables import RawTable

_CERTAIN = 94.0


@dataclass(frozen=True, slots=True)
class WideColumns:
    """``codes``: position of the column → text written into the field ``into`` for its cells, whose content goes to ``value``."""

    into: str
    value: str
    codes: dict[int, str]

    def mapping(self, table: RawTable) -> tuple[Mapping, ...]:
        """One line a column: the cell is the value, the header gives the category."""
        return tuple(
            Mapping(table.columns[i].letter, table.columns[i].header, self.value, 95.0, f"une colonne par valeur : « {code} »")
            for i, code in sorted(self.codes.items())
        )


def wide_columns(
    table: RawTable, contract: Contract, headers: tuple[HeaderName, ...], names: np.ndarray, settled: dict[int, str]
) -> WideColumns | None:
    """The block of columns named after values of a Wide field, when the table has no column for that field itself."""
    positions = {name: i for i, name in enumerate(contract.field_names)}
    for wide in contract.wide:
        if wide.into in settled.values() or (names[:, positions[wide.into]] >= _CERTAIN).any():
            continue
        field = contract.field(wide.into)
        codes = {}
        for line, header in enumerate(headers):
            named_otherwise = names[line].max(initial=0.0) >= _CERTAIN and len(header.levels) < 2
            code = None if line in settled or named_otherwise else _named(header, table.columns[line].header, field, wide)
            if code is not None:
                codes[line] = code
        if len(codes) >= 2:
            return WideColumns(wide.into, wide.value, codes)
    return None


def _named(header: HeaderName, text: str, field: Field, wide: Wide) -> str | None:
    extra = {folded(key): value for key, value in wide.extra_headers.items()}
    forms = (*header.levels, *header.forms, *without_verbs(header.forms))
    for form in forms:
        if form in extra:
            return extra[form]
    if field.type is FieldType.CODE:
        spellings = code_spellings(field)
        for form in forms:
            reading = read_cell(form, field)
            if form in spellings or reading.value is not None:
                return str(spellings.get(form) or reading.value)
        return None
    for part in reversed((repaired_mojibake(text) or text).split(" / ")):
        if not part.strip():
            continue
        written = read_cell(part, field)
        if written.value is not None and written.remark != "date_serial":
            return part
    return None


_VERBS = frozenset(("nb", "nombre", "de", "d", "qte", "quantite", "livre", "livres", "livree", "livrees", "commande", "commandes", "total", "des", "les"))


def without_verbs(forms: tuple[str, ...]) -> list[str]:
    """``nb de tablettes livrées`` → ``tablettes``."""
    found = []
    for form in forms:
        words = [word for word in form.split() if word not in _VERBS]
        if words and len(words) < len(form.split()):
            found.append(" ".join(words))
    return found
