"""What programs read: keys in the documented order, documents that obey their schema, exit codes."""

from __future__ import annotations

import csv
import io
import json

import openpyxl
import pyarrow.parquet as pq
import pytest

from portal_world import AISNE_MARK, AISNE_SCHOOLS, AISNE_SENDER, deliveries

CONTRACT = "equipment.deliveries"
CHECK = ["contract", "file", "status", "tables", "rows_read", "rows_accepted", "rows_refused", "summary", "issues"]
TABLE = ["sheet", "header_row", "rows", "mapping", "unmapped", "missing"]
SUMMARY = ["code", "severity", "field", "count", "message"]
ISSUE = ["code", "severity", "sheet", "row", "column", "field", "value", "expected", "suggestion", "message"]
FIGURES = ["indicator", "version", "unit", "level", "period", "known_at", "by", "rows"]
ROW = ["unit", "period", "breakdown", "numerator", "denominator", "value", "low", "high", "coverage", "suppressed", "fingerprint"]
ENTRY = ["submission", "file", "sheet", "row", "sign", "values"]
FLOW = ("figures", "equipment.devices_delivered", "--level", "departement", "--unit", "02", "--period", "2026-03")


@pytest.fixture
def files(tmp_path):
    """A clean file, one with a row to refuse, one that is no table."""
    clean, mixed, refused = (tmp_path / name for name in ("propre.csv", "mêlé.csv", "prose.csv"))
    clean.write_bytes(deliveries(AISNE_SCHOOLS, "cli"))
    mixed.write_bytes(deliveries(AISNE_SCHOOLS, "cli-2") + f"BL-9;{AISNE_SCHOOLS[0]};ordinateur portable;beaucoup;2026-03-10;\n".encode())
    refused.write_text("Bonjour,\nvous trouverez le fichier la semaine prochaine.\nCordialement\n", encoding="utf-8")
    return {"clean": clean, "mixed": mixed, "refused": refused}


@pytest.mark.parametrize(("kind", "code", "status"), [("clean", 0, "clean"), ("mixed", 1, "issues"), ("refused", 2, "refused")])
def test_check_says_everything_in_order(at, files, obeys, kind, code, status):
    """Three fates, three exit codes, one document whose first keys never move."""
    done = at("check", files[kind], "--contract", CONTRACT, "--json")
    told = done.json
    assert (done.code, told["status"], told["file"], told["contract"]) == (code, status, files[kind].name, CONTRACT)
    assert list(told)[:9] == CHECK and all(list(item)[:6] == TABLE for item in told["tables"])
    assert all(list(item) == SUMMARY for item in told["summary"]) and all(list(item)[:10] == ISSUE for item in told["issues"])
    assert told["rows_accepted"] + told["rows_refused"] == told["rows_read"]
    assert sum(item["count"] for item in told["summary"]) == len(told["issues"])
    obeys("check", told)


def test_check_without_json_is_for_people(at, files):
    """The same in French sentences; nothing is kept anywhere."""
    done = at("check", files["mixed"], "--contract", CONTRACT)
    assert done.code == 1 and "Fichier lu, avec des remarques" in done.out and "4 lignes lues, 3 acceptables, 1 à corriger" in done.out
    assert "« beaucoup »" in done.out and "Quantité livrée" in done.out and "Champs absents : N° de commande" in done.out
    assert "(ligne 5, colonne D)" in done.out and "--annotated" in done.out and "Aucun registre" not in done.err


def test_check_gives_the_workbook_back(at, files, tmp_path):
    """--annotated: « Anomalies » first, then the sender's own cells."""
    target = tmp_path / "rendu" / "annoté.xlsx"
    assert at("check", files["mixed"], "--contract", CONTRACT, "--annotated", target).code == 1
    book = openpyxl.load_workbook(target)
    assert book.sheetnames[0] == "Anomalies" and len(book.sheetnames) == 2
    assert any(cell.value == "beaucoup" and cell.comment for row in book.worksheets[1].iter_rows() for cell in row)


