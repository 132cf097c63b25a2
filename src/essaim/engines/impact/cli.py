"""Command line of the evaluation engine: ``essaim study new|power|assign|freeze|run|report|replicate``, on files.

Exit codes: 0 done (an inconclusive study is a result) · 2 wrong usage · 3 plan refused · 4 plan not frozen, or changed since ·
5 data refused · 6 the question cannot be answered with this design (results are still written) · 7 replication differs.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn

import click
import numpy as np
import polars as pl
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from essaim.engines.impact.design.assignment import Assignment, rerandomised, stepped_wedge, stratified
from essaim.engines.impact.plots.svg import number
from essaim.engines.impact.refusal import Refusal
from essaim.engines.impact.study.canonical import canonical_json
from essaim.engines.impact.study.figures import figures_of, figures_of_analysis
from essaim.engines.impact.study.foresight import design_power, planned_power
from essaim.engines.impact.study.frames import columns_used, panel_of, prepared, read_table
from essaim.engines.impact.study.labels import INTERVALS, label_of
from essaim.engines.impact.study.plan import TEMPLATE, Data, Plan, PlanInvalid, read_plan
from essaim.engines.impact.study.replication import check_lock, lock_of, replicate, replication_pack
from essaim.engines.impact.study.report import report_html
from essaim.engines.impact.study.results import DesignPower, Study
from essaim.engines.impact.study.run import run

PLAN_REFUSED, NOT_FROZEN, DATA_REFUSED, NO_ANSWER, DIFFERENT = 3, 4, 5, 6, 7
WRONG_USAGE = 2


class WrongUsage(click.ClickException):
    """A command badly written: told in French, exit code 2."""

    exit_code = WRONG_USAGE

    def show(self, file: Any = None) -> None:
        click.echo(f"Commande mal employée : {self.message}", err=True)


class ExistingFile(click.Path):
    """A file that must exist; told in French when it does not."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        path = Path(value)
        if not path.is_file():
            raise WrongUsage(f"fichier introuvable : {path.name}.")
        return path


class StudyGroup(click.Group):
    """Group whose usage errors are French and end with code 2."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args:
            click.echo(ctx.get_help(), err=True)
            ctx.exit(WRONG_USAGE)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            raise WrongUsage(f"{_wrong(error)} Voir : {(error.ctx or ctx).command_path} --help") from None

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and self.get_command(ctx, args[0]) is None:
            raise WrongUsage(f"commande inconnue : {args[0]}. Commandes : {', '.join(self.list_commands(ctx))}.")
        return super().resolve_command(ctx, args)


def _wrong(error: click.UsageError) -> str:
    if isinstance(error, click.MissingParameter):
        return f"il manque {_named(error.param)}."
    if isinstance(error, click.NoSuchOption):
        return f"option inconnue : {error.option_name}."
    if isinstance(error, click.BadOptionUsage):
        return f"l'option {error.option_name} attend une valeur."
    if isinstance(error, click.BadParameter):
        return f"valeur irrecevable pour {_named(error.param)} : un fichier est attendu, ou un dossier pour --out."
    return "argument en trop ou option mal placée."


def _named(param: click.Parameter | None) -> str:
    if isinstance(param, click.Option):
        return f"l'option {param.opts[0]}"
    return f"l'argument {param.make_metavar(click.Context(click.Command('study')))}" if param is not None else "un argument"


Existing = ExistingFile()


def _stop(code: int, message: str) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(code)


def _refusals_told(command: Callable[..., Any]) -> Callable[..., Any]:
    """Turn refusals into a sentence and an exit code."""

    @wraps(command)
    def told(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except PlanInvalid as refusal:
            _stop(PLAN_REFUSED, "Plan refusé :\n" + "\n".join(f"  · {fault}" for fault in refusal.faults))
        except Refusal as refusal:
            _stop(NOT_FROZEN if refusal.code == "frozen" else DATA_REFUSED, f"Refusé ({refusal.code}) : {refusal.message}")

    return told


def _plan(path: Path) -> Plan:
    try:
        return read_plan(path.read_text("utf-8"))
    except UnicodeDecodeError:
        raise PlanInvalid(("le fichier n'est pas en UTF-8",)) from None


HELP = """Évaluer : concevoir, tirer au sort, figer, exécuter, raconter, refaire une étude.

