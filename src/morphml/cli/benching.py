"""What ``morphml bench`` runs and shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from rich.progress import Progress
from rich.text import Text

from morphml.benchmarks import (
    BENCHMARKS,
    PEERS,
    Campaign,
    Comparison,
    Problem,
    competitors,
    digits_cells,
    nasbench101,
    nasbench201,
    nasbench301,
    run_campaign,
    synthetic,
    table,
    with_workers,
)
from morphml.benchmarks import compare as compared
from morphml.benchmarks.statistics import Interval
from morphml.benchmarks.timing import TimedCurves, by_time
from morphml.cli.screen import messages, results, table_of
from morphml.cli.verdicts import explained, networks_table, verdict_table
from morphml.errors import CallerError
from morphml.hints import meant_or_known
from morphml.visualization.anytime import anytime_page, plot_anytime

_TABLES = {".npz", ".csv", ".parquet"}
#: The baseline that everyone is paired with where none is named.
_USUAL = "evolution"
#: Behind a figure that can be told from the baseline's.
_SIGNS = {"beats": " +", "loses": " -", "": "  "}
#: Heads and rows.
Rows: TypeAlias = tuple[Sequence[str], Sequence[tuple[str, ...]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which problem was asked for."""

    benchmark: str
    data_set: str | None
    protocol: str
    path: Path | None
    space: str
    #: Columns of a table of one's own.
    decisions: tuple[str, ...]
    #: As ``name=min``.
    objectives: tuple[str, ...]
    #: Trials at a time under a computed clock; None: one after the other.
    workers: int | None = None


def problem_of(chosen: Choice) -> Problem:
    """The problem.

    Raises:
        CallerError: there is none of that name, its file is not found, or it has no curves for
            several workers.
    """
    problem = _one_by_one(chosen)
    return problem if chosen.workers is None else with_workers(problem, chosen.workers)


def _one_by_one(chosen: Choice) -> Problem:
    if Path(chosen.benchmark).suffix.lower() in _TABLES:
        return table(
            chosen.benchmark,
            decisions=chosen.decisions,
            objectives=dict(_goal(text) for text in chosen.objectives),
        )
    if chosen.benchmark not in BENCHMARKS:
        raise CallerError(
            f"there is no benchmark {chosen.benchmark!r}"
            f"{meant_or_known(chosen.benchmark, BENCHMARKS)}"
        )
    by_name = chosen.objectives and chosen.benchmark == "nasbench201"
    if chosen.decisions or (chosen.objectives and not by_name):
        raise CallerError(
            "--decision and --objective are for a table of your own; --objective with a column's "
            "name for nasbench201, too"
        )
    data_set = chosen.data_set or BENCHMARKS[chosen.benchmark].data_sets[0]
    if chosen.benchmark == "synthetic":
        return synthetic(data_set)
    if chosen.benchmark == "digits-cells":
        return digits_cells(chosen.protocol, space=chosen.space, path=chosen.path)
    if chosen.benchmark == "nasbench301":
        if chosen.path is None:
            raise CallerError("nasbench301: give --path to a folder of its models saved as JSON")
        return nasbench301(chosen.path)
    if chosen.benchmark == "nasbench101":
        if chosen.path is None:
            raise CallerError("nasbench101: give --path to a published nasbench_*.tfrecord")
        return nasbench101(chosen.path, chosen.protocol)
    return nasbench201(
        data_set,
        chosen.protocol,
        path=chosen.path,
        space=chosen.space,
        objectives=chosen.objectives,
    )


def _goal(text: str) -> tuple[str, str]:
    name, _, direction = text.partition("=")
    return name, direction or "max"


def campaign_of(
    problem: Problem, optimizers: str, seeds: int, trials: int, folder: Path
) -> Campaign:
    """What is to be run.

    Raises:
        CallerError: there is no such optimizer.
    """
    names = competitors(optimizers, simulated=problem.workers > 0)
    return Campaign(problem=problem, names=names, seeds=seeds, trials=trials, folder=folder)


def run(campaign: Campaign, baseline: str | None, processes: int, *, quiet: bool) -> Comparison:
    """Run what is not there yet, say how far it is, and compare."""
    usual = _USUAL if _USUAL in campaign.names else campaign.names[0]
    if baseline is not None and baseline not in campaign.names:
        raise CallerError(f"--baseline: {baseline!r} is not among {', '.join(campaign.names)}")
    with Progress(console=messages(), transient=True, disable=quiet) as progress:
        bar = progress.add_task("Searching", total=len(campaign.names) * campaign.seeds)
        runs = run_campaign(
            campaign,
            processes=processes,
            told=lambda done, _: progress.update(bar, completed=done),
        )
    return compared(runs, unit=unit_of(campaign.problem), baseline=baseline or usual)


def timed(campaign: Campaign) -> TimedCurves:
    """What was missing at moments of the simulated clock; all searches are done.

    Raises:
        CallerError: no clock was simulated.
    """
    return by_time(run_campaign(campaign))


