"""What ``morphml simulate`` runs and shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.progress import Progress
from rich.text import Text

from morphml.cli.screen import messages, results, table_of
from morphml.scheduling.policies import DEFAULT_POLICY, create_policy, policy_names
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
#: The scenarios in which policies are compared where nobody named one.
_TELLING = "heavy-tail,priorities"
#: Runs of each, and tasks of all runs together that are worth waiting for: some minutes.
_SEEDS = 5
_MANY_TASKS = 1_000_000
#: Tasks of all runs together below which more processes are not worth their start.
_FEW_TASKS = 20_000
#: Heads of the table of one scenario; those in the middle depend on it.
_HEADS = ("policy", "takes", "over %")
_PLAN = ("workers", "policy", "takes", "over bound %", "idle %", "saves")
#: What stands below the tables.
_READING = (
    "over: than a time that no policy can beat (the light part of a bar); use: of the slots, until "
    "the queue is dry; useful: in attempts whose result was stored; wait, prio: 19 of 20 tasks (of "
    "that priority) began sooner; fair: 1 where slot time goes by priority; per s: decisions."
)
#: Characters of the longest bar.
_BAR = 60
#: Columns that hold words.
_WORDS = frozenset({"policy", "scenario"})


def policies(asked: str | None) -> list[str]:
    """Names of policies; the default of masters where nobody asked for any.

    Raises:
        SchedulingError: one of them is none; says what there is.
    """
    names = list(policy_names()) if asked == _ALL else (asked or DEFAULT_POLICY).split(",")
    return [create_policy(name.strip()).name for name in names]


def cases(size: Size, names: Sequence[str], scenario: str | None) -> list[Case]:
    """What is to be run.

    Without a scenario, one policy also runs with one worker more, and with twice as many; several
    policies are compared in the scenarios that tell them apart.
    """
    if scenario is None and len(names) > 1:
        scenario = _TELLING
    if scenario is None:
        sizes = [_with_workers(size, n) for n in (size.workers, size.workers + 1, 2 * size.workers)]
        made = [create_scenario("homogeneous", each) for each in sizes]
    else:
        wanted = list(SCENARIOS) if scenario == _ALL else scenario.split(",")
        made = [create_scenario(name.strip(), size) for name in wanted]
    return [Case(scenario=each, policy=name) for each in made for name in names]


def seeds_for(given: Sequence[Case]) -> int:
    """Runs of each where nobody said how many: fewer where all would take long."""
    tasks = sum(each.scenario.tasks for each in given)
    return max(1, min(_SEEDS, _MANY_TASKS // tasks))


def is_plan(summaries: Sequence[Summary]) -> bool:
    """Whether what differs is the number of workers."""
    return len({each.workers for each in summaries}) > 1


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
    """A table for each scenario, with one line for each policy, and their times as bars."""
    console = results()
    for scenario in dict.fromkeys(each.scenario for each in summaries):
        mine = [each for each in summaries if each.scenario == scenario]
        heads, rows = table_rows(mine)
        numeric = {head: head not in _WORDS for head in heads}
        console.print(table_of(title_of(mine[0]), numeric, rows))
        if len(mine) > 1:
            console.print(Text("\n".join(["", *bars_of(mine), ""])))
    console.print(Text(_READING))


def title_of(summary: Summary) -> str:
    """What was simulated, in one line."""
    return (
        f"{summary.scenario}: {summary.tasks} tasks, {summary.workers} workers, "
        f"{summary.slots} slots, {_times(summary.seeds)}"
    )


def _times(seeds: int) -> str:
    return "one run" if seeds == 1 else f"{seeds} seeds"


def table_rows(summaries: Sequence[Summary]) -> tuple[list[str], list[tuple[object, ...]]]:
    """Heads and cells of one scenario's table; all times in the unit that its head says."""
    seconds, unit = time_unit(max(each.makespan_s.value for each in summaries))
    priorities = list(summaries[0].waits)
    several = len(priorities) > 1
    heads = list(_HEADS)
    heads[1] += f", {unit}"
    if several:  # as much as a terminal has room for
        heads += [*(f"prio {priority}" for priority in priorities), "fair", "per s"]
    else:
        heads += ["use %", "useful %", f"wait, {unit}", "per s"]
    rows = [_row(each, seconds, priorities) for each in summaries]
    return heads, rows


def _row(summary: Summary, seconds: float, priorities: Sequence[int]) -> tuple[object, ...]:
    def in_unit(value: float) -> str:
        return f"{value / seconds:.1f}"

    waits = [summary.waits.get(priority) for priority in priorities]
    several = len(priorities) > 1
    waited = [None if wait is None else in_unit(wait.p95_s) for wait in waits]
    shares = [f"{100 * mean.value:.1f}" for mean in (summary.slot_use, summary.useful)]
    took = summary.makespan_s
    return (
        summary.policy,
        in_unit(took.value) + (f" ± {in_unit(took.half)}" if took.half else ""),
        percent(summary.over_bound),
        *([] if several else shares),
        *waited,
        *([f"{summary.fairness.value:.2f}"] if several else []),
        f"{summary.decisions_per_s / 1000:.0f}k",
    )


def bars_of(summaries: Sequence[Summary]) -> list[str]:
    """How long each policy took, as bars; what is light is the time that no policy can beat."""
    longest = max(each.makespan_s.value for each in summaries)
    width = max(len(each.policy) for each in summaries)
    lines = []
    for each in summaries:
        whole = round(_BAR * each.makespan_s.value / longest)
        bound = min(whole, round(_BAR * each.bound_s.value / longest))
        lines.append(f" {each.policy:<{width}} {'░' * bound}{'█' * (whole - bound)}")
    return lines


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
    title = f"{first.tasks} tasks, {each} slots each, {_times(first.seeds)}"
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
    return f"{100 * mean.value:.1f}" + (f" ± {100 * mean.half:.1f}" if mean.half else "")


def _with_workers(size: Size, workers: int) -> Size:
    """The same work on another number of workers."""
    return replace(size, workers=workers, tasks=size.count(20))
