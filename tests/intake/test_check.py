"""The whole check: every issue at once, rows accepted or refused, JSON of the command line."""

import json
from datetime import date
from pathlib import Path

import jsonschema
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from essaim.engines.intake import check, check_many, to_json
from intake.understanding import CONTRACT, Register, codes, good, numbered, run, table, uai

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "reference" / "check.schema.json").read_text(encoding="utf-8"))
SCHOOLS = {
    uai(1): ("École Jean Moulin", "Laon", 100, None, None),
    uai(2): ("École Pasteur", "Laon", 10, None, None),
    uai(3): ("École Pasteur", "Soissons", 50, None, None),
    uai(4): ("École Fermée", "Laon", 0, date(2021, 8, 31), uai(1)),
}


def cells(result):
    return {(i["code"], i["row"], i["field"]) for i in result.issues.iter_rows(named=True)}


def test_all_issues_are_told_at_once_with_their_place():
    """Six faults in five rows: six issues, in file order, each with its cell, and a grouped summary."""
    rows = numbered(6)
    rows[0]["UAI"] = "0020001B"
    rows[1]["Quantité"] = "douze"
    rows[1]["Date de livraison"] = "31/02/2022"
    rows[2]["Catégorie"] = None
    rows[3]["Quantité"] = "6000"
    rows[4]["Code commune"] = "2408"
    result = run(table(rows))
    assert cells(result) >= {("uai_letter", 2, "uai"), ("number_format", 3, "quantity"), ("date_impossible", 3, "delivered"), ("required", 4, "item"),
                             ("out_of_range", 5, "quantity"), ("leading_zero", 6, "insee")}  # fmt: skip
    rows_in_order = [row for row in result.issues["row"].to_list() if row is not None]
    assert rows_in_order == sorted(rows_in_order)
    assert result.rows_read == 6 and result.refused["source_row"].to_list() == [2, 3, 4, 5] and result.rows["source_row"].to_list() == [6, 7]
    assert result.rows["insee"].to_list() == ["02408", "02408"] and result.refused["quantity"].to_list()[1] == "douze"
    assert result.summary.filter(code="uai_letter")["count"].to_list() == [1]
    assert all(message.strip() and "{" not in message for message in result.issues["message"])


def test_summary_counts_and_shows_examples():
    """Grouped by kind and column, gravest first, with a count and examples in French."""
    rows = numbered(5, Quantité="beaucoup")
    line = run(table(rows)).summary.row(0, named=True)
    assert (line["code"], line["severity"], line["field"], line["count"]) == ("number_format", "blocking", "quantity", 5)
    assert "5 cellules de « Quantité »" in line["message"] and "« beaucoup »" in line["message"]


def test_a_file_without_a_required_column_is_refused_whole_and_asks_for_it():
    """Fifty rows without category: one refusal that names the column and those that were read, and the question that lets it in."""
    rows = [{k: v for k, v in row.items() if k != "Catégorie"} for row in numbered(50)]
    result = run(table(rows))
    assert result.status == "refused" and result.rows.height == 0 and (result.rows_read, result.rows_refused) == (50, 50)
    whole, column = result.issues.to_dicts()
    assert (whole["code"], column["code"], column["field"], column["row"]) == ("columns_missing", "column_missing", "item", 1)
    assert "« Catégorie »" in whole["message"] and "« Quantité »" in whole["message"]
    (question,) = result.questions
    assert question.holds and {value for value, _, _ in question.choices} == {"tablette", "portable", "ecran", ""}
    assert run(table(rows), answers={question.id: "tablette"}).rows["item"].to_list() == ["tablette"] * 50
    assert run(table(rows), answers={"once:item": "tablette"}).rows.height == 50


def test_a_required_column_under_another_name_is_asked_among_those_that_could_be_it():
    """« Nb d'unités remises » holds numbers and is no other field: it is proposed for the quantity, and taken once it is said."""
    rows = [{("Mis à disposition" if k == "Quantité" else k): v for k, v in row.items()} for row in numbered(5)]
    result = run(table(rows))
    assert result.status == "refused"
    (question,) = [item for item in result.questions if item.id.startswith("wanted:")]
    letter = next(value for value, label, _ in question.choices if "Mis à disposition" in label)
    for answers in ({question.id: letter}, {"column:mis a disposition": "quantity"}, {f"column:{letter}": "quantity"}):
        assert run(table(rows), answers=answers).rows.height == 5


