"""The report of a study as one HTML page: power first, then the sentence, then everything that supports or weakens it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from typing import Any

from essaim.engines.impact.plots.svg import number, table_html
from essaim.engines.impact.study.figures import figures_of, figures_of_analysis
from essaim.engines.impact.study.labels import WORDS, label_of

STYLE = """body{font-family:Marianne,Arial,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#161616;line-height:1.5}
table{border-collapse:collapse;margin:.5rem 0;width:100%}caption{text-align:left;font-weight:bold;padding:.3rem 0}
th,td{border:1px solid #929292;padding:.25rem .5rem;text-align:left}figure{margin:1rem 0}svg{width:100%;min-width:30rem;height:auto}
.defile{overflow-x:auto}.defile:focus-visible{outline:2px solid #0a76f6}
.verdict{border-left:6px solid #000091;padding:.5rem 1rem;background:#f6f6f6}.alerte{border-left-color:#b34000}
td{overflow-wrap:break-word}td.empreinte{overflow-wrap:anywhere}
@media print{.defile{overflow:visible}svg{min-width:0}body{max-width:none;margin:0;font-size:10pt}tr,figure,.verdict{break-inside:avoid}h1,h2,h3,caption{break-after:avoid}
thead{display:table-header-group}details::details-content{content-visibility:visible;display:block}@page{size:A4;margin:15mm}}"""
ROLES = {"headline": "fait foi", "check": "contrôle", "descriptive": "descriptif"}


def _table(caption: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return table_html(caption, header, rows)


def _list(items: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(i)}</li>" for i in items) + "</ul>" if items else ""


def _indicator(indicator: dict[str, Any], unit: str, label: str = "") -> str:
    design, told = indicator["design"], indicator["conclusion"]
    alarm = " alerte" if told["verdict"] in ("ne permet pas de conclure", "descriptif") else ""
    parts = [f"<h2>{escape(label or indicator['outcome'])}</h2>", "<h3>Ce que l'étude pouvait voir</h3>", f"<p>{escape(design['answer'])}</p>"]
    if design["unanswerable"]:
        parts.append(f"<p><strong>Cette question ne peut pas recevoir de réponse avec ce plan :</strong> {escape(design['unanswerable'])}</p>")
    parts.append(f'<h3>Résultat</h3><p class="verdict{alarm}">{escape(told["text"])}</p>')
    evidence, baseline = indicator["evidence"], indicator["baseline"]
    parts.append(f"<p>Preuve {escape(evidence['level'])} : {escape(evidence['meaning'])}. "
                 f"Situation initiale {escape(baseline['grade'])} : {escape(baseline['meaning'])}.</p>"
                 + _list([*evidence["reasons"], *baseline["reasons"]]))
    if indicator["sharpened_q"] is not None:
        parts.append(f"<p>Plusieurs indicateurs étant testés, q affûté : {number(indicator['sharpened_q'])}.</p>")
    parts += [_inference(indicator), _estimates(indicator), *(f.to_html() for f in figures_of(indicator, unit)), _comparisons(indicator),
              _robustness(indicator), _subgroups(indicator)]
    if indicator["warnings"]:
        parts.append("<h3>Avertissements</h3>" + _list(indicator["warnings"]))
    return "".join(parts)


def _p(value: float | None) -> str:
    """A p-value; below 0.0001 it is said so, never shown as nil."""
    return "< 0,0001" if value is not None and value < 1e-4 else number(value)


def _inference(indicator: dict[str, Any]) -> str:
    battery = indicator["inference"]
    if not battery:
        return ""
    rows = [(t["label"], ROLES[t["role"]], number(t["effect"]), number(t["low"]), number(t["high"]), _p(t["p_value"]), t["note"])
            for t in battery["tests"]]
    return (_table("Inférence", ("Méthode", "Rôle", "Effet", "Borne basse", "Borne haute", "p", "Note"), rows)
            + f"<p>{escape(battery['rule'])} {escape(battery['agreement'])}</p>")


def _estimates(indicator: dict[str, Any]) -> str:
    rows = [(e["label"], number(e["value"]), number(e["std_error"]), e["note"]) for e in indicator["effects"]]
    parts = [_table("Estimateurs", ("Estimateur", "Effet", "Erreur-type descriptive", "Note"), rows)]
    for key, head in (("by_group", "Vague"), ("by_period", "Période")):
        if indicator[key]:
            cells = [(f"{a:g}".replace(".", ","), number(v), "non estimable" if e is None else number(e)) for a, v, e in indicator[key]]
            parts.append(_table(f"Effet par {head.lower()}", (head, "Effet", "Erreur-type descriptive"), cells))
    return "".join(parts)


def _robustness(indicator: dict[str, Any]) -> str:
    r = indicator["robustness"]
    facts = []
    if r["breakdown"] is not None:
        facts.append(f"Le résultat tient jusqu'à M̄ = {number(r['breakdown'])}." if r["breakdown"] > 0 else
                     "L'intervalle contient zéro dès que les tendances sont supposées parallèles (M̄ = 0).")
    if r["pretrend_p"] is not None:
        facts.append(f"Test par permutation des tendances passées : p = {_p(r['pretrend_p'])}.")
    if r["pretrend_power"] is not None:
        facts.append(f"Ce test aurait vu une dérive capable d'imiter l'effet {number(100 * r['pretrend_power'], 3)} fois sur 100.")
    if r["leave_one_out"]:
        values = sorted(v for _, v in r["leave_one_out"])
        facts.append(f"Sans l'une des grappes traitées, l'effet va de {number(values[0])} à {number(values[-1])}.")
    facts += r["notes"]
    return "<h3>Robustesse</h3>" + _list(facts) if facts else ""


def _subgroups(indicator: dict[str, Any]) -> str:
    found = indicator["subgroups"]
    if not found:
        return ""
    effects = [(e["name"], number(e["effect"]), _p(e["p_value"]), _p(e["adjusted_p"])) for e in found["effects"]]
    pairs = [(f"{i['first']} − {i['second']}", number(i["difference"]), _p(i["p_value"])) for i in found["interactions"]]
    return ("<h3>Équité</h3>" + _table("Effet par sous-groupe", ("Sous-groupe", "Effet", "p", "p ajustée"), effects)
            + _table("Différences entre sous-groupes", ("Différence", "Écart", "p"), pairs) + _gaps(indicator))


def _gaps(indicator: dict[str, Any]) -> str:
    rows = [(f"{g['high']} − {g['low']}", number(g["treated_before"]), number(g["treated_after"]), number(g["comparison_before"]),
             number(g["comparison_after"]), number(g["change"]), _p(g["p_value"])) for g in indicator.get("gaps") or ()]
    header = ("Écart", "Traitées, avant", "Traitées, après", "Comparaison, avant", "Comparaison, après", "Changement net", "p")
    return _table("Les écarts se sont-ils réduits ?", header, rows) if rows else ""


def _comparisons(indicator: dict[str, Any]) -> str:
    """Balance before treatment in one sentence, and the nearest comparison cluster of each treated one."""
    told, found = "", indicator.get("comparisons")
    if indicator.get("balance"):
        b = indicator["balance"]
        told = (f"<p>Test d'ensemble de l'équilibre avant traitement ({escape(b['test'])}) : p = {_p(b['p_value'])}, "
                f"{b['treated_units']} grappes traitées, {b['comparison_units']} de comparaison.</p>")
    if not found:
        return told
    rows = [(m["treated"], m["comparison"], number(m["distance"], 3)) for m in found["matches"]]
    table = _table("À qui chaque grappe traitée ressemble le plus avant le déploiement (niveau et tendance passés)",
                   ("Grappe traitée", "Grappe de comparaison la plus proche", "Distance"), rows)
    lone = f"<p>Sans comparaison disponible : {escape(', '.join(found['unmatched']))}.</p>" if found["unmatched"] else ""
    return f"{told}<details><summary>Grappes de comparaison</summary>{table}{lone}</details>"


def _analysis(analysis: dict[str, Any], unit: str = "") -> str:
    """Scalars in one table, then one table a list of rows, whose columns are named by the end of its label."""
    values = analysis["values"]
    tables = {k: v for k, v in values.items() if isinstance(v, list) and v and all(isinstance(row, list) for row in v)}
    scalars = [(label_of(k), _shown(v)) for k, v in values.items() if k not in tables]
    parts = [f"<h3>{escape(analysis['label'])}</h3>", _table(analysis["name"], ("Nombre", "Valeur"), scalars) if scalars else ""]
    for key, rows in tables.items():
        title, _, columns = label_of(key).partition(" : ")
        names = columns.split(", ") if columns.count(", ") + 1 == len(rows[0]) else [""] * len(rows[0])
        parts.append(_table(f"{analysis['name']} – {title}", names, [[_shown(v) for v in row] for row in rows]))
    parts += [f.to_html() for f in figures_of_analysis(analysis, unit)]
    return "".join(parts)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "oui" if value else "non"
    if isinstance(value, (int, float)):
        return f"{value:.0f}".replace("-", "−") if float(value).is_integer() and abs(value) < 10_000 else number(value, 7)  # a year is one word
    if isinstance(value, list):
        return " ; ".join(_shown(v) for v in value) or "aucun"
    if isinstance(value, dict):
        return " ; ".join(f"{label_of(str(k))} : {_shown(v)}" for k, v in value.items()) or "aucun"
    return "–" if value is None else WORDS.get(str(value), str(value))


def report_html(results: str) -> str:
    """HTML page of the canonical JSON of a study (``Study.to_json()``)."""
    study = json.loads(results)["study"]
    plan = study["plan"]
    unit = plan["indicator"]["unit"]
    body = [f"<h1>{escape(plan['title'])}</h1><p>{escape(plan['question'])}</p>"]
    label = plan["indicator"]["label"] if len(study["indicators"]) == 1 else ""
    body += [_indicator(i, unit, label) for i in study["indicators"]]
    if study["analyses"]:
        body.append("<h2>Analyses complémentaires</h2>" + "".join(_analysis(a, unit) for a in study["analyses"]))
    prints = [("Plan", study["plan_sha256"]), ("Données", study["data_sha256"]), ("Moteur", f"essaim {study['engine']}")]
    body.append("<h2>Empreintes</h2>" + _table("Pour refaire l'étude", ("Quoi", "SHA-256 ou version"), prints))
    return (f'<!doctype html><html lang="fr"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            f"<title>{escape(plan['title'])}</title><style>{STYLE}</style></head><body><main>{''.join(body)}</main></body></html>\n")
