"""What a panel is refused for, and the French sentence that says so. Nothing refused here is ever turned into NaN."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from essaim.engines.impact.refusal import Refusal

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


class PanelRefused(Refusal):
    """An input that cannot be analysed. ``code`` is stable (``duplicate``, ``moved``, ``lost``…), the message French."""


def _some(names: Sequence[Any], limit: int = 5) -> str:
    shown = ", ".join(str(n) for n in names[:limit])
    return shown + (f" et {len(names) - limit} autres" if len(names) > limit else "")


def columns_present(frame: Any, names: Sequence[str]) -> None:
    """Refuse a column that the frame does not have, or has twice."""
    present = frame.column_names if hasattr(frame, "column_names") else list(frame.columns)
    absent = [n for n in names if n not in present]
    if absent:
        raise PanelRefused("column", f"Colonne(s) absente(s) du fichier : {_some(absent)}.")
    twice = [n for n in dict.fromkeys(names) if list(present).count(n) > 1]
    if twice:
        raise PanelRefused("column", f"Colonne(s) de même nom plusieurs fois dans la table : {_some(twice)}.")


def rows_present(frame: Any) -> None:
    """Refuse a table without rows."""
    if len(frame) == 0:
        raise PanelRefused("empty", "La table n'a aucune ligne (une fois data.where appliqué, s'il y en a un).")


def treatment_declared(cohort: str | None, exposure: str | None) -> None:
    """Refuse a panel in which nothing says who is treated."""
    if cohort is None and exposure is None:
        raise PanelRefused("treatment", "Indiquez la colonne de cohorte (première période traitée) ou d'exposition.")


def weights_positive(weights: Floats) -> None:
    """Refuse null, NaN or negative weights."""
    bad = int((~(weights > 0)).sum())
    if bad:
        raise PanelRefused("weights", f"{bad} ligne(s) ont un poids nul, négatif ou manquant.")


def units_unique(unit: Ints, period: Ints, labels: NDArray[Any], period_labels: Sequence[str]) -> None:
    """Refuse a unit met twice at the same period (UAI duplicated)."""
    key = unit * len(period_labels) + period
    if (key[1:] > key[:-1]).all():
        return
    values, counts = np.unique(key, return_counts=True)
    twice = values[counts > 1]
    if twice.size:
        u, t = divmod(int(twice[0]), len(period_labels))
        raise PanelRefused(
            "duplicate",
            f"{twice.size} couple(s) établissement × période en double, par exemple {labels[u]} en {period_labels[t]}. "
            "Un établissement (UAI) ne peut apparaître qu'une fois par période.",
        )


def constant_in_units(unit: Ints, values: NDArray[Any], labels: NDArray[Any], kind: str, names: NDArray[Any] | None) -> None:
    """Refuse a unit whose cluster or cohort changes over time."""
    order = np.arange(unit.size) if (unit[1:] >= unit[:-1]).all() else np.argsort(unit, kind="stable")
    moved = np.flatnonzero((unit[order][1:] == unit[order][:-1]) & (values[order][1:] != values[order][:-1]))
    if not moved.size:
        return
    changing = np.unique(unit[order][moved])
    if kind == "cluster":
        before, after = values[order][moved[0]], values[order][moved[0] + 1]
        told = f" ({names[before]} puis {names[after]})" if names is not None else ""
        raise PanelRefused(
            "moved", f"{changing.size} établissement(s) changent de département, par exemple {labels[changing[0]]}{told}."
        )
    raise PanelRefused(
        "cohort", f"{changing.size} établissement(s) ont plusieurs dates d'entrée, par exemple {labels[changing[0]]}."
    )


def exposure_complete(exposure: Floats | None) -> None:
    """Refuse an exposure with missing values."""
    if exposure is not None and not np.isfinite(exposure).all():
        raise PanelRefused("exposure", f"{int((~np.isfinite(exposure)).sum())} ligne(s) n'ont pas d'exposition renseignée.")


def covariates_complete(missing: Flags, policy: str, covariates: Floats, names: Sequence[str]) -> None:
    """Refuse missing covariates unless ``policy`` is ``"drop"`` or ``"keep"``."""
    if policy not in ("refuse", "drop", "keep"):
        raise ValueError(f"missing_covariates: {policy!r}")
    if missing.any() and policy == "refuse":
        guilty = [n for j, n in enumerate(names) if not np.isfinite(covariates[:, j]).all()]
        raise PanelRefused(
            "covariates",
            f"{int(missing.sum())} ligne(s) n'ont pas toutes leurs covariables ({_some(guilty)}). Complétez-les, retirez la "
            "covariable, ou demandez explicitement que ces lignes soient écartées.",
        )


def covariates_known(covariates: Floats, names: Sequence[str]) -> None:
    """Refuse, at estimation, covariates that were kept with missing values (only predictors averaged over time may have some)."""
    bad = np.asarray(~np.isfinite(covariates).all(axis=1), np.bool_)
    covariates_complete(bad, "refuse", covariates, names)


def outcome_varies(outcome: Floats, name: str) -> None:
    """Refuse an empty or constant outcome."""
    if outcome.size == 0:
        raise PanelRefused("empty", f"Aucune ligne ne porte de résultat mesuré (colonne « {name} »).")
    if np.ptp(outcome) == 0:
        raise PanelRefused("constant", f"Le résultat « {name} » est constant ({outcome[0]:g}) : rien ne peut être estimé.")


def lost_clusters(columns: Any, kept: Flags, policy: str) -> tuple[tuple[int, str], ...]:
    """Clusters without any row at some period: refused, or returned as (code, label) under ``"drop"`` and ``"keep"``."""
    if policy not in ("refuse", "drop", "keep"):
        raise ValueError(f"lost_clusters: {policy!r}")
    shape = (columns.cluster_labels.size, columns.periods.size)
    seen = np.zeros(shape, bool)
    seen[columns.cluster[kept], columns.period[kept]] = True
    lost = np.flatnonzero(~seen[:, seen.any(axis=0)].all(axis=1))
    if lost.size and policy == "refuse":
        c = int(lost[0])
        absent = [columns.period_labels[t] for t in np.flatnonzero(~seen[c])]
        raise PanelRefused(
            "lost",
            f"{lost.size} département(s) disparaissent du panel : {_some([columns.cluster_labels[i] for i in lost])} "
            f"(par exemple {columns.cluster_labels[c]}, absent en {_some(absent)}).",
        )
    return tuple((int(c), str(columns.cluster_labels[c])) for c in lost)


def never_treated_present(cohort: Floats, periods: Floats) -> None:
    """Refuse a panel in which every unit ends up treated."""
    if not (cohort > periods[-1]).any():
        raise PanelRefused("never", "Aucune unité n'est jamais traitée : il n'y a pas de groupe de comparaison durable.")


def cohort_constant_in_clusters(cohort: Floats, labels: NDArray[Any]) -> None:
    """Refuse a cluster whose units do not share one cohort."""
    mixed = np.flatnonzero(np.isnan(cohort))
    if mixed.size:
        raise PanelRefused(
            "mixed",
            f"{mixed.size} département(s) mêlent plusieurs cohortes ({_some([labels[i] for i in mixed])}) : l'affectation "
            "n'est pas faite au niveau du département.",
        )


def single_cluster_cohorts(cohort: Floats | None, cluster: Ints) -> tuple[float, ...]:
    """Cohorts held by one cluster only: their effect has no estimable variance."""
    if cohort is None:
        return ()
    finite = np.isfinite(cohort)
    pairs = np.unique(np.column_stack([cohort[finite], cluster[finite].astype(np.float64)]), axis=0)
    values, counts = np.unique(pairs[:, 0], return_counts=True)
    return tuple(float(v) for v in values[counts == 1])


def warnings_of(
    no_outcome: int, no_covariate: int, incomplete: int, single: Sequence[float], lost: Sequence[str]
) -> tuple[str, ...]:
    """The sentences the reader must see."""
    said = []
    if no_outcome:
        said.append(f"{no_outcome} ligne(s) sans résultat mesuré ont été écartées.")
    if no_covariate:
        said.append(f"{no_covariate} ligne(s) sans toutes leurs covariables ont été écartées.")
    if incomplete:
        said.append(f"{incomplete} établissement(s) ne sont pas observés à toutes les périodes : panel non cylindré.")
    if lost:
        said.append(f"Départements incomplets : {_some(list(lost))}.")
    for g in single:
        said.append(
            f"La cohorte {g:g} ne compte qu'un département : la variance de son effet n'est pas estimable, seul un rang "
            "parmi des placebos est possible."
        )
    return tuple(said)
