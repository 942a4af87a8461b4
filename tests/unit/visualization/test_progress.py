"""The progress view says where a search stands, on a terminal and in a log."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from morphml.search.progress import Progress
from morphml.visualization.progress import (
    clock_text,
    progress_line,
    progress_view,
    render_progress,
    slots_text,
)

RUNNING = Progress(
    name="digits",
    taken=14,
    budget=40,
    counts={"pending": 2, "completed": 9, "failed": 2, "dead": 1},
    duplicates=3,
    busy=2,
    slots=4,
    objective="accuracy",
    best_value=0.98123,
    best_number=7,
    elapsed_s=24.0,
    ended=12,
)


def shown(progress: Progress) -> str:
    console = Console(file=StringIO(), width=100)
    console.print(render_progress(progress))
    return console.file.getvalue()  # type: ignore[attr-defined]  # it is the StringIO from above


def test_view_says_how_many_slots_are_lost() -> None:
    assert slots_text(replace(RUNNING, slots=4, most_slots=4)) == "2/4"
    assert slots_text(replace(RUNNING, slots=4, most_slots=16)) == "2/4 (12 of 16 lost)"


def test_view_shows_best_rate_slots_and_time_left() -> None:
    text = shown(RUNNING)
    assert "digits" in text
    assert "12/40" in text
    assert "best accuracy 0.9812 (trial 7)" in text
    assert "trials/s 0.5" in text
    assert "slots busy 2/4" in text
    assert "time left 0:56" in text
    assert "3 duplicates answered" in text
    assert "3 trials failed" in text


def test_view_before_the_first_result_promises_nothing() -> None:
    text = shown(Progress(name="x", taken=0, budget=10, objective="loss"))
    assert "best loss -" in text
    assert "time left -" in text


def test_names_are_never_read_as_markup() -> None:
    assert "[red]x[/]" in shown(replace(RUNNING, name="[red]x[/]"))


def test_line_says_the_same_in_plain_text() -> None:
    assert progress_line(replace(RUNNING, reason="target reached")) == (
        "12/40 trials, best accuracy 0.9812 (trial 7), 0.5 trials/s, 2/4 slots busy, "
        "0:56 left, 3 failed, target reached"
    )


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (754, "12:34"), (3723, "1:02:03")]
)
def test_clock_text_is_short(seconds: float, text: str) -> None:
    assert clock_text(seconds) == text


def test_output_that_is_no_terminal_gets_a_line_now_and_then_and_the_end() -> None:
    console = Console(file=StringIO(), width=200)
    with progress_view(console) as observe:
        for second in range(25):
            observe(replace(RUNNING, elapsed_s=second + 0.5))
        observe(replace(RUNNING, elapsed_s=25.0, reason="budget of trials spent"))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]  # it is the StringIO
    assert len(lines) == 4  # at 0.5, 10.5 and 20.5 seconds, and the end
    assert lines[-1].endswith("budget of trials spent")
