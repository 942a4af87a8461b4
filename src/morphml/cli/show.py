"""``morphml show``: one experiment, or one of its trials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from morphml.cli.guard import guard
from morphml.cli.opening import open_experiment
from morphml.cli.options import AsJson, Name, Store
from morphml.cli.outcome import brief, metric_text, result_document, result_view, trial_name
from morphml.cli.screen import results, table_of, write_json

if TYPE_CHECKING:
    from morphml.master.evaluated import EvaluatedTrial
    from morphml.search.changes import AttemptRecord

Trial = Annotated[
    int | None,
    typer.Option(help="Show this trial, with its attempts; -1, -2, ... are reused results."),
]


def show(
    context: typer.Context,
    storage: Store,
    name: Name = None,
    trial: Trial = None,
    as_json: AsJson = False,
) -> None:
    """Show where an experiment stands, its best trials, or one trial."""
    with guard(context, as_json=as_json), open_experiment(storage, name) as experiment:
        result = experiment.result()
        if trial is None:
            if as_json:
                write_json(result_document(result, storage))
            else:
                results().print(result_view(result, storage))
            return
        chosen = result.trial(trial)
        attempts = [attempt for attempt in result.attempts if attempt.number == trial]
        if as_json:
            write_json(trial_facts(chosen, attempts))
        else:
            results().print(trial_view(chosen, attempts))


def trial_facts(trial: EvaluatedTrial, attempts: list[AttemptRecord]) -> dict[str, object]:
    """All that is known of a trial, as a JSON object."""
    return {
        "number": trial.number,
        "state": trial.state.value,
        "reused_from": None if trial.reused_from is None else str(trial.reused_from),
        "metrics": dict(trial.metrics),
        "decisions": {path: str(value) for path, value in trial.decisions.items()},
        "graph_id": trial.architecture.graph_id,
        "point_id": trial.architecture.point_id,
        "duration_s": trial.duration_s,
        "epochs": trial.epochs,
        "attempts": [
            {
                "segment": attempt.segment,
                "index": attempt.index,
                "result": attempt.result.value,
                "worker": attempt.worker,
                "duration_s": attempt.duration_s,
                "failure": attempt.failure,
            }
            for attempt in attempts
        ],
    }


def trial_view(trial: EvaluatedTrial, attempts: list[AttemptRecord]) -> RenderableType:
    """The same for people: decisions, metrics, attempts, and the text of every failure."""
    heads = {"name": False, "value": False}
    parts: list[RenderableType] = [
        Text(f"{trial_name(trial)}: {trial.state.value}", style="bold"),
        table_of("Decisions", heads, [(k, brief(v)) for k, v in trial.decisions.items()]),
        table_of("Metrics", heads, [(k, metric_text(v)) for k, v in trial.metrics.items()]),
        table_of(
            "Attempts",
            {"segment": True, "attempt": True, "result": False, "worker": False, "seconds": True},
            [
                (a.segment, a.index, a.result.value, a.worker, f"{a.duration_s:.1f}")
                for a in attempts
            ],
        ),
    ]
    for attempt in attempts:
        if attempt.failure is not None:
            text = attempt.failure.get("traceback") or attempt.failure.get("message")
            parts.append(Text(f"{attempt.failure.get('kind')}: {text}", style="yellow"))
    return Group(*parts)


def _attempt_row(attempt: AttemptRecord) -> tuple[object, ...]:
    seconds = f"{attempt.duration_s:.1f}"
    return (attempt.segment, attempt.index, attempt.result.value, attempt.worker, seconds)
