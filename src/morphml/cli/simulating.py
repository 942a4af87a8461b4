"""What ``morphml simulate`` runs and shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.progress import Progress
from rich.text import Text

from morphml.cli.screen import messages, results, table_of
from morphml.scheduling.policies import create_policy, policy_names
from morphml.testing.simulator import (
    SCENARIOS,
    Case,
    Size,
    Summary,
    create_scenario,
    run_campaign,
)
from morphml.testing.simulator.summary import Mean
from morphml.visualization.markup import duration
from morphml.visualization.scales import time_unit
from morphml.visualization.scheduling import PolicyFigures, plot_scheduling, scheduling_page

_ALL = "all"
#: Tasks of all runs together below which more processes are not worth their start.
_FEW_TASKS = 20_000
#: Heads of the table of one scenario; those in the middle depend on it.
_HEADS = ("policy", "takes", "over bound %")
_PLAN = ("workers", "policy", "takes", "over bound %", "idle %", "saves")
#: Columns that hold words.
_WORDS = frozenset({"policy", "scenario"})


def policies(asked: str) -> list[str]:
    """Names of policies.

    Raises:
        SchedulingError: one of them is none; says what there is.
    """
    names = list(policy_names()) if asked == _ALL else asked.split(",")
    return [create_policy(name.strip()).name for name in names]


def cases(size: Size, names: Sequence[str], scenario: str | None) -> list[Case]:
    """What is to be run; without a scenario also with one worker more, and with twice as many."""
    if scenario is None:
        sizes = [_with_workers(size, n) for n in (size.workers, size.workers + 1, 2 * size.workers)]
        made = [create_scenario("homogeneous", each) for each in sizes]
    else:
        wanted = list(SCENARIOS) if scenario == _ALL else scenario.split(",")
        made = [create_scenario(name.strip(), size) for name in wanted]
    return [Case(scenario=each, policy=name) for each in made for name in names]


def run(given: Sequence[Case], seeds: int, processes: int, *, quiet: bool) -> list[Summary]:
    """Run all of it, and say how far it is."""
    if seeds * sum(each.scenario.tasks for each in given) < _FEW_TASKS:
        processes = 1
    with Progress(console=messages(), transient=True, disable=quiet) as progress:
        bar = progress.add_task("Simulating", total=len(given) * seeds)
        return run_campaign(
            given,
            range(seeds),
            processes=processes,
            told=lambda done, _: progress.update(bar, completed=done),
        )


def show_table(summaries: Sequence[Summary]) -> None:
    """A table for each scenario, with one line for each policy."""
    console = results()
    for scenario in dict.fromkeys(each.scenario for each in summaries):
        mine = [each for each in summaries if each.scenario == scenario]
        heads, rows = table_rows(mine)
        numeric = {head: head not in _WORDS for head in heads}
        console.print(table_of(title_of(mine[0]), numeric, rows))


def title_of(summary: Summary) -> str:
    """What was simulated, in one line."""
    return (
        f"{summary.scenario}: {summary.tasks} tasks, {summary.workers} workers, "
        f"{summary.slots} slots, {summary.seeds} seeds"
    )


def table_rows(summaries: Sequence[Summary]) -> tuple[list[str], list[tuple[object, ...]]]:
    """Heads and cells of one scenario's table; all times in the unit that its head says."""
    seconds, unit = time_unit(max(each.makespan_s.value for each in summaries))
    priorities = list(summaries[0].waits)
    several = len(priorities) > 1
    heads = list(_HEADS)
    heads[1] += f", {unit}"
    if several:  # as much as a terminal has room for
        heads += [*(f"{priority} waits, {unit}" for priority in priorities), "fair", "us"]
    else:
        heads += ["idle %", "useful %", f"wait, {unit}", "us"]
    rows = [_row(each, seconds, priorities) for each in summaries]
    return heads, rows