def test_several_files_are_checked_together(at, files, tmp_path, obeys):
    """The reports that each file has alone, in order, in one list; the exit code of the worst; the workbooks in one folder."""
    alone = [at("check", file, "--contract", CONTRACT, "--json").json for file in files.values()]
    done = at("check", *files.values(), "--contract", CONTRACT, "--json", "--annotated", tmp_path / "rendus")
    assert done.code == 2 and done.json == alone and "Pas de classeur annoté" in done.err
    for told in done.json:
        obeys("check", told)
    assert sorted(path.name for path in (tmp_path / "rendus").iterdir()) == ["mêlé_anomalies.xlsx", "propre_anomalies.xlsx"]
    people = at("check", files["clean"], files["mixed"], "--contract", CONTRACT)
    assert people.code == 1 and people.out.index("propre.csv") < people.out.index("mêlé.csv")


def test_workbooks_of_several_files_never_erase_one_another(at, files, tmp_path):
    """A folder for several files, a file for one, and no two files of one name."""
    namesake = tmp_path / "ailleurs" / files["clean"].name
    namesake.parent.mkdir()
    namesake.write_bytes(files["clean"].read_bytes())
    for given, target in (((files["clean"], files["mixed"]), files["refused"]), ((files["clean"],), tmp_path), ((files["clean"], namesake), tmp_path / "n")):
        done = at("check", *given, "--contract", CONTRACT, "--annotated", target)
        assert done.code == 3 and "--annotated" in done.err
    assert files["refused"].read_text(encoding="utf-8").startswith("Bonjour")


def test_questions_are_answered_from_a_file(at, tmp_path, obeys):
    """A file without headers: which date is it? Asked in the document, answered with --answers."""
    asked = tmp_path / "sans-entete.csv"
    lines = [f"{uai};tablette;{n + 4};{n + 12}/03/2026" for n, uai in enumerate((*AISNE_SCHOOLS, AISNE_SCHOOLS[0]))]
    asked.write_text("\n".join(lines) + "\n", encoding="utf-8")
    told = at("check", asked, "--contract", CONTRACT, "--json").json
    choices = {item["id"]: [choice["value"] for choice in item["choices"]] for item in told["questions"]}
    dates, quantities = (next(key for key, values in choices.items() if name in values) for name in ("delivered_on", "quantity"))
    assert {"delivered_on", "installed_on", ""} <= set(choices[dates])
    people = at("check", asked, "--contract", CONTRACT)
    assert "À quoi correspond la colonne D" in people.out and f"[{dates}]" in people.out
    answers = tmp_path / "réponses.json"
    answers.write_text(json.dumps({dates: "delivered_on", quantities: "quantity"}), encoding="utf-8")
    settled = at("check", asked, "--contract", CONTRACT, "--json", "--answers", answers).json
    assert settled["questions"] == [] and settled["rows_accepted"] == 4
    assert {item["column"]: item["field"] for item in settled["tables"][0]["mapping"]}["D"] == "delivered_on"
    obeys("check", told)


@pytest.mark.parametrize("text", ["pas du json", "[1, 2]", '{"a": 3}'])
def test_answers_that_are_no_answers_are_a_usage_error(at, files, tmp_path, text):
    """A wrong answers file is told as such, not as a failure of the program."""
    answers = tmp_path / "réponses.json"
    answers.write_text(text, encoding="utf-8")
    done = at("check", files["clean"], "--contract", CONTRACT, "--answers", answers)
    assert done.code == 3 and "--answers" in done.err


def test_submit_waits_then_accepts_and_twice_is_once(at, world, files, obeys):
    """submit keeps and checks; --accept posts; the same file again finds its deposit and changes nothing."""
    words = ("submit", files["clean"], "--contract", CONTRACT, "--as", "compte-authority_contributor", "--json")
    kept = at(*words)
    assert kept.code == 0 and list(kept.json)[:12] == [*CHECK, "submission", "preview", "accepted"]
    assert kept.json["preview"] == {"new": 3, "changed": 0, "unchanged": 0, "withdrawn": 0} and kept.json["accepted"] is False
    accepted = at(*words, "--accept").json
    assert accepted["accepted"] is True and accepted["submission"] == kept.json["submission"]
    again = at(*words, "--accept").json
    assert again["accepted"] is True and again["submission"] == kept.json["submission"]
    for told in (kept.json, accepted, again):
        obeys("submit", told)
    changed = files["clean"].with_name("corrigé.csv")
    changed.write_bytes(deliveries(AISNE_SCHOOLS, "cli", quantity="13"))
    told = at("submit", changed, "--contract", CONTRACT, "--as", "compte-authority_contributor", "--json").json
    assert told["preview"] == {"new": 0, "changed": 3, "unchanged": 0, "withdrawn": 0}
    obeys("submit", told)
    replaced = told["replaced"]
    assert kept.json["replaced"] is None and (replaced["rows"], replaced["before"], replaced["after"]) == (3, 36, 39)
    assert "39 appareils en remplacent 36 déjà inscrits" in replaced["message"]


