"""The path of a newcomer in a shell: an empty folder, a register, a file, figures, care, a backup and its restoration."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ESSAIM = Path(sys.executable).with_name("essaim")
UAIS = ("0020011B", "0020012C", "0020013D")
FIRST = "Identifiant_de_l_etablissement;Nom_etablissement;Type_etablissement;Statut_public_prive;Code_commune;Nom_commune;Code_departement;latitude;longitude;etat"
QUESTION = ("figures", "equipment.devices_delivered", "equipment.delivered_over_ordered", "--level", "departement", "--unit", "02", "--period", "2026-03", "--format", "json")


@pytest.fixture
def shell():
    """Runs the installed command in a process of its own, without the settings of the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ESSAIM_") and name != "DJANGO_SETTINGS_MODULE"}

    def run(home: Path, *words: object, code: int = 0) -> str:
        done = subprocess.run([str(ESSAIM), "--home", str(home), *map(str, words)], env=kept, capture_output=True, text=True, timeout=240, check=False)
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout[-800:]}\n{done.stderr[-2000:]}"
        assert "Traceback" not in done.stderr
        return done.stdout

    return run


def _register(folder: Path) -> tuple[Path, Path]:
    """The same schools as published twice: other order of rows and of columns, other spelling of headers."""
    rows = [[uai, f"École {uai[-3:]}", "Ecole", "Public", "02408", "Laon", "002", "49.5", "3.6", "OUVERT"] for uai in UAIS]
    heads = FIRST.split(";")
    one, two = folder / "annuaire.csv", folder / "annuaire-autre.csv"
    one.write_text("\n".join([FIRST, *(";".join(row) for row in rows)]) + "\n", encoding="utf-8")
    turned = [[*reversed(row)] for row in reversed(rows)]
    two.write_text("\n".join([";".join(reversed([h.upper() for h in heads])), *(";".join(row) for row in turned)]) + "\n", encoding="cp1252")
    return one, two


def test_from_an_empty_folder_to_a_restored_copy(shell, tmp_path):
    """Every command of an installation in turn, each in its own process."""
    home, copy, kept = tmp_path / "home", tmp_path / "copie", tmp_path / "sauvegarde"
    one, two = _register(tmp_path)
    assert "3 créés" in shell(home, "register", "load", one)
    again = shell(home, "register", "load", two)
    assert "0 créés, 0 modifiés, 3 inchangés" in again.split("Établissements : ")[1].splitlines()[0]

    sent = tmp_path / "livraisons.csv"
    lines = [f"BL-{n};{uai};tablette;{n + 5};2026-03-{n + 10}" for n, uai in enumerate(UAIS)]
    sent.write_text("\n".join(["n° BL;UAI;Catégorie;Quantité livrée;Date de livraison", *lines]) + "\n", encoding="utf-8")
    told = json.loads(shell(home, "submit", sent, "--contract", "equipment.deliveries", "--sender", "210204086", "--accept", "--json"))
    assert told["accepted"] is True and told["preview"]["new"] == 3

    figures = json.loads(shell(home, *QUESTION))
    assert figures[0]["rows"][0]["value"] == 5 + 6 + 7
    assert "concordent" in shell(home, "verify")
    assert "Livraisons de matériel : fait" in shell(home, "compact")
    assert "concordent" in shell(home, "verify")
    assert json.loads(shell(home, *QUESTION)) == figures

    assert "Sauvegarde écrite" in shell(home, "backup", kept)
    shell(home, "backup", kept, code=4)  # never over another one
    assert "rétablie" in shell(copy, "restore", kept)
    assert json.loads(shell(copy, *QUESTION)) == figures
    shell(copy, "restore", kept, code=4)  # never over people's data unless asked
    assert "collectivite" not in shell(copy, "accounts", "list")
