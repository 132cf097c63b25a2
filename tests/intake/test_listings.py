"""Files of one line a device, as asset management exports them: counted line by line, added up, told; never a silent guess."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

import polars as pl
import pytest

from essaim.engines.intake import annotated_workbook, check
from essaim.engines.intake.cells_readers import read_cell
from essaim.equipment.contracts import ACKNOWLEDGEMENTS, CATEGORY, DELIVERIES, DISPOSALS, INVENTORY, ORDERS
from intake.understanding import Register, uai

A, B = uai(1), uai(2)
MARCH = date(2022, 3, 1)
HEADERS = ["Nom", "Numéro de série", "Numéro d'inventaire", "Modèle", "Type", "UAI", "Statut", "Utilisateur", "Observations", "Date de livraison"]


def text(*rows: list[str]) -> bytes:
    return "\r\n".join(";".join(row) for row in rows).encode()


def device(number: int, school: str = A, kind: str = "Tablette", model: str = "iPad 9e génération", status: str = "En service", serial: str | None = None) -> list[str]:
    return [f"TAB-{number}", serial if serial is not None else f"DMP{number:04d}", f"INV{number}", model, kind, school, status, "DURAND Marie", "prêtée à Paul", "01/03/2022"]


def asked(content: bytes, contract: Any, **inputs: Any) -> Any:
    return check(content, "parc.csv", contract, **inputs)


def codes(result: Any) -> dict[str, int]:
    return dict(result.summary.select("code", "count").rows())


def test_each_line_counts_one_and_lines_are_added_up_by_the_key():
    """Five devices of two schools and two kinds: three entries, said in one sentence, every line accepted."""
    rows = [device(1), device(2), device(3, B), device(4, A, "PC portable", "HP ProBook 450"), device(5, A, "PC portable", "HP ProBook 450")]
    result = asked(text(HEADERS, *rows), DELIVERIES)
    assert result.status == "clean" and not result.questions
    assert sorted(result.rows.select("uai", "category", "quantity", "delivered_on", "source_row").rows()) == [
        (A, "ordinateur_portable", 2, MARCH, 5), (A, "tablette", 2, MARCH, 2), (B, "tablette", 1, MARCH, 4),
    ]  # fmt: skip
    assert (result.rows_read, result.rows_refused, result.extra["added"]) == (5, 0, 5)
    assert "Chaque ligne compte pour un appareil : 5 lignes additionnées en 3." in result.summary["message"].to_list()


def test_the_order_of_lines_changes_no_sum():
    """Sums are the same whatever the order of the file, and so is what is told."""
    rows = [device(n, A if n % 3 else B, "Tablette" if n % 2 else "PC portable", "") for n in range(60)]
    mixed = random.Random(7).sample(rows, len(rows))
    one, other = (asked(text(HEADERS, *lines), DELIVERIES) for lines in (rows, mixed))
    assert sorted(one.rows.select("uai", "category", "quantity").rows()) == sorted(other.rows.select("uai", "category", "quantity").rows())
    assert one.rows["quantity"].sum() == 60 and codes(one) == codes(other)


def test_the_lines_behind_each_sum_are_known():
    """Each sum leads to every line it adds up, in the sender's own numbering."""
    result = asked(text(HEADERS, device(1), device(2, B), device(3)), DELIVERIES)
    assert sorted(result.lines.rows()) == [("parc", 2, "parc", 2), ("parc", 2, "parc", 4), ("parc", 3, "parc", 3)]


@pytest.mark.parametrize("again", ["DMP0001", "dmp-0001", " DMP 0001 "])
def test_a_serial_number_given_twice_is_told_at_its_cell_and_counted_once(again):
    """Same number, same school, kind and date: one device. The number itself is not repeated in the remark."""
    result = asked(text(HEADERS, device(1), device(2), device(3, serial=again)), DELIVERIES)
    assert result.rows["quantity"].to_list() == [2]
    told = result.issues.filter(pl.col("code") == "thing_repeated").row(0, named=True)
    assert (told["severity"], told["sheet"], told["row"], told["column"], told["value"]) == ("warning", "parc", 4, "B", None)
    assert "la ligne 2" in told["message"] and "DMP" not in told["message"]


