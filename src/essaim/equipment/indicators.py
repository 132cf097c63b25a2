"""What the equipment lever lets one measure. Declared data: the engine of figures compiles it, the catalogue shows it."""

from __future__ import annotations

from dataclasses import replace

from essaim.engines.measures import (
    Coverage,
    Direction,
    Expr,
    FactColumn,
    FactTable,
    Indicator,
    Kind,
    Measure,
    PerEstablishment,
    Role,
    Timing,
    coalesce,
    col,
    days_between,
    fact_table,
    greatest,
    least,
    lit,
    when,
)
from essaim.equipment.categories import TERMINALS, base_alternatives
from essaim.equipment.contracts import ACKNOWLEDGEMENTS, DELIVERIES, DISPOSALS, INVENTORY, ORDERS
from essaim.equipment.reads.derived import order_tracking
from essaim.territories.indicators import BREAKDOWNS, CLASSES, GENERAL, JUSTICE, PUPILS

BY_ITEM = (*BREAKDOWNS, "category")
PUPILS_PER_CLASS = 24

orders = fact_table(ORDERS, roles={"unit_price_eur": Role.PRICE})
deliveries = fact_table(DELIVERIES)
acknowledgements = fact_table(ACKNOWLEDGEMENTS)
inventory = fact_table(
    INVENTORY,
    roles={"quantity": Role.STOCK, "in_use": Role.STOCK, "loaned": Role.STOCK, "purchase_year": Role.DIMENSION},
)
disposals = fact_table(DISPOSALS, roles={"purchase_year": Role.DIMENSION})

# Order lines with what fills them: made by ``reads.tracking`` from orders and deliveries.
tracking: FactTable = replace(
    orders,
    name="equipment.order_tracking",
    columns=(
        *orders.columns,
        FactColumn("delivered", "integer", Role.FLOW, "unités"),
        FactColumn("first_delivered_on", "date"),
        FactColumn("completed_on", "date"),
        FactColumn("due_on", "date"),
        FactColumn("late_from", "date"),
        FactColumn("late_from_revised", "date"),
    ),
)

DERIVED_FACTS = {tracking.name: (("equipment.orders", "equipment.deliveries"), order_tracking)}

is_terminal: Expr = col("category").isin(*TERMINALS)


def _cumulated(code: str, table: FactTable, date: str, value: str, where: Expr | None = None, label: str = "") -> Measure:
    return Measure(code, table, date=date, value=col(value), where=where, timing=Timing.CUMULATIVE, unit="unités", label=label)


ordered = _cumulated("ordered", orders, "ordered_on", "quantity", label="Unités commandées")
delivered = _cumulated("delivered", deliveries, "delivered_on", "quantity", label="Unités livrées")
installed_terminals = _cumulated("installed_terminals", deliveries, "installed_on", "quantity", is_terminal, "Terminaux installés")
received_terminals = _cumulated(
    "received_terminals", acknowledgements, "received_on", "quantity",
    is_terminal & coalesce(col("working"), True), "Terminaux confirmés en état de marche",
)
planned = _cumulated("planned", orders, "planned_on", "quantity", label="Unités dont la livraison était prévue")
# A line is served from the day when it was both due and complete: what came since the end of a period does not mend its past.
served = Measure(
    "served", tracking, date=greatest(col("planned_on"), col("completed_on")), value=col("quantity"), timing=Timing.CUMULATIVE,
    unit="unités", label="Unités des commandes échues et soldées",
)  # fmt: skip

DEVICES_PER_100_PUPILS = Indicator(
    "equipment.devices_per_100_pupils",
    1,
    "Terminaux installés pour 100 élèves",
    "Ordinateurs et tablettes déclarés installés par les collectivités jusqu'à la fin de la période, rapportés aux élèves "
    "inscrits. La borne prouvée ne compte que les appareils que les établissements ont confirmé avoir reçus en état de marche.",
    Kind.RATIO,
    numerator=installed_terminals,
    denominator=PUPILS,
    unit="pour 100 élèves",
    scale=100,
    direction=Direction.UP,
    target=20,
    objective=GENERAL,
    limits="Ne compte pas le matériel acquis hors programme. Les élèves des établissements sans donnée restent au dénominateur.",
    breakdowns=BY_ITEM,
    proved=received_terminals,
    small_counts_secret=False,  # counts devices; enrolments are published
)

