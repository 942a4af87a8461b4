"""``morphml export``: the best architecture, the table or the report as a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from morphml.cli.guard import guard
from morphml.cli.import_path import see_this_folder
from morphml.cli.opening import open_experiment
from morphml.cli.options import AsJson, Name, Store
from morphml.cli.screen import messages, results, write_json
from morphml.errors import CallerError

if TYPE_CHECKING:  # these take seconds to import; each comes with an export that needs it
    from morphml.master import Result
    from morphml.master.evaluated import EvaluatedTrial

Target = Annotated[
    Path,
    typer.Option(
        "--to",
        help="The file to write; its ending says what: .py .onnx .pt2 .json .svg .png .csv .html",
    ),
]
Number = Annotated[
    int | None,
    typer.Option("--trial", help="This trial, not the best; -1, -2, ... are reused results."),
]


def export(
    context: typer.Context,
    storage: Store,
    to: Target,
    name: Name = None,
    trial: Number = None,
    as_json: AsJson = False,
) -> None:
    """Write the best architecture, all trials, or the report to a file."""
    with guard(context, as_json=as_json):
        see_this_folder()
        write = writer_for(to)
        with open_experiment(storage, name) as experiment:
            written = write(experiment.result(), trial, to)
        if as_json:
            write_json({"written": [str(path) for path in written]})
        else:
            results().print("\n".join(f"wrote {path}" for path in written), markup=False)


Writer = Callable[["Result", int | None, Path], list[Path]]


def writer_for(path: Path) -> Writer:
    """What writes a file of that ending.

    Raises:
        CallerError: when nothing does; the message lists the endings.
    """
    found = WRITERS.get(path.suffix.lower())
    if found is None:
        known = ", ".join(WRITERS)
        raise CallerError(f"{path}: nothing is exported as {path.suffix!r}; endings are {known}")
    return found


def _chosen(result: Result, number: int | None) -> EvaluatedTrial:
    return result.best if number is None else result.trial(number)


def _python(result: Result, number: int | None, path: Path) -> list[Path]:
    trial = _chosen(result, number)
    weights = _weights(trial, f"{path} comes without any")
    trial.to_python(path, weights)
    return [path] if weights is None else [path, path.with_suffix(".pt")]


def _onnx(result: Result, number: int | None, path: Path) -> list[Path]:
    trial = _chosen(result, number)
    return [trial.to_onnx(path, _weights(trial, f"those in {path} are fresh"))]


def _program(result: Result, number: int | None, path: Path) -> list[Path]:
    trial = _chosen(result, number)
    weights = _weights(trial, f"those in {path} are fresh")
    trial.architecture.to_program(path, weights=weights)
    return [path]


def _weights(trial: EvaluatedTrial, without: str) -> object | None:
    """The trial's trained weights; where none were kept, that and what follows is said."""
    weights = trial.weights
    if weights is None:
        why = "its evaluator gives trial.epochs no model=, or others were better"
        messages().print(
            f"no trained weights were kept of trial {trial.number} ({why}); {without}",
            style="yellow",
            markup=False,
        )
    return weights


def _json(result: Result, number: int | None, path: Path) -> list[Path]:
    document = _chosen(result, number).to_json()
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return [path]


def _svg(result: Result, number: int | None, path: Path) -> list[Path]:
    path.write_text(_chosen(result, number).architecture.svg(), encoding="utf-8")
    return [path]


def _png(result: Result, number: int | None, path: Path) -> list[Path]:
    from morphml.visualization import plot_architecture  # noqa: PLC0415 brings numpy

    graph = _chosen(result, number).architecture.canonical
    return [plot_architecture(graph).save(path)]


def _csv(result: Result, number: int | None, path: Path) -> list[Path]:
    _refuse_trial(number, path)
    result.trials.to_csv(path, index=False)
    return [path]


def _html(result: Result, number: int | None, path: Path) -> list[Path]:
    _refuse_trial(number, path)
    return [result.report(path)]


def _refuse_trial(number: int | None, path: Path) -> None:
    if number is not None:
        raise CallerError(f"{path}: holds all trials; leave --trial out")


#: Ending to what writes it.
WRITERS: dict[str, Writer] = {
    ".py": _python,
    ".onnx": _onnx,
    ".pt2": _program,
    ".json": _json,
    ".svg": _svg,
    ".png": _png,
    ".csv": _csv,
    ".html": _html,
}