def test_a_serial_number_in_two_schools_is_refused_in_both():
    """Which school has it is not ours to choose; the others are counted."""
    result = asked(text(HEADERS, device(1), device(2, B, serial="DMP0001"), device(3)), DELIVERIES)
    assert result.rows.select("uai", "quantity").rows() == [(A, 1)] and result.rows_refused == 2
    assert sorted(result.issues.filter(pl.col("code") == "thing_conflict").select("row", "column").rows()) == [(2, "B"), (3, "B")]


def test_lines_without_a_serial_number_count_and_are_said():
    """What has no number cannot be seen twice: counted, and told; what makers leave in its place is no number."""
    rows = [device(1), device(2), device(6), device(3, serial=""), device(4, serial="To be filled by O.E.M."), device(5, serial="to be filled by O.E.M.")]
    result = asked(text(HEADERS, *rows), DELIVERIES)
    assert result.rows["quantity"].to_list() == [6] and "thing_repeated" not in codes(result)
    assert any("3 n'ont pas de « Numéro de série »" in message for message in result.summary["message"])


def test_nothing_that_names_a_device_or_a_person_is_kept():
    """Serial and inventory numbers, users, names of machines, remarks about one device: nowhere in rows, refused rows or remarks."""
    rows = [device(1), device(2), device(3, serial="DMP0001"), device(4, "0029999Z"), device(5, B, serial="DMP0002")]
    result = asked(text(HEADERS, *rows), DELIVERIES)
    kept = "\n".join(str(frame.rows()) for frame in (result.rows, result.refused, result.issues, result.summary, result.lines))
    assert result.rows_refused and not [word for word in ("DMP", "INV1", "DURAND", "Paul", "TAB-") if word in kept]


@pytest.mark.parametrize("header", ["Utilisateur", "Usager", "Prêté à", "Affecté à", "Nom de l'utilisateur", "Login", "Prénom", "Enseignant"])
@pytest.mark.parametrize("contract", [DELIVERIES, INVENTORY, ORDERS, DISPOSALS, ACKNOWLEDGEMENTS])
def test_a_column_of_people_is_no_field(header, contract):
    """Whatever the contract, and with a quantity too."""
    result = asked(text([header, "UAI", "Catégorie", "Quantité"], ["DURAND Marie", A, "Tablette", "3"], ["PETIT Paul", B, "Tablette", "4"]), contract)
    assert header in result.tables[0].unmapped and not any(question.about == "A" for question in result.questions)


def test_a_file_with_serial_numbers_and_a_quantity_keeps_its_quantity():
    """A column of quantity says more than the number of lines."""
    result = asked(text(["UAI", "Désignation", "N° de série", "Qté", "Livré le"], [A, "Tablette", "S1", "5", "01/03/2022"], [B, "Tablette", "S2", "6", "01/03/2022"]), DELIVERIES)
    assert sorted(result.rows["quantity"].to_list()) == [5, 6] and "added" not in result.extra and not result.lines.height


