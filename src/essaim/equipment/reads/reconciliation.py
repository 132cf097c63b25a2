"""What each source says of the same equipment, the interval that follows, and where they contradict one another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    import duckdb

CONTRADICTIONS: dict[str, str] = {
    "livre_plus_que_commande": "La collectivité déclare avoir livré plus que ce qui a été commandé.",
    "livre_sans_commande": "Une livraison est déclarée sans commande correspondante.",
    "recu_moins_que_livre": "L'établissement confirme moins d'appareils que la collectivité n'en déclare livrés.",
    "recu_sans_livraison": "L'établissement confirme une réception qu'aucune livraison n'annonce.",
    "ne_fonctionne_pas": "L'établissement signale que le matériel reçu ne fonctionne pas.",
    "inventaire_inferieur": "L'inventaire compte moins d'appareils que l'établissement n'en a reçus, sorties déduites.",
    "livre_sans_reception": "La livraison a plus de soixante jours et l'établissement n'a rien confirmé.",
}


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """``situations``: one row per establishment and category: ``ordered, delivered, acknowledged, present`` (null when the
    source says nothing), ``retired``, ``proved`` and ``declared`` (units). ``contradictions``: ``uai, departement, category,
    kind, declared, observed, since`` — see CONTRADICTIONS for the kinds."""

    situations: pa.Table
    contradictions: pa.Table


def reconcile(connection: duckdb.DuckDBPyConnection, *, on: str, patience_days: int = 60) -> Reconciliation:
    """Confronts the tables ``orders, deliveries, acknowledgements, inventory, disposals`` of ``connection`` on date ``on``
    (ISO). *Declared* is what authorities say they delivered. *Proved* is the part that the school confirmed in working
    order or that an inventory counted; it never exceeds what was declared."""
    connection.execute("SET VARIABLE on_day = ?::DATE", [on])
    connection.execute("SET VARIABLE patience = ?::INTEGER", [patience_days])
    connection.execute(_SITUATIONS)
    situations = connection.sql(
        "SELECT * EXCLUDE (first_acknowledged_on, last_delivered_on, broken, acknowledged_of_confirmed, delivered_of_confirmed, counted_on)"
        " FROM situations ORDER BY uai, category"
    ).to_arrow_table()
    return Reconciliation(situations, connection.sql(_CONTRADICTIONS).to_arrow_table())


_SITUATIONS = """
CREATE OR REPLACE TEMP TABLE situations AS
WITH o AS (
  SELECT uai, category, any_value(departement) AS departement, sum(quantity)::BIGINT AS ordered
  FROM orders WHERE coalesce(ordered_on, planned_on, DATE '1900-01-01') <= getvariable('on_day') GROUP BY ALL
), d AS (
  SELECT uai, category, any_value(departement) AS departement, sum(quantity)::BIGINT AS delivered,
         max(delivered_on) AS last_delivered_on
  FROM deliveries WHERE delivered_on <= getvariable('on_day') GROUP BY uai, category
), a AS (
  SELECT uai, category, any_value(departement) AS departement, sum(quantity)::BIGINT AS acknowledged,
         sum(quantity) FILTER (working IS NOT FALSE)::BIGINT AS working_units,
         sum(quantity) FILTER (working IS FALSE)::BIGINT AS broken, min(received_on) AS first_acknowledged_on
  FROM acknowledgements WHERE received_on <= getvariable('on_day') GROUP BY uai, category
), confirmed AS (
  SELECT k.uai, k.category, sum(k.quantity)::BIGINT AS acknowledged_of_confirmed, sum(r.quantity)::BIGINT AS delivered_of_confirmed
  FROM (SELECT uai, category, delivery_ref, sum(quantity) AS quantity FROM acknowledgements
        WHERE delivery_ref IS NOT NULL AND received_on <= getvariable('on_day') GROUP BY ALL) k
  JOIN (SELECT uai, category, delivery_ref, sum(quantity) AS quantity FROM deliveries
        WHERE delivery_ref IS NOT NULL AND delivered_on <= getvariable('on_day') GROUP BY ALL) r USING (uai, category, delivery_ref)
  GROUP BY ALL
), i AS (
  SELECT uai, category, any_value(departement) AS departement, sum(quantity)::BIGINT AS present, max(counted_on) AS counted_on
  FROM (SELECT *, rank() OVER (PARTITION BY uai, category ORDER BY counted_on DESC) AS place
        FROM inventory WHERE counted_on <= getvariable('on_day')) WHERE place = 1 GROUP BY uai, category
), r AS (
  SELECT uai, category, sum(quantity)::BIGINT AS retired FROM disposals WHERE retired_on <= getvariable('on_day') GROUP BY ALL
), keys AS (
  SELECT uai, category FROM o UNION SELECT uai, category FROM d UNION SELECT uai, category FROM a UNION SELECT uai, category FROM i
)
SELECT uai, category, coalesce(d.departement, o.departement, a.departement, i.departement) AS departement,
       ordered, delivered, acknowledged, present, coalesce(retired, 0) AS retired,
       CASE WHEN working_units IS NULL AND present IS NULL THEN 0
            ELSE least(coalesce(delivered, greatest(working_units, present)), greatest(coalesce(working_units, 0), coalesce(present, 0)))
       END AS proved,
       coalesce(delivered, greatest(working_units, present), 0) AS declared,
       first_acknowledged_on, last_delivered_on, broken, acknowledged_of_confirmed, delivered_of_confirmed, counted_on
FROM keys
LEFT JOIN o USING (uai, category) LEFT JOIN d USING (uai, category) LEFT JOIN a USING (uai, category)
LEFT JOIN i USING (uai, category) LEFT JOIN r USING (uai, category) LEFT JOIN confirmed USING (uai, category)
"""

_CONTRADICTIONS = """
SELECT uai, departement, category, kind, declared, observed, since FROM (
  SELECT uai, departement, category, 'livre_sans_commande' AS kind, delivered AS declared, 0 AS observed, last_delivered_on AS since
  FROM situations WHERE delivered > 0 AND ordered IS NULL
  UNION ALL
  SELECT uai, departement, category, 'livre_plus_que_commande', delivered, ordered, last_delivered_on
  FROM situations WHERE delivered > ordered
  UNION ALL
  SELECT uai, departement, category, 'recu_moins_que_livre', delivered_of_confirmed, acknowledged_of_confirmed, first_acknowledged_on
  FROM situations WHERE acknowledged_of_confirmed < delivered_of_confirmed
  UNION ALL
  SELECT uai, departement, category, 'recu_sans_livraison', 0, acknowledged, first_acknowledged_on
  FROM situations WHERE acknowledged > 0 AND delivered IS NULL
  UNION ALL
  SELECT uai, departement, category, 'ne_fonctionne_pas', delivered, acknowledged - broken, first_acknowledged_on
  FROM situations WHERE broken > 0
  UNION ALL
  SELECT uai, departement, category, 'inventaire_inferieur', acknowledged - retired, present, counted_on
  FROM situations WHERE present < acknowledged - retired AND counted_on >= first_acknowledged_on
  UNION ALL
  SELECT uai, departement, category, 'livre_sans_reception', delivered, 0, last_delivered_on
  FROM situations WHERE delivered > 0 AND acknowledged IS NULL AND present IS NULL
    AND last_delivered_on + getvariable('patience') < getvariable('on_day')
) ORDER BY departement, uai, category, kind
"""
