"""The demonstration: the twelve territories, their accounts, and two years of senders' files through the real door."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
from django.conf import settings
from django.utils import timezone

from essaim.config.cli.home import progress
from essaim.config.demo_levers import lever_files, lever_sender, lever_senders
from essaim.equipment.demonstration import DemoFile, School, Sender, files_of, senders, truth_of
from essaim.portal.reads.accounts import PASSWORD

PARIS = ZoneInfo("Europe/Paris")
OPENING = date(2024, 9, 2)

# What the register is made of, in the order in which it reads best; absent files are skipped.
REGISTER_FILES = (
    "cog/regions_2026.json",
    "cog/departements_2026.json",
    "cog/communes_cog_2026.csv.gz",
    "cog/epci_membres_2026.csv.gz",
    "annuaire/etablissements_reconstitues_rentree2024.csv.gz",
    "annuaire/etablissements_fermes_2026.parquet",
    "fragilite/indice_fragilite_numerique_iris_2020.parquet",
    "annuaire/effectifs_compiles_geoloc_rentree2024.csv.gz",
    "ips/fr-en-ips-ecoles-ap2022_2022-2023_libelles_bom_crlf.csv.gz",
    "ips/fr-en-ips-colleges-ap2022_2022-2023_libelles_bom_crlf.csv",
    "ips/fr-en-ips-lycees-ap2022_2022-2023_libelles_bom_crlf.csv",
    "resultats/fr-en-indicateurs-valeur-ajoutee-colleges_2022-2023.csv.gz",
    "geo/departements_1000m.geojson",
)


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """An account of the demonstration; ``scope`` and ``organisation`` may hold ``{sender}``, the first sender of the Aisne."""

    username: str
    title: str
    role: str
    scope: str
    organisation: str = ""


ACCOUNTS = (
    DemoAccount("pilotage.national", "Pilotage national (ministère, SGPI, Caisse des dépôts)", "national_steering", "national"),
    DemoAccount("pilotage.aisne", "Pilotage du territoire de l'Aisne (académie, DRANE)", "territory_lead", "programme/territory/02"),
    DemoAccount("collectivite.aisne", "Contributeur d'une commune de l'Aisne", "authority_contributor", "owner/organisation/{sender}", "{sender}"),
    DemoAccount("formation.aisne", "Formatrice du Réseau Canopé dans l'Aisne", "trainer", "programme/territory/02", "{trainer}"),
    DemoAccount("familles.aisne", "Coordination des familles dans l'Aisne", "family_coordinator", "programme/territory/02", "{families}"),
    DemoAccount("direction.ecole", "Direction d'une école de l'Aisne", "school_director", "establishment/{school}"),
    DemoAccount("evaluation", "Évaluatrice", "evaluator", "national"),
    DemoAccount("audit", "Auditeur : lit tout, ne change rien", "auditor", "national"),
    DemoAccount("administration", "Administration de la plateforme", "administrator", "national"),
)


def is_built() -> bool:
    """Whether the demonstration has been completed in this home."""
    return (Path(settings.HOME) / "demonstration").exists()


def build(*, quick: bool = False, quiet: bool = False) -> None:
    """Loads the register, opens the accounts, hands in every sender's files at their dates. Can be run again after an
    interruption: what is already there is left as it is."""
    from essaim.foundation import clock
    from essaim.foundation.acts import local_administrator
    from essaim.territories.reads import demonstration_schools

    admin = local_administrator()
    with clock.travel(datetime.combine(OPENING, time(8), PARIS)):
        _load_register(admin)
        schools = demonstration_schools(("02",) if quick else None)
        sent_by = senders([School(**row) for row in schools], communes=1, sirens=_sirens())
        _open_accounts(admin, sent_by)
        _name(admin, [*sent_by, *lever_senders(schools)])
    _hand_in(admin, in_order([*demo_files(sent_by), *lever_files(schools)]))
    _prepare_figures()
    (Path(settings.HOME) / "demonstration").write_text(f"{timezone.localdate()}\n")


def _prepare_figures() -> None:
    """Computes every figure once, so that the first page is as quick as the next ones."""
    from essaim.evaluation.tasks import refresh_figures

    with progress("Chiffres") as bar:
        bar.add_task("", total=None)
        refresh_figures.call()


def register_files() -> list[Path]:
    """The public files present in ESSAIM_DATA_DIR, in loading order; empty without the folder."""
    if settings.ESSAIM_DATA_DIR is None:
        return []
    return [path for name in REGISTER_FILES if (path := Path(settings.ESSAIM_DATA_DIR) / name).exists()]


def _load_register(admin: object) -> None:
    from essaim.territories import acts

    files = register_files()
    with progress("Registre des établissements") as bar:
        task = bar.add_task("", total=None)

        def say(done: int, total: int, step: str) -> None:
            bar.update(task, completed=done, total=total, description=step)

        if files:
            acts.load_register(files=files, by=admin, progress=say)
        else:
            click.echo("ESSAIM_DATA_DIR absent : registre de synthèse.", err=True)
            acts.load_synthetic_register(by=admin, progress=say)


def _name(admin: Any, sent_by: Sequence[Sender]) -> None:
    """Hands in the names of those that no register knows: their SIREN is invented with them."""
    from essaim.territories.contracts import ORGANISATIONS
    from essaim.territories.reads.naming import organisation_names

    known = organisation_names(item.code for item in sent_by)
    lines = "".join(f"{item.code};{item.name};{item.departement}\n" for item in sent_by if item.code not in known)
    if lines:
        content = f"SIREN;Nom;Département\n{lines}".encode()
        take_in(admin, content, "organismes.csv", ORGANISATIONS.code, "organismes")


def _sirens() -> dict[str, str]:
    """Real SIREN of communes, by « département name »."""
    from essaim.territories.models import Organisation

    rows = Organisation.objects.filter(kind="commune").values_list("departement", "name", "siren")
    return {f"{departement} {name.removeprefix('Commune de ')}": siren for departement, name, siren in rows}


def _open_accounts(admin: object, sent_by: Sequence[Sender]) -> None:
    from essaim.foundation import acts
    from essaim.foundation.models import Account

    first = next((s for s in sent_by if s.departement == "02"), sent_by[0])
    names = {
        "sender": first.code, "school": first.schools[0].uai, "trainer": lever_sender("training", "02").code,
        "families": lever_sender("families", "02").code,
    }  # fmt: skip
    for item in ACCOUNTS:
        if Account.objects.filter(username=item.username).exists():
            continue
        opened = acts.open_account(username=item.username, password=PASSWORD, organisation=item.title, by=admin)
        acts.grant_mandate(
            account=opened, role=item.role, scope=item.scope.format(**names), organisation=item.organisation.format(**names),
            starts_on=date(2020, 9, 1), by=admin,
        )


def demo_files(sent_by: Sequence[Sender]) -> Iterator[DemoFile]:
    """Every file of the authorities: orders, deliveries, acknowledgements, inventories."""
    return (file for sender in sent_by for file in files_of(truth_of(sender)))


def in_order(files: Sequence[DemoFile]) -> list[DemoFile]:
    """Files in the order in which they were sent."""
    return sorted(files, key=lambda file: (file.sent_on, file.sender.code, file.contract))


def take_in(admin: Any, content: bytes, filename: str, contract: str, sender: str) -> None:
    """Receives, checks and accepts one file."""
    from essaim.foundation import acts

    submission = acts.receive(content=content, filename=filename, contract=contract, sender=sender, by=admin)
    if submission.state == "received":
        submission = acts.check(submission=submission, by=admin, contain=False)
    if submission.state == "checked" and submission.rows_accepted:
        acts.accept(submission=submission, by=admin)


def _hand_in(admin: object, files: Sequence[DemoFile]) -> None:
    """Receives, checks and accepts each file as of the day it was sent."""
    from essaim.foundation import clock
    from essaim.foundation.tasks import SCATTERED, tend_ledger

    with progress("Fichiers des expéditeurs") as bar:
        task = bar.add_task("", total=len(files))
        for index, file in enumerate(files):
            moment = datetime.combine(file.sent_on, time(9), PARIS).replace(second=index // 60 % 60, microsecond=index)
            with clock.travel(moment):
                take_in(admin, file.content, file.filename, file.contract, file.sender.code)
            bar.update(task, advance=1, description=file.sender.name)
            if index % SCATTERED == SCATTERED - 1:
                tend_ledger.call()
