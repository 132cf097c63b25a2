"""The invented register: deterministic, valid, loaded through the same door."""

from __future__ import annotations

import pytest

from essaim.engines.intake import check
from essaim.kernel.uai import check as check_uai
from essaim.kernel.uai import departement_of
from essaim.territories import acts
from essaim.territories.acts.synthetic import synthetic_register, synthetic_schools
from essaim.territories.contracts import ENROLMENT, ESTABLISHMENTS, PLACES, SOCIAL_POSITION
from essaim.territories.reads import demonstration_schools


def test_the_same_seed_gives_the_same_schools():
    """Same arguments, same bytes; another seed, other schools; a département does not depend on the others."""
    assert synthetic_register(schools=12) == synthetic_register(schools=12)
    assert synthetic_register(schools=12, seed=1) != synthetic_register(schools=12)
    together = [item for item in synthetic_schools(schools=8) if item.departement == "2A"]
    assert together == synthetic_schools(schools=8, departements=("2A",))


def test_identifiers_are_valid_and_of_their_departement():
    """Key letters fit, prefixes are those of the département (620 for Corse-du-Sud), no identifier twice."""
    made = synthetic_schools(schools=150)
    assert len({item.uai for item in made}) == len(made) == 12 * 150
    assert all(check_uai(item.uai).value == item.uai and departement_of(item.uai) == item.departement for item in made)


@pytest.mark.parametrize(
    ("name", "contract"),
    [("communes", PLACES), ("annuaire", ESTABLISHMENTS), ("ips", SOCIAL_POSITION), ("effectifs", ENROLMENT)],
)
def test_its_files_pass_the_checks(name, contract):
    """Every row of every file is accepted, with real oddities inside (NS, counts with a decimal, three-character codes)."""
    content = synthetic_register(schools=30)[f"{name}_synthese.csv"]
    outcome = check(content, f"{name}.csv", contract, sender=name)
    assert outcome.refused.height == 0 and outcome.questions == () and outcome.rows.height > 0
    if name == "ips":
        assert b"NS" in content and outcome.rows["ips"].null_count() > 0


def test_it_feeds_the_demonstration(admin):
    """Loaded, it gives the demonstration its schools in every degree, public and private."""
    outcome = acts.load_synthetic_register(by=admin, departements=("02", "95"), schools=40)
    assert outcome.is_clean, outcome.lines()
    schools = demonstration_schools()
    assert len(schools) == 80 and {item["level"] for item in schools} == {"ecole", "college", "lycee"}
    assert {item["is_private"] for item in schools} == {True, False} and all(item["pupils"] > 0 for item in schools)
    assert set(schools[0]) == {"uai", "name", "commune_name", "departement", "level", "is_private", "pupils"}


def test_an_impossible_request_is_refused():
    """Unknown département, no school at all."""
    with pytest.raises(ValueError):
        synthetic_register(departements=("99",))
    with pytest.raises(ValueError):
        synthetic_register(schools=0)