def test_a_table_without_a_required_column_beside_a_whole_one_refuses_its_own_rows():
    """One table lacks the category: its rows alone are refused, with one line to read."""
    rows = numbered(4)
    lacking = [{k: v for k, v in row.items() if k != "Catégorie"} for row in numbered(9)[4:]]
    result = run(table(rows), table(lacking))
    assert result.status == "issues" and result.issues.filter(code="column_missing").height == 1
    assert result.refused.height == 5 and result.rows.height == 4


def test_rules_across_columns():
    """Order of dates is blocking, product a warning with the right amount proposed; missing values pass."""
    rows = numbered(3)
    rows[0]["Date de livraison"] = "2021-01-01"
    rows[1]["Montant HT"] = "999"
    rows[2]["Date de commande"] = None
    result = run(table(rows))
    assert cells(result) == {("livraison_avant_commande", 2, "delivered"), ("montant_incoherent", 3, "total")}
    assert result.issues.filter(code="montant_incoherent")["suggestion"].to_list() == ["1\u202f200"]
    assert result.refused.height == 1


def test_a_fault_repeated_on_many_rows_is_told_for_each():
    """Several rows with the same fault, with and without a value to quote, give one issue each with its sentence."""
    rows = numbered(4, **{"Date de livraison": "2021-01-01", "École": "x"})
    rows[3]["Catégorie"] = rows[2]["Catégorie"] = None
    result = run(table(rows))
    assert result.issues.filter(code="livraison_avant_commande")["row"].to_list() == [2, 3, 4, 5]
    assert result.issues.filter(code="required")["row"].to_list() == [4, 5]
    assert result.issues.filter(code="livraison_avant_commande")["message"].n_unique() == 1


def test_identical_rows_are_merged_and_conflicting_ones_refused():
    """Same key and content: counted once, said. Same key, other content: both refused, each naming the other."""
    rows = [good(), good(), good(**{"N° de commande": "BC-2"}), good(**{"N° de commande": "BC-2", "Quantité": "99", "Montant HT": "9900"})]
    result = run(table(rows))
    assert result.issues.filter(code="duplicate_identical")["row"].to_list() == [3]
    conflict = result.issues.filter(code="duplicate_conflict")
    assert conflict["row"].to_list() == [4, 5] and "la ligne 5" in conflict["message"][0] and "la ligne 4" in conflict["message"][1]
    assert result.rows.height == 1 and result.refused.height == 2 and result.extra["merged"] == 1
    report = to_json(result)
    assert report["rows_read"] == 4 == report["rows_accepted"] + report["rows_refused"]


def test_values_far_from_the_others_and_from_history_are_warnings():
    """A typing slip a thousand times too big, and a jump from what the ledger holds: looked at, not refused."""
    rows = numbered(60)
    rows[7]["Prix unitaire HT"], rows[7]["Montant HT"] = "100000", None
    known = pl.DataFrame({"ref": ["BC-9"], "uai": [uai(1)], "item": ["tablette"], "quantity": [900]})
    result = run(table(rows), existing=lambda keys: known, sender="S")
    assert cells(result) == {("outlier", 9, "price"), ("history_gap", 11, "quantity")}
    assert result.rows.height == 60 and result.extra["known"] == 1 and result.extra["changed"] == 1


def test_registers_tell_unknown_closed_and_implausible():
    """Unknown to the register: warning; closed before the dates: warning with its successor; too many devices: warning."""
    rows = [good(UAI=uai(9), École=None), good(UAI=uai(4)), good(UAI=uai(2), Quantité="31", **{"Montant HT": "3100"})]
    result = run(table(rows), references={"establishment": Register(SCHOOLS)})
    assert cells(result) == {("reference_unknown", 2, "uai"), ("reference_closed", 3, "uai"), ("trop", 4, "quantity")}
    assert result.issues.filter(code="reference_closed")["suggestion"].to_list() == [uai(1)]
    assert result.rows.height == 3 and set(result.rows["departement"]) == {"02"}
    early = run(table([good(UAI=uai(4), **{"Date de commande": "2020-01-01", "Date de livraison": "2020-02-01"})]), references={"establishment": Register(SCHOOLS)})
    assert early.status == "clean"