@pytest.mark.parametrize(("kind", "code"), [("mixed", 1), ("refused", 2)])
def test_submit_ends_like_check(at, files, obeys, kind, code):
    """Rows refused: 1, and the sound ones are posted; a file refused: 2, and nothing is."""
    done = at("submit", files[kind], "--contract", CONTRACT, "--sender", AISNE_SENDER, "--accept", "--json")
    assert done.code == code and done.json["accepted"] is (kind == "mixed")
    obeys("submit", done.json)


def test_figures_in_every_form(at, tmp_path, obeys):
    """table, csv, json, xlsx, parquet: the same 36 units."""
    told = at(*FLOW, "--format", "json")
    assert told.code == 0 and list(told.json) == FIGURES and list(told.json["rows"][0]) == ROW
    assert (told.json["rows"][0]["value"], told.json["unit"], told.json["by"], told.json["known_at"]) == (36.0, "unités", [], None)
    obeys("figures", told.json)
    (row,) = csv.DictReader(io.StringIO(at(*FLOW, "--format", "csv").out), delimiter=";")
    assert float(row["value"]) == 36.0 and row["fingerprint"] == told.json["rows"][0]["fingerprint"]
    table = at(*FLOW).out
    assert "36" in table and "unités" in table and "connu à ce jour" in table
    for form in ("xlsx", "parquet", "json", "csv"):
        done = at(*FLOW, "--format", form, "--out", tmp_path / f"chiffres.{form}")
        assert done.code == 0 and "Écrit" in done.err and not done.out
    assert pq.read_table(tmp_path / "chiffres.parquet").column("value").to_pylist() == [36.0]
    cells = [cell for row in openpyxl.load_workbook(tmp_path / "chiffres.xlsx").worksheets[0].iter_rows(values_only=True) for cell in row]
    assert 36 in cells
    assert json.loads((tmp_path / "chiffres.json").read_text(encoding="utf-8")) == told.json


def test_figures_of_several_codes_periods_and_groups(at, obeys):
    """Several codes: a list. Several periods: all of them. Broken down: the groups add up."""
    told = at("figures", "equipment.devices_delivered", "equipment.late_orders", "--level", "departement", "--period", "2026-02", "--period", "2026-03", "--format", "json").json
    assert [item["indicator"] for item in told] == ["equipment.devices_delivered", "equipment.late_orders"]
    assert told[0]["period"] == ["2026-02", "2026-03"] and {row["period"] for row in told[0]["rows"]} == {"2026-02", "2026-03"}
    obeys("figures", told)
    groups = at(*FLOW, "--by", "category", "--format", "json").json
    assert groups["by"] == ["category"] and sum(row["value"] for row in groups["rows"] if row["breakdown"]) == 36.0
    obeys("figures", groups)


def test_a_code_asked_twice_is_answered_once(at):
    """The same code twice on the line is one document, not a list of two."""
    assert at(*FLOW, FLOW[1], "--format", "json").json == at(*FLOW, "--format", "json").json


@pytest.mark.parametrize("day", ["2026-01-31", "31/01/2026"])
def test_figures_as_known_before_the_file_are_missing_not_zero(at, day):
    """As known before anything was accepted: no value."""
    told = at(*FLOW, "--known-at", day, "--format", "json").json
    assert told["known_at"] == "2026-01-31" and all(row["value"] is None for row in told["rows"])


def test_a_figure_is_traced_to_its_cells_and_a_deposit_to_what_it_changed(at, world, obeys):
    """trace CODE gives the rows of the sender; trace --submission gives the same, the other way."""
    words = ("trace", "equipment.devices_delivered", "--level", "departement", "--unit", "02", "--period", "2026-03")
    told = at(*words, "--json").json
    assert list(told) == ["figure", "entries"] and all(list(item)[:6] == ENTRY for item in told["entries"])
    assert [(item["file"], item["row"], item["sign"]) for item in told["entries"]] == [(f"{AISNE_MARK}.csv", row, 1) for row in (2, 3, 4)]
    assert sum(item["values"]["contribution"] for item in told["entries"]) == 36
    obeys("trace", told)
    back = at("trace", "--submission", world.aisne.number, "--json").json
    assert back["figure"] == {"submission": world.aisne.number} and len(back["entries"]) == 3
    obeys("trace", back)
    text = at(*words, "--limit", 1).out
    assert f"{AISNE_MARK}.csv" in text and "ligne 2" in text and "3 écritures, affichage limité à 1 (--limit)" in text


