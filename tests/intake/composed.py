"""Files of deliveries and inventories composed at random from the habits of real senders, with what they truly say."""

from __future__ import annotations

import io
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import openpyxl

from intake.understanding import uai

MONTHS = ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre")
CATEGORIES = (
    ("tablette", ("Tablettes", "Nb tablettes", "TABLETTES", "Nombre de tablettes")), ("ordinateur_portable", ("PC portables", "Ordinateurs portables", "Nb PC portables")),
    ("ecran_interactif", ("ENI", "Écrans interactifs", "TNI")), ("videoprojecteur", ("Vidéoprojecteurs", "VPI", "VP")), ("imprimante_reseau", ("Imprimantes", "Copieurs")),
)  # fmt: skip
HEADERS = {
    "uai": ("UAI", "Code UAI", "RNE", "N° UAI", "UAI école", "Code établissement", "Identifiant établissement", "UAI (code)", "uai_etablissement"),
    "school_name": ("École", "Établissement", "Nom de l'école", "Ecole / établissement", "ETABLISSEMENT", "Nom étab.", "Site"),
    "commune_name": ("Commune", "Ville", "Nom commune", "Localité"),
    "category": ("Matériel", "Type de matériel", "Équipement", "Désignation", "Catégorie", "Article", "TYPE", "Nature du matériel"),
    "quantity": ("Quantité", "Qté", "Qté livrée", "Nombre", "Nb", "QUANTITE LIVREE", "Nb livrés", "Nombre d'équipements livrés", "Quantité livrée (unités)"),
    "delivered_on": ("Date de livraison", "Livré le", "Date livraison", "Date liv.", "Date de réception", "date (jj/mm/aaaa)"),
    "delivery_ref": ("N° BL", "Bon de livraison", "BL", "N° de livraison", "Réf. livraison"),
    "order_ref": ("N° commande", "Bon de commande", "BC", "N° BC", "Réf commande"),
    "configured": ("Configuré", "Configuré (O/N)", "Prêt à l'emploi", "Masterisé ?"),
}
# Columns that no field of the contract means.
OTHERS = (
    ("Nombre d'élèves", "120"), ("Téléphone", "03 23 20 21 22"), ("Adresse", "3 rue de l'Église"), ("Code postal", "02000"), ("N° de série", "SN1234567"), ("Prix TTC", "300,00"),
    ("Classe", "CE1"), ("Date de commande", "03/01/2022"), ("Livraison prévue", "15/12/2022"), ("Nb de classes", "7"), ("Qté commandée", "40"), ("Reste à livrer", "2"),
    ("Année scolaire", "2021-2022"), ("N°", "7"), ("Bâtiment", "B"), ("Référent", "référent numérique"),
)  # fmt: skip
DATES = (
    lambda day: day.strftime("%d/%m/%Y"), lambda day: day.isoformat(), lambda day: f"{day.day}/{day.month}/{day:%y}",
    lambda day: f"{day.day} {MONTHS[day.month - 1]} {day.year}", lambda day: day.strftime("%d-%m-%Y"), lambda day: day,
)  # fmt: skip
Rows = list[list[Any]]


@dataclass(frozen=True)
class Composed:
    """A file and its truth: ``fields`` of each row that must come out, in any order."""

    content: bytes
    filename: str
    fields: tuple[str, ...]
    truth: list[tuple[Any, ...]]


