"""Files as they really come: merged schools, English headers, other countries' marks, damaged accents, repaired workbooks."""

import io
from datetime import date

import openpyxl
import polars as pl
import pytest

from essaim.engines.intake import annotated_workbook, check, check_many, layout_of, to_json
from essaim.equipment.contracts import DELIVERIES, PUBLIC_CONTRACTS
from intake.understanding import CONTRACT, GOOD, Register, codes, good, numbered, run, table, uai

SCHOOLS = {uai(2): ("École Pasteur", "Laon", 10, None, None), uai(3): ("École Pasteur", "Soissons", 50, None, None)}


def column(label, texts):
    """One row a text, in the column ``label``; amounts that would contradict it are left out."""
    rows = numbered(len(texts), **{"Montant HT": None, "Quantité": "3"})
    for row, text in zip(rows, texts, strict=True):
        row[label] = text
    return run(table(rows))


def workbook(rows, merged=(), prepare=None):
    """An xlsx of ``rows`` with cells merged."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for area in merged:
        book.active.merge_cells(area)
    if prepare:
        prepare(book.active)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("label", "texts", "values"),
    [("Prix unitaire HT", ["1.234,56", "2.500", "450"], [1234.56, 2500.0, 450.0]), ("Prix unitaire HT", ["1,234.56", "2,500", "450"], [1234.56, 2500.0, 450.0]),
     ("Prix unitaire HT", ["12,5", "2.500"], [12.5, 2500.0]), ("Prix unitaire HT", ["12.5", "2.500"], [12.5, 2.5]), ("Quantité", ["1.234", "2.500", "12"], [1234, 2500, 12]),
     ("Quantité", ["1,234", "12"], [1234, 12]), ("Prix unitaire HT", ["12 k€", "1 234,5"], [12000.0, 1234.5])],
)  # fmt: skip
def test_the_column_says_which_mark_groups_thousands(label, texts, values):
    """``2.500`` is two thousand five hundred beside ``1.234,56``, two and a half beside ``12.5``; what was read so is told."""
    result = column(label, texts)
    assert result.rows[{"Prix unitaire HT": "price", "Quantité": "quantity"}[label]].to_list() == values
    grouped = any(v in (2500.0, 1234) for v in values)
    assert codes(result) == ({"thousands_mark"} if grouped else set())


def test_a_number_that_nothing_in_the_column_explains_is_a_warning():
    """``2.500`` alone is read 2,5 aloud; so it is when the column contradicts itself."""
    for texts in (["2.500", "450"], ["1.234,56", "1,234.56", "2.500"]):
        result = column("Prix unitaire HT", texts)
        assert codes(result) == {"number_mark_doubtful"} and result.rows["price"][texts.index("2.500")] == 2.5


def test_thousands_are_decided_file_by_file_in_a_batch():
    """The habits of one sender's file say nothing of another's."""
    head = "N° de commande;UAI;Catégorie;Quantité;Prix unitaire HT\n"
    bodies = [f"A;{uai(1)};Tablette;3;2.500\nB;{uai(1)};Tablette;3;{other}\n" for other in ("1.234,56", "12.5")]
    files = [((head + body).encode(), f"{n}.csv") for n, body in enumerate(bodies)]
    assert [found.rows["price"][0] for found in check_many(files, CONTRACT)] == [2500.0, 2.5]


def test_a_column_of_american_dates_is_read_so_aloud():
    """Three dates that can only be month first and none day first: all are, with a warning; one day-first date and none is."""
    texts = ["03/14/2022", "03/25/2022", "04/05/2022", "12/31/2022"]
    result = column("Date de livraison", texts)
    assert result.rows["delivered"].to_list() == [date(2022, 3, 14), date(2022, 3, 25), date(2022, 4, 5), date(2022, 12, 31)]
    assert codes(result) == {"date_month_first"}
    mixed = column("Date de livraison", [*texts, "31/03/2022"])
    assert mixed.refused.height == 3 and codes(mixed) == {"date_us_order", "date_order_doubtful"}


def test_two_digit_years_serials_and_codes_as_spreadsheets_leave_them():
    """14/03/22, 44640.5, 1004.0: read; a SIRET in scientific notation is not guessed."""
    dates = column("Date de livraison", ["14/03/22", "5/4/22", "44640.5"])
    assert dates.rows["delivered"].to_list() == [date(2022, 3, 14), date(2022, 4, 5), date(2022, 3, 20)] and codes(dates) == {"date_serial"}
    assert column("Code commune", ["1004.0", "1004"]).rows["insee"].to_list() == ["01004", "01004"]
    siret = column("SIRET", ["2,13500168E+13", "21350016800025.0"])
    assert siret.rows["buyer"].to_list() == ["21350016800025"] and "siret_scientific" in codes(siret)


def test_negative_quantities_are_refused_whatever_their_notation():
    """-3 and (3) are below the minimum, never read as 3."""
    result = column("Quantité", ["-3", "(3)", "3"])
    assert result.issues.filter(code="out_of_range").height == 2 and result.rows["quantity"].to_list() == [3]


def test_english_headers_are_understood():
    """Software speaks English: the real deliveries contract finds its fields, nothing is asked."""
    lines = [f"B{i},{uai(i)},School {i},Laon,Tablette,3,2022-03-01,yes,ok" for i in range(1, 12)]
    content = "\n".join(["Order number,School ID,School name,City,Item type,Quantity delivered,Delivery date,Configured,Comments", *lines])
    result = check(content.encode(), "deliveries.csv", DELIVERIES)
    wanted = {"order_ref", "uai", "school_name", "commune_name", "category", "quantity", "delivered_on", "configured", "comment"}
    assert {m.field for m in result.tables[0].mapping} == wanted and not result.questions and result.rows.height == 11


def test_damaged_accents_are_repaired_in_headers_codes_and_texts():
    """UTF-8 read as Latin-1 somewhere before us: mapped, read, and said."""
    head = "N° de commande;UAI;École;Catégorie;Quantité"
    content = "\n".join([head, *(f"B{i};{uai(i)};École Émile;Écran interactif;3" for i in range(1, 6))])
    result = check(content.encode().decode("latin-1").encode(), "x.csv", CONTRACT)
    assert result.rows.select("school", "item").row(0) == ("École Émile", "ecran") and result.rows.height == 5
    assert set(result.issues.filter(code="mojibake")["field"]) == {"school", "item"}


def test_a_repeated_header_is_not_a_row():
    """Printed page by page: the header comes back, the rows are read once."""
    head = ";".join(["N° de commande", "UAI", "Catégorie", "Quantité"])
    body = [f"B{i};{uai(i)};Tablette;3" for i in range(1, 13)]
    result = check("\n".join([head, *body[:6], head, *body[6:]]).encode(), "x.csv", CONTRACT)
    assert result.rows.height == 12 and result.status == "clean"


def test_a_school_merged_over_its_rows_belongs_to_each_but_a_quantity_is_counted_once():
    """UAI and name are repeated down the merged cells; a merged quantity is not."""
    rows = [["UAI", "École", "Catégorie", "Quantité"], [uai(1), "École A", "Tablette", 3], [None, None, "ENI", 4], [uai(2), "École B", "Tablette", 30], [None, None, "ENI", None]]
    result = check(workbook(rows, ["A2:A3", "B2:B3", "A4:A5", "B4:B5", "D4:D5"]), "x.xlsx", CONTRACT)
    assert result.rows.select("uai", "school", "quantity").rows() == [(uai(1), "École A", 3), (uai(1), "École A", 4), (uai(2), "École B", 30)]
    assert [(i["code"], i["row"], i["field"]) for i in result.issues.iter_rows(named=True)] == [("required", 5, "quantity")]
    bare = check(workbook(rows), "x.xlsx", CONTRACT)
    assert bare.rows.height == 2


def test_two_level_headers_give_both_their_meanings():
    """« Quantités / Tablettes » under a merged cell: one row a category."""
    rows = [["UAI", "Quantités", None, "Date de livraison"], [None, "Tablettes", "ENI", None], [uai(1), 3, 2, "2022-03-01"], [uai(2), 4, 0, "2022-03-01"]]
    result = check(workbook(rows, ["B1:C1", "A1:A2", "D1:D2"]), "x.xlsx", CONTRACT)
    assert sorted(result.rows.select("uai", "item", "quantity").rows()) == [(uai(1), "ecran", 2), (uai(1), "tablette", 3), (uai(2), "tablette", 4)]


def test_the_annotated_workbook_once_repaired_is_accepted():
    """Refused rows, their own workbook back, cells put right in it, handed in again: clean, the Anomalies sheet ignored."""
    rows = [list(GOOD), list(good(UAI="0020001B").values()), list(good(**{"N° de commande": "BC-2", "Quantité": "douze"}).values())]
    content = workbook(rows)
    first = check(content, "envoi.xlsx", CONTRACT)
    assert first.refused.height == 2
    book = openpyxl.load_workbook(io.BytesIO(annotated_workbook(content, "envoi.xlsx", first)))
    assert book.sheetnames[0] == "Anomalies"
    places = {i["field"]: f"{i['column']}{i['row']}" for i in first.issues.iter_rows(named=True)}
    sheet = book[book.sheetnames[1]]
    sheet[places["uai"]], sheet[places["quantity"]] = uai(1), 12
    out = io.BytesIO()
    book.save(out)
    again = check(out.getvalue(), "envoi.xlsx", CONTRACT)
    assert again.status == "clean" and again.rows.height == 2 and again.rows["source_row"].to_list() == [2, 3]


def test_a_doubtful_column_is_asked_once_and_never_again_once_remembered():
    """One question a column; the answer, kept for the layout, leaves nothing to ask of the next file."""
    raw = table([{"a": uai(i), "b": "Tablette", "c": str(i + 1), "d": "31/08/2021"} for i in range(20)], headers=False, first_row=1)
    asked = [q for q in run(raw).questions if q.kind == "mapping"]
    assert asked and len({q.about for q in asked}) == len(asked)
    layout = layout_of(raw, CONTRACT)
    kept = {q.about: q.choices[0][0] for q in asked} | {"A": "uai", "B": "item"}
    assert not run(raw, memory={layout: kept}).questions


def test_questions_about_schools_stay_with_their_file():
    """Two files whose sheets have the same name: each is asked of its own schools only, and of a shared one in both."""
    register = {"establishment": Register(SCHOOLS | {uai(5): ("École Zola", "Laon", 9, None, None), uai(6): ("École Zola", "Soissons", 9, None, None)})}
    head = "N° de commande;UAI;École;Catégorie;Quantité\n"
    files = [(head + "A;;École Pasteur;Tablette;3\n", "un.csv"), (head + "B;;École Zola;Tablette;3\nC;;École Zola;ENI;3\n", "un.csv"), (head + f"D;{uai(2)};École Pasteur;Tablette;3\n", "un.csv")]
    found = check_many([(text.encode(), name) for text, name in files], CONTRACT, references=register)
    assert [[q.about for q in item.questions] for item in found] == [["« École Pasteur »"], ["« École Zola »"], []]
    answer = {found[1].questions[0].id: uai(5)}
    settled = check_many([(text.encode(), name) for text, name in files], CONTRACT, references=register, answers=answer)
    assert settled[1].rows["uai"].to_list() == [uai(5), uai(5)] and settled[0].questions


def test_issues_are_written_out_when_looked_at_and_equal_their_summary():
    """The summary is known without the issues; each of its counts is the number of issues of that kind, first in file order."""
    rows = numbered(40)
    for i in range(0, 40, 3):
        rows[i]["Quantité"] = "douze" if i % 2 else None
    rows[5]["Date de livraison"], rows[6]["Code commune"] = "31/02/2022", "2408"
    result = run(table(rows))
    assert "issues" in result.unbuilt
    counted = result.issues.group_by("code", "severity", "field").len("count")
    told = result.summary.select("code", "severity", "field", pl.col("count").cast(pl.UInt32))
    assert counted.sort("code").equals(told.sort("code")) and "issues" not in result.unbuilt
    assert to_json(result)["summary"][0]["count"] == max(told["count"])
    single = result.summary.filter(code="date_impossible")["message"][0]
    assert single == result.issues.filter(code="date_impossible")["message"][0]


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "read", "accepted", "merged"),
    [("decp_selection_informatique_numerique_2017-2019.csv", 347, 328, 19), ("decp_pes_2019-04_dates_avec_fuseau.json.gz", 1148, 1141, 7),
     ("decp_e-marchespublics_2019-04.json.gz", 470, 468, 2), ("decp_marches-publics.info_2019-03.json.gz", 4509, 4489, 0)],
)  # fmt: skip
def test_real_public_contracts_keep_their_lots_and_merge_what_was_published_twice(data_dir, name, read, accepted, merged):
    """Lots are rows of their own; the same lot published by two platforms, or on two days, is one."""
    result = check((data_dir / "marches" / name).read_bytes(), name, PUBLIC_CONTRACTS)
    assert (result.rows_read, result.rows.height, result.extra["merged"]) == (read, accepted, merged)
    assert "duplicate_conflict" not in codes(result)


def test_decimals_in_thousands_of_euros_are_not_said_to_be_grouped():
    """``1,234`` under « k€ » beside ``0,5`` is 1 234 €: nothing was grouped, nothing is told."""
    rows = numbered(3, **{"Montant HT": None, "Prix unitaire HT": None})
    for row, text in zip(rows, ["0,5", "1,234", "12,75"], strict=True):
        row["Prix (k€)"] = text
        row.pop("Prix unitaire HT")
    result = run(table(rows))
    assert result.rows["price"].to_list() == [500.0, 1234.0, 12750.0] and "thousands_mark" not in codes(result)