SCHOOLS_EQUIPPED = Indicator(
    "equipment.schools_equipped",
    2,
    "Établissements équipés conformément au plan",
    "Part des établissements auxquels toutes les unités prévues à la fin de la période avaient été livrées à cette date, parmi ceux "
    "qui en attendaient.",
    Kind.SHARE_OF_UNITS,
    numerator=PerEstablishment(
        "equipped", (planned, served),
        (col("planned") > 0) & (coalesce(col("served"), 0) >= col("planned")), label="Établissements servis",
    ),
    denominator=PerEstablishment("expecting", (planned,), col("planned") > 0, label="Établissements qui attendaient du matériel"),
    unit="%",
    scale=100,
    direction=Direction.UP,
    target=100,
    objective=JUSTICE,
    limits="Le plan est celui des commandes : un établissement sans commande n'y figure pas.",
    breakdowns=BREAKDOWNS,
    coverage=Coverage(PerEstablishment("planned_here", (planned,), col("planned") > 0)),
)

DELIVERED_OVER_ORDERED = Indicator(
    "equipment.delivered_over_ordered",
    1,
    "Livré sur commandé",
    "Unités livrées rapportées aux unités commandées, depuis l'origine jusqu'à la fin de la période.",
    Kind.RATIO,
    numerator=delivered,
    denominator=ordered,
    unit="%",
    scale=100,
    direction=Direction.UP,
    target=100,
    objective=GENERAL,
    limits="Peut dépasser 100 % quand des livraisons sont déclarées sans leur commande : voir les contradictions.",
    breakdowns=BY_ITEM,
    proved=_cumulated("received", acknowledgements, "received_on", "quantity", label="Unités confirmées par les établissements"),
    small_counts_secret=False,  # counts devices
)

DEVICES_DELIVERED = Indicator(
    "equipment.devices_delivered",
    1,
    "Unités livrées",
    "Nombre d'unités de matériel livrées pendant la période.",
    Kind.FLOW,
    numerator=Measure("delivered_flow", deliveries, date="delivered_on", value=col("quantity"), unit="unités", label="Unités livrées"),
    unit="unités",
    direction=Direction.UP,
    objective=GENERAL,
    breakdowns=BY_ITEM,
    small_counts_secret=False,  # counts devices
)


def _base_indicator() -> Indicator:
    """Classrooms that could have one of each need of the *socle de base*: the scarcest need decides."""
    needs = base_alternatives("classroom")
    inputs = tuple(
        _cumulated(f"need_{name}", deliveries, "delivered_on", "quantity", col("category").isin(*codes), f"Besoin : {name}")
        for name, codes in sorted(needs.items())
    )
    anything = _cumulated("anything", deliveries, "delivered_on", "quantity", label="Tout matériel livré")
    classes = coalesce(col("classes"), col("pupils") / PUPILS_PER_CLASS)
    met = least(classes, *(coalesce(col(item.code), 0) for item in inputs))
    return Indicator(
        "equipment.base_classrooms",
        1,
        "Classes dotées du socle de base",
        "Part des classes pour lesquelles l'établissement a reçu de quoi composer un socle complet : affichage, ordinateur "
        "portable, capture d'image, micro, haut-parleurs et accès à internet. Le besoin le moins servi décide.",
        Kind.RATIO,
        numerator=PerEstablishment(
            "classrooms_met", (*inputs, anything, CLASSES, PUPILS), when(col("anything").is_missing(), lit(None), met), decimals=1,
            label="Classes complètes",
        ),
        denominator=PerEstablishment("classrooms", (CLASSES, PUPILS), classes, decimals=1, label="Classes"),
        unit="%",
        scale=100,
        direction=Direction.UP,
        target=100,
        objective=JUSTICE,
        limits=f"Sans nombre de classes publié, on compte une classe pour {PUPILS_PER_CLASS} élèves. Le matériel antérieur au programme n'est pas compté.",
        breakdowns=BREAKDOWNS,
        small_counts_secret=False,  # counts classrooms and devices, no one in them
    )


BASE_CLASSROOMS = _base_indicator()