def unit_of(problem: Problem) -> str:
    """The unit of what is missing."""
    if problem.verdict == "hypervolume":
        return "share"
    judged = problem.answer or problem.measures[0]
    return judged.unit


def missing_table(comparison: Comparison) -> Rows:
    """What is missing after some evaluations, and whether that beats the baseline."""
    marks = comparison.standings[0].marks
    heads = ["optimizer", *(f"after {mark.evaluations}" for mark in marks), "p"]
    rows = []
    for standing in comparison.standings:
        cells = [f"{_interval(m.missing)}{_SIGNS[m.word]}" for m in standing.marks]
        rows.append((standing.optimizer, *cells, _probability(standing.marks[-1].p)))
    return heads, rows


def paired_table(comparison: Comparison) -> Rows:
    """Differences from the baseline with the same seed."""
    marks = comparison.standings[0].marks
    heads = ["optimizer", *(f"after {mark.evaluations}" for mark in marks)]
    rows = [
        (standing.optimizer, *(_interval(m.apart) for m in standing.marks if m.apart is not None))
        for standing in comparison.standings
        if standing.optimizer != comparison.baseline
    ]
    return heads, rows


def cost_table(comparison: Comparison) -> Rows:
    """What a search of each took, as means."""
    heads = ["optimizer", "evaluations", "points", "networks", "answered", "ms"]
    rows = [
        (
            each.optimizer,
            f"{each.evaluations:.0f}",
            f"{each.vectors:.0f}",
            "" if each.networks is None else f"{each.networks:.0f}",
            f"{each.answered:.0f}",
            f"{each.ask_ms:.2f}",
        )
        for each in comparison.standings
    ]
    return heads, rows


def show(comparison: Comparison) -> None:
    """The tables, and how to read them."""
    for title, (heads, rows) in _tables(comparison).items():
        if rows:
            numeric = {head: head != heads[0] for head in heads}
            shown = table_of(title, numeric, rows)
            shown.columns[0].no_wrap = True
            results().print(shown)
    results().print(
        Text(
            f"Means ± half of 95 % intervals. + beats {comparison.baseline}, - loses: the interval "
            f"of the differences lies on one side of 0. p: signed ranks after {comparison.trials}, "
            "Holm. points, networks: different ones among the evaluations. answered: repeats that "
            "cost none. ms: processor time of one ask and tell. " + explained(comparison)
        )
    )


def _tables(comparison: Comparison) -> dict[str, Rows]:
    return {
        f"{comparison.problem}: missing {_judged(comparison)}, {comparison.seeds} seeds": (
            missing_table(comparison)
        ),
        f"less that of {comparison.baseline}": paired_table(comparison),
        f"against {comparison.baseline}": verdict_table(comparison),
        "missing by different networks evaluated": networks_table(comparison),
        "what a search took": cost_table(comparison),
    }


def draw(comparison: Comparison, path: Path, timed: TimedCurves | None = None) -> None:
    """Write the picture, or the page.

    Args:
        comparison: what was found.
        path: the file.
        timed: what was missing at moments of the computed clock; then these are drawn.

    Raises:
        CallerError: the ending is none of .png, .svg, .html.
        MissingExtraError: matplotlib is not installed.
    """
    curves = {
        each.optimizer: [(i.mean, i.half) for i in each.curves[comparison.verdict]]
        for each in comparison.standings
    }
    if timed is not None:
        curves = {name: [(i.mean, i.half) for i in curve] for name, curve in timed.curves.items()}
    picture = plot_anytime(
        curves,
        title=comparison.problem,
        label=f"missing of {_judged(comparison)}",
        times=None if timed is None else timed.seconds,
    )
    if path.suffix.lower() != ".html":
        picture.save(path)
        return
    page = anytime_page(picture, comparison.problem, _tables(comparison))
    path.write_text(page, encoding="utf-8")


def listed() -> dict[str, list[dict[str, str]]]:
    """Benchmarks and peers, as rows of texts."""
    return {
        "benchmarks": [
            {
                "name": name,
                "what": each.use,
                "data sets": ", ".join(each.data_sets),
                "protocols": ", ".join(each.protocols),
                "needs": each.needs,
                "source": each.source,
            }
            for name, each in BENCHMARKS.items()
        ],
        "peers": [
            {
                "name": name,
                "what": peer.use,
                "installed": peer.version or f"no: pip install {peer.package}",
            }
            for name, peer in PEERS.items()
        ],
    }


def _judged(comparison: Comparison) -> str:
    """What counts, with its unit where it has one."""
    return comparison.verdict + (f" ({comparison.unit})" if comparison.unit else "")


def _interval(given: Interval) -> str:
    if given.mean == float("inf"):
        return "nothing yet"
    return f"{given.mean:.3f} ± {given.half:.3f}"


def _probability(p: float | None) -> str:
    return "" if p is None else f"{p:.3f}" if p >= 0.001 else "< .001"
