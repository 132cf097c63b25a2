"""Impact estimation against the packages it is checked with, same rows, one run: 50 000 schools × 12 periods, 96 départements of which
12 treated in three waves, 4 covariates. ``ESSAIM_BENCH_SCALE`` multiplies the number of schools.

Peers that would take hours are timed on one estimation and multiplied, which the job says.
"""

from __future__ import annotations

import os
import resource
import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from essaim.engines.impact.did import aggregate, group_time_effects
from essaim.engines.impact.imputation import imputation
from essaim.engines.impact.inference.assignments import assignments
from essaim.engines.impact.inference.randomisation import randomisation_test, romano_wolf
from essaim.engines.impact.inference.statistics import LinearStatistic, stack, staggered_att
from essaim.engines.impact.inference.wild_bootstrap import wild_cluster_bootstrap
from essaim.engines.impact.panel import Panel
from essaim.engines.impact.synthetic_did import synthetic_did
from essaim.engines.impact.twfe import twfe, twfe_event_study

SCHOOLS = int(50_000 * float(os.environ.get("ESSAIM_BENCH_SCALE", "1.0")))
PERIODS, DEPARTMENTS, DRAWS = 12, 96, 9_999
COVARIATES = ["x0", "x1", "x2", "x3"]
GROUPS, INDICATORS = 6, 10


def national(seed: int = 1) -> pd.DataFrame:
    """The national panel: covariates shift trends, départements have common shocks."""
    rng = np.random.default_rng(seed)
    entry = np.zeros(DEPARTMENTS, np.int64)
    entry[rng.choice(DEPARTMENTS, 12, replace=False)] = np.repeat([6, 8, 10], 4)
    school, period = np.repeat(np.arange(SCHOOLS), PERIODS), np.tile(np.arange(1, PERIODS + 1), SCHOOLS)
    department = rng.permutation(SCHOOLS)[school] % DEPARTMENTS
    x = rng.normal(size=(SCHOOLS, 4))
    shock = 0.3 * rng.normal(size=(DEPARTMENTS, PERIODS))
    y = rng.normal(size=SCHOOLS)[school] + 0.1 * x[school, 0] * period + shock[department, period - 1] + rng.normal(size=school.size)
    y += 0.2 * ((entry[department] > 0) & (period >= entry[department]))
    frame = pd.DataFrame({"uai": school, "dep": department, "t": period, "y": y, "g": entry[department]})
    return frame.assign(**{name: x[school, j] for j, name in enumerate(COVARIATES)})


def read(frame: pd.DataFrame, covariates: bool = True) -> Panel:
    """The panel of ``frame``."""
    return Panel.read(
        frame, unit="uai", cluster="dep", time="t", outcome="y", cohort="g", covariates=COVARIATES if covariates else ()
    )


def timed(job: Callable[[], Any], repeat: int = 1) -> float:
    """Median seconds."""
    spent = []
    for _ in range(repeat):
        started = time.perf_counter()
        job()
        spent.append(time.perf_counter() - started)
    return statistics.median(spent)


def peer_cs(frame: pd.DataFrame) -> dict[str, float]:
    """Seconds of each installed package for doubly robust Callaway–Sant'Anna with covariates, analytic errors."""
    out: dict[str, float] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            from csdid.att_gt import ATTgt

            def csdid() -> None:
                ATTgt(
                    yname="y", tname="t", idname="uai", gname="g", data=frame, control_group=["nevertreated"],
                    xformla="y~" + "+".join(COVARIATES),
                ).fit(est_method="dr", bstrap=False)  # fmt: skip

            csdid()
            out["csdid 0.4.3"] = timed(csdid)
        except ImportError:
            pass
        try:
            from moderndid import att_gt

            out["moderndid 0.2.0"] = timed(
                lambda: att_gt(frame, "y", "t", "uai", "g", "~" + "+".join(COVARIATES), est_method="dr", cband=False)
            )
        except ImportError:
            pass
        try:
            from diff_diff import CallawaySantAnna

            out["diff-diff 3.13.0"] = timed(
                lambda: CallawaySantAnna(estimation_method="dr").fit(
                    frame, outcome="y", unit="uai", time="t", first_treat="g", covariates=COVARIATES
                )
            )
        except ImportError:
            pass
    return out


def peer_twfe(frame: pd.DataFrame) -> float | None:
    """Seconds of linearmodels' PanelOLS."""
    try:
        from linearmodels.panel import PanelOLS
    except ImportError:
        return None
    data = frame.assign(d=((frame.g > 0) & (frame.t >= frame.g)) * 1.0).set_index(["uai", "t"])

    def fit() -> None:
        PanelOLS(data.y, data[["d"]], entity_effects=True, time_effects=True).fit(cov_type="clustered", clusters=data.dep)

    return timed(fit)


