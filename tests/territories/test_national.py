"""The real national register: everything understood, figures equal to the published ones, search fast enough to type."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import essaim.evaluation.contracts as evaluation
import essaim.territories.contracts as territories
from essaim.engines.intake import check
from essaim.territories import acts
from essaim.territories.acts.guessing import guess
from essaim.territories.models import Establishment
from essaim.territories.reads import profile_frame, search
from essaim.territories.reads.declared import TERRITORIES

pytestmark = [pytest.mark.data, pytest.mark.slow]
CONTRACTS = (*territories.CONTRACTS, *evaluation.CONTRACTS)
KINDS = {
    "annuaire": {"territories.establishments", "territories.closures", "territories.enrolment", "territories.social_position"},
    "ips": {"territories.social_position"},
    "cog": {"territories.places"},
    "effectifs": {"territories.enrolment"},
}
NOT_REGISTER = ("carte-scolaire", "Table-de-passage", "moyens_enseignants")


@pytest.mark.parametrize("folder", KINDS)
def test_every_published_file_is_understood(data_dir, folder):
    """No question, no refused row, the contract of its kind; files of another kind are left aside."""
    for path in sorted((data_dir / folder).iterdir()):
        found = guess(path, CONTRACTS)
        if any(word in path.name for word in NOT_REGISTER):
            assert found is None, path.name
            continue
        assert found is not None and found.contract.code in KINDS[folder], path.name
        outcome = check(path, path.name, found.contract, sender=found.sender)
        assert (outcome.questions, outcome.refused.height) == ((), 0), (path.name, outcome.summary)


def test_the_national_base_gives_the_published_totals(admin, data_dir: Path):
    """7 965 establishments and 1 705 015 pupils in the twelve territories at the rentrée 2024, each counted once though two
    files state them; loaded again, nothing is created; a school is found by name."""
    names = (
        "cog/communes_cog_2026.csv.gz", "annuaire/etablissements_reconstitues_rentree2024.csv.gz",
        "annuaire/effectifs_compiles_geoloc_rentree2024.csv.gz", "annuaire/etablissements_fermes_2026.parquet",
    )  # fmt: skip
    files = [data_dir / name for name in names]
    assert acts.load_register(files=files, by=admin).is_clean
    year = profile_frame().filter((pl.col("school_year") == "2024-2025") & pl.col("departement").is_in(TERRITORIES))
    assert (year.height, year["pupils"].sum()) == (7965, 1_705_015)
    before = Establishment.objects.count()
    again = acts.load_register(files=files[::-1], by=admin)
    assert (again.projected.establishments.created, again.projected.establishments.changed) == (0, 0)
    assert Establishment.objects.count() == before > 90_000
    assert search("college louis sandras anizy")[0].uai == "0020002S"