def workbook(rows: Sequence[Sequence[Any]]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def text(rows: Rows, encoding: str) -> bytes:
    def cell(value: Any) -> str:
        return "" if value is None else value.strftime("%d/%m/%Y") if isinstance(value, date) else str(value)

    width = max(map(len, rows))
    return "\r\n".join(";".join([*map(cell, row), *[""] * (width - len(row))]) for row in rows).encode(encoding)


def lines(seed: int) -> Composed:
    """One line a delivery: synonyms, columns in any order among others, titles, totals, repeated header, notes, a blank column."""
    chance = random.Random(seed)
    fields = ["uai", "category", "quantity", "delivered_on", *chance.sample(["school_name", "commune_name", "delivery_ref", "order_ref", "configured"], chance.randint(0, 5))]
    others, written = dict(chance.sample(OTHERS, chance.randint(0, 5))), chance.choice(DATES)
    columns = [*fields, *others]
    chance.shuffle(columns)
    found = [_delivery(chance, number) for number in range(1, chance.randint(4, 20))]
    head = [chance.choice(HEADERS[name]) if name in HEADERS else name for name in columns]
    head = [name.upper() for name in head] if chance.random() < 0.2 else head
    rows = [[others[name] if name in others else _written(item, name, written, chance) for name in columns] for item in found]
    rows = _noise(rows, head, columns.index("quantity"), sum(item["quantity"] for item in found), chance)
    return _file([head, *rows], tuple(fields), [tuple(item[name] for name in fields) for item in found], chance)


def _delivery(chance: random.Random, number: int) -> dict[str, Any]:
    category, labels = chance.choice(CATEGORIES)
    return {
        "uai": uai(number), "school_name": f"École Jean Moulin {number}", "commune_name": "Laon", "category": category, "label": labels[0], "quantity": chance.randint(1, 30),
        "delivered_on": date(2022, chance.randint(1, 12), chance.randint(13, 28)), "delivery_ref": f"BL-{number:03d}", "order_ref": f"BC{2022000 + number}", "configured": chance.random() < 0.5,
    }  # fmt: skip


def _written(item: dict[str, Any], name: str, written: Any, chance: random.Random) -> Any:
    match name:
        case "category":
            return chance.choice([item["label"], item["label"].upper()])
        case "delivered_on":
            return written(item[name])
        case "configured":
            return "oui" if item[name] else "non"
    return item[name]


def _noise(rows: Rows, head: list[str], counted: int, total: int, chance: random.Random) -> Rows:
    width = len(head)
    if chance.random() < 0.3:
        line: list[Any] = [None] * width
        line[0 if counted else 1], line[counted] = chance.choice(["TOTAL", "Total général", "Sous-total"]), total
        rows = [*rows, line]
    if chance.random() < 0.2 and len(rows) > 6:
        rows = [*rows[:5], [None] * width, *rows[5:]]
    if chance.random() < 0.15 and len(rows) > 8:
        rows = [*rows[:7], list(head), *rows[7:]]
    return [*rows, [], ["Source : service informatique, document de travail"]] if chance.random() < 0.2 else rows


def _file(rows: Rows, fields: tuple[str, ...], truth: list[tuple[Any, ...]], chance: random.Random, titled: bool = True) -> Composed:
    if chance.random() < 0.2:
        at = chance.randint(1, len(rows[0]) - 1)
        rows = [[*row[:at], None, *row[at:]] if len(row) > at else row for row in rows]
    if titled and chance.random() < 0.4:
        title = chance.choice([["Livraisons 2022"], ["État des livraisons au 31/12/2022"], ["Suivi du matériel numérique, mis à jour le 03/02/2023"]])
        rows = [title, *([[]] if chance.random() < 0.6 else []), *rows]
    kind = chance.choice(["xlsx", "utf-8-sig", "cp1252"])
    return Composed(workbook(rows), "envoi.xlsx", fields, truth) if kind == "xlsx" else Composed(text(rows, kind), "envoi.csv", fields, truth)


def blocks(seed: int) -> Composed:
    """One column a category, « dont en service » beside or not, the date in a column or in the title, upright or on its side."""
    chance = random.Random(seed)
    categories, beside = chance.sample(CATEGORIES, chance.randint(2, 5)), chance.random() < 0.5
    day, in_title, total = date(2022, chance.randint(1, 12), chance.randint(1, 28)), chance.random() < 0.3, chance.random() < 0.3
    head: list[Any] = [chance.choice(["UAI", "RNE", "Code UAI"]), "École"]
    for _, labels in categories:
        head += [chance.choice(labels), *(["dont en service"] if beside else [])]
    head += [*([] if in_title else [chance.choice(["Date de comptage", "Date d'inventaire", "Inventaire au"])]), *(["Total"] if total else [])]
    rows, truth = [head], []
    for number in range(1, chance.randint(3, 10)):
        row: list[Any] = [uai(number), f"École n° {number}"]
        for category, _ in categories:
            quantity = chance.choice([None, 0, chance.randint(1, 20)])
            used = chance.randint(0, quantity) if quantity else None
            row += [quantity, *([used] if beside else [])]
            truth += [(uai(number), category, quantity, day, used if beside else None)] if quantity else []
        rows.append([*row, *([] if in_title else [day.strftime("%d/%m/%Y")]), *([9] if total else [])])
    if not in_title and not total and chance.random() < 0.3:
        rows = [list(line) for line in zip(*rows, strict=True)]
    if in_title:
        rows = [[f"Inventaire au {day:%d/%m/%Y}"], [], *rows]
    return Composed(workbook(rows), "inventaire.xlsx", ("uai", "category", "quantity", "counted_on", "in_use"), truth)
