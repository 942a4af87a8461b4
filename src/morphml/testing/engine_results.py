"""What every engine must do with one attempt, as tests; a part of ``EngineContract``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

from morphml.engines.port import Engine, Failed, Finished, Outcome, Reported, Started, Succeeded
from morphml.scheduling.failures import FailureKind
from morphml.testing import engine_evaluators as given
from morphml.testing.engine_probe import EngineProbe


class ResultContract(ABC):
    """How one attempt begins, reports and ends."""

    @abstractmethod
    def make(self, slots: int) -> Engine:
        """A fresh engine with (up to) so many slots."""

    @contextmanager
    def probe(
        self, evaluator: object = given.score, *metrics: str, slots: int = 2
    ) -> Iterator[EngineProbe]:
        """A probe of a fresh engine that knows one evaluator; closed at the end."""
        engine = self.make(slots)
        probe = EngineProbe(engine)
        try:
            probe.prepare(evaluator, *metrics, settings={"limit": 7})
            yield probe
        finally:
            engine.close()

    def outcome(self, evaluator: object, x: float = 0.0) -> Outcome:
        """How one attempt ends."""
        with self.probe(evaluator) as probe:
            return probe.run(x)

    def test_engine_tells_started_reports_and_end_in_this_order(self) -> None:
        """Started, reports with rising steps, Finished, and a log line."""
        with self.probe(given.report_thrice) as probe:
            token = probe.submit()
            probe.finish()
            about = probe.about(token)
            assert isinstance(about[0], Started)
            assert isinstance(about[-1], Finished)
            reports = [(e.step, e.metrics) for e in about if isinstance(e, Reported)]
            assert reports == [(1, {"score": 0.1}), (2, {"score": 0.2}), (3, {"score": 0.3})]
            assert probe.finished(token).outcome == Succeeded(metrics={"score": 0.3, "extra": 1.0})
            assert probe.output(token, "log") == "three reports\n"

    def test_engine_ignores_reports_that_an_earlier_attempt_made(self) -> None:
        """A repeat after a lost attempt is not passed on."""
        with self.probe(given.report_thrice) as probe:
            probe.run(reported_step=2)
            assert [event.step for event in probe.of(Reported)] == [3]

    def test_engine_tells_what_the_evaluator_raised(self) -> None:
        """A user error with type, message and the user's frames only."""
        outcome = self.outcome(given.fail, 4.5)
        assert isinstance(outcome, Failed)
        assert outcome.kind is FailureKind.USER_ERROR
        assert (outcome.error_type, outcome.message) == ("ValueError", "no good: (4.5,)")
        assert "in fail" in outcome.traceback
        assert "runtime.py" not in outcome.traceback

    def test_engine_gives_the_same_error_the_same_digest(self) -> None:
        """Whatever the values in the message; another error has another."""
        first, second, other = (
            self.outcome(given.fail, 1),
            self.outcome(given.fail, 2),
            self.outcome(given.leave),
        )
        assert isinstance(first, Failed)
        assert isinstance(second, Failed)
        assert isinstance(other, Failed)
        assert first.message != second.message
        assert first.digest == second.digest != other.digest

    def test_engine_survives_an_evaluator_that_calls_sys_exit(self) -> None:
        """That is an error of the user's, not the end of the engine."""
        with self.probe(given.leave) as probe:
            outcome = probe.run()
            assert isinstance(outcome, Failed)
            assert outcome.kind is FailureKind.USER_ERROR
            assert "sys.exit(3)" in outcome.message

    def test_engine_refuses_wrong_results_and_says_why(self) -> None:
        """NaN, infinity, text, None, bool, arrays, missing and computed metrics."""
        with self.probe(given.return_as_told) as probe:
            tokens = [probe.submit(i) for i in range(len(given.WRONG_RESULTS))]
            probe.finish()
            for token, word in zip(tokens, given.WRONG_RESULTS, strict=True):
                outcome = probe.finished(token).outcome
                assert isinstance(outcome, Failed)
                assert outcome.kind is FailureKind.USER_ERROR
                assert outcome.error_type == "EvaluatorError"
                assert word in outcome.message

    def test_engine_asks_for_a_mapping_when_two_metrics_are_needed(self) -> None:
        """One number cannot stand for two; the names are told."""
        with self.probe(given.score, "accuracy", "loss", "params") as probe:
            outcome = probe.run(0.5)
            assert isinstance(outcome, Failed)
            assert "'accuracy', 'loss'" in outcome.message

    def test_engine_seeds_the_global_generators_by_the_attempt(self) -> None:
        """The same seed draws the same numbers, wherever it runs."""
        with self.probe(given.draw) as probe:
            tokens = [probe.submit(seed=seed) for seed in (5, 6, 5)]
            probe.finish()
            a, b, c = (probe.finished(token).outcome for token in tokens)
            assert a == c != b

    def test_engine_hands_the_trial_all_it_is_to_know(self) -> None:
        """Number, parameters, seed, attempt id and epochs arrive exactly."""
        with self.probe(given.tell) as probe:
            outcome = probe.run(0.1 + 0.2, number=9, seed=77, to_epoch=4)
            expected = {
                "score": 9.0,
                "x": 0.1 + 0.2,
                "seed": 77.0,
                "id_length": 32.0,
                "epochs": 4.0,
            }
            assert outcome == Succeeded(metrics=expected)

    def test_engine_sets_an_evaluator_up_once_per_process(self) -> None:
        """And hands the experiment's settings to ``setup``."""
        with self.probe(given.SetUp(), slots=1) as probe:
            expected = Succeeded(metrics={"score": 1.0, "limit": 7.0})
            assert [probe.run(), probe.run()] == [expected, expected]

    def test_engine_blames_the_infrastructure_when_setup_fails(self) -> None:
        """Each attempt tries again, and user code never starts."""
        with self.probe(given.BrokenSetup()) as probe:
            for _ in range(3):
                outcome = probe.run()
                assert isinstance(outcome, Failed)
                assert outcome.kind is FailureKind.INFRASTRUCTURE
                assert "no data here" in outcome.message
            assert probe.of(Started) == []
