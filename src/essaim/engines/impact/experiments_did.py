"""Two groups, two dates, on the panel: doubly robust difference-in-differences on repeated data (Sant'Anna & Zhao 2020)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from essaim.engines.impact import panel_checks as checks
from essaim.engines.impact.did.repeated import two_group_repeated
from essaim.engines.impact.did.two_by_two import NotEstimable, two_group_panel
from essaim.engines.impact.estimates import Estimate
from essaim.engines.impact.panel import Panel, PanelRefused
from essaim.engines.impact.stable import sums

Floats = NDArray[np.float64]


def two_group_did(
    panel: Panel, *, before: float, after: float, method: str = "dr", repeated: bool | None = None, cluster: str = "cluster",
    level: float = 0.95,
) -> Estimate:  # fmt: skip
    """Effect on units treated between ``before`` and ``after`` (period values), against those untreated at ``after``.

    ``repeated``: treat rows as repeated cross-sections (default: only when the panel is). Covariates are taken at ``before``.
    Standard errors from influence functions summed by ``cluster`` or ``unit``, without small-sample factor.
    """
    checks.covariates_known(panel.covariates, panel.covariate_names)
    if panel.cohort is None:
        raise PanelRefused("cohort", "Cet estimateur demande une colonne de cohorte.")
    for date in (before, after):
        if date not in panel.periods:
            raise PanelRefused("period", f"La période {date:g} n'existe pas dans le panel.")
    already = panel.cohort <= before
    panel = panel.keep(np.isin(panel.period_value, (before, after)) & ~already)
    try:
        rows = panel.is_repeated_cross_section if repeated is None else repeated
        value, influence, codes, groups, n = (_on_rows if rows else _on_units)(panel, after, method, cluster)
    except NotEstimable as why:
        raise PanelRefused("cells", f"L'effet n'est pas estimable : {why}.") from why
    totals = sums(codes, influence, groups)
    error = float(np.sqrt((totals**2).sum())) / n
    z = float(stats.norm.ppf(0.5 + level / 2))
    assert panel.cohort is not None
    treated = np.unique(panel.cluster[panel.cohort <= after]).size
    said = () if treated > 1 else ("Un seul département traité : la variance n'est pas estimable.",)
    known = cluster != "cluster" or treated > 1
    return Estimate(
        "ATT", f"différence de différences ({method})", value, error if known else None, value - z * error if known else None,
        value + z * error if known else None, float(2 * stats.norm.sf(abs(value) / error)) if known and error > 0 else None,
        "fonction d'influence, niveau " + ("établissement" if cluster == "unit" else "département"), panel.rows,
        panel.unit_labels.size, panel.cluster_labels.size, int(treated), said, influence,
    )  # fmt: skip


def _on_units(panel: Panel, after: float, method: str, cluster: str) -> tuple[float, Floats, NDArray[np.int64], int, int]:
    panel = panel.balanced()
    wide = panel.wide()
    first = panel.first_row()
    codes, cohort = panel.unit_table()
    x = np.vstack([np.ones(first.size), panel.covariates[first].T])
    part = two_group_panel((wide[:, 1] - wide[:, 0])[None], np.where(cohort <= after, 1.0, 0.0), x, panel.weights[first], method)
    groups = panel.cluster_labels.size
    if cluster == "unit":
        codes, groups = np.arange(first.size), first.size
    return float(part.att[0]), part.influence[0], codes, groups, first.size


def _on_rows(panel: Panel, after: float, method: str, cluster: str) -> tuple[float, Floats, NDArray[np.int64], int, int]:
    assert panel.cohort is not None
    x = np.vstack([np.ones(panel.rows), panel.covariates.T])
    post = np.where(panel.period_value == after, 1.0, 0.0)
    part = two_group_repeated(panel.outcome, post, np.where(panel.cohort <= after, 1.0, 0.0), x, panel.weights, method)
    codes, groups = (panel.cluster, panel.cluster_labels.size) if cluster == "cluster" else (panel.unit, panel.unit_labels.size)
    return float(part.att[0]), part.influence[0], codes, groups, panel.rows
