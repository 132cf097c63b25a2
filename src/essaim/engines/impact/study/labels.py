"""French names of the numbers that further analyses give, for the report; the JSON keeps the keys."""

from __future__ import annotations

LABELS = {
    "aic": "AIC", "alpha": "alpha de Cronbach", "alpha_interval": "intervalle d'alpha", "alpha_without": "alpha sans la question",
    "anderson_rubin": "intervalle d'Anderson–Rubin", "assignments": "affectations comptées", "att_gt": "ATT(g, t) : vague, période, effet, erreur-type",
    "attacker": "ce que l'attaquant peut déduire", "balance_after": "équilibre après appariement", "balance_before": "équilibre avant appariement",
    "bayes_factor": "facteur de Bayes d'un test passé", "band": "bande simultanée", "limits": "par ancienneté, basse, haute", "critical_value": "valeur critique",
    "leads": "avant l'entrée : ancienneté, écart, erreur-type", "between": "variance entre grappes", "bic": "BIC", "breakdown": "valeur de rupture",
    "calendar": "par période : effet, erreur-type", "calendar_parts": "par période : période, effet, erreur-type", "cells": "cellules", "cfi": "CFI",
    "change": "changement net", "chi2": "χ², degrés de liberté, p", "clusters": "grappes", "coefficient": "coefficient",
    "cohorts": "par vague : vague, effet, poids", "comparison": "comparaison : avant, après", "comparisons": "comparaisons : genre, traitée, témoin, poids, effet",
    "controls": "grappes de comparaison", "converged": "convergence", "cost": "coût des suppressions", "detectable_slope_50": "pente vue une fois sur deux",
    "detectable_slope_80": "pente vue huit fois sur dix", "df": "degrés de liberté", "dynamic": "par ancienneté : effet, erreur-type",
    "dynamic_parts": "par ancienneté : ancienneté, effet, erreur-type", "effect": "effet", "effects": "effets et erreurs-types",
    "enumerated": "toutes les affectations énumérées", "erreygers": "indice d'Erreygers", "erreygers_error": "erreur-type (Erreygers)",
    "errors": "erreurs", "estimate": "effet", "event_study": "par ancienneté : ancienneté, effet, erreur-type", "exposed": "cellules encore exposées",
    "extrapolation": "poids négatifs (extrapolation)", "first_stage_f": "F de première étape", "forbidden_weight": "poids des comparaisons interdites",
    "gap": "écart au synthétique : période, écart", "group": "par vague : effet, erreur-type", "group_parts": "par vague : vague, effet, erreur-type", "groups": "groupes",
    "hidden": "cellules à cacher", "high": "borne haute", "icc": "corrélation intra-grappe", "imbalance": "déséquilibre avant, après augmentation",
    "incomplete": "réponses incomplètes", "interval": "intervalle", "intervals": "intervalles : écart permis, borne basse, borne haute", "is_heywood": "cas de Heywood",
    "is_optimal": "coût minimal prouvé", "item_total": "corrélation question–total", "items": "questions", "likelihood_ratio": "rapport de vraisemblance",
    "loadings": "saturations", "log_likelihood": "log-vraisemblance", "low": "borne basse", "lower": "borne inférieure", "lower_error": "erreur-type (borne inférieure)",
    "marginal_reliability": "fidélité marginale", "matches": "appariements : traitée, comparaison, distance", "mde": "plus petit effet détectable",
    "mean": "moyenne", "mean_after_pass": "coefficients attendus après un test passé", "method": "méthode", "n_per_group": "effectif par groupe",
    "negative_cells": "cellules traitées de poids négatif", "observations": "observations", "observed": "résultats observés", "omega": "oméga", "omega_hierarchical": "oméga hiérarchique",
    "omega_total": "oméga total", "general_loadings": "saturations sur le facteur général",
    "original": "intervalle usuel", "overall": "effet global : effet, erreur-type", "p_greater": "p unilatérale (plus grand)", "p_less": "p unilatérale (plus petit)",
    "p_two_sided": "p bilatérale", "p_value": "p", "penalty": "pénalité", "periods": "périodes", "persons": "personnes", "placebos": "placebos",
    "possible": "affectations possibles", "post_mspe": "écart quadratique moyen après", "power": "puissance", "pre_mspe": "écart quadratique moyen avant",
    "pretest": "test des tendances passées : W, degrés de liberté, p", "pretest_refused": "test des tendances passées", "primary": "cellules sensibles et raison",
    "q": "q affûtés", "ratios": "rapports après / avant", "rmsea": "RMSEA et son intervalle", "sargan": "Sargan : statistique, p", "set": "écarts permis",
    "set_aside": "lignes écartées", "simple": "effet moyen : effet, erreur-type", "srmr": "SRMR", "standard": "indice de concentration",
    "standard_error": "erreur-type", "std_error": "erreur-type", "t": "t", "tli": "TLI", "treated": "traitées", "trimmed": "part écartée",
    "trimmed_group": "groupe écarté", "two_way": "effets fixes doubles", "units": "unités", "unmatched": "sans comparaison", "upper": "borne supérieure",
    "upper_error": "erreur-type (borne supérieure)", "variance": "variance", "wagstaff": "indice de Wagstaff", "wagstaff_error": "erreur-type (Wagstaff)",
    "warnings": "avertissements", "weights": "poids", "within": "variance dans les grappes", "without_donor": "effet sans ce donneur",
    "wu_hausman": "Wu–Hausman : statistique, p",
}  # fmt: skip


INTERVALS = ("original", "interval", "alpha_interval", "anderson_rubin")
WORDS = {
    "treated_never": "traitée contre jamais traitée", "early_late": "première contre pas encore traitée", "late_early": "dernière contre déjà traitée",
    "late_always": "contre toujours traitée", "placebo": "placebos", "treated": "traités", "control": "témoins",
}  # fmt: skip


def label_of(key: str) -> str:
    """French name of a number; ``…_exact`` is its exact fraction; a key without a name (a column, an arm) is shown as it is."""
    if key.endswith("_exact"):
        return f"{label_of(key.removesuffix('_exact'))}, exactement"
    return LABELS.get(key, key)
