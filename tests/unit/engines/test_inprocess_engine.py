from __future__ import annotations

import bdb

import pytest

from morphml.engines import Cancelled, Engine, InProcessEngine, Order, PausedAt, Reported, Stopped
from morphml.evaluation import Trial
from morphml.testing.engine_contract import EngineContract
from morphml.testing.engine_evaluators import report_thrice
from morphml.testing.engine_probe import EngineProbe, ToyArchitecture


class TestInProcessEngine(EngineContract):
    def make(self, slots: int) -> Engine:
        return InProcessEngine()


@pytest.mark.parametrize(
    ("order", "outcome"),
    [
        (Order.STOP, Stopped(metrics={"score": 0.2})),
        (Order.PAUSE, PausedAt(step=0)),
        (Order.CANCEL, Cancelled()),
    ],
)
def test_inprocess_engine_obeys_its_judge_at_once(order: Order, outcome: object) -> None:
    def judge(event: Reported) -> Order:
        return order if event.step == 2 else Order.CONTINUE

    probe = EngineProbe(InProcessEngine(judge=judge))
    probe.prepare(report_thrice)
    assert probe.run() == outcome
    assert [event.step for event in probe.of(Reported)] == [1, 2]


def quit_debugger(arch: ToyArchitecture, trial: Trial) -> float:
    raise bdb.BdbQuit


def press_ctrl_c(arch: ToyArchitecture, trial: Trial) -> float:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("evaluator", "error"), [(quit_debugger, bdb.BdbQuit), (press_ctrl_c, KeyboardInterrupt)]
)
def test_inprocess_engine_lets_ctrl_c_and_the_debugger_through(
    evaluator: object, error: type[BaseException]
) -> None:
    engine = InProcessEngine()
    probe = EngineProbe(engine)
    probe.prepare(evaluator)
    probe.submit()
    with pytest.raises(error):
        engine.events(0.0)


def test_inprocess_engine_calls_the_very_object_it_was_given(
    capsys: pytest.CaptureFixture[str],
) -> None:
    seen = []

    def evaluate(arch: ToyArchitecture, trial: Trial) -> float:
        seen.append(arch.vector)
        print("in the terminal")
        return 0.5

    probe = EngineProbe(InProcessEngine())
    probe.prepare(evaluate)
    probe.run(3)
    assert seen == [(3,)]
    assert capsys.readouterr().out == "in the terminal\n"