def test_contracts_are_listed_shown_and_exported(at):
    """contracts list, show, and the Table Schema that Validata reads."""
    listed = at("contracts", "list", "--json").json
    assert CONTRACT in {item["code"] for item in listed} and CONTRACT in at("contracts", "list").out
    assert "Date de livraison" in at("contracts", "show", CONTRACT).out
    schema = at("contracts", "show", CONTRACT, "--table-schema").json
    assert {"uai", "quantity", "delivered_on"} <= {item["name"] for item in schema["fields"]} and schema["name"]


def test_indicators_are_listed_and_explained(at):
    """indicators, and one of them in words."""
    assert "equipment.late_orders" in at("indicators").out
    assert "Unités livrées" in at("indicators", "equipment.devices_delivered").out


def _unnamed_quantity(folder, name="relevé.csv"):
    """A sound file whose quantity stands under a header of its own, with an optional column in doubt."""
    lines = [f"{uai};tablette;{n + 4};{n + 12}/03/2026" for n, uai in enumerate(AISNE_SCHOOLS)]
    file = folder / name
    file.write_text("\n".join(["UAI;Matériel;Mis à disposition;Date de livraison", *lines]) + "\n", encoding="utf-8")
    return file


def test_a_file_without_a_required_column_is_refused_and_says_how_to_answer(at, tmp_path, obeys):
    """Exit 2, the columns missing and read, the words to add to the same command; with them the file is clean."""
    file = _unnamed_quantity(tmp_path)
    told = at("check", file, "--contract", CONTRACT, "--json")
    assert told.code == 2 and told.json["status"] == "refused" and (told.json["rows_accepted"], told.json["rows_refused"]) == (0, 3)
    assert [item["code"] for item in told.json["issues"]] == ["columns_missing", "column_missing"] and told.json["questions"][0]["holds"]
    obeys("check", told.json)
    people = at("check", file, "--contract", CONTRACT)
    assert "« Quantité livrée »" in people.out and "« Mis à disposition »" in people.out and '--map "C=quantity"' in people.out
    for answer in ("mis a disposition=quantity", "C=Quantité livrée"):
        settled = at("check", file, "--contract", CONTRACT, "--json", "--map", answer)
        assert settled.code == 0 and settled.json["rows_accepted"] == 3
    identity = told.json["questions"][0]["id"]
    assert at("check", file, "--contract", CONTRACT, "--answer", f"{identity}=C").code == 0


def test_what_the_whole_file_says_is_given_once(at, tmp_path):
    """--set gives a field that no column gives; where a column gives it, that is a mistake to be told."""
    file = tmp_path / "mars.csv"
    file.write_text("UAI;Qté;Livré le\n" + "".join(f"{uai};4;12/03/2026\n" for uai in AISNE_SCHOOLS), encoding="utf-8")
    assert at("check", file, "--contract", CONTRACT).code == 2
    assert at("check", file, "--contract", CONTRACT, "--set", "category=Tablettes").code == 0
    wrong = at("check", file, "--contract", CONTRACT, "--set", "quantity=4")
    assert wrong.code == 3 and "--map" in wrong.err


@pytest.mark.parametrize("words", [("--map", "Nulle part=quantity"), ("--map", "C=inconnu"), ("--map", "quantity"), ("--set", "category"), ("--answer", "abc")])
def test_an_answer_badly_written_is_a_usage_error(at, tmp_path, words):
    """A column that is not there, a field that does not exist, no sign of equality."""
    done = at("check", _unnamed_quantity(tmp_path), "--contract", CONTRACT, *words)
    assert done.code == 3 and words[0] in done.err