def _delay(code: str, label: str, against: str, quantile: float, words: str) -> Indicator:
    return Indicator(
        code,
        1,
        label,
        f"{words} du nombre de jours entre la date {'prévue' if against == 'planned_on' else 'révisée (à défaut prévue)'} et "
        "la date où la ligne de commande a été entièrement livrée, pour les lignes soldées jusqu'à la fin de la période. "
        "Négatif : en avance.",
        Kind.QUANTILE,
        numerator=Measure(
            f"delay_{against}", tracking, date="completed_on", value=days_between(against, "completed_on"),
            timing=Timing.CUMULATIVE, unit="jours", label="Lignes de commande soldées",
        ),
        unit="jours",
        direction=Direction.DOWN,
        target=0,
        quantile=quantile,
        objective=GENERAL,
        limits="Les lignes jamais livrées n'ont pas encore de délai : lire avec les commandes en retard.",
        breakdowns=BY_ITEM,
        small_counts_secret=False,  # counts order lines
    )


DELAY_MEDIAN = _delay("equipment.delay_median", "Délai médian par rapport au prévu", "planned_on", 0.5, "Médiane")
DELAY_P90 = _delay("equipment.delay_p90", "Délai du neuvième décile par rapport au prévu", "planned_on", 0.9, "Neuvième décile")
DELAY_REVISED_MEDIAN = _delay("equipment.delay_revised_median", "Délai médian par rapport au révisé", "due_on", 0.5, "Médiane")
DELAY_REVISED_P90 = _delay("equipment.delay_revised_p90", "Délai du neuvième décile par rapport au révisé", "due_on", 0.9, "Neuvième décile")

LATE_ORDERS = Indicator(
    "equipment.late_orders",
    1,
    "Lignes de commande en retard",
    "Lignes de commande dont la date prévue est dépassée à la fin de la période et qui ne sont pas entièrement livrées.",
    Kind.STOCK,
    numerator=Measure(
        "late_lines", tracking, date="late_from", until="completed_on", timing=Timing.CUMULATIVE, unit="lignes",
        where=col("completed_on").is_missing() | (col("completed_on") >= col("late_from")), label="Lignes en retard",
    ),
    unit="lignes",
    direction=Direction.DOWN,
    target=0,
    objective=GENERAL,
    breakdowns=BY_ITEM,
    small_counts_secret=False,  # counts order lines
)

configured_known = ~col("configured").is_missing()
CONFIGURED = Indicator(
    "equipment.configured_on_delivery",
    1,
    "Matériel configuré à la livraison",
    "Unités livrées prêtes à l'emploi, parmi celles dont la configuration est renseignée, depuis l'origine.",
    Kind.RATIO,
    numerator=_cumulated("configured_units", deliveries, "delivered_on", "quantity", coalesce(col("configured"), False), "Unités configurées"),
    denominator=_cumulated("configured_known", deliveries, "delivered_on", "quantity", configured_known, "Unités dont la configuration est connue"),
    unit="%",
    scale=100,
    direction=Direction.UP,
    target=100,
    objective=GENERAL,
    breakdowns=BY_ITEM,
    small_counts_secret=False,  # counts devices
)

counted = {"timing": Timing.LATEST, "latest_per": ("uai", "category"), "max_age_months": 18, "unit": "unités"}
in_use_known = ~col("in_use").is_missing()
USED_OVER_INSTALLED = Indicator(
    "equipment.used_over_present",
    1,
    "Matériel utilisé parmi le matériel présent",
    "Unités utilisées rapportées aux unités présentes, au dernier inventaire de chaque établissement et catégorie (de moins de dix-huit mois).",
    Kind.RATIO,
    numerator=Measure("in_use", inventory, date="counted_on", value=col("in_use"), where=in_use_known, label="Unités utilisées", **counted),
    denominator=Measure("present", inventory, date="counted_on", value=col("quantity"), where=in_use_known, label="Unités présentes", **counted),
    unit="%",
    scale=100,
    direction=Direction.UP,
    target=80,
    objective=GENERAL,
    limits="Installé n'est pas utilisé ; utilisé n'est pas appris.",
    breakdowns=BY_ITEM,
    small_counts_secret=False,  # counts devices
)

