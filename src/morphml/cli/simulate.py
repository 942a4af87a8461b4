"""``morphml simulate``: how long work takes on machines that need not be there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from morphml.cli.guard import guard
from morphml.cli.listing import readable
from morphml.cli.options import AsJson, Quiet
from morphml.cli.screen import messages, write_json
from morphml.errors import CallerError

if TYPE_CHECKING:
    from morphml.testing.simulator import Finished, Size

Machines = Annotated[int, typer.Option(min=1, help="How many workers.")]
Slots = Annotated[int, typer.Option(min=1, help="Tasks that each worker runs at a time.")]
Tasks = Annotated[
    int | None,
    typer.Option(min=1, help="How many tasks; by default as many as the scenario wants."),
]
Duration = Annotated[
    float | None,
    typer.Option(metavar="SECONDS", help="Mean of a task on a worker of speed 1; 60 by default."),
]
Spread = Annotated[
    float | None,
    typer.Option(
        min=0.0, help="Standard deviation of durations over their mean; by default the scenario's."
    ),
]
Overhead = Annotated[
    float | None,
    typer.Option(metavar="SECONDS", help="Time that a slot stands still between two tasks."),
]
Policies = Annotated[
    str | None,
    typer.Option(
        "--policy",
        metavar="NAME[,NAME]|all",
        help="Who gets what, and when; by default what a master does that is told nothing.",
    ),
]
Scenarios = Annotated[
    str | None,
    typer.Option(
        "--scenario",
        metavar="NAME[,NAME]|all",
        help="What happens: homogeneous, heterogeneous, heavy-tail, stragglers, churn, partitions, "
        "clock-skew, preemption, skewed-queues, labels, gangs, priorities, broken-nodes. Without "
        "it one policy is told how long it takes on these workers, on one more, and on twice as "
        "many; several policies are compared in heavy-tail and priorities.",
    ),
]
Seeds = Annotated[
    int | None,
    typer.Option(
        min=1, help="Runs of each, with other chances; 5 by default, fewer where there is much."
    ),
]
From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="STORE[#EXPERIMENT]",
        help="Take the durations, and the time between tasks, of an experiment; the newest one of "
        "the store by default.",
    ),
]
Picture = Annotated[
    Path | None, typer.Option("--plot", help="Write a picture (.png, .svg) or a page (.html).")
]


def simulate(  # noqa: PLR0913 one parameter per option
    context: typer.Context,
    workers: Machines = 8,
    slots: Slots = 1,
    tasks: Tasks = None,
    duration: Duration = None,
    spread: Spread = None,
    overhead: Overhead = None,
    policy: Policies = None,
    scenario: Scenarios = None,
    seeds: Seeds = None,
    source: From = None,
    plot: Picture = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Say how long work would take on a cluster, and how well each policy would use it.

    The simulator runs the tasks, workers and policies of a real master under a virtual clock.
    Figures are means over the seeds with half of their 95 % confidence intervals; the lower bound
    is a time that no policy can beat on the machines that were there.
    """
    with guard(context, as_json=as_json):
        from morphml.cli import simulating  # noqa: PLC0415 brings numpy and the machines

        known = None if source is None else finished(source)
        size = size_of(workers, slots, tasks, (duration, spread, overhead), known)
        cases = simulating.cases(size, simulating.policies(policy), scenario)
        runs = seeds or simulating.seeds_for(cases)
        summaries = simulating.run(cases, runs, os.cpu_count() or 1, quiet=quiet or as_json)
        if as_json:
            write_json([summary.document() for summary in summaries])
        elif simulating.is_plan(summaries):
            simulating.show_plan(summaries)
        else:
            simulating.show_table(summaries)
        if plot is not None:
            simulating.draw(summaries, plot)
            if not as_json:
                messages().print(f"Wrote {plot}", markup=False)


def size_of(
    workers: int,
    slots: int,
    tasks: int | None,
    times: tuple[float | None, float | None, float | None],
    known: Finished | None,
) -> Size:
    """What is to be simulated, from the options and what an experiment showed.

    Raises:
        CallerError: durations are given twice, or make no sense.
    """
    from morphml.testing.simulator import Fixed, LogNormal, Size  # noqa: PLC0415 brings numpy

    mean_s, spread, overhead_s = times
    if known is not None:
        if mean_s is not None or spread is not None:
            raise CallerError("--from says how long tasks take: leave --duration and --spread out")
        return Size(
            workers=workers,
            slots=slots,
            tasks=tasks or len(known.durations.seconds),
            mean_s=known.durations.mean_s,
            durations=known.durations,
            overhead_s=known.overhead_s if overhead_s is None else overhead_s,
        )
    mean_s = 60.0 if mean_s is None else mean_s
    if not 0 < mean_s < float("inf"):
        raise CallerError(f"--duration: seconds above 0, got {mean_s}")
    return Size(
        workers=workers,
        slots=slots,
        tasks=tasks,
        mean_s=mean_s,
        durations=None
        if spread is None
        else (LogNormal(mean_s=mean_s, spread=spread) if spread else Fixed(mean_s=mean_s)),
        overhead_s=overhead_s or 0.0,
    )


def finished(source: str) -> Finished:
    """What the attempts of ``STORE`` or ``STORE#EXPERIMENT`` took.

    Raises:
        CallerError: there is no such experiment, or it has no result.
        StorageError: the store cannot be read.
    """
    from morphml.testing.simulator import Finished  # noqa: PLC0415 brings numpy

    storage, _, name = source.partition("#")
    with readable(storage) as store:
        records = store.experiments()
        found = [each for each in records if not name or name in (each.id, each.name)]
        if not found:
            raise CallerError(f"there is no experiment {name!r} in {storage}".replace(" ''", ""))
        return Finished.of(store.attempts(found[0].id))
