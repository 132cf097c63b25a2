"""A school that an earlier version filed under another département moves there with all that was said of it, and counts once."""

from __future__ import annotations

import polars as pl
import pytest

from essaim.engines.intake import check_rows
from essaim.evaluation.reads import figures
from essaim.foundation import acts
from essaim.foundation.contracts import contract
from essaim.foundation.reads.facts import ledger, posted_numbers, table_spec
from essaim.kernel import departements
from essaim.territories.models import Establishment
from essaim.territories.reads.frames import hierarchy_frame

SCHOOL, SENDER = "9870026P", "219800018"
HEADER = "Identifiant_de_l_etablissement;Nom_etablissement;Type_etablissement;Statut_public_prive;Code_commune;Nom_commune;Code_departement;etat\n"


@pytest.fixture
def earlier():
    """Identifiers in 987 are taken for those of Polynésie française, as they were by an earlier version."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(departements._UAI_PREFIXES, "987", "987")
        patched.setattr(check_rows, "_UAI_PREFIXES", pl.Series([departements.from_uai_prefix(f"{n:03d}") for n in range(1000)], dtype=pl.String))
        yield patched


def _directory(kind: str) -> dict[str, str]:
    return {"annuaire.csv": f"{HEADER}{SCHOOL};Lano Alofivai;{kind};Public;98613;Uvea;986;OUVERT\n"}


def _given(quantity: int, admin) -> None:
    text = f"n° BL;UAI;Catégorie;Quantité livrée;Date de livraison;Date d'installation\nBL1;{SCHOOL};tablette;{quantity};2026-03-10;2026-03-12\n"
    found = acts.receive(content=text.encode(), filename=f"livraisons-{quantity}.csv", contract="equipment.deliveries", sender=SENDER, by=admin)
    acts.accept(submission=acts.check(submission=found, by=admin), by=admin)


def _told(level: str) -> dict[str, float]:
    found = figures(["equipment.devices_delivered"], level=level, period="2026-03").rows()
    return {row["unit"]: row["value"] for row in found if row["value"]}


def test_wallis_et_futuna_moves_to_its_own_code_and_nothing_is_doubled(load, admin, earlier):
    """Directory and deliveries of an earlier version, filed under 987; then the directory again, and a delivery corrected: one school,
    in 986 with what it had already received, one delivery, and a ledger where each has one row."""
    load(_directory("Collège"))
    _given(12, admin)
    assert _departements("equipment.deliveries") == _departements("territories.establishments") == ["987"]
    earlier.undo()
    load(_directory("Lycée"))
    assert list(Establishment.objects.values_list("uai", "departement")) == [(SCHOOL, "986")]
    held = hierarchy_frame().filter((pl.col("uai") == SCHOOL) & (pl.col("level") == "departement"))
    assert held["unit"].to_list() == ["986"]
    assert _told("departement") == {"986": 12} and _told("national") == {"FR": 12}
    _given(15, admin)
    assert _told("departement") == {"986": 15} and _told("national") == {"FR": 15}
    assert _departements("equipment.deliveries") == _departements("territories.establishments") == ["986"]


def _departements(code: str) -> list[str]:
    """Where the rows that stand are filed, in a ledger that agrees with the journal."""
    spec = table_spec(contract(code))
    assert ledger().verify(spec, journal=posted_numbers(contract(code))).problems == ()
    return ledger().state(spec)["departement"].to_pylist()