Dans l'ordre : new, power, assign (si l'on tire au sort), freeze, run, puis report ou replicate.

Codes de sortie : 0 terminé (ne pas pouvoir conclure est un résultat) ; 2 commande mal employée ; 3 plan refusé ; 4 plan non figé, ou
changé depuis ; 5 données refusées ; 6 la question ne peut pas recevoir de réponse avec ce plan ; 7 réplication différente.
"""


@click.group(cls=StudyGroup, name="study", help=HELP, short_help="Évaluer : concevoir, figer, exécuter, refaire une étude.")
def study() -> None:
    """Group of the commands; mounted by ``essaim``."""


@study.command("new", help="Écrit un plan à remplir.")
@click.argument("path", metavar="[PLAN]", type=click.Path(dir_okay=False, path_type=Path), default="plan.yaml")
@_refusals_told
def new(path: Path) -> None:
    """Write the template; never overwrites."""
    if path.exists():
        raise WrongUsage(f"{path.name} existe déjà : choisir un autre nom.")
    path.write_text(TEMPLATE, "utf-8")
    click.echo(f"Plan à remplir : {path.name}. Ensuite : essaim study power {path.name} --data PANEL_PASSÉ, puis essaim study freeze {path.name}.")


@study.command("power", help="Dit ce que l'étude pourra voir, avant tout résultat.")
@click.argument("plan_path", type=Existing, metavar="PLAN")
@click.option("--data", "data_path", type=Existing, help="Panel passé (csv, parquet, dta).")
@_refusals_told
def power(plan_path: Path, data_path: Path | None) -> None:
    """Planned roll-out on a past panel (``design.rollout``), or the roll-out in the data; analyses of power need no data."""
    plan = _plan(plan_path)
    if plan.design.kind == "analyses" or data_path is None:
        return _power_of_analyses(plan)
    frame = prepared(read_table(data_path), plan.data)
    lost = False
    for outcome in plan.data.outcomes:
        told = _power(plan, frame, outcome)
        click.echo(f"{outcome} : {told.answer}")
        if told.unanswerable:
            lost = True
            click.echo(f"  Cette question ne peut pas recevoir de réponse avec ce plan : {told.unanswerable}")
    if lost:
        sys.exit(NO_ANSWER)
    return None


def _power_of_analyses(plan: Plan) -> None:
    asked = tuple(a for a in plan.analyses if a.kind.endswith("_power"))
    if not asked:
        raise WrongUsage("Ce plan se juge sur un panel passé : ajoutez --data FICHIER. Sans données, il faudrait qu'il demande mean_power, cluster_power ou wedge_power.")
    design = plan.design.model_copy(update={"kind": "analyses", "strata": None, "balance_on": ()})
    only = plan.model_copy(update={"analyses": asked, "design": design, "data": Data()})
    for found in run(only, pl.DataFrame()).analyses:
        click.echo(f"{found.name} : " + " ; ".join(f"{k} = {number(v, 7)}" for k, v in found.values.items()))


def _power(plan: Plan, frame: pl.DataFrame, outcome: str) -> DesignPower:
    if plan.design.rollout:
        cluster, period = plan.data.cluster or plan.data.unit, plan.data.period
        columns_used(frame, [cluster, period, outcome])
        table = frame.filter(pl.col(outcome).is_not_null()).group_by([str(cluster), str(period)]).agg(pl.col(outcome).mean()).pivot(
            on=str(period), index=str(cluster), values=outcome, sort_columns=True).sort(str(cluster))
        periods = tuple(c for c in table.columns if c != cluster)
        return planned_power(table.select(periods).to_numpy().astype(np.float64), periods, plan)
    return design_power(panel_of(frame, plan.data, outcome), plan)


@study.command("assign", help="Tire au sort les bras ou les vagues, avec la graine publiée du plan.")
@click.argument("plan_path", type=Existing, metavar="PLAN")
@click.option("--data", "data_path", type=Existing, required=True, help="Une ligne par unité à tirer.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default="affectation.csv", show_default=True, help="Fichier écrit.")
@_refusals_told
def assign(plan_path: Path, data_path: Path, out: Path) -> None:
    """Draw arms (``design.arms``) or waves (``design.waves``) for the clusters (else units) of the file."""
    plan = _plan(plan_path)
    drawn = _draw(plan, prepared(read_table(data_path), plan.data))
    lines = ["unite;bras"] + [f"{label};{arm}" for label, arm in zip(drawn.labels, drawn.arm, strict=True)]
    out.write_text("\n".join(lines) + "\n", "utf-8")
    click.echo(f"{len(drawn.labels)} unités tirées ({drawn.method}, graine « {drawn.seed} », {drawn.attempts} essai(s)).")
    click.echo(f"Empreinte du tirage : {drawn.fingerprint}")


def _draw(plan: Plan, frame: pl.DataFrame) -> Assignment:
    d, who = plan.design, plan.data.cluster or plan.data.unit
    if who is None:
        raise PlanInvalid(("data.cluster ou data.unit : nommer la colonne des unités à tirer",))
    columns_used(frame, [who, d.strata, *d.balance_on])
    labels = [str(v) for v in frame[who].to_list()]
    strata = None if d.strata is None else [str(v) for v in frame[d.strata].to_list()]
    if d.waves:
        return stepped_wedge(labels, d.waves, seed=d.seed, strata=strata)
    if not d.arms:
        raise PlanInvalid(("design.arms ou design.waves : dire combien d'unités va dans chaque bras ou chaque vague",))
    if d.balance_on:
        x = frame.select(pl.col(c).cast(pl.Float64) for c in d.balance_on).to_numpy().astype(np.float64)
        return rerandomised(labels, x, d.arms, seed=d.seed, strata=strata, acceptance=d.acceptance)
    return stratified(labels, d.arms, seed=d.seed, strata=strata)


def lock_path(plan_path: Path) -> Path:
    """Where the lock of a plan stands: beside it."""
    return plan_path.with_suffix(".lock.json")


@study.command("freeze", help="Fige le plan : son empreinte SHA-256 et les versions des programmes.")
@click.argument("plan_path", type=Existing, metavar="PLAN")
@_refusals_told
def freeze(plan_path: Path) -> None:
    """Write the lock beside the plan; a changed plan is not refrozen silently."""
    plan, lock = _plan(plan_path), lock_path(plan_path)
    if lock.exists():
        check_lock(plan, json.loads(lock.read_text("utf-8")))
    lock.write_text(canonical_json(lock_of(plan), indent=1) + "\n", "utf-8")
    click.echo(f"Plan figé : {plan.sha256}")


@study.command("run", help="Exécute le plan : results.json, report.html, graphiques.")
@click.argument("plan_path", type=Existing, metavar="PLAN")
@click.option("--data", "data_path", type=Existing, help="Données (csv, parquet, dta).")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default="results", show_default=True, help="Dossier écrit.")
@click.option("--frozen/--exploratory", default=True, help="Exige un plan figé (par défaut), ou exploration déclarée.")
@_refusals_told
def run_command(plan_path: Path, data_path: Path | None, out: Path, frozen: bool) -> None:
    """Power is printed before any result; exit 6 when the design cannot answer."""
    plan = _plan(plan_path)
    _check_frozen(plan, plan_path, frozen)
    frame = read_table(data_path) if data_path else pl.DataFrame()
    found = _with_progress(plan, frame)
    _written(found, out)
    for indicator in found.indicators:
        click.echo(f"{indicator.outcome} — ce que l'étude pouvait voir : {indicator.design.answer}")
        click.echo(f"{indicator.outcome} — {indicator.conclusion.text}")
    for analysis in found.analyses:
        click.echo(f"{analysis.name} : {analysis.label}.{_main_numbers(analysis.values)}")
    click.echo(f"Résultats : {out.name}/results.json (empreinte {found.sha256}).")
    if not found.can_conclude:
        click.echo("Cette question ne peut pas recevoir de réponse avec ce plan.", err=True)
        sys.exit(NO_ANSWER)


def _main_numbers(values: dict[str, Any]) -> str:
    """The first numbers of an analysis: scalars, then intervals and effects with their errors."""
    shown = [f"{label_of(k)} = {number(v)}" for k, v in values.items() if isinstance(v, int | float) and not isinstance(v, bool)]
    pairs = {k: v for k, v in values.items() if isinstance(v, list) and len(v) == 2 and all(isinstance(x, int | float) for x in v)}
    shown += [f"{label_of(k).partition(' : ')[0]} = " + (f"de {number(a)} à {number(b)}" if k in INTERVALS else f"{number(a)} ({number(b)})")
              for k, (a, b) in pairs.items()]  # fmt: skip
    return f" {' ; '.join(shown[:6])}." if shown else ""


def _check_frozen(plan: Plan, plan_path: Path, frozen: bool) -> None:
    lock = lock_path(plan_path)
    if not frozen:
        click.echo("Exploration : ce résultat n'est pas celui d'un plan figé avant de regarder les données.", err=True)
    elif not lock.exists():
        raise Refusal("frozen", "Ce plan n'est pas figé. Le figer avant de regarder les résultats : essaim study freeze ; "
                                "ou déclarer une exploration : --exploratory.")
    else:
        check_lock(plan, json.loads(lock.read_text("utf-8")))


def _with_progress(plan: Plan, frame: pl.DataFrame) -> Study:
    console = Console(stderr=True)
    with Progress(TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"), TimeElapsedColumn(),
                  console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("lecture", total=1)
        return run(plan, frame, progress=lambda step, done, total: bar.update(task, description=step, completed=done, total=total))


def _written(found: Study, out: Path) -> None:
    (out / "plots").mkdir(parents=True, exist_ok=True)
    text = found.to_json()
    (out / "results.json").write_text(text, "utf-8")
    _report(text, out)


def _report(text: str, out: Path) -> None:
    (out / "report.html").write_text(report_html(text), "utf-8")
    content = json.loads(text)["study"]
    unit = content["plan"]["indicator"]["unit"]
    figures = [f for i in content["indicators"] for f in figures_of(i, unit)] + [f for a in content["analyses"] for f in figures_of_analysis(a, unit)]
    for figure in figures:
        (out / "plots" / f"{figure.name}.svg").write_text(figure.svg + "\n", "utf-8")


@study.command("report", help="Refait report.html et les graphiques à partir de results.json.")
@click.argument("results_path", type=Existing, metavar="RESULTS.JSON")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Dossier écrit. Défaut : celui de results.json.")
@_refusals_told
def report(results_path: Path, out: Path | None) -> None:
    """Nothing is computed again."""
    folder = out or results_path.parent
    (folder / "plots").mkdir(parents=True, exist_ok=True)
    try:
        _report(results_path.read_text("utf-8"), folder)
    except (json.JSONDecodeError, KeyError):
        raise Refusal("results", f"{results_path.name} n'est pas un fichier de résultats d'Essaim.") from None
    click.echo(f"Rapport : {folder.name}/report.html")


@study.command("replicate", help="Plan → dossier de réplication ; dossier .zip → le refait et compare.")
@click.argument("path", metavar="PLAN|ARCHIVE.ZIP", type=Existing)
@click.option("--data", "data_path", type=Existing, help="Données de l'étude (pour faire un dossier).")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default="replication.zip", show_default=True, help="Archive écrite, à partir d'un plan.")
@click.option("--twin", is_flag=True, help="Mettre un jumeau synthétique à la place des données.")
@_refusals_told
def replicate_command(path: Path, data_path: Path | None, out: Path, twin: bool) -> None:
    """Make a pack, or redo one (exit 7 when results differ)."""
    if path.suffix == ".zip":
        same, _, sentence = replicate(path.read_bytes())
        click.echo(sentence)
        if not same:
            sys.exit(DIFFERENT)
        return
    plan = _plan(path)
    _check_frozen(plan, path, True)
    frame = read_table(data_path) if data_path else pl.DataFrame()
    found = _with_progress(plan, frame)
    out.write_bytes(replication_pack(path.read_text("utf-8"), frame, found, twin=twin, name=out.name))
    click.echo(f"Dossier de réplication : {out.name}")
