"""``morphml compare``: several searches side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from morphml.cli.completion import complete_store
from morphml.cli.guard import guard
from morphml.cli.listing import readable
from morphml.cli.opening import open_experiment
from morphml.cli.options import AsJson
from morphml.cli.outcome import metric_text
from morphml.cli.screen import results, table_of, write_json
from morphml.errors import CallerError

if TYPE_CHECKING:
    from morphml.master import Result

Searches = Annotated[
    list[str],
    typer.Argument(
        metavar="STORE[#EXPERIMENT]...",
        help="Stores; all experiments of each, or the one named after #.",
        autocompletion=complete_store,
    ),
]
Picture = Annotated[
    Path | None, typer.Option("--plot", help="Draw the best so far of each, as .png or .svg.")
]


def compare(
    context: typer.Context, searches: Searches, plot: Picture = None, as_json: AsJson = False
) -> None:
    """Compare searches that have the same first objective."""
    with guard(context, as_json=as_json):
        found = [result for search in searches for result in results_of(search)]
        check_comparable(found)
        rows = [comparison_row(result) for result in found]
        if as_json:
            write_json(rows)
        else:
            heads = {head: not isinstance(rows[0][head], str) for head in rows[0]}
            shown = [tuple(_cell(value) for value in row.values()) for row in rows]
            results().print(table_of("", heads, shown))
        if plot is not None:
            from morphml.visualization import plot_comparison  # noqa: PLC0415 brings numpy

            curves = {f"{r.record.name} ({r.record.id})": r.points for r in found}
            plot_comparison(curves, found[0].spec.objectives[0]).save(plot)


def results_of(search: str) -> list[Result]:
    """The results that ``STORE`` or ``STORE#EXPERIMENT`` names."""
    storage, _, name = search.partition("#")
    with readable(storage) as store:
        names = [name] if name else [record.id for record in store.experiments()]
    found = []
    for each in names:
        with open_experiment(storage, each) as experiment:
            found.append(experiment.result())
    return found


def check_comparable(found: list[Result]) -> None:
    """Nothing when all have one first objective.

    Raises:
        CallerError: when there is no experiment, or objectives differ.
    """
    firsts = {
        f"{result.spec.objectives[0].name} ({result.spec.objectives[0].direction})"
        for result in found
    }
    if not found:
        raise CallerError("there is no experiment to compare in these stores")
    if len(firsts) > 1:
        raise CallerError(f"first objectives differ: {', '.join(sorted(firsts))}")


def comparison_row(result: Result) -> dict[str, object]:
    """One search: who proposed, how far it came, and how soon."""
    ranked = result.ranked()
    best = ranked[0] if ranked else None
    fitness = result.spec.objectives[0].name
    return {
        "name": result.record.name,
        "id": result.record.id,
        "optimizer": result.spec.optimizer.name,
        "seed": result.spec.seed,
        "trials": len(result.records),
        f"best {fitness}": None if best is None else best.metrics[fitness],
        "at trial": None if best is None else best.number,
        "params": None if best is None else best.metrics.get("params"),
        "wall s": round(result.record.spent_s, 1),
    }


def _cell(value: object) -> object:
    return metric_text(value) if isinstance(value, int | float) else value
