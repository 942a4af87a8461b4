from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from morphml.errors import EvaluatorError
from morphml.evaluation import (
    Order,
    Segment,
    Trial,
    TrialCancelled,
    TrialPaused,
    TrialStopped,
)


@dataclass
class Tape:
    """A channel that keeps what it is told and answers with one order."""

    answer: Order = Order.CONTINUE
    reports: list[tuple[int, Mapping[str, float]]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def report(self, step: int, metrics: Mapping[str, float]) -> Order:
        self.reports.append((step, metrics))
        return self.answer

    def order(self) -> Order:
        return self.answer

    def checkpointed(self, step: int, path: Path, digest: str) -> None:
        raise AssertionError("no checkpoint is expected here")

    def log(self, text: str) -> None:
        self.lines.append(text)


SEGMENT = Segment(number=3, seed=7, device="cpu", attempt_id="ab" * 16, to_epoch=5)


def make(tape: Tape | None = None, **fields: object) -> Trial:
    return Trial(replace(SEGMENT, **fields), {"lr": 0.1}, tape or Tape())


def test_trial_tells_what_it_is() -> None:
    trial = make(from_epoch=2)
    assert (trial.number, trial.seed, trial.device) == (3, 7, "cpu")
    assert (trial.from_epoch, trial.to_epoch, trial.attempt_id) == (2, 5, "ab" * 16)
    assert trial.params == {"lr": 0.1}


@pytest.mark.parametrize(
    ("count", "to_epoch", "expected"),
    [(None, 3, [1, 2, 3]), (2, 0, [1, 2]), (2, 5, [1, 2]), (9, 3, [1, 2, 3])],
)
def test_epochs_count_from_one_to_the_smaller_end(
    count: int | None, to_epoch: int, expected: list[int]
) -> None:
    assert list(make(to_epoch=to_epoch).epochs(count)) == expected


def test_epochs_without_any_count_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(EvaluatorError, match=r"trial\.epochs\(10"):
        next(iter(make(to_epoch=0).epochs()))


@pytest.mark.parametrize("count", [0, -1, 2.0, True, "3"])
def test_epochs_refuses_a_count_that_is_none(count: object) -> None:
    with pytest.raises(EvaluatorError, match="whole number >= 1"):
        next(iter(make().epochs(count)))


def test_epochs_refuses_a_state_that_has_none() -> None:
    with pytest.raises(EvaluatorError, match=r"model= has no state_dict.*type int"):
        next(iter(make().epochs(model=3)))


def test_epochs_leaves_out_states_that_are_none() -> None:
    assert list(make(to_epoch=2, checkpoint_every_s=0.0).epochs(optimizer=None)) == [1, 2]


def test_report_passes_metrics_on_as_floats() -> None:
    tape = Tape()
    trial = make(tape)
    trial.report(1, loss=2, accuracy=0.5)
    trial.report(4, loss=1)
    assert tape.reports == [(1, {"loss": 2.0, "accuracy": 0.5}), (4, {"loss": 1.0})]
    assert trial.metrics == {"loss": 1.0}


@pytest.mark.parametrize("second", [1, 0])
def test_report_refuses_a_step_that_does_not_rise(second: int) -> None:
    trial = make()
    trial.report(1, loss=1.0)
    with pytest.raises(EvaluatorError, match=f"rise strictly; {second} came after 1"):
        trial.report(second, loss=1.0)


@pytest.mark.parametrize("step", [-1, 1.5, True, None, "2"])
def test_report_refuses_a_step_that_is_no_whole_number(step: object) -> None:
    with pytest.raises(EvaluatorError, match="whole number >= 0"):
        make().report(step, loss=1.0)


@pytest.mark.parametrize(
    ("metrics", "word"),
    [
        ({}, "names no metric"),
        ({"loss": float("nan")}, "reported loss=nan"),
        ({"params": 1}, "params"),
    ],
)
def test_report_refuses_what_is_no_metric(metrics: dict[str, float], word: str) -> None:
    tape = Tape()
    with pytest.raises(EvaluatorError, match=word):
        make(tape).report(1, **metrics)
    assert tape.reports == []


def test_report_ignores_steps_that_a_lost_attempt_reported() -> None:
    tape = Tape()
    trial = make(tape, reported_step=2)
    for step in (1, 2, 3):
        trial.report(step, loss=float(step))
    assert tape.reports == [(3, {"loss": 3.0})]


def test_repeated_report_still_obeys_an_order() -> None:
    with pytest.raises(TrialStopped):
        make(Tape(Order.STOP), reported_step=2).report(1, loss=1.0)


@pytest.mark.parametrize(
    ("order", "error"),
    [
        (Order.STOP, TrialStopped),
        (Order.PAUSE, TrialPaused),
        (Order.CANCEL, TrialCancelled),
    ],
)
def test_report_raises_what_except_exception_cannot_swallow(
    order: Order, error: type[BaseException]
) -> None:
    tape = Tape(order)
    with pytest.raises(error) as caught:
        make(tape).report(1, loss=1.0)
    assert not isinstance(caught.value, Exception)
    assert len(tape.reports) == 1


def test_report_without_check_never_raises_and_should_stop_tells() -> None:
    tape = Tape()
    trial = make(tape)
    assert not trial.should_stop()
    tape.answer = Order.STOP
    trial.report(1, check=False, loss=1.0)
    assert trial.heeded is Order.CONTINUE
    assert trial.should_stop()
    assert trial.heeded is Order.STOP


def test_log_takes_anything() -> None:
    tape = Tape()
    make(tape).log({"a": 1})
    assert tape.lines == ["{'a': 1}"]