def _row(summary: Summary, seconds: float, priorities: Sequence[int]) -> tuple[object, ...]:
    def in_unit(value: float) -> str:
        return f"{value / seconds:.1f}"

    waits = [summary.waits.get(priority) for priority in priorities]
    waited = [w and f"{in_unit(w.median_s)} / {in_unit(w.p95_s)}" for w in waits]
    shares = [f"{100 * mean.value:.1f}" for mean in (summary.idle, summary.useful)]
    several = len(priorities) > 1
    return (
        summary.policy,
        f"{in_unit(summary.makespan_s.value)} ± {in_unit(summary.makespan_s.half)}",
        percent(summary.over_bound),
        *([] if several else shares),
        *waited,
        *([f"{summary.fairness.value:.2f}"] if several else []),
        f"{summary.decision_us.value:.0f}",
    )


def show_plan(summaries: Sequence[Summary]) -> None:
    """How long it takes, how much lies idle, and what more workers bring."""
    first = summaries[0]
    alike = [each for each in summaries if each.workers == first.workers]
    before = {each.policy: each.makespan_s.value for each in alike}
    rows = []
    for summary in summaries:
        saved = before[summary.policy] - summary.makespan_s.value
        share = 100 * saved / before[summary.policy]
        same = summary.workers == first.workers
        rows.append(
            (
                summary.workers,
                summary.policy,
                takes(summary.makespan_s),
                percent(summary.over_bound),
                percent(summary.idle),
                "" if same else f"{duration(max(0.0, saved))} ({share:.1f} %)",
            )
        )
    each = first.slots // first.workers
    title = f"{first.tasks} tasks, {each} slots each, {first.seeds} seeds"
    numeric = {head: head not in _WORDS for head in _PLAN}
    results().print(table_of(title, numeric, rows))
    results().print(Text(_conclusion(summaries)))


def _conclusion(summaries: Sequence[Summary]) -> str:
    policy = summaries[0].policy
    now, more, _ = [each for each in summaries if each.policy == policy]
    saved = now.makespan_s.value - more.makespan_s.value
    brings = (
        f"one more worker saves {duration(saved)}."
        if saved > now.makespan_s.half + more.makespan_s.half
        else "one more worker saves nothing that can be told from chance."
    )
    return (
        f"It takes {duration(now.makespan_s.value)} on {now.workers} workers, "
        f"{100 * now.idle.value:.1f} % of their slots' time is idle, and {brings}"
    )


def draw(summaries: Sequence[Summary], path: Path) -> None:
    """Write the picture, or the page.

    Raises:
        CallerError: the ending is none of .png, .svg, .html.
        MissingExtraError: matplotlib is not installed.
    """
    several = len({each.workers for each in summaries}) > 1
    figures = [figures_of(each, with_workers=several) for each in summaries]
    if path.suffix.lower() != ".html":
        plot_scheduling(figures).save(path)
        return
    tables = [
        (title_of(mine[0]), *table_rows(mine))
        for scenario in dict.fromkeys(each.scenario for each in summaries)
        if (mine := [each for each in summaries if each.scenario == scenario])
    ]
    path.write_text(scheduling_page(figures, tables), encoding="utf-8")


def figures_of(summary: Summary, *, with_workers: bool = False) -> PolicyFigures:
    """What the picture shows of it; where workers differ in number, their number too."""
    wait = next(iter(summary.waits.values()), None)
    suffix = f", {summary.workers} workers" if with_workers else ""
    return PolicyFigures(
        scenario=summary.scenario + suffix,
        policy=summary.policy,
        use=(100 * summary.useful.value, 100 * summary.useful.half),
        over_bound=(100 * summary.over_bound.value, 100 * summary.over_bound.half),
        wait_s=(0.0 if wait is None else wait.p95_s, 0.0),
        decision_us=(summary.decision_us.value, summary.decision_us.half),
    )


def takes(mean: Mean) -> str:
    """A time for people, with what chance makes of it."""
    return f"{duration(mean.value)} ± {duration(mean.half)}" if mean.half else duration(mean.value)


def percent(mean: Mean) -> str:
    """A share for people."""
    return f"{100 * mean.value:.1f} ± {100 * mean.half:.1f}"


def _with_workers(size: Size, workers: int) -> Size:
    """The same work on another number of workers."""
    return replace(size, workers=workers, tasks=size.count(20))