@pytest.mark.parametrize(
    ("headers", "rows"),
    [
        (["UAI", "Désignation", "N° de série", "Remis", "Livré le"], [[A, "Tablette", "S1", "5", "01/03/2022"], [B, "Tablette", "S2", "6", "01/03/2022"]]),
        (["UAI", "Désignation", "N° de série", "Qté commandée", "Livré le"], [[A, "Tablette", "S1", "5", "01/03/2022"], [B, "Tablette", "S2", "6", "01/03/2022"]]),
        (["UAI", "Désignation", "Numéros de série", "Livré le"], [[A, "Tablette", "S1, S2, S3", "01/03/2022"], [B, "Tablette", "S4 à S9", "01/03/2022"]]),
        (["UAI", "Désignation", "N° d'inventaire", "Livré le"], [[A, "Tablette", "LOT1", "01/03/2022"]] * 5 + [[B, "Tablette", "LOT2", "01/03/2022"]] * 5),
        (["UAI", "Désignation", "Livré le"], [[A, "Tablette", "01/03/2022"], [A, "Tablette", "01/03/2022"], [B, "Tablette", "01/03/2022"]]),
    ],
    ids=["a column of numbers", "an ordered quantity", "several numbers a cell", "a number for a lot", "nothing names a device"],
)  # fmt: skip
def test_a_doubtful_list_is_asked_and_nothing_counted_meanwhile(headers, rows):
    """The question holds; « non » is what comes first, and leaves the file refused."""
    content = text(headers, *rows)
    result = asked(content, DELIVERIES)
    question = next(question for question in result.questions if question.id.startswith("each:"))
    assert result.status == "refused" and question.holds and [value for value, _, _ in question.choices] == ["", "each"]
    assert asked(content, DELIVERIES, answers={question.id: ""}).status == "refused"


def test_a_sender_may_say_that_each_line_is_one():
    """By the question, or by a quantity of one for the whole file; alike lines are then as many devices."""
    content = text(["UAI", "Désignation", "Livré le"], [A, "Tablette", "01/03/2022"], [A, "Tablette", "01/03/2022"], [B, "Tablette", "01/03/2022"])
    identity = next(question.id for question in asked(content, DELIVERIES).questions if question.id.startswith("each:"))
    for answers in ({identity: "each"}, {"once:quantity": "1"}):
        result = asked(content, DELIVERIES, answers=answers)
        assert sorted(result.rows.select("uai", "quantity").rows()) == [(A, 2), (B, 1)] and not result.questions


def test_a_certain_list_can_be_refused_too():
    """The sender knows better than its serial numbers."""
    content = text(HEADERS, device(1), device(2))
    layout = asked(content, DELIVERIES).tables[0].layout
    assert asked(content, DELIVERIES, answers={f"each:{layout}": ""}).status == "refused"


def test_an_inventory_is_of_one_date_never_of_that_of_each_device():
    """A date of delivery is not one of counting: the date of the list is in its title, or asked."""
    lines = [HEADERS, device(1), device(2, status="En stock"), device(3, status="En panne")]
    refused = asked(text(*lines), INVENTORY)
    question = refused.questions[0]
    assert refused.status == "refused" and question.id.startswith("once:") and question.free == "date" and len(refused.questions) == 1
    for result in (asked(text(*lines), INVENTORY, answers={question.id: "31/12/2022"}), asked(text(["Inventaire au 31/12/2022"], [], *lines), INVENTORY)):
        assert result.rows.select("counted_on", "quantity", "in_use").rows() == [(date(2022, 12, 31), 3, 1)]


def test_dates_of_counting_that_change_in_one_school_are_asked():
    """Each device's last contact is not as many inventories: the latest for all, or each its own."""
    content = text(["UAI", "Type", "N° de série", "Date d'inventaire"], [A, "Tablette", "S1", "01/03/2022"], [A, "Tablette", "S2", "05/03/2022"], [B, "Tablette", "S3", "01/03/2022"])
    question = asked(content, INVENTORY).questions[0]
    assert question.holds and "05/03/2022" in question.choices[0][1]
    last = asked(content, INVENTORY, answers={question.id: "last"})
    assert sorted(last.rows.select("uai", "counted_on", "quantity").rows()) == [(A, date(2022, 3, 5), 2), (B, date(2022, 3, 5), 1)]
    assert asked(content, INVENTORY, answers={question.id: "each"}).rows.height == 3


@pytest.mark.parametrize(("second", "in_use", "loaned"), [("En stock", 1, None), ("Prêté", 2, 1), ("Réformé", 1, None), ("Bizarre", None, None)])
def test_a_column_of_status_says_what_is_in_use_when_all_its_words_are_known(second, in_use, loaned):
    """One word nobody knows and the use is unknown, never zero; what has left is not present."""
    content = text(["Inventaire au 31/12/2022"], [], HEADERS, device(1), device(2, status=second))
    result = asked(content, INVENTORY)
    assert result.rows.select("quantity", "in_use", "loaned").rows() == [(1 if second == "Réformé" else 2, in_use, loaned)]


