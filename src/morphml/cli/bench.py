"""``morphml bench``: optimizers side by side on problems whose answers are known."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from morphml.cli.guard import guard
from morphml.cli.options import AsJson, Quiet, Workers
from morphml.cli.screen import messages, results, table_of, write_json

bench = typer.Typer(
    help="Compare optimizers on problems whose answers are known.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Optimizers = Annotated[
    str,
    typer.Option(
        metavar="NAME[,NAME]|all",
        help="Who takes part; all: every optimizer, and the peers that are installed.",
    ),
]
Benchmark = Annotated[
    str,
    typer.Option(
        metavar="NAME|FILE",
        help="A name that `morphml bench list` shows, or a table: a .npz, .csv or .parquet file.",
    ),
]
DataSet = Annotated[
    str | None, typer.Option("--data-set", help="Of the benchmark; its first by default.")
]
Sees = Annotated[str, typer.Option("--protocol", help="What a search sees: see `bench list`.")]
Where = Annotated[
    Path | None, typer.Option("--path", help="The benchmark's file, or the folder that has it.")
]
Space = Annotated[
    str,
    typer.Option(
        help="decisions, or networks: cells that build one network are one point (nasbench201, "
        "digits-cells)."
    ),
]
Decision = Annotated[
    list[str] | None, typer.Option("--decision", help="A column of the table; may be repeated.")
]
Goal = Annotated[
    list[str] | None,
    typer.Option(
        "--objective",
        metavar="NAME=min|max",
        help="A column of the table; for nasbench201 a column or a device by name.",
    ),
]
Seeds = Annotated[int, typer.Option(min=1, help="Searches of each optimizer.")]
Trials = Annotated[int, typer.Option(min=1, help="Evaluations of each search.")]


class Axis(StrEnum):
    """What a picture shows to the right."""

    EVALUATIONS = "evaluations"
    TIME = "time"


Simulated = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=1,
        help="Trials at a time under a simulated clock, for benchmarks with curves (digits-cells); "
        "asha, hyperband, bohb and names such as evolution+asha then take part.",
    ),
]
Against = Annotated[
    Axis, typer.Option("--against", help="What the picture shows: evaluations, or simulated time.")
]
Baseline = Annotated[
    str | None,
    typer.Option(help="Whom the others are paired with; evolution, or the first, by default."),
]
Processes = Annotated[
    int | None, typer.Option(min=1, help="Searches at a time; as many as processors by default.")
]
Folder = Annotated[
    Path, typer.Option("--to", help="Folder of results; what it holds is not run again.")
]
Made = Annotated[Path, typer.Option("--to", help="The .npz file to write.", dir_okay=False)]
Networks = Annotated[
    int | None, typer.Option(min=1, help="Train only so many, from the first on; all by default.")
]
Epochs = Annotated[int, typer.Option(min=1, help="Of each training.")]
Picture = Annotated[
    Path | None, typer.Option("--plot", help="Write a picture (.png, .svg) or a page (.html).")
]


@bench.command(
    "compare",
    epilog="Examples\n\n"
    "$ morphml bench compare --seeds 20\n\n"
    "$ morphml bench compare --benchmark nasbench201 --data-set cifar10 --seeds 50 "
    "--optimizers auto,evolution,optuna_tpe --plot race.html\n\n"
    "$ morphml bench compare --benchmark runs.csv --decision width --decision act "
    "--objective error=min\n\n"
    "$ morphml bench compare --workers 8 --optimizers random,asha,bohb --plot time.png "
    "--against time",
)
def compare(  # noqa: PLR0913 one parameter per option
    context: typer.Context,
    optimizers: Optimizers = "all",
    benchmark: Benchmark = "digits-cells",
    data_set: DataSet = None,
    protocol: Sees = "direct",
    path: Where = None,
    space: Space = "decisions",
    workers: Simulated = None,
    decision: Decision = None,
    objective: Goal = None,
    seeds: Seeds = 20,
    trials: Trials = 200,
    baseline: Baseline = None,
    processes: Processes = None,
    to: Folder = Path("bench-results"),
    plot: Picture = None,
    against: Against = Axis.EVALUATIONS,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Run every optimizer with every seed, and say who needs how many evaluations.

    What is missing is the regret of the best member seen, or the share of the hypervolume that two
    objectives have not reached: means over seeds with half of their 95 % intervals. Each optimizer
    is paired with the baseline, seed by seed; p is that of Wilcoxon's signed ranks with Holm's
    correction. A search that was cut short goes on with the same command.

    With --workers each search is one of several workers under a simulated clock: what an epoch took
    when the table was made moves it on. An evaluation is then as many epochs as a full training
    has, whoever got them.
    """
    again = f"the same command; results are in {to}"
    with guard(context, as_json=as_json, resume=again):
        from morphml.cli import benching  # noqa: PLC0415 brings numpy and the optimizers

        chosen = benching.Choice(
            benchmark=benchmark,
            data_set=data_set,
            protocol=protocol,
            path=path,
            space=space,
            decisions=tuple(decision or ()),
            objectives=tuple(objective or ()),
            workers=workers,
        )
        problem = benching.problem_of(chosen)
        campaign = benching.campaign_of(problem, optimizers, seeds, trials, to)
        made = benching.run(
            campaign, baseline, processes or os.cpu_count() or 1, quiet=quiet or as_json
        )
        if as_json:
            write_json(made.document())
        else:
            benching.show(made)
        if plot is not None:
            timed = benching.timed(campaign) if against is Axis.TIME else None
            benching.draw(made, plot, timed)
            messages().print(f"Wrote {plot}", markup=False)


@bench.command(
    "make-table",
    epilog="Examples\n\n$ morphml bench make-table --workers 2\n\n"
    "$ morphml bench make-table --networks 20 --to few.npz",
)
def make_table(  # noqa: PLR0913 one parameter per option
    context: typer.Context,
    to: Made = Path("digits_cells.npz"),
    networks: Networks = None,
    epochs: Epochs = 12,
    workers: Workers = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Train the networks of the table digits-cells on scikit-learn's digits, and write the table.

    Each of 1,011 networks is trained three times for 12 epochs, about a second of one processor in
    all, and scored after every epoch. What is trained stands in a store beside the table, so that
    the same command goes on after it was stopped or killed. The same seeds give the same table on
    the same kind of machine, but for the seconds.
    """
    kept = to.with_suffix(".db")
    with guard(context, as_json=as_json, resume="the same command"):
        from morphml.cli import making  # noqa: PLC0415 brings the master

        table = making.make_table(
            to,
            kept,
            making.Wanted(networks=networks, epochs=epochs),
            workers=workers,
            quiet=quiet or as_json,
        )
        if as_json:
            write_json({"table": str(to), "store": str(kept), **making.summary(table)})
            return
        for name, value in making.summary(table).items():
            results().print(f"{name}: {value}", markup=False)
        messages().print(f"Wrote {to}; {kept} is needed no more", markup=False)


@bench.command("list", epilog="Examples\n\n$ morphml bench list\n\n$ morphml bench list --json")
def list_(context: typer.Context, as_json: AsJson = False) -> None:
    """List the benchmarks and the peers: what there is to choose from, and what it needs."""
    with guard(context, as_json=as_json):
        from morphml.cli import benching  # noqa: PLC0415 as above

        if as_json:
            write_json(benching.listed())
            return
        for title, rows in benching.listed().items():
            heads = dict.fromkeys(rows[0], False)
            results().print(table_of(title, heads, [tuple(row.values()) for row in rows]))
