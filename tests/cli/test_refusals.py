"""What is refused, how it is told, and with which exit code: 2 the file, 3 the command, 4 the act. Never a trace of the program."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile

import click
import pytest

from essaim.config.cli import COMMANDS, group

CONTRACT = "equipment.deliveries"


def _walk(command: click.Command, words: tuple[str, ...] = ()):
    yield words, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None, (words, name)
            yield from _walk(found, (*words, name))


EVERY = [item for item in _walk(group) if item[0][:1] != ("study",)]  # studies have tests of their own


@pytest.mark.parametrize(("words", "command"), EVERY, ids=["-".join(words) or "essaim" for words, _ in EVERY])
def test_help_is_complete(essaim, words, command):
    """Every command says what it does, and what each of its options means; -h as well as --help."""
    done = essaim(*words, "--help")
    assert done.code == 0 and done.out == essaim(*words, "-h").out if not words else done.code == 0
    assert (command.help or "").strip(), words
    silent = [item.name for item in command.params if isinstance(item, click.Option) and not (item.help or "").strip()]
    assert silent == []


def test_the_exit_codes_are_documented(essaim):
    """`essaim --help` lists the commands of the specification and the codes."""
    text = essaim("--help").out
    assert all(name in text for name in COMMANDS) and all(f"{n} " in text for n in range(5)) and "Codes de sortie" in text
    assert {"run", "demo", "register", "contracts", "check", "submit", "figures", "trace", "verify", "compact", "backup", "restore"} <= set(COMMANDS)


@pytest.mark.parametrize(
    ("words", "code", "told"), [(("--host", "nulle.part.invalid"), 4, "nulle.part.invalid"), (("--port", "99999"), 3, "65535")], ids=["host", "port"]
)
def test_an_address_that_cannot_be_is_refused_before_anything_is_made(tmp_path, words, code, told):
    """An unknown host and an impossible port are told, and no installation is left behind."""
    command = [sys.executable, "-m", "essaim", "--home", str(tmp_path / "home"), "run", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, told in done.stderr, "Traceback" in done.stderr) == (code, True, False)
    assert not (tmp_path / "home").exists()


def _workbook(sheet: bytes, extra: dict[str, bytes] | None = None) -> bytes:
    """An xlsx made by hand around the XML of its only sheet."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as book:
        types = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>'
        book.writestr("[Content_Types].xml", types)
        book.writestr("_rels/.rels", '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>')
        book.writestr("xl/workbook.xml", '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="F" sheetId="1" r:id="r1"/></sheets></workbook>')
        book.writestr("xl/_rels/workbook.xml.rels", '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>')
        book.writestr("xl/worksheets/sheet1.xml", sheet)
        for name, content in (extra or {}).items():
            book.writestr(name, content)
    return stream.getvalue()


HEAD = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
TAIL = b"</sheetData></worksheet>"
ENTITIES = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'