def test_the_year_of_purchase_is_that_of_its_date():
    """A date of purchase gives the year that tells entries apart."""
    content = text(["Inventaire au 31/12/2022"], ["UAI", "Type", "N° de série", "Date d'achat"], [A, "Tablette", "S1", "01/09/2019"], [A, "Tablette", "S2", "15/01/2021"])
    assert sorted(asked(content, INVENTORY).rows.select("purchase_year", "quantity").rows()) == [(2019, 1), (2021, 1)]


@pytest.mark.parametrize(
    ("written", "value", "remark"),
    [
        ("HP ProBook 450 G8", "ordinateur_portable", "code_product"), ("iPad 9e génération", "tablette", "code_product"), ("Dell OptiPlex 3080", "ordinateur_fixe", "code_product"),
        ("Samsung Galaxy Tab A8", "tablette", "code_product"), ("Promethean ActivPanel 9", "ecran_interactif", "code_product"), ("ProBook 450 avec sacoche", "ordinateur_portable", "code_product"),
        ('Écran interactif 75"', "ecran_interactif", "code_head"), ("Vidéoprojecteur", "videoprojecteur", None),
        ("ProBook dock", None, None), ("Housse iPad", None, None), ("Chargeur ThinkPad", None, None), ("HP Pavilion", None, None), ("Surface Pro 7", None, None), ("iPad chariot 16", None, None),
    ],
)  # fmt: skip
def test_a_product_is_read_when_it_is_always_of_one_category(written, value, remark):
    """A line of products that is all laptops is laptops; what goes with one, or a line of several kinds, is not read."""
    reading = read_cell(written, CATEGORY)
    assert (reading.value, reading.remark) == (value, remark)


def test_the_kind_is_read_in_the_model_where_nothing_better_says_it():
    """No column of type, or one that says « Ordinateur » of everything; a model nobody knows is asked once for all its lines."""
    headers = ["UAI", "Modèle", "N° de série", "Livré le"]
    lines = [[A, "HP ProBook 450", "S1", "01/03/2022"], [A, "OptiPlex 3080", "S2", "01/03/2022"], [A, "Zorglub 3000", "S3", "01/03/2022"], [A, "Zorglub 3000", "S4", "01/03/2022"]]
    result = asked(text(headers, *lines), DELIVERIES)
    assert sorted(result.rows.select("category", "quantity").rows()) == [("ordinateur_fixe", 1), ("ordinateur_portable", 1)] and result.rows_refused == 2
    (question,) = result.questions
    assert question.about == "Zorglub 3000" and question.choices[0][0] == ""
    settled = asked(text(headers, *lines), DELIVERIES, answers={question.id: "tablette"})
    assert sorted(settled.rows.select("category", "model", "quantity").rows())[2] == ("tablette", "Zorglub 3000", 2) and not settled.questions
    vague = [["Type", *headers], *(["Ordinateur", *line] for line in lines[:2])]
    assert sorted(asked(text(*vague), DELIVERIES).rows["category"]) == ["ordinateur_fixe", "ordinateur_portable"]


def test_the_school_is_found_in_the_path_of_a_place():
    """« Entité racine > Collège Matisse » names the school, « Salle 12 » does not, nor does the name of the machine."""
    register = {"establishment": Register({A: ("Collège Matisse", "Laon", 400, None, None)})}
    content = text(["Nom", "Entité", "Lieu", "Type", "N° de série", "Livré le"], *([f"PC{n}", "Racine > Collège Matisse", f"Salle {n}", "Tablette", f"S{n}", "01/03/2022"] for n in range(3)))
    result = asked(content, DELIVERIES, references=register)
    assert result.rows.select("uai", "school_name", "quantity").rows() == [(A, "Collège Matisse", 3)]


