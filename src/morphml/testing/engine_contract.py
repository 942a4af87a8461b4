"""What every engine must do, as tests: subclass ``EngineContract`` and make an engine.

.. code-block:: python

    class TestMine(EngineContract):
        def make(self, slots: int) -> Engine:
            return MyEngine(slots)
"""

from __future__ import annotations

from pathlib import Path

from morphml.engines.port import (
    Assignment,
    Cancelled,
    Engine,
    Failed,
    Finished,
    Order,
    Stopped,
    Succeeded,
)
from morphml.errors import EvaluatorError, WorkerError
from morphml.ids import ExperimentId, new_token
from morphml.testing import engine_evaluators as given
from morphml.testing.engine_probe import EXPERIMENT, EngineProbe
from morphml.testing.engine_results import ResultContract


class EngineContract(ResultContract):
    """The behaviour that a search relies on."""

    def test_engine_ends_each_of_many_attempts_once(self) -> None:
        """More attempts than slots: each ends once, with its own result."""
        with self.probe() as probe:
            tokens = {probe.submit(x): x for x in range(25)}
            probe.finish()
            ends = {event.token: event.outcome for event in probe.of(Finished)}
            assert ends == {t: Succeeded(metrics={"score": float(x)}) for t, x in tokens.items()}
            assert all(event.worker and event.duration_s >= 0 for event in probe.of(Finished))

    def test_engine_loads_an_evaluator_by_import_path(self) -> None:
        """A path works as the object does."""
        assert self.outcome(f"{given.__name__}:score", 0.25) == Succeeded(metrics={"score": 0.25})

    def test_engine_refuses_an_import_path_that_leads_nowhere(self) -> None:
        """At ``prepare``, and the message names it."""
        for path in (f"{given.__name__}:nothing", "no colon"):
            try:
                self.outcome(path)
            except EvaluatorError as error:
                assert path.partition(":")[2] in str(error)
            else:
                raise AssertionError(f"{path} was taken")

    def test_engine_runs_several_experiments_and_replaces_one(self) -> None:
        """Side by side; a second ``prepare`` wins."""
        other = ExperimentId("other")
        with self.probe(given.score) as probe:
            probe.prepare(given.report_thrice, experiment=other)
            assert probe.run(0.5) == Succeeded(metrics={"score": 0.5})
            assert isinstance(probe.run(experiment=other), Succeeded)
            probe.prepare(given.fail)
            assert isinstance(probe.run(), Failed)

    def test_engine_ends_a_waiting_attempt_as_ordered(self) -> None:
        """Cancelled or stopped before it began; the others run."""
        with self.probe(slots=1) as probe:
            tokens = [probe.submit(x) for x in range(30)]
            probe.engine.order(tokens[28], Order.CANCEL)
            probe.engine.order(tokens[29], Order.STOP)
            probe.finish()
            assert probe.finished(tokens[28]).outcome == Cancelled()
            assert probe.finished(tokens[29]).outcome == Stopped(metrics={})
            assert sum(isinstance(e.outcome, Succeeded) for e in probe.of(Finished)) == 28

    def test_engine_ignores_orders_about_what_it_does_not_run(self) -> None:
        """Ended and unknown tokens are no error."""
        with self.probe() as probe:
            token = probe.submit(0.5)
            probe.finish()
            probe.engine.order(token, Order.CANCEL)
            probe.engine.order(new_token(), Order.STOP)
            assert probe.engine.events(0.0) == []
            assert probe.run(0.75) == Succeeded(metrics={"score": 0.75})

    def test_engine_returns_at_once_when_nothing_is_to_be_waited_for(self) -> None:
        """A timeout of 0 s is a look."""
        with self.probe() as probe:
            assert [e for e in probe.engine.events(0.0) if isinstance(e, Finished)] == []

    def test_engine_refuses_what_was_not_prepared(self, tmp_path: Path) -> None:
        """And anything after ``close``, which may be called twice."""
        engine = self.make(1)
        attempt = Assignment(
            token=new_token(), experiment=EXPERIMENT, number=0, vector=(1,), seed=1
        )
        _expect_worker_error(engine, attempt)
        EngineProbe(engine).prepare(given.score, scratch=tmp_path)
        engine.submit(attempt)
        engine.close()
        engine.close()
        _expect_worker_error(engine, attempt)


def _expect_worker_error(engine: Engine, attempt: Assignment) -> None:
    try:
        engine.submit(attempt)
    except WorkerError as error:
        assert str(error)
    else:
        raise AssertionError("the engine took an attempt that it cannot run")
