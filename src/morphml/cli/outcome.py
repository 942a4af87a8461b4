"""What a search found, as a table for people and as a JSON object for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from morphml.cli.screen import table_of

if TYPE_CHECKING:
    from morphml.master import Result
    from morphml.master.evaluated import EvaluatedTrial

#: Rows of the table of best trials.
MOST_ROWS = 10
#: Lines of a traceback.
MOST_LINES = 20


def result_view(result: Result, storage: str) -> RenderableType:
    """State, reason, the best trials or the first failure, and the command that goes on."""
    from morphml.storage.address import without_password  # noqa: PLC0415 as the command did

    record = result.record
    counts = ", ".join(f"{count} {state}" for state, count in sorted(result.counts.items()))
    if result.reused:
        counts = f"{counts or 'none'}, {len(result.reused)} reused"
    head = Text(f"{record.name} ({record.id}) {record.state.value}", style="bold")
    if result.reason:
        head.append(f": {result.reason}", style="")
    parts: list[RenderableType] = [head, Text(f"trials: {counts or 'none'}", style="dim")]
    if result.course.rungs:
        parts.append(rungs_table(result))
    if result.ranked():
        parts += best_tables(result)
    else:
        within = " within the constraints" if result.spec.constraints else ""
        parts.append(Text(f"no trial has a result{within}", style="yellow"))
        if result.first_failure:
            parts.append(Text(result.first_failure, style="yellow"))
        parts += [Text(line, style="dim") for line in first_traceback(result)]
    parts.append(Text(_what_next(result, without_password(storage)), style="dim"))
    return Group(*parts)


def _what_next(result: Result, storage: str) -> str:
    """The command that goes on from here."""
    from morphml.search.experiment import ExperimentState  # noqa: PLC0415 as the command did

    record = result.record
    this = f"{storage} {record.id}"
    if record.state is ExperimentState.COMPLETED:
        return f"report: morphml export {this} --to report.html"
    if record.state is ExperimentState.RUNNING:
        return f"if nothing drives it any more, go on with: morphml resume {this}"
    return f"go on with: morphml resume {this}"


def first_traceback(result: Result) -> list[str]:
    """Where the first failed trial raised, the innermost frames; nothing where no line is told."""
    for _, failure in sorted(result.failures.items()):
        lines = str(failure.get("traceback") or "").rstrip().splitlines()
        if not any(line.startswith("  File ") for line in lines):
            return []
        return lines if len(lines) <= MOST_LINES else ["...", *lines[-MOST_LINES:]]
    return []


def best_tables(result: Result) -> list[RenderableType]:
    """The best trials; with several objectives the Pareto front above them; at least one trial."""
    ranked = result.ranked()[:MOST_ROWS]
    parts = [trials_table("Best trials", result, ranked)]
    if len(result.spec.objectives) > 1:
        front = result.pareto_front[:MOST_ROWS]
        parts.insert(0, trials_table("Pareto front", result, front))
    best = Text(f"{trial_name(ranked[0])}: ", style="bold")
    best.append(decisions_text(ranked[0]), style="not bold")
    return [*parts, best]


def rungs_table(result: Result) -> RenderableType:
    """One line per rung: who came there, who went on, who waits."""
    heads = {"epochs": True, "came there": True, "went on": True, "wait there": True}
    rows = [(r.epochs, r.reached, r.promoted, r.waiting) for r in result.course.rungs]
    fidelity = result.spec.fidelity
    return table_of(f"Rungs of {fidelity.name if fidelity else ''}", heads, rows)


def trials_table(title: str, result: Result, trials: list[EvaluatedTrial]) -> RenderableType:
    """One line per trial; decisions are cut at the edge."""
    names = _metric_names(result)
    epochs = {"epochs": True} if result.course.rungs else {}
    heads = {"trial": True, **epochs, **dict.fromkeys(names, True)}
    table = table_of(title, heads, [])
    table.add_column("decisions", overflow="ellipsis", no_wrap=True, ratio=1)
    table.expand = True
    for trial in trials:
        metrics = (metric_text(trial.metrics.get(name)) for name in names)
        done = [str(trial.epochs)] if epochs else []
        table.add_row(str(trial.number), *done, *metrics, Text(decisions_text(trial)))
    return table


def result_document(result: Result, storage: str) -> dict[str, object]:
    """The same as a JSON object; ``best`` is null when no trial has a result."""
    from morphml.storage.address import without_password  # noqa: PLC0415 as the command did

    ranked = result.ranked()
    return {
        "storage": without_password(storage),
        "experiment": result.record.id,
        "name": result.record.name,
        "state": result.record.state.value,
        "reason": result.reason,
        "trials": dict(result.counts),
        "reused": len(result.reused),
        "rungs": [asdict(rung) for rung in result.course.rungs],
        "objectives": {o.name: o.text for o in result.spec.objectives},
        "best": trial_document(ranked[0]) if ranked else None,
        "pareto_front": [trial_document(trial) for trial in result.pareto_front],
    }


def trial_document(trial: EvaluatedTrial) -> dict[str, object]:
    """One trial as a JSON object."""
    from morphml.space.plain_values import plain_decisions  # noqa: PLC0415 as the command did

    return {
        "number": trial.number,
        "state": trial.state.value,
        "metrics": dict(trial.metrics),
        "decisions": plain_decisions(trial.decisions),
        "duration_s": trial.duration_s,
        "epochs": trial.epochs,
        "reused_from": None if trial.reused_from is None else str(trial.reused_from),
    }


def trial_name(trial: EvaluatedTrial) -> str:
    """``trial 3``; a reused result with where it comes from."""
    source = f", reused from {trial.reused_from}" if trial.reused_from else ""
    return f"trial {trial.number}{source}"


def metric_text(value: float | None) -> str:
    """A metric for people: whole numbers with thousands apart, others with four digits."""
    if value is None:
        return ""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.4g}"


def decisions_text(trial: EvaluatedTrial) -> str:
    """The active decisions on one line."""
    return ", ".join(f"{path}={brief(value)}" for path, value in trial.decisions.items())


def brief(value: object) -> str:
    """A decision's value for people."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _metric_names(result: Result) -> list[str]:
    objectives = [objective.name for objective in result.spec.objectives]
    return [*dict.fromkeys([*objectives, "params"])]