def test_orders_and_disposals_are_lists_too_and_amounts_are_added():
    """Amounts of lines are added, prices that agree are kept; each destination of a disposal is its own."""
    orders = asked(text(["BC", "UAI", "Désignation", "N° de série", "PU HT", "Montant HT"], *(["BC1", A, "PC portable", f"S{n}", "450", "450"] for n in range(3))), ORDERS)
    assert orders.rows.select("quantity", "unit_price_eur", "total_eur").rows() == [(3, 450.0, 1350.0)]
    out = asked(text(["N° PV", "UAI", "Type", "S/N", "Date de réforme", "Destination"], *(["PV1", A, "Tablette", f"S{n}", "01/03/2022", to] for n, to in enumerate(("don", "don", "vol")))), DISPOSALS)
    assert sorted(out.rows.select("destination", "quantity").rows()) == [("perte", 1), ("reemploi", 2)]


def test_what_the_lines_of_a_sum_do_not_agree_on_is_left_empty_and_told():
    """Half of a delivery was configured: of the sum, nobody can say."""
    rows = [[A, "Tablette", f"S{n}", "01/03/2022", said] for n, said in enumerate(("oui", "non"))]
    result = asked(text(["UAI", "Type", "S/N", "Livré le", "Configuré"], *rows), DELIVERIES)
    assert result.rows.select("quantity", "configured").rows() == [(2, None)] and codes(result)["lines_differ"] == 1


def test_sums_are_compared_with_the_size_of_the_school_and_with_the_ledger():
    """Ninety devices for ten pupils is worth a look; what the ledger holds under the key is compared with the sum."""
    register = {"establishment": Register({A: ("Collège Matisse", "Laon", 10, None, None)})}
    held = pl.DataFrame({"sender": ["s"], "delivery_ref": [None], "order_ref": [None], "uai": [A], "category": ["tablette"], "model": ["iPad 9e génération"], "delivered_on": [MARCH], "quantity": [5]},
                        schema_overrides={"delivery_ref": pl.String, "order_ref": pl.String, "quantity": pl.Int64})  # fmt: skip
    result = asked(text(HEADERS, *(device(n) for n in range(90))), DELIVERIES, references=register, existing=lambda keys: held, sender="s")
    assert {"quantite_invraisemblable", "history_gap"} <= set(codes(result)) and codes(result)["history_gap"] == 1
    assert (result.extra["known"], result.extra["changed"]) == (1, 1)


def test_sheets_of_one_file_are_added_up_together():
    """A device listed in two sheets is one device; the annotated workbook shows where."""
    import io

    import openpyxl

    book = openpyxl.Workbook()
    for title, numbers in (("Bât A", (1, 2)), ("Bât B", (2, 3))):
        sheet = book.create_sheet(title)
        for row in [HEADERS, *(device(n) for n in numbers)]:
            sheet.append(row)
    book.remove(book["Sheet"])
    out = io.BytesIO()
    book.save(out)
    result = check(out.getvalue(), "parc.xlsx", DELIVERIES)
    assert result.rows["quantity"].to_list() == [3] and sorted(result.lines.select("line_sheet", "line_row").rows()) == [("Bât A", 2), ("Bât A", 3), ("Bât B", 3)]
    given_back = openpyxl.load_workbook(io.BytesIO(annotated_workbook(out.getvalue(), "parc.xlsx", result)))
    assert given_back["Bât B"]["B2"].comment is not None


