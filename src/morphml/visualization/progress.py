"""The view of a running search: pure functions of one value, and the live face around them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from morphml.search.progress import Observer, Progress
from morphml.visualization.points import trial_text

#: States of trials that count as failed.
FAILED_STATES = ("failed", "dead")
#: Seconds between two plain lines where the output is no terminal.
LINE_EVERY_S = 10.0


@contextmanager
def progress_view(console: Console) -> Iterator[Observer]:
    """An observer that shows a search on ``console``: live on a terminal, else now and then a line.

    The last moment stays on the screen.
    """
    if console.is_terminal:
        with Live(console=console, auto_refresh=False) as live:
            yield lambda progress: live.update(render_progress(progress), refresh=True)
    else:
        yield _line_writer(console)


def render_progress(progress: Progress) -> RenderableType:
    """Lines: bar, figures, what was answered without training, what failed, what is missing."""
    lines: list[RenderableType] = [_bar(progress), _figures(progress)]
    if progress.rungs:
        lines.append(Text("  " + rungs_text(progress), style="dim"))
    aside = [
        f"{count} {words}"
        for count, words in (
            (progress.duplicates, "duplicates answered"),
            (progress.rejections, "proposals over a constraint"),
        )
        if count
    ]
    if aside:
        lines.append(Text("  " + ", ".join(aside), style="dim"))
    if failed_trials(progress):
        lines.append(Text(f"  {failed_trials(progress)} trials failed", style="yellow"))
    if progress.waits_for:
        lines.append(Text(f"  waits: {progress.waits_for}", style="yellow"))
    if progress.reason:
        lines.append(Text(f"  {progress.reason}", style="bold"))
    return Group(*lines)


def progress_line(progress: Progress) -> str:
    """One plain line, for logs."""
    parts = [
        f"{finished_trials(progress)}/{progress.budget} trials",
        f"best {progress.objective} {best_text(progress)}",
        f"{progress.rate:.3g} trials/s",
        f"{slots_text(progress)} slots busy",
        f"{left_text(progress)} left",
    ]
    if progress.rungs:
        parts.append(rungs_text(progress))
    if failed_trials(progress):
        parts.append(f"{failed_trials(progress)} failed")
    if progress.reused:
        parts.append(f"{progress.reused} reused")
    if progress.waits_for:
        parts.append(f"waits: {progress.waits_for}")
    if progress.reason:
        parts.append(progress.reason)
    return ", ".join(parts)


def finished_trials(progress: Progress) -> int:
    """Trials that ended, whatever became of them."""
    return progress.taken - progress.counts.get("pending", 0) - progress.counts.get("paused", 0)


def rungs_text(progress: Progress) -> str:
    """How many trials came to each rung, and how many wait: ``rungs 1: 27, 3: 9; 17 paused``."""
    reached = ", ".join(f"{rung.epochs}: {rung.reached}" for rung in progress.rungs)
    paused = progress.counts.get("paused", 0)
    return f"rungs {reached}" + (f"; {paused} paused" if paused else "")


def failed_trials(progress: Progress) -> int:
    """Trials that ended without a result by a fault."""
    return sum(progress.counts.get(state, 0) for state in FAILED_STATES)


def best_text(progress: Progress) -> str:
    """The best value and where it is from."""
    if progress.best_value is None:
        return "-"
    where = "" if progress.best_number is None else f" ({trial_text(progress.best_number)})"
    return f"{progress.best_value:.4g}{where}"


def slots_text(progress: Progress) -> str:
    """Slots that are busy, of those that are there; and how many there were when some are lost."""
    text = f"{progress.busy}/{progress.slots}"
    lost = progress.most_slots - progress.slots
    return f"{text} ({lost} of {progress.most_slots} lost)" if lost > 0 else text


def left_text(progress: Progress) -> str:
    """Time left as ``0:42``, ``12:03`` or ``1:02:03``; ``-`` when unknown."""
    return "-" if progress.remaining_s is None else clock_text(progress.remaining_s)


def clock_text(seconds: float) -> str:
    """Seconds as ``0:42``, ``12:03`` or ``1:02:03``."""
    whole = max(0, round(seconds))
    hours, minutes = whole // 3600, whole % 3600 // 60
    if hours:
        return f"{hours}:{minutes:02d}:{whole % 60:02d}"
    return f"{minutes}:{whole % 60:02d}"


def _bar(progress: Progress) -> RenderableType:
    grid = Table.grid(padding=(0, 1))
    done = finished_trials(progress)
    grid.add_row(
        Text(progress.name, style="bold", overflow="ellipsis", no_wrap=True),
        ProgressBar(total=progress.budget, completed=done, width=40),
        Text(f"{done}/{progress.budget}"),
        Text(clock_text(progress.elapsed_s), style="dim"),
    )
    return grid


def _figures(progress: Progress) -> RenderableType:
    text = Text("  ")
    for label, value, style in (
        (f"best {progress.objective} ", best_text(progress), "bold green"),
        ("   trials/s ", f"{progress.rate:.3g}", "cyan"),
        ("   slots busy ", slots_text(progress), "cyan"),
        ("   time left ", left_text(progress), "cyan"),
    ):
        text.append(label, style="dim").append(value, style=style)
    return text


def _line_writer(console: Console) -> Observer:
    shown_at: list[float] = []

    def write(progress: Progress) -> None:
        due = not shown_at or progress.elapsed_s - shown_at[-1] >= LINE_EVERY_S
        if due or progress.reason:
            shown_at[:] = [progress.elapsed_s]
            console.print(Text(progress_line(progress)), soft_wrap=True)

    return write