def test_a_school_without_uai_is_found_by_name_and_commune_and_a_tie_is_asked():
    """One candidate is applied aloud; two are a question; the answer is applied next time; none is refused."""
    register = {"establishment": Register(SCHOOLS)}
    found = run(table([good(UAI=None)]), references=register)
    assert found.rows["uai"].to_list() == [uai(1)] and codes(found) == {"reference_found"}
    tie = run(table([good(UAI=None, École="École Pasteur", Commune=None)]), references=register)
    assert tie.refused.height == 1 and codes(tie) == {"reference_ambiguous"}
    question = tie.questions[0]
    assert question.kind == "reference" and {value for value, _, _ in question.choices} >= {uai(2), uai(3)}
    settled = run(table([good(UAI=None, École="École Pasteur", Commune=None)]), references=register, answers={question.id: uai(3)})
    assert settled.rows["uai"].to_list() == [uai(3)] and not settled.questions
    none = run(table([good(UAI=None, École="Lycée Inconnu")]), references=register)
    assert codes(none) == {"reference_not_found"} and none.refused.height == 1


def test_a_correction_given_by_the_sender_is_applied():
    """``value:field:text`` replaces the text everywhere it stands."""
    fixed = run(table([good(UAI="0020001B")]), answers={"value:uai:0020001B": uai(1)})
    assert fixed.rows["uai"].to_list() == [uai(1)] and fixed.status == "clean"


def test_former_communes_take_their_current_code():
    """A replaced commune code is put right with a notice."""
    class Communes(Register):
        def known(self, values):
            return pl.DataFrame([(v, False, "02408", None) if v == "02001" else (v, True, None, None) for v in values],
                                schema={"value": pl.String, "known": pl.Boolean, "replaced_by": pl.String, "closed_on": pl.Date}, orient="row")  # fmt: skip

    result = run(table([good(**{"Code commune": "02001"})]), references={"commune": Communes({})})
    assert result.rows["insee"].to_list() == ["02408"] and codes(result) == {"reference_former"}


def test_missing_values_keep_their_reason():
    """The reasons come back by sheet, row and field."""
    result = run(table([good(**{"Prix unitaire HT": "ND", "Montant HT": "#N/A"})]))
    assert result.missing_why.select("source_row", "field", "why").rows() == [(2, "price", "non_disponible"), (2, "total", "erreur_formule")]
    assert result.rows.select("price", "total").row(0) == (None, None)


def test_json_has_the_documented_keys_in_order_and_fits_its_schema():
    """The command line's JSON: keys, order, schema, sums."""
    rows = numbered(4)
    rows[0]["UAI"] = "x"
    report = to_json(run(table(rows), table([{"a": "b", "c": "d"}], sheet="Autre")))
    assert list(report)[:9] == ["contract", "file", "status", "tables", "rows_read", "rows_accepted", "rows_refused", "summary", "issues"]
    assert list(report["tables"][0])[:6] == ["sheet", "header_row", "rows", "mapping", "unmapped", "missing"]
    assert list(report["issues"][0]) == ["code", "severity", "sheet", "row", "column", "field", "value", "expected", "suggestion", "message"]
    jsonschema.validate(json.loads(json.dumps(report)), SCHEMA)
    refused = check(b"", "vide.csv", CONTRACT)
    assert refused.status == "refused"
    jsonschema.validate(json.loads(json.dumps(to_json(refused))), SCHEMA)


def test_files_checked_together_are_checked_as_if_alone():
    """Batching changes nothing: same rows, issues and refusals per file, an unreadable one in the middle included."""
    head = ";".join(good()).encode()
    bodies = [[good(**{"N° de commande": f"B{i}", "Quantité": "x" if i == 2 else "5", "Montant HT": "500"}) for i in range(n)] for n in (3, 5)]
    files = [(head + b"\n" + "\n".join(";".join(v or "" for v in row.values()) for row in rows).encode(), f"f{n}.csv") for n, rows in enumerate(bodies)]
    files.insert(1, (b"", "vide.csv"))
    together = check_many(files, CONTRACT, sender="S")
    for (content, name), found in zip(files, together, strict=True):
        alone = check(content, name, CONTRACT, sender="S")
        assert (found.status, found.rows_read) == (alone.status, alone.rows_read)
        assert found.rows.equals(alone.rows) and found.refused.equals(alone.refused) and found.issues.equals(alone.issues)


FAULTS = st.sampled_from([{}, {"UAI": "0020001B"}, {"Quantité": "douze"}, {"Catégorie": "Tablete"}, {"Date de livraison": "03/14/2022"}, {"Quantité": None},
                          {"Prix unitaire HT": "NC", "Montant HT": None}, {"Code commune": "2408"}, {"UAI": "002 0001r"}])  # fmt: skip