def test_an_open_question_on_a_required_column_holds_acceptance_until_it_is_answered(at, tmp_path, obeys):
    """Half-understood: checked, not accepted, told how to answer; the same command with the answer accepts, and remembers it."""
    lines = [f"{uai};tablette;{n + 4};{n + 12}/03/2026" for n, uai in enumerate(AISNE_SCHOOLS)]
    first = tmp_path / "remis.csv"
    first.write_text("\n".join(["UAI;Matériel;Qté;Remis le", *lines]) + "\n", encoding="utf-8")
    words = ("--contract", CONTRACT, "--as", "compte-authority_contributor", "--json", "--accept")
    held = at("submit", first, *words)
    assert held.code == 1 and held.json["accepted"] is False and held.json["rows_accepted"] == 3
    assert '--map "D=delivered_on"' in held.err and "Rien n'a été accepté" in held.err
    obeys("submit", held.json)
    given = at("submit", first, *words, "--map", "Remis le=delivered_on")
    assert given.code == 0 and given.json["accepted"] is True and given.json["submission"] == held.json["submission"] and given.err == ""
    again = tmp_path / "remis-avril.csv"
    again.write_text(first.read_text(encoding="utf-8").replace("/03/", "/04/"), encoding="utf-8")
    assert at("submit", again, *words).json["accepted"] is True


def test_what_a_form_on_its_side_counts_is_traced_to_its_cell(at, tmp_path, obeys):
    """One line a field, one column a school: the row of the trace is the line of the quantity, the cell is in the school's column."""
    lines = [["UAI", *AISNE_SCHOOLS], ["Matériel", *["Tablette"] * 3], ["Quantité", "4", "5", "6"], ["Date de livraison", *["12/05/2026"] * 3]]
    file = tmp_path / "couché.csv"
    file.write_text("\n".join(";".join(line) for line in lines) + "\n", encoding="utf-8")
    done = at("submit", file, "--contract", CONTRACT, "--as", "compte-authority_contributor", "--json", "--accept")
    assert done.code == 0 and done.json["accepted"]
    for number in range(1, 60):
        told = at("trace", "--submission", number, "--json")
        if told.code == 0 and told.json["entries"] and told.json["entries"][0]["file"] == file.name:
            break
    places = sorted((entry["row"], entry["cell"], entry["values"]["quantity"]) for entry in told.json["entries"])
    assert places == [(3, "B3", 4), (3, "C3", 5), (3, "D3", 6)]
    obeys("trace", told.json)


def test_a_list_of_devices_is_checked_submitted_and_traced_to_its_lines(at, tmp_path, obeys):
    """One line a device: told as such, added up, and the trace names every line; doubt is answered with --answer."""
    rows = [f"PC{n};ZQ{n:04d};HP ProBook 450;{AISNE_SCHOOLS[n % 2]};DURAND Marie;14/05/2026" for n in range(5)]
    file = tmp_path / "parc.csv"
    file.write_text("\n".join(["Nom;N° de série;Modèle;UAI;Utilisateur;Date de livraison", *rows]) + "\n", encoding="utf-8")
    told = at("check", file, "--contract", CONTRACT)
    assert told.code == 0 and "5 lignes additionnées en 2" in told.out and "DURAND" not in told.out and "ZQ0" not in told.out
    done = at("submit", file, "--contract", CONTRACT, "--as", "compte-authority_contributor", "--json", "--accept")
    assert done.code == 0 and (done.json["accepted"], done.json["rows_accepted"], done.json["preview"]["new"]) == (True, 5, 2)
    obeys("submit", done.json)
    number = next(n for n in range(1, 60) if (found := at("trace", "--submission", n, "--json")).code == 0 and found.json["entries"][0]["file"] == file.name)
    traced = at("trace", "--submission", number, "--json")
    assert sorted((entry["row"], entry["values"]["quantity"], entry["lines"]) for entry in traced.json["entries"]) == [(2, 3, "2, 4, 6"), (3, 2, "3, 5")]
    obeys("trace", traced.json)
    assert "lignes additionnées 2, 4, 6" in at("trace", "--submission", number).out
    file.write_text(file.read_text(encoding="utf-8").replace("N° de série", "Repère"), encoding="utf-8")
    doubtful = at("check", file, "--contract", CONTRACT, "--json")
    identity = next(item["id"] for item in doubtful.json["questions"] if item["id"].startswith("each:"))
    assert doubtful.code == 2 and at("check", file, "--contract", CONTRACT, "--answer", f"{identity}=each").code == 0


def test_a_date_before_the_first_file_is_said_to_know_nothing(at):
    """Dashes for every unit are explained, beside the output; a day that knew something needs no word."""
    early = at(*FLOW, "--known-at", "2000-01-01")
    assert early.code == 0 and "Aucun fichier n'avait encore été accepté le 01/01/2000" in early.err
    assert "encore été accepté" not in at(*FLOW).err
