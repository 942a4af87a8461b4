"""A failure shows the lines that a person wrote, and none of ours."""

from __future__ import annotations

from morphml.engines import Failed, InProcessEngine
from morphml.evaluation import Trial
from morphml.testing.engine_probe import EngineProbe, ToyArchitecture


def returns_nothing(arch: ToyArchitecture, trial: Trial) -> None:
    return None


def divides(arch: ToyArchitecture, trial: Trial) -> float:
    return 1 / 0


def failed_with(evaluator: object) -> Failed:
    probe = EngineProbe(InProcessEngine())
    probe.prepare(evaluator)
    outcome = probe.run()
    assert isinstance(outcome, Failed)
    return outcome


def test_wrong_result_is_told_by_its_rule_alone() -> None:
    failed = failed_with(returns_nothing)
    assert "is a return statement missing?" in failed.message
    assert failed.traceback == f"morphml.errors.EvaluatorError: {failed.message}\n"


def test_error_is_told_with_the_lines_of_the_evaluator_alone() -> None:
    lines = failed_with(divides).traceback.splitlines()
    assert [line.split(", in ")[1] for line in lines if line.startswith("  File ")] == ["divides"]