def peer_bjs(frame: pd.DataFrame) -> float | None:
    """Seconds of diff-diff's imputation."""
    try:
        from diff_diff import ImputationDiD
    except ImportError:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return timed(lambda: ImputationDiD().fit(frame, outcome="y", unit="uai", time="t", first_treat="g"))


def report(frame: pd.DataFrame) -> None:
    """The national report: 6 sub-groups × 10 indicators, each with CS, imputation, synthetic DiD, event study, wild bootstrap;
    9 999 permutations of all of them at once with family-wise correction."""
    panel = read(frame)
    rng = np.random.default_rng(5)
    group = np.arange(panel.unit_labels.size) % GROUPS
    family: list[LinearStatistic] = []
    cohort = panel.cluster_cohort()
    for g in range(GROUPS):
        part = panel.keep(group[panel.unit] == g)
        for _ in range(INDICATORS):
            one = part.with_outcome(part.outcome + rng.normal(size=part.rows))
            aggregate(group_time_effects(one, cluster="cluster", base="universal"), "dynamic").event_study()
            short = one.collapsed()
            imputation(short, cluster="cluster")
            synthetic_did(short, placebos=10)
            twfe_event_study(short)
            wild_cluster_bootstrap(twfe(short), "traitement", short.cluster, draws=DRAWS)
            family.append(staggered_att(one, weighting="cluster"))
    space = assignments(cohort, draws=DRAWS)
    for statistic in family:
        randomisation_test(statistic, cohort, space=space)
    romano_wolf(stack(family), cohort, space)


def row(job: str, ours: float, peer: str = "", peer_seconds: float | None = None, memory: str = "") -> dict[str, Any]:
    """One line of the table, seconds."""
    return {
        "job": job, "ours": ours, "peer": f"{peer} : {peer_seconds:.3g}" if peer_seconds else peer, "limit": "",
        "ratio": f"× {peer_seconds / ours:,.0f}" if peer_seconds else "", "memory": memory,
    }  # fmt: skip


def run(repeat: int = 5) -> list[dict[str, Any]]:
    """Table of the section « impact »; seconds, medians of ours over ``repeat`` runs, peers run once."""
    frame = national()
    panel, plain = read(frame), read(frame, covariates=False)
    group_time_effects(panel)
    synthetic_did(plain.collapsed(), placebos=0)
    peers = peer_cs(frame)
    best = min(peers, key=lambda k: peers[k], default="")
    size = f"{panel.rows:,} lignes".replace(",", " ")
    cs = timed(lambda: aggregate(group_time_effects(read(frame), cluster="cluster"), "dynamic"), repeat)
    rows = [row(f"Callaway–Sant'Anna DR, 4 covariables, {size}, lecture comprise", cs, name, seconds) for name, seconds in peers.items()]
    rows.append(row("le même, panel déjà lu", timed(lambda: group_time_effects(panel, cluster="cluster"), repeat), best, peers.get(best)))
    fit_seconds = peer_twfe(frame)
    rows.append(row("effets fixes, erreurs groupées", timed(lambda: twfe(plain), 1), "linearmodels", fit_seconds))
    rows.append(row("les mêmes, sur sommes département × période", timed(lambda: twfe(plain.collapsed()), repeat), "linearmodels", fit_seconds))
    rows.append(row("imputation, erreurs groupées", timed(lambda: imputation(plain, cluster="cluster"), 1), "diff-diff", peer_bjs(frame)))
    statistic, cohort = staggered_att(plain), plain.cluster_cohort()
    permuted = timed(lambda: randomisation_test(staggered_att(plain), cohort), repeat)
    rows.append(row("9 999 permutations et intervalle", permuted, f"{best} × 9 999 (extrapolé)", peers[best] * DRAWS if best else None))
    short = plain.collapsed()
    fit = twfe(short)
    wild = timed(lambda: wild_cluster_bootstrap(fit, "traitement", short.cluster, draws=DRAWS), repeat)
    rows.append(row("bootstrap sauvage, 9 999 tirages, intervalle", wild, "linearmodels × 9 999 (extrapolé)", fit_seconds and fit_seconds * DRAWS))
    assert statistic.mass.size == DEPARTMENTS
    whole = timed(lambda: report(frame))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rows.append(row("rapport national, 6 sous-groupes × 10 indicateurs (limite 60 s)", whole, memory=f"{peak:,.0f} Mo au plus, pairs compris"))
    return rows
