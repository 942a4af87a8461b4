"""``morphml bench``: optimizers side by side on problems whose answers are known."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from morphml.cli.guard import guard
from morphml.cli.options import AsJson, Quiet
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
        help="decisions, or networks: cells that build one network are one point (nasbench201)."
    ),
]
Decision = Annotated[
    list[str] | None, typer.Option("--decision", help="A column of the table; may be repeated.")
]
Goal = Annotated[
    list[str] | None,
    typer.Option("--objective", metavar="NAME=min|max", help="A column of the table."),
]
Seeds = Annotated[int, typer.Option(min=1, help="Searches of each optimizer.")]
Trials = Annotated[int, typer.Option(min=1, help="Evaluations of each search.")]
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
Picture = Annotated[
    Path | None, typer.Option("--plot", help="Write a picture (.png, .svg) or a page (.html).")
]


@bench.command(
    "compare",
    epilog="Examples\n\n"
    "$ morphml bench compare --seeds 20\n\n"
    "$ morphml bench compare --optimizers auto,evolution,optuna_tpe --data-set cifar10 "
    "--seeds 50 --plot race.html\n\n"
    "$ morphml bench compare --benchmark runs.csv --decision width --decision act "
    "--objective error=min",
)
def compare(  # noqa: PLR0913 one parameter per option
    context: typer.Context,
    optimizers: Optimizers = "all",
    benchmark: Benchmark = "nasbench201",
    data_set: DataSet = None,
    protocol: Sees = "direct",
    path: Where = None,
    space: Space = "decisions",
    decision: Decision = None,
    objective: Goal = None,
    seeds: Seeds = 20,
    trials: Trials = 200,
    baseline: Baseline = None,
    processes: Processes = None,
    to: Folder = Path("bench-results"),
    plot: Picture = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Run every optimizer with every seed, and say who needs how many evaluations.

    What is missing is the regret of the best member seen, or the share of the hypervolume that two
    objectives have not reached: means over seeds with half of their 95 % intervals. Each optimizer
    is paired with the baseline, seed by seed; p is that of Wilcoxon's signed ranks with Holm's
    correction. A search that was cut short goes on with the same command.
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
            benching.draw(made, plot)
            messages().print(f"Wrote {plot}", markup=False)


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