LOANED = Indicator(
    "equipment.loaned_devices",
    1,
    "Appareils prêtés à des élèves",
    "Appareils prêtés au dernier inventaire de chaque établissement. Les prêts sont comptés, jamais nommés.",
    Kind.STOCK,
    numerator=Measure("loaned", inventory, date="counted_on", value=col("loaned"), label="Appareils prêtés", **counted),
    unit="appareils",
    direction=Direction.UP,
    objective=JUSTICE,
    breakdowns=BY_ITEM,
)


def _purchases(code: str, where: Expr | None, label: str) -> Measure:
    return Measure(code, orders, date="ordered_on", value=col("total_eur"), where=where, decimals=2, unit="€ HT", label=label)


priced = ~col("condition").is_missing() & ~col("total_eur").is_missing()
RECONDITIONED_SHARE = Indicator(
    "equipment.reconditioned_share",
    1,
    "Part du reconditionné dans les achats",
    "Montant HT des achats de matériel reconditionné, rapporté au montant HT des achats dont l'état est renseigné, pendant la période.",
    Kind.RATIO,
    numerator=_purchases("reconditioned_eur", priced & col("condition").equals("reconditionne"), "Achats reconditionnés"),
    denominator=_purchases("purchases_eur", priced, "Achats dont l'état est renseigné"),
    unit="%",
    scale=100,
    direction=Direction.UP,
    target=20,
    objective=JUSTICE,
    limits="Décret n° 2024-134 : la part minimale dépend du produit et de l'année ; la cible affichée est indicative.",
    breakdowns=("category", "buyer_siren"),
    small_counts_secret=False,  # counts euros of purchases
    natural_period="year",
)


def _retired(code: str, where: Expr | None, label: str) -> Measure:
    return Measure(code, disposals, date="retired_on", value=col("quantity"), where=where, unit="unités", label=label)


# Age in years at the end of the calendar year: the purchase year is all that inventories know.
REUSE_SHARE = Indicator(
    "equipment.reuse_share",
    1,
    "Part du réemploi dans les sorties de matériel",
    "Unités retirées destinées au réemploi, rapportées aux unités retirées (hors perte, vol ou casse), pendant la période.",
    Kind.RATIO,
    numerator=_retired("reused", col("destination").isin("reemploi"), "Unités réemployées"),
    denominator=_retired("retired", col("destination").isin("reemploi", "vente", "recyclage"), "Unités retirées"),
    unit="%",
    scale=100,
    direction=Direction.UP,
    target=50,
    objective=JUSTICE,
    limits="Décret n° 2023-266 : la moitié des équipements informatiques de moins de dix ans doit aller au réemploi à partir de 2025.",
    breakdowns=("category", "sector", "school_level", "commune_size", "fragility"),
    small_counts_secret=False,  # counts devices
    natural_period="year",
)

SOCIAL_GAP = Indicator(
    "equipment.social_gap",
    1,
    "Écart d'équipement entre établissements favorisés et défavorisés",
    "Terminaux installés pour 100 élèves dans le quart des établissements aux IPS les plus faibles, moins le même chiffre "
    "dans le quart aux IPS les plus élevés. Positif : le programme sert davantage les plus fragiles.",
    Kind.GAP,
    unit="points pour 100 élèves",
    direction=Direction.UP,
    target=0,
    objective=JUSTICE,
    limits="Quartiles nationaux d'IPS, par type d'établissement et année scolaire ; les établissements sans IPS n'y sont pas.",
    of=DEVICES_PER_100_PUPILS,
    gap_by="ips_quartile",
    gap_groups=("1", "4"),
)

INDICATORS = (
    DEVICES_PER_100_PUPILS,
    SCHOOLS_EQUIPPED,
    DELIVERED_OVER_ORDERED,
    DEVICES_DELIVERED,
    BASE_CLASSROOMS,
    DELAY_MEDIAN,
    DELAY_P90,
    DELAY_REVISED_MEDIAN,
    DELAY_REVISED_P90,
    LATE_ORDERS,
    CONFIGURED,
    USED_OVER_INSTALLED,
    LOANED,
    RECONDITIONED_SHARE,
    REUSE_SHARE,
    SOCIAL_GAP,
)