@settings(deadline=None, max_examples=25)
@given(st.lists(FAULTS, min_size=2, max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_no_issue(faults, draw):
    """Shuffling rows moves issues with them and changes nothing else; every row is accepted, refused or merged."""
    rows = [good(**{"N° de commande": f"BC-{i}", **fault}) for i, fault in enumerate(faults)]
    order = list(range(len(rows)))
    draw.shuffle(order)
    straight, shuffled = run(table(rows)), run(table([rows[i] for i in order]))
    back = {(code, order[row - 2] + 2 if row else None, field) for code, row, field in cells(shuffled)}
    assert back == cells(straight)
    for result in (straight, shuffled):
        assert result.rows.height + result.refused.height + result.extra["merged"] == result.rows_read == len(rows)


@settings(deadline=None, max_examples=25)
@given(st.lists(FAULTS, min_size=1, max_size=10))
def test_checking_accepted_rows_again_finds_nothing(faults):
    """What was accepted, written back, is accepted whole and silently: repairs are final."""
    rows = [good(**{"N° de commande": f"BC-{i}", **fault}) for i, fault in enumerate(faults)]
    first = run(table(rows))
    if not first.rows.height:
        return
    labels = {field.name: field.label for field in CONTRACT.fields}
    text = first.rows.select(pl.col(name).cast(pl.String).alias(label) for name, label in labels.items())
    again = run(table(text.to_dicts()))
    assert again.issues.height == 0 and again.rows.select(CONTRACT.field_names).equals(first.rows.select(CONTRACT.field_names))


def test_one_american_date_casts_doubt_on_the_others_of_its_column():
    """03/14 is refused with a proposal; 03/04 beside it is kept with a warning."""
    rows = numbered(3)
    rows[0]["Date de livraison"], rows[1]["Date de livraison"] = "03/14/2022", "03/04/2022"
    assert cells(run(table(rows))) == {("date_us_order", 2, "delivered"), ("date_order_doubtful", 3, "delivered")}


@pytest.mark.data
def test_the_published_directory_is_understood_in_both_styles(data_dir):
    """The official directory of a département, and its 2026 schema: UAI, commune, coordinates found; the real duplicates told."""
    from essaim.engines.intake.contract import Contract, Field
    from intake.understanding import T

    contract = Contract("test.directory", 1, "Annuaire", "", (
        Field("uai", "UAI", T.UAI, required=True, synonyms=("identifiant de l'établissement",)),
        Field("name", "Nom", T.TEXT, synonyms=("nom établissement",)),
        Field("commune", "Code commune", T.COMMUNE),
        Field("latitude", "Latitude", T.DECIMAL), Field("longitude", "Longitude", T.DECIMAL),
    ), key=("uai",), place="uai")  # fmt: skip
    for name, count in (("fr-en-annuaire-education_dep35_2023.csv", 996), ("annuaire_2026_extrait_schema_courant.csv", 4)):
        result = check((data_dir / "annuaire" / name).read_bytes(), name, contract)
        assert {m.field for m in result.tables[0].mapping} == set(contract.field_names)
        assert result.rows_read == count and codes(result) <= {"duplicate_conflict", "duplicate_identical"}
    assert result.rows["departement"].to_list() == ["94"] * 4


@pytest.mark.data
def test_real_usage_file_finds_its_four_known_wrong_identifiers(data_dir):
    """The four invalid UAIs the file is known for, and its 105 rows without one."""
    from essaim.engines.intake.contract import Contract, Field
    from intake.understanding import T

    contract = Contract("test.use", 1, "Usages", "", (Field("uai", "UAI", T.UAI, required=True), Field("month", "Mois", T.MONTH)), key=())
    name = "usages_ressource_mathadata_par_uai_mois_2023-2026.csv"
    result = check((data_dir / "usage" / name).read_bytes(), name, contract)
    wrong = set(result.issues.filter(pl.col("code").str.starts_with("uai"))["value"])
    assert wrong == {"X", "0123456A", "2430002F", "0035508T"} and result.issues.filter(code="required").height == 105


def test_a_line_that_repeats_one_in_conflict_is_refused_with_it():
    """Twice the same and once another: three lines to settle, none counted as accepted."""
    rows = [good(Quantité="12"), good(Quantité="12"), good(Quantité="15"), good(**{"N° de commande": "BC-2"})]
    for row in rows:
        row["Montant HT"] = None
    result = run(table(rows))
    assert result.refused.height == 3 and result.rows.height == 1 and codes(result) == {"duplicate_conflict"}
    assert to_json(result)["rows_accepted"] == 1
    assert [message.split("que ")[1].split(",")[0] for message in result.issues["message"]] == ["les lignes 3", "les lignes 2", "les lignes 2"]
