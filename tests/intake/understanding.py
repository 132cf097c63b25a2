"""A small contract, tables built by hand, and a register in memory, shared by the tests of the understanding half."""

from __future__ import annotations

from datetime import date

import polars as pl

from essaim.engines.intake import Check, CheckInputs, RawTable, ReadFile, check_read
from essaim.engines.intake.contract import (
    Code,
    Contract,
    Field,
    FieldType,
    InOrder,
    Plausible,
    ProductEquals,
    Severity,
    Wide,
)
from essaim.engines.intake.tables import Column
from essaim.kernel.uai import key_letter

T = FieldType
CODES = (
    Code("tablette", "Tablette", ("tablettes tactiles", "iPad")),
    Code("portable", "Ordinateur portable", ("PC portable", "laptop")),
    Code("ecran", "Écran interactif", ("ENI", "TBI")),
)
CONTRACT = Contract(
    "test.deliveries", 1, "Livraisons d'essai", "Pour les tests.",
    (
        Field("ref", "N° de commande", T.TEXT, synonyms=("bon de commande", "n° BC")),
        Field("uai", "UAI", T.UAI, required=True, synonyms=("code RNE",), reference="establishment", references_with=("school", "town")),
        Field("school", "École", T.TEXT, synonyms=("établissement",)),
        Field("town", "Commune", T.TEXT, synonyms=("ville",)),
        Field("insee", "Code commune", T.COMMUNE, reference="commune"),
        Field("item", "Catégorie", T.CODE, required=True, synonyms=("type de matériel",), codes=CODES),
        Field("quantity", "Quantité", T.INTEGER, required=True, synonyms=("qté", "nombre"), minimum=0, maximum=5000),
        Field("price", "Prix unitaire HT", T.MONEY, synonyms=("PU", "prix"), unit="€ HT"),
        Field("total", "Montant HT", T.MONEY, synonyms=("montant", "total"), unit="€ HT"),
        Field("ordered", "Date de commande", T.DATE, synonyms=("commandé le",)),
        Field("delivered", "Date de livraison", T.DATE, synonyms=("livré le",), minimum="2000-01-01"),
        Field("ready", "Configuré", T.BOOLEAN),
        Field("buyer", "SIRET", T.SIRET),
    ),
    key=("sender", "ref", "uai", "item"),
    rules=(
        InOrder("livraison_avant_commande", "La livraison précède la commande.", "ordered", "delivered"),
        ProductEquals("montant_incoherent", "Quantité × prix ne donne pas le montant.", "quantity", "price", "total", severity=Severity.WARNING),
        Plausible("trop", "Plus de trois appareils par élève.", "quantity", "uai", "pupils", 3.0, severity=Severity.WARNING),
    ),
    place="uai",
    wide=(Wide("item", "quantity"),),
)  # fmt: skip


def uai(number: int) -> str:
    """A valid UAI of the Aisne."""
    digits = f"002{number:04d}"
    return digits + key_letter(digits)


GOOD = {
    "N° de commande": "BC-1", "UAI": uai(1), "École": "École Jean Moulin", "Commune": "Laon", "Code commune": "02408", "Catégorie": "tablette",
    "Quantité": "12", "Prix unitaire HT": "100", "Montant HT": "1200", "Date de commande": "2021-08-31", "Date de livraison": "2022-03-01",
    "Configuré": "oui", "SIRET": "21350016800025",
}  # fmt: skip


def table(rows: list[dict[str, str | None]], *, sheet: str = "Feuil1", first_row: int = 2, headers: bool = True, epoch_1904: bool = False) -> RawTable:
    """A RawTable from dicts of header → text; the headers of the first row, in order."""
    names = list(rows[0])
    frame = pl.DataFrame({f"c{i}": pl.Series([row.get(name) for row in rows], dtype=pl.String) for i, name in enumerate(names)})
    frame = frame.with_columns(pl.int_range(first_row, first_row + pl.len(), dtype=pl.UInt32).alias("row"))
    columns = tuple(Column(_letter(i), name if headers else "") for i, name in enumerate(names))
    return RawTable(sheet, first_row - 1 if headers else None, columns, frame, epoch_1904=epoch_1904)


def _letter(position: int) -> str:
    return chr(65 + position) if position < 26 else chr(64 + position // 26) + chr(65 + position % 26)


def good(**changes: str | None) -> dict[str, str | None]:
    """A row without fault, with some cells changed (by field label)."""
    return {**GOOD, **changes}


def numbered(count: int, **changes: str | None) -> list[dict[str, str | None]]:
    """Rows without fault, each with its own key."""
    return [good(**{"N° de commande": f"BC-{i}", **changes}) for i in range(count)]


def run(*tables: RawTable, contract: Contract = CONTRACT, **inputs: object) -> Check:
    """Checks tables as one file already read."""
    given = {"references": {}, "memory": {}, "answers": {}} | inputs
    read = ReadFile("essai.csv", "csv", tables)
    return check_read([(read, "0" * 64)], contract, CheckInputs(**given), lambda share, step: None)[0]


def codes(check: Check) -> set[str]:
    return set(check.issues["code"])


class Register:
    """A Reference over a few schools: uai → (name, town, pupils, closed on, replaced by)."""

    def __init__(self, schools: dict[str, tuple[str, str, int, date | None, str | None]]) -> None:
        self.schools = schools

    def known(self, values: pl.Series) -> pl.DataFrame:
        rows = [(v, v in self.schools, self.schools[v][4] if v in self.schools else None, self.schools[v][3] if v in self.schools else None) for v in values]
        return pl.DataFrame(rows, schema={"value": pl.String, "known": pl.Boolean, "replaced_by": pl.String, "closed_on": pl.Date}, orient="row")

    def find(self, queries: pl.DataFrame) -> pl.DataFrame:
        rows = []
        for query in queries.iter_rows(named=True):
            for code, (name, town, *_) in self.schools.items():
                score = 100.0 * (query["name"] == name) if query.get("commune") in (town, None) else 0.0
                score = max(score, 70.0 if query["name"].split()[0] == name.split()[0] and query.get("commune") == town else 0.0)
                if score:
                    rows.append((query["query"], code, f"{name}, {town}", score))
        return pl.DataFrame(rows, schema={"query": pl.UInt32, "value": pl.String, "label": pl.String, "score": pl.Float64}, orient="row")

    def attributes(self, values: pl.Series) -> pl.DataFrame:
        rows = [(v, "02", self.schools[v][2]) for v in values if v in self.schools]
        return pl.DataFrame(rows, schema={"value": pl.String, "departement": pl.String, "pupils": pl.Int64}, orient="row")