def test_lines_with_their_own_serial_number_and_a_quantity_of_one_are_not_one_line_repeated():
    """« Qté : 1 » on every line: as many devices as lines, whose quantities are added; the same number again is the same device."""
    headers = ["UAI", "Type", "N° de série", "Qté", "Livré le", "Observations"]
    rows = [[A, "Tablette", f"S{n}", "1", "01/03/2022", "rangée au CDI"] for n in range(3)] + [[B, "Tablette", "S9", "4", "01/03/2022", ""]]
    result = asked(text(headers, *rows, [A, "Tablette", "S1", "1", "01/03/2022", "rangée au CDI"]), DELIVERIES)
    assert sorted(result.rows.select("uai", "quantity", "comment").rows()) == [(A, 3, "rangée au CDI"), (B, 4, None)]
    assert codes(result) == {"thing_repeated": 1, "lines_counted": 1} and result.lines["source_row"].unique().to_list() == [2]
    assert any("Chaque ligne a son propre « N° de série » : 4 lignes additionnées en 2." in message for message in result.summary["message"])


def test_one_number_for_a_model_in_several_schools_refuses_nothing_where_lines_have_a_quantity():
    """With a quantity, a number may be that of a product."""
    headers = ["UAI", "Type", "N° de série", "Qté", "Livré le"]
    result = asked(text(headers, [A, "Tablette", "REF1", "5", "01/03/2022"], [B, "Tablette", "REF1", "6", "01/03/2022"], [B, "PC portable", "REF2", "1", "01/03/2022"]), DELIVERIES)
    assert sorted(result.rows["quantity"].to_list()) == [1, 5, 6] and result.status == "clean"


def test_a_tag_that_is_the_school_is_no_name_of_a_device():
    """OCS Inventory: the TAG of a machine is often the UAI of its school."""
    headers = ["TAG", "Machine", "Numéro de série", "Type", "Utilisateur", "RAM (Mo)", "Dernier inventaire"]
    content = text(["Inventaire au 31/12/2022"], [], headers, *([A, f"PC{n}", f"S{n}", "Portable", "DURAND", "8192", f"0{n + 1}/03/2022 10:12"] for n in range(3)))
    assert asked(content, INVENTORY).rows.select("uai", "quantity", "counted_on").rows() == [(A, 3, date(2022, 12, 31))]


def test_the_uai_is_read_in_the_path_of_an_entity():
    """« Racine > Collèges > 0020001R - Collège Matisse » holds one valid UAI."""
    headers = ["Nom", "Entité", "N° de série", "Type", "Lieu", "Livré le"]
    rows = [[f"PC{n}", f"Racine > Collèges > {A} - Collège Matisse", f"S{n}", "Notebook", "RDC > Salle 12", "01/03/2022"] for n in range(3)]
    result = asked(text(headers, *rows), DELIVERIES)
    assert result.rows.select("uai", "quantity").rows() == [(A, 3)] and "Salle" not in str(result.rows.rows())


def test_an_export_in_english_is_a_list_and_its_cost_no_quantity():
    """Snipe-IT: Serial, Model, Category, Status, Checked Out To, Location, Purchase Date, Purchase Cost."""
    headers = ["Asset Name", "Asset Tag", "Serial", "Model", "Category", "Status", "Checked Out To", "Location", "Purchase Date", "Purchase Cost", "Notes"]
    rows = [[f"n{n}", f"T{n}", f"S{n}", "iPad 9th gen", "Tablet", "Deployed", "John Smith", A, "2022-09-01", "329.00", "for John"] for n in range(3)]
    result = asked(text(headers, *rows), INVENTORY, answers={"once:counted_on": "31/12/2022"})
    assert result.rows.select("uai", "category", "quantity", "in_use", "purchase_year").rows() == [(A, "tablette", 3, 3, 2022)]
    assert "John" not in str(result.rows.rows()) and not result.questions


def test_a_column_of_state_that_says_nothing_of_the_purchase_refuses_no_line():
    """« État : En panne » is neither new nor refurbished: left aside, and what it says of lines that did not happen is heard."""
    rows = [[A, "Tablette", f"S{n}", "01/03/2022", state] for n, state in enumerate(("Bon", "En panne", "Annulé"))]
    result = asked(text(["UAI", "Type", "N° de série", "Livré le", "État"], *rows), DELIVERIES)
    assert result.rows.select("quantity", "condition").rows() == [(2, None)] and codes(result)["row_undone"] == 1
