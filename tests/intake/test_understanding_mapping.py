"""Columns understood by name, by content, by memory; doubts asked."""

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from essaim.engines.intake import layout_of
from intake.understanding import CONTRACT, GOOD, codes, good, numbered, run, table, uai


def mapped(check):
    return {m.field: m.column for t in check.tables for m in t.mapping}


def test_synonyms_accents_case_and_punctuation_are_the_same_header():
    """Known headers map with a score near 100 and a French reason."""
    row = dict(zip(["BON DE COMMANDE", "code_rne", "Etablissement", "VILLE", "Type de materiel", "Qte"], ["B1", uai(1), "École A", "Laon", "Tablette", "3"], strict=True))
    check = run(table([row]))
    assert mapped(check) == {"ref": "A", "uai": "B", "school": "C", "town": "D", "item": "E", "quantity": "F"}
    assert all(m.score >= 94 and "en-tête" in m.reason for m in check.tables[0].mapping)
    assert check.status == "clean" and "price" in check.tables[0].missing


def test_close_names_map_and_say_so():
    """A misspelt or longer header still maps, with a lower score."""
    rows = [{"UAI": uai(1), "Catégori": "Tablette", "Quantité livrée (unités)": "3", "Date de livraison effective": "31/08/2021"}]
    check = run(table(rows))
    assert mapped(check) == {"uai": "A", "item": "B", "quantity": "C", "delivered": "D"}
    assert min(m.score for m in check.tables[0].mapping) < 94


def test_without_header_content_decides_and_doubts_are_asked():
    """UAI, codes and dates are recognised by their cells; what is only guessed becomes a question."""
    rows = [{"a": uai(i), "b": "Tablette", "c": str(i + 1), "d": "31/08/2021"} for i in range(20)]
    check = run(table(rows, headers=False, first_row=1))
    found = mapped(check)
    assert found["uai"] == "A" and found["item"] == "B" and found["quantity"] == "C" and found.get("ordered", found.get("delivered")) == "D"
    assert any(q.kind == "mapping" for q in check.questions) and check.tables[0].header_row is None


def test_an_answer_settles_a_column_and_memory_keeps_it():
    """Asked once; then the layout is remembered and nothing is asked again."""
    rows = [{"a": uai(i), "b": "Tablette", "c": str(i + 1), "d": "31/08/2021"} for i in range(20)]
    raw = table(rows, headers=False, first_row=1)
    layout = layout_of(raw, CONTRACT)
    answered = run(raw, answers={f"mapping:{layout}:D": "delivered", f"mapping:{layout}:C": ""})
    assert mapped(answered)["delivered"] == "D" and "quantity" not in mapped(answered)
    remembered = run(raw, memory={layout: {"A": "uai", "B": "item", "C": "quantity", "D": "delivered"}})
    assert mapped(remembered) == {"uai": "A", "item": "B", "quantity": "C", "delivered": "D"} and not remembered.questions
    assert all(m.score == 100 for m in remembered.tables[0].mapping)


def test_memory_never_maps_two_columns_to_one_field_nor_to_an_unknown_one():
    """What was remembered wrongly is not trusted."""
    raw = table([good()])
    layout = layout_of(raw, CONTRACT)
    check = run(raw, memory={layout: {"A": "nowhere", "B": "uai", "C": "uai"}})
    assert mapped(check)["uai"] == "B" and "nowhere" not in mapped(check)


def test_the_same_header_twice_keeps_one_column_and_warns():
    """Two « Quantité » columns: one is read, the other is named."""
    raw = table([good()])
    twin = raw.columns[6].__class__("N", "Quantité")
    raw = raw.__class__(raw.sheet, raw.header_row, (*raw.columns, twin), raw.frame.with_columns(pl.lit("99").alias("c13")))
    check = run(raw)
    assert "column_duplicate" in codes(check) and check.rows["quantity"].to_list() == [12]


def test_units_in_headers_are_respected():
    """Prix (k€) multiplies; Montant TTC comes back HT with a warning on the column."""
    check = run(table([{"UAI": uai(1), "Catégorie": "Tablette", "Quantité": "3", "Prix (k€)": "0,4", "Montant TTC": "1440"}]))
    assert check.rows.select("price", "total").row(0) == (400.0, 1200.0)
    assert check.issues.filter(code="amount_ttc")["row"].to_list() == [None] and check.issues.filter(code="amount_ttc")["column"].to_list() == ["E"]


def test_one_column_per_category_becomes_rows():
    """The header gives the category, the cell the quantity; empty and zero cells give no row; issues point at the cell."""
    rows = [{"UAI": uai(1), "Date de livraison": "2022-01-01", "Tablettes": "12", "PC portable": "0", "ENI": None},
            {"UAI": uai(2), "Date de livraison": "2022-01-02", "Tablettes": None, "PC portable": "trois", "ENI": "2"},
            {"UAI": uai(3), "Date de livraison": "2022-01-02", "Tablettes": None, "PC portable": None, "ENI": None}]  # fmt: skip
    check = run(table(rows))
    assert check.rows.select("uai", "item", "quantity", "source_row").rows() == [(uai(1), "tablette", 12, 2), (uai(2), "ecran", 2, 3)]
    wrong = check.issues.filter(code="number_format").row(0, named=True)
    assert (wrong["row"], wrong["column"], wrong["value"]) == (3, "D", "trois")
    assert check.tables[0].skipped == ((4, "aucune quantité indiquée"),)
    assert check.rows_read == 3 == check.rows.height + check.refused.height


def test_a_table_of_something_else_is_ignored_aloud():
    """A sheet without the columns is reported, not read, not silent."""
    other = table([{"Contact": "Mairie", "Téléphone": "0323000000"}], sheet="Contacts")
    check = run(table([good()]), other)
    assert check.rows.height == 1 and [t.sheet for t in check.tables] == ["Feuil1"]
    ignored = check.issues.filter(code="table_ignored")
    assert ignored["sheet"].to_list() == ["Contacts"] and any(code == "table_ignored" for code, _ in check.notices)
    alone = run(other)
    assert alone.status == "refused" and "table_unusable" in codes(alone) and alone.rows_read == 0


@settings(deadline=None)
@given(st.permutations(list(GOOD)))
def test_the_order_of_columns_changes_nothing(order):
    """Same mapping by header whatever the order."""
    check = run(table([{name: GOOD[name] for name in order}]))
    assert {m.field for m in check.tables[0].mapping} == set(CONTRACT.field_names)
    assert check.status == "clean" and check.rows["quantity"].to_list() == [12]


def test_several_tables_of_the_contract_are_read_together():
    """Two sheets, each with its headers; rows keep their sheet."""
    second = [{"code RNE": uai(7), "type de matériel": "laptop", "nombre": "4"}]
    check = run(table(numbered(2)), table(second, sheet="Suite", first_row=6))
    assert check.rows["source_sheet"].to_list() == ["Feuil1", "Feuil1", "Suite"] and check.rows["source_row"].to_list() == [2, 3, 6]
