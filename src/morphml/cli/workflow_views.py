"""How executions of workflows look: pure functions of what is stored."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from morphml.cli.screen import table_of
from morphml.jobs import Artifact
from morphml.master.workflows import ExecutionEvent, ExecutionView, JobView, TaskView
from morphml.optimizers.events import JSON
from morphml.workflow import ExecutionState, JobState

EXECUTION_HEADS = {
    "execution": False,
    "workflow": False,
    "state": False,
    "jobs": True,
    "ended": True,
    "created (UTC)": False,
    "reason": False,
}
JOB_HEADS = {
    "job": False,
    "type": False,
    "state": False,
    "attempts": True,
    "s": True,
    "worker": False,
    "reason": False,
}
#: Rows of jobs that a live view shows; the others are counted.
MOST_ROWS = 24
#: Outputs of a job that are shown, and characters of the longest text among them.
MOST_OUTPUTS = 6
_SHORT = 60
#: Jobs that people want to see first, in this order.
_FIRST = (JobState.FAILED, JobState.ACTIVE, JobState.FANNED_OUT, JobState.READY)
_STYLES = {
    JobState.ACTIVE: "cyan",
    JobState.FANNED_OUT: "cyan",
    JobState.SUCCEEDED: "green",
    JobState.FAILED: "bold red",
    JobState.SKIPPED: "dim",
    JobState.CANCELLED: "yellow",
}
_MARKS = {
    JobState.WAITING: "·",
    JobState.READY: "·",
    JobState.ACTIVE: "▶",
    JobState.FANNED_OUT: "▶",
    JobState.SUCCEEDED: "✓",
    JobState.FAILED: "✗",
    JobState.SKIPPED: "-",
    JobState.CANCELLED: "-",
}


def executions_table(found: Sequence[ExecutionView]) -> RenderableType:
    """One row for each execution."""
    rows = [
        (
            each.id,
            each.name,
            each.state,
            each.jobs,
            _ended(each),
            datetime.fromtimestamp(each.created_at, UTC).strftime("%Y-%m-%d %H:%M:%S"),
            each.reason,
        )
        for each in found
    ]
    return table_of("", EXECUTION_HEADS, rows)


def execution_view(found: ExecutionView, jobs: Sequence[JobView]) -> RenderableType:
    """An execution with a row for each job."""
    rows = [
        (
            each.id,
            each.type,
            _said(each),
            each.attempts,
            f"{each.duration_s:.1f}" if each.started_at is not None else "",
            each.worker or each.experiment or "",
            each.reason,
        )
        for each in jobs
    ]
    told = [(each.id, put_out(each.outputs)) for each in jobs]
    outputs = [Text(f"  {id} put out {text}") for id, text in told if text]
    return Group(table_of(headline(found), JOB_HEADS, rows), *outputs, *_reason(found))


def put_out(outputs: Mapping[str, JSON]) -> str:
    """What a job put out, in short: numbers, short texts and files; the rest is left out."""
    parts = [f"{name} {text}" for name, text in _short(outputs, "")]
    more = len(parts) - MOST_OUTPUTS
    return ", ".join([*parts[:MOST_OUTPUTS], *([f"and {more} more"] if more > 0 else [])])


def _short(outputs: Mapping[str, JSON], above: str) -> Iterator[tuple[str, str]]:
    for name, value in outputs.items():
        artifact = Artifact.of(value)
        if artifact is not None:
            yield above + name, f"{artifact.name} ({artifact.size:,} bytes)"
        elif isinstance(value, bool):
            yield above + name, str(value).lower()
        elif isinstance(value, int | float):
            yield above + name, f"{value:.5g}" if isinstance(value, float) else f"{value}"
        elif isinstance(value, str) and value and len(value) <= _SHORT and value.isprintable():
            yield above + name, value
        elif isinstance(value, Mapping) and name == "metrics":
            yield from _short(value, "")


def live_view(found: ExecutionView, jobs: Sequence[JobView], now: float) -> RenderableType:
    """The DAG as it runs: a bar, and what runs and failed before what waits and is over."""
    rows = _most_wanted(jobs)
    table = Table.grid(padding=(0, 2))
    for each in rows:
        style = _STYLES.get(each.state, "")
        table.add_row(
            Text(f"  {_MARKS[each.state]} {each.id}", style=style),
            Text(each.type, style="dim"),
            Text(_said(each), style=style),
            Text(_seconds(each, now), style="dim"),
            Text(each.reason or each.experiment or each.worker, style="dim"),
        )
    more = len(jobs) - len(rows)
    lines: list[RenderableType] = [_bar(found), table]
    if more:
        lines.append(Text(f"  and {more} jobs more", style="dim"))
    return Group(*lines, *_reason(found))


def headline(found: ExecutionView) -> str:
    """Which execution, and where it stands."""
    return f"{found.name} {found.id}: {found.state}, {_ended(found)} of {found.jobs} jobs ended"


def event_line(event: ExecutionEvent, jobs: Mapping[str, JobView]) -> str:
    """One plain line of what happened."""
    job = jobs.get(event.job)
    took = ""
    if job is not None and job.state == event.state and job.state.ended and job.duration_s:
        took = f" in {job.duration_s:.1f} s"
    what = f"{event.job} " if event.job else "execution "
    why = f": {event.reason}" if event.reason else ""
    return f"{what}{event.state}{took}{why}"


def document_of(found: ExecutionView, jobs: Sequence[JobView] = ()) -> dict[str, object]:
    """An execution, and its jobs where they are given, for programs."""
    made = asdict(found)
    return {**made, "jobs": [asdict(each) for each in jobs]} if jobs else made


def _ended(found: ExecutionView) -> int:
    return sum(count for state, count in found.counts.items() if state.ended)


def _said(job: JobView) -> str:
    if job.state is JobState.ACTIVE and job.task is not TaskView.NONE:
        return str(job.task)
    return f"{job.state} ({job.parts} parts)" if job.parts else str(job.state)


def _seconds(job: JobView, now: float) -> str:
    if job.state.ended:
        return f"{job.duration_s:.1f} s" if job.started_at is not None else ""
    if job.due_at is not None and job.due_at > now:
        return f"again in {job.due_at - now:.0f} s"
    return f"attempt {job.attempts + 1}" if job.attempts else ""


def _bar(found: ExecutionView) -> RenderableType:
    total, ended = max(1, found.jobs), _ended(found)
    grid = Table.grid(padding=(0, 2))
    bar = ProgressBar(total=total, completed=ended, width=30)
    end = found.ended_at or time.time()
    text = f"{ended}/{found.jobs} jobs  {found.state}  {max(0.0, end - found.created_at):.0f} s"
    grid.add_row(Text(f"{found.name} {found.id}", style="bold"), bar, Text(text))
    return grid


def _most_wanted(jobs: Sequence[JobView]) -> Sequence[JobView]:
    """All jobs in their order, or the first of those that matter most."""
    if len(jobs) <= MOST_ROWS:
        return jobs
    rank = {state: place for place, state in enumerate(_FIRST)}
    chosen = sorted(jobs, key=lambda job: rank.get(job.state, len(rank)))[:MOST_ROWS]
    kept = {id(job) for job in chosen}
    return [job for job in jobs if id(job) in kept]


def _reason(found: ExecutionView) -> list[RenderableType]:
    bad = found.state in (ExecutionState.FAILED, ExecutionState.FAILING, ExecutionState.CANCELLED)
    return [Text(f"  {found.reason}", style="bold red" if bad else "")] if found.reason else []
