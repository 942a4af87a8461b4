"""The tables of the documentation are those of the code."""

from __future__ import annotations

from pathlib import Path

from morphml.scheduling import ANSWERS, RetryRule
from morphml.scheduling.faults.chance import surprising_row
from morphml.scheduling.faults.experiment import HOPELESS
from morphml.scheduling.health import GPU_THRESHOLDS, THRESHOLDS

PAGE = Path(__file__).resolve().parents[3] / "docs" / "distributed" / "fault-tolerance.md"


def rows() -> list[str]:
    return PAGE.read_text(encoding="utf-8").splitlines()


def test_page_says_what_each_failure_means() -> None:
    words = {True: "yes", False: "no"}
    expected = [
        f"| `{kind}` | {answer.budget} | {words[answer.avoids_worker]} | "
        f"{words[answer.against_worker]} | {answer.against_task} |"
        for kind, answer in ANSWERS.items()
    ]
    shown = [line for line in rows() if line.startswith(tuple(f"| `{kind}` |" for kind in ANSWERS))]
    assert sorted(shown) == sorted(expected)


def test_page_says_how_often_tasks_are_retried() -> None:
    rule = RetryRule()
    text = "\n".join(rows())
    assert rule.delays_s == (0.0, 5.0, 10.0, 20.0)
    assert f"| own | {rule.own_retries}, on another worker" in text
    assert f"| machines | {rule.infrastructure_retries} | at once, then after 5 and 10 s" in text
    assert f"| innocent | {rule.innocent_retries} | at once, then after 5, 10, 20, 20 ... s" in text
    assert rule.quarantine_after == 4
    assert "a task for which four deaths count" in text
    assert surprising_row(50, 100, 1e-3) == 10
    assert "run out of memory the row must be 10 long" in text
    assert f"| {HOPELESS} failed trials, and what ran beside them |" in text


def test_page_says_when_a_worker_is_drained() -> None:
    expected = []
    for each in (*THRESHOLDS, *GPU_THRESHOLDS):
        unit = " MiB" if each.unit > 1 else ""
        sick, well = (f"{value / each.unit:g}{unit}" for value in (each.sick, each.well))
        expected.append(
            f"| `{each.figure}` | {sick} | {well} | {each.for_s:g} s | {each.shown(each.sick)} |"
        )
    figures = tuple(f"| `{each.figure}`" for each in (*THRESHOLDS, *GPU_THRESHOLDS))
    shown = [line for line in rows() if line.startswith(figures)]
    assert shown == expected