def _zipped(name: str, content: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as held:
        held.writestr(name, content)
    return stream.getvalue()


INLINE = b'<row r="1"><c r="A1" t="inlineStr"><is><t>&c;</t></is></c></row>'
# Made when their turn comes: the bombs take seconds to write.
HOSTILE = {
    "empty": ("vide.xlsx", lambda: b""),
    "pdf": ("livraisons.xlsx", lambda: b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n%%EOF\n"),
    "image": ("photo.csv", lambda: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40),
    "program": ("fichier.csv", lambda: b"\x7fELF\x02\x01\x01" + b"\x00" * 4000),
    "truncated": ("coupé.xlsx", lambda: _workbook(HEAD + TAIL)[:400]),
    "entities": ("entités.xlsx", lambda: _workbook(ENTITIES + HEAD + INLINE + TAIL)),
    "bomb": ("bombe.xlsx", lambda: _workbook(HEAD + b" " * (300 * 2**20) + TAIL)),
    "zip_bomb": ("bombe.zip", lambda: _zipped("a.csv", b"0;" * (150 * 2**20))),
    "zip_of_zip": ("poupée.zip", lambda: _zipped("b.zip", _zipped("a.csv", b"uai;quantite\n"))),
    "path": ("chemin.zip", lambda: _zipped("../../etc/passwd", b"root:x:0:0\n")),
    "prose": ("lettre.txt", lambda: b"Bonjour,\n\nle fichier suit.\n"),
    "blank": ("blanc.csv", lambda: b"\n\n ;;;\n"),
    "header_only": ("en-tête.csv", lambda: "UAI;Catégorie;Quantité livrée;Date de livraison\n".encode()),
    "other": ("autre.csv", lambda: b"nom;couleur;prix\npomme;rouge;3\npoire;verte;4\n"),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_or_hopeless_file_is_refused_with_a_sentence(essaim, tmp_path, monkeypatch, obeys, kind):
    """Bombs, other formats under a wrong name, nothing to read: exit 2, a French sentence that says what and what to do."""
    monkeypatch.setenv("ESSAIM_HOME", str(tmp_path / "nulle-part"))
    name, made = HOSTILE[kind]
    path = tmp_path / name
    path.write_bytes(made())
    done = essaim("check", path, "--contract", CONTRACT, "--json")
    told = done.json
    sentences = [item["message"] for item in told["summary"]] + [item["message"] for item in told["notices"]]
    assert (done.code, told["status"], told["rows_accepted"]) == (2, "refused", 0), sentences
    assert sentences and all(len(text) > 20 and "Traceback" not in text and "Error" not in text for text in sentences), sentences
    obeys("check", told)
    assert not (tmp_path / "nulle-part").exists()


def test_a_cell_of_a_megabyte_and_ten_thousand_columns_are_contained(essaim, tmp_path, monkeypatch):
    """Read or refused, quickly, with sound rows kept and no trace of the program."""
    monkeypatch.setenv("ESSAIM_HOME", str(tmp_path / "nulle-part"))
    head = "UAI;Catégorie;Quantité livrée;Date de livraison;Observations"
    long = tmp_path / "longue.csv"
    long.write_text(f"{head}\n0020011B;tablette;3;2026-03-10;{'x' * 2**20}\n0020011B;tablette;4;2026-03-11;court\n", encoding="utf-8")
    done = essaim("check", long, "--contract", CONTRACT, "--json")
    assert done.code in (1, 2) and len(done.out) < 200_000
    assert done.json["status"] == "refused" or done.json["rows_accepted"] == 1
    wide = tmp_path / "large.csv"
    wide.write_text(f"{head};{';'.join(f'c{n}' for n in range(10_000))}\n0020011B;tablette;3;2026-03-10;;{';' * 10_000}\n", encoding="utf-8")
    done = essaim("check", wide, "--contract", CONTRACT, "--json")
    assert done.code in (0, 1, 2) and done.json["status"] in ("clean", "issues", "refused")


def test_check_needs_neither_home_nor_register(essaim, tmp_path, monkeypatch):
    """On a machine where nothing was ever loaded: the file is checked, and nothing is created."""
    monkeypatch.setenv("ESSAIM_HOME", str(tmp_path / "nulle-part"))
    path = tmp_path / "livraisons.csv"
    path.write_text("UAI;Catégorie;Quantité livrée;Date de livraison\n0020011B;tablette;3;2026-03-10\n", encoding="utf-8")
    done = essaim("check", path, "--contract", CONTRACT, "--json")
    assert done.code in (0, 1) and done.json["rows_accepted"] == 1 and not (tmp_path / "nulle-part").exists()
    assert "n'a pas été vérifiée (essaim register load)" in done.err, "ce qui n'a pas pu être vérifié est dit"


USAGE = (
    ("nimporte",), ("check",), ("check", "absent.csv", "--contract", CONTRACT), ("check", "{file}"), ("check", "{file}", "--contract", "zz"),
    ("check", "{folder}", "--contract", CONTRACT), ("check", "{file}", "--contract", CONTRACT, "--nimporte"), ("submit", "{file}", "--contract", "zz"),
    ("figures",), ("figures", "equipment.late_orders"), ("figures", "zz", "--level", "departement"), ("figures", "equipment.late_orders", "--level", "zz"),
    ("figures", "equipment.late_orders", "--level", "departement", "--period", "zz"), ("figures", "equipment.late_orders", "--level", "departement", "--by", "zz"),
    ("figures", "equipment.late_orders", "--level", "departement", "--known-at", "31/02/2026"),
    ("figures", "equipment.late_orders", "--level", "departement", "--format", "xlsx"), ("figures", "equipment.late_orders", "--level", "departement", "--format", "zz"),
    ("trace",), ("trace", "zz"), ("trace", "equipment.late_orders", "--submission", "1"), ("trace", "--submission", "99999"), ("trace", "--submission", "zz"),
    ("figures", "equipment.late_orders", "--level", "departement", "--unit", "999"), ("figures", "equipment.late_orders", "--level", "commune", "--unit", "zz"),
    ("figures", "equipment.late_orders", "--level", "departement", "--known-at", "2025-02-29"),
    ("figures", "equipment.late_orders", "--level", "departement", "--format", "parquet", "--out", "{folder}/absent/f.parquet"),
    ("figures", "equipment.late_orders", "--level", "departement", "--format", "json", "--out", "{folder}/absent/f.json"),
    ("trace", "equipment.late_orders", "--level", "departement", "--unit", "999"), ("trace", "equipment.late_orders", "--unit", "02"),
    ("trace", "equipment.late_orders", "--level", "departement", "--unit", "02", "--by", "zz", "--breakdown", "public"),
    ("trace", "equipment.late_orders", "--level", "zz"), ("contracts", "show", "zz"), ("indicators", "zz"), ("restore", "absent"), ("register", "load"),
    ("register", "load", "absent.csv"),
)  # fmt: skip


@pytest.mark.parametrize("words", USAGE, ids=" ".join)
def test_a_malformed_command_ends_with_3(at, tmp_path, words):
    """Unknown command, option, contract, indicator, level, period, day or file: 3, and what was wrong."""
    path = tmp_path / "f.csv"
    path.write_text("a;b\n1;2\n", encoding="utf-8")
    done = at(*(word.format(file=path, folder=tmp_path) for word in words))
    assert done.code == 3 and len(done.err.strip().splitlines()[-1]) > 15 and "Traceback" not in done.err and not done.out


def test_an_act_that_is_not_allowed_ends_with_4(at, tmp_path):
    """Unknown account, account without a mandate, auditor, sender of another: 4, and why."""
    path = tmp_path / "livraisons.csv"
    path.write_text("UAI;Catégorie;Quantité livrée;Date de livraison\n0020011B;tablette;3;2026-03-10\n", encoding="utf-8")
    words = ("submit", path, "--contract", CONTRACT)
    for more, says in (
        (("--as", "personne"), "Aucun compte"), (("--as", "compte-nobody", "--sender", "210204086"), "mandat"), (("--as", "compte-auditor", "--sender", "210204086"), "mandat"),
        (("--as", "compte-paris", "--sender", "210204086"), "mandat"),
    ):  # fmt: skip
        done = at(*words, *more)
        assert done.code == 4 and done.err.startswith("Erreur : ") and says in done.err and "Traceback" not in done.err, more


def test_nothing_is_asked_of_an_installation_without_a_register(tmp_path):
    """A newcomer who has loaded nothing is told so and what to do, rather than that départements do not exist."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ESSAIM_")} | {"DJANGO_SETTINGS_MODULE": "essaim.config.settings"}
    for words in (("figures", "equipment.late_orders", "--level", "departement"), ("trace", "equipment.late_orders")):
        command = [sys.executable, "-m", "essaim", "--home", str(tmp_path / "neuve"), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        assert done.returncode == 4 and "essaim register load" in done.stderr and "essaim demo" in done.stderr and not done.stdout, words


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("check", "absent.csv", "--contract", CONTRACT), "« absent.csv » n'existe pas"), (("check", ".", "--contract", CONTRACT), "est un dossier"),
        (("check",), "il manque l'argument FICHIER."), (("check", __file__), "il manque l'option --contract"), (("check", __file__, "--contrat", "x"), "l'option --contrat n'existe pas"),
        (("chek",), "la commande « chek » n'existe pas"), (("check", __file__, "--contract", "x.y"), "« x.y »"), (("submit", __file__, "b", "--contract", CONTRACT), "Mot en trop"),
        (("figures", "x", "--level", "departement", "--format", "pdf"), "« pdf » n'est pas admis"), (("check", __file__, "--contract"), "attend une valeur"),
    ],
)  # fmt: skip
def test_a_command_badly_formed_is_told_in_french(essaim, words, says):
    """What is wrong and where the help is, code 3, no English."""
    done = essaim(*words)
    assert done.code == 3 and done.err.startswith("Commande mal employée : ") and says in done.err and "--help" in done.err
    assert not any(word in done.err for word in ("Error", "Usage", "Invalid", "Missing", "does not"))
