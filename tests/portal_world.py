"""A small country for tests of the portal: two départements, two authorities, one account for each role, all in the Aisne.

Built through the real doors (register loaded, files handed in, checked, accepted, figures kept as the worker keeps them) and
shared by the modules of a process that follow one another; each test works on a copy that is thrown away (``world``), or, when
it changes nothing, on the country itself (``country``). ``built``, ``world`` and ``country`` are fixtures: a test module imports
those it needs, ``built`` always.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client, override_settings
from django.utils import timezone

AISNE_SCHOOLS = ("0020011B", "0020012C", "0020013D")
PARIS_SCHOOLS = ("0750001U", "0750002V")
AISNE_SENDER, PARIS_SENDER = "210204086", "217500016"
PARIS_MARK, AISNE_MARK = "temoin-de-paris", "temoin-de-l-aisne"
PASSWORD = "un mot de passe assez long"


@dataclass
class World:
    """What was built. ``accounts``: by role, plus ``nobody`` (no mandate) and ``paris`` (the authority of Paris)."""

    home: Path
    accounts: dict[str, Any] = field(default_factory=dict)
    admin: Any = None
    aisne: Any = None
    paris: Any = None
    waiting: Any = None

    def client(self, role: str | None) -> Client:
        """A browser signed in as ``role``; nobody when None."""
        client = Client()
        if role is not None:
            client.force_login(self.accounts[role], backend="django.contrib.auth.backends.ModelBackend")
        return client

    def bearer(self, role: str, *, is_read_only: bool = False) -> dict[str, str]:
        """The header of a token lending the mandate of ``role``."""
        from essaim.foundation.acts import create_token

        account = self.accounts[role]
        issued = create_token(
            account=account, mandate=account.mandates.get(), label="essai", expires_on=timezone.localdate() + timedelta(days=1), by=account,
            is_read_only=is_read_only,
        )  # fmt: skip
        return {"authorization": f"Bearer {issued.secret}"}


def stores_in(home: Path) -> dict[str, Any]:
    (home / "static").mkdir(exist_ok=True)
    return {
        "STATIC_ROOT": home / "static",
        "HOME": home, "ESSAIM_LEDGER_URL": str(home / "ledger"), "ESSAIM_FILES_DIR": home / "files", "ESSAIM_CACHE_DIR": home / "cache",
        "STORAGES": {
            "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
            "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
        },
    }  # fmt: skip


@contextmanager
def undone() -> Iterator[None]:
    """A transaction rolled back at the end, inside which acts that must be durable may run."""
    block = transaction.atomic()
    block._from_testcase = True
    with block:
        yield
        transaction.set_rollback(True)


def _register() -> bytes:
    lines = ["Identifiant_de_l_etablissement;Nom_etablissement;Type_etablissement;Statut_public_prive;Code_commune;Nom_commune;Code_departement;latitude;longitude;etat"]
    for uai, commune, code, departement in (
        *((uai, "Laon", "02408", "002") for uai in AISNE_SCHOOLS), *((uai, "Paris 1er Arrondissement", "75101", "075") for uai in PARIS_SCHOOLS)
    ):
        lines.append(f"{uai};École {uai[-3:]};Ecole;Public;{code};{commune};{departement};49.5;3.6;OUVERT")
    return ("\n".join(lines) + "\n").encode()


def deliveries(schools: tuple[str, ...], mark: str, *, quantity: str = "12") -> bytes:
    """A file of deliveries that says ``mark`` in its comments."""
    rows = [f"BL-{mark}-{n};{uai};ordinateur portable;{quantity};2026-03-{n + 10};{mark}" for n, uai in enumerate(schools)]
    return ("n° BL;UAI;Catégorie;Quantité livrée;Date de livraison;Commentaire\n" + "\n".join(rows) + "\n").encode()


def hand_in(content: bytes, filename: str, sender: str, by: Any, *, accepted: bool = True, **more: Any) -> Any:
    """A file of deliveries received, checked by the real engine, accepted."""
    from essaim.foundation import acts

    found = acts.receive(content=content, filename=filename, contract="equipment.deliveries", sender=sender, by=by, **more)
    acts.check(submission=found, by=by)
    return acts.accept(submission=found, by=by) if accepted else found


def _build(made: World) -> None:
    from essaim.evaluation.reads.keeping import brought_up_to_date
    from essaim.foundation import acts
    from essaim.foundation.models import Role
    from essaim.foundation.reads.facts import number_known_at
    from essaim.territories.acts import load_register

    made.admin = acts.local_administrator()
    path = made.home / "annuaire.csv"
    path.write_bytes(_register())
    load_register(files=[path], by=made.admin)
    scopes = {
        Role.NATIONAL: "national", Role.TERRITORY: "administrative/departement/02", Role.AUTHORITY: f"owner/organisation/{AISNE_SENDER}",
        Role.DIRECTOR: f"establishment/{AISNE_SCHOOLS[0]}", Role.TEACHER: f"establishment/{AISNE_SCHOOLS[0]}",
        Role.TRAINER: "administrative/departement/02", Role.FAMILIES: "administrative/departement/02", Role.EVALUATOR: "national",
        Role.AUDITOR: "national", Role.ADMINISTRATOR: "national", "paris": f"owner/organisation/{PARIS_SENDER}", "nobody": "",
    }  # fmt: skip
    for role, scope in scopes.items():
        account = acts.open_account(username=f"compte-{role}", email=f"{role}@exemple.fr", password=PASSWORD, by=made.admin)
        if scope:
            granted = Role.AUTHORITY if role == "paris" else role
            acts.grant_mandate(account=account, role=granted, scope=scope, starts_on=date(2020, 9, 1), by=made.admin)
        made.accounts[str(role)] = account
    made.aisne = hand_in(deliveries(AISNE_SCHOOLS, AISNE_MARK), f"{AISNE_MARK}.csv", AISNE_SENDER, made.accounts[Role.AUTHORITY])
    made.paris = hand_in(deliveries(PARIS_SCHOOLS, PARIS_MARK), f"{PARIS_MARK}.csv", PARIS_SENDER, made.accounts["paris"])
    broken = deliveries(PARIS_SCHOOLS, f"{PARIS_MARK}-2", quantity="beaucoup") + deliveries(PARIS_SCHOOLS, f"{PARIS_MARK}-3").split(b"\n", 1)[1]
    made.waiting = hand_in(broken, f"{PARIS_MARK}-attente.csv", PARIS_SENDER, made.accounts["paris"], accepted=False)
    brought_up_to_date(number_known_at(timezone.now()))


class SmallCountry:
    """The country of a process: there while modules that need it follow one another, in a transaction undone before others run."""

    def __init__(self, blocker: Any, new_home: Callable[[str], Path]) -> None:
        self._blocker, self._new_home = blocker, new_home
        self._open = ExitStack()
        self._made: World | None = None

    def here(self) -> World:
        """The country, built when it is not there."""
        if self._made is None:
            made = World(self._new_home("country"))
            with ExitStack() as opening:
                opening.enter_context(self._blocker.unblock())
                opening.enter_context(override_settings(**stores_in(made.home)))
                opening.enter_context(undone())
                _build(made)
                self._open = opening.pop_all()
            self._made = made
        return self._made

    def gone(self) -> None:
        """Nothing of it is left in the database, nor in the settings."""
        self._made = None
        self._open.close()


@pytest.fixture(scope="session")
def small_country(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[SmallCountry]:
    """Kept by the conftest of the suite, which sends it away before the modules that do without."""
    found = SmallCountry(django_db_blocker, tmp_path_factory.mktemp)
    _here.append(found)
    yield found
    found.gone()
    _here.remove(found)


_here: list[SmallCountry] = []


def send_away() -> None:
    """No country any more, when there was one."""
    for found in _here:
        found.gone()


@pytest.fixture(scope="module")
def built(small_country: SmallCountry) -> World:
    """The country, as it is before each test of a module."""
    return small_country.here()


@pytest.fixture
def world(built: World, db: None, tmp_path: Path) -> Iterator[World]:
    """The country, for one test: what the test changes is forgotten, in the database and in the ledger."""
    from essaim.evaluation.reads import STORE

    home = tmp_path / "home"
    shutil.copytree(built.home, home)
    STORE.release()
    cache.clear()
    with override_settings(**stores_in(home)):
        yield deepcopy(built)  # what a test does to an account in hand is not known to the next one either
    STORE.release()


@pytest.fixture
def country(built: World, db: None) -> World:
    """The country as it was built, for a test that only reads: what the site kept for one reader is there when the next one asks."""
    cache.clear()
    return built


def upload(content: bytes, name: str) -> io.BytesIO:
    """A file as a form sends it."""
    stream = io.BytesIO(content)
    stream.name = name
    return stream
