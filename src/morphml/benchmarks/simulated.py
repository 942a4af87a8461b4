"""Searches with several workers and fewer epochs for some trials, under a clock that is computed.

What each epoch of a table's training took advances the clock, so hours of a search take seconds.
The search machine is the one that drives real experiments: it asks, learns reports, pauses at rungs
and promotes. Nothing but the seed and the table enters.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from morphml.benchmarks.curve import Curve
from morphml.benchmarks.judging import SeenRegret
from morphml.benchmarks.problem import Measure, Problem
from morphml.benchmarks.run import Run, RunKey
from morphml.benchmarks.spec import spec_of
from morphml.errors import CallerError
from morphml.optimizers import Optimizer, create_optimizer
from morphml.search.asked import Ended, Taken
from morphml.search.experiment import (
    Budget,
    ExperimentSpec,
    FidelityReference,
    TrialState,
)
from morphml.search.fidelity import Fidelity, OneLevel, combined, create_fidelity
from morphml.search.machine import SearchMachine
from morphml.search.outcome import Outcome, Rest
from morphml.space import Architecture

_T = TypeVar("_T")
#: Between an optimizer and a rule of fidelity in one name, such as ``evolution+asha``.
_AND = "+"


def with_workers(problem: Problem, workers: int) -> Problem:
    """The same problem, searched by so many workers at once under a computed clock.

    Args:
        problem: with curves.
        workers: at least 1.

    Raises:
        CallerError: it has no curves, or there is no worker.
    """
    if problem.curves is None:
        raise CallerError(f"{problem.name}: has no curves, so no time can be computed")
    if workers < 1:
        raise CallerError(f"workers: at least 1, got {workers}")
    return replace(problem, name=f"{problem.name}/{workers}-workers", workers=workers)


def searcher_of(name: str, epochs: int) -> tuple[str, Fidelity | None]:
    """The optimizer's name and the rule of fidelity that one name stands for.

    Args:
        name: an optimizer, a combination such as ``bohb``, or both with ``+`` between them.
        epochs: of a full trial.

    Raises:
        ExperimentError: there is no such rule.
    """
    first, _, second = name.partition(_AND)
    optimizer, rule = combined(first, second or None)
    return optimizer, None if rule is None else create_fidelity(rule, epochs)


def simulate(problem: Problem, key: RunKey) -> Run:
    """One search of a problem that ``with_workers`` made.

    An evaluation is as many epochs as a full trial has, whoever got them. What is missing is the
    regret of the full training of the member that was best by any report so far.
    """
    return _Simulation(problem, key).run()


@dataclass(slots=True)
class _Running:
    """A trial that a worker trains."""

    number: int
    curve: Curve
    #: Epochs done, where this segment began, and where it ends.
    epoch: int
    began: int
    to_epoch: int


class _Simulation:
    """One search: a heap of epochs that end, and the machine that says what follows."""

    def __init__(self, problem: Problem, key: RunKey) -> None:
        assert problem.curves is not None
        self._key = key
        self._curves = problem.curves
        self._workers = problem.workers
        name, rule = searcher_of(key.optimizer, problem.curves.epochs)
        optimizer = _optimizer(problem, name, rule)
        self._settings = optimizer.settings
        self._machine = SearchMachine(
            _spec(problem, key, optimizer, rule), problem.space, optimizer, fidelity=rule
        )
        self._course = _Course(problem)
        self._now = 0.0
        self._serial = 0
        self._heap: list[tuple[float, int, _Running]] = []
        self._asks_no_more = False
        self._seconds = 0.0

    def run(self) -> Run:
        """All of it."""
        self._fill()
        while self._heap:
            self._now, _, running = heapq.heappop(self._heap)
            self._epoch_ended(running)
            self._fill()
        self._timed(self._machine.end_paused)
        return self._course.run(
            self._key,
            self._settings,
            answered=self._machine.standing.duplicates,
            seconds=self._seconds,
        )

    def _epoch_ended(self, running: _Running) -> None:
        machine, number = self._machine, running.number
        running.epoch += 1
        metrics = running.curve.metrics[running.epoch - 1]
        self._course.epoch(self._now, metrics, running.curve)
        if running.epoch == self._curves.epochs:
            self._tell(running, TrialState.COMPLETED)
            return
        self._timed(partial(machine.report, number, running.epoch, metrics))
        if number in machine.segments.stopping:
            self._tell(running, TrialState.PRUNED)
        elif running.epoch == running.to_epoch:
            rest = Rest(
                step=running.epoch,
                metrics=metrics,
                duration_s=self._spent(running) * running.curve.seconds,
                spent=self._spent(running),
                saved=running.epoch,
            )
            self._timed(partial(machine.pause, number, rest))
        else:
            self._push(running)

    def _tell(self, running: _Running, state: TrialState) -> None:
        outcome = Outcome(
            state=state,
            metrics=running.curve.metrics[running.epoch - 1],
            duration_s=self._spent(running) * running.curve.seconds,
            epochs=running.epoch,
            spent=self._spent(running),
        )
        self._timed(partial(self._machine.tell, running.number, outcome))

    def _fill(self) -> None:
        """Give every free worker something to do, where there is something."""
        while len(self._heap) < self._workers and self._next():
            pass
        self._machine.drain()

    def _next(self) -> bool:
        machine = self._machine
        due = self._timed(machine.promote)
        if due is not None:
            self._begin(due.number, machine.pending[due.number])
            return True
        if self._asks_no_more or not machine.has_room:
            return False
        asked = self._timed(machine.ask)
        if isinstance(asked, Ended):
            self._asks_no_more = True
        if isinstance(asked, Taken):
            self._begin(asked.number, asked.architecture)
        return isinstance(asked, Taken)

    def _begin(self, number: int, architecture: Architecture) -> None:
        curve = self._course.began(architecture, self._curves(architecture))
        if curve is None:
            failed = Outcome(state=TrialState.FAILED)
            self._timed(partial(self._machine.tell, number, failed))
            return
        stage = self._machine.segments.stage(number)
        self._push(
            _Running(
                number=number,
                curve=curve,
                epoch=stage.from_epoch,
                began=stage.from_epoch,
                to_epoch=stage.to_epoch,
            )
        )

    def _push(self, running: _Running) -> None:
        self._serial += 1  # of two that end at once, the one that began its epoch first
        heapq.heappush(self._heap, (self._now + running.curve.seconds, self._serial, running))

    def _spent(self, running: _Running) -> int:
        return running.epoch - running.began

    def _timed(self, call: Callable[[], _T]) -> _T:
        began = time.process_time()
        try:
            return call()
        finally:
            self._seconds += time.process_time() - began


class _Course:
    """What one simulated search came to, evaluation by evaluation."""

    def __init__(self, problem: Problem) -> None:
        assert problem.curves is not None
        self._problem = problem
        self._full = problem.curves.epochs
        fitness = problem.measures[0]
        answer = problem.answer or fitness
        self._names = fitness.objective.name, answer.objective.name
        self._judge = SeenRegret(_renamed(fitness, "seen"), _renamed(answer, "judged"))
        self._missing = float("inf")
        self._epochs = 0
        self._curve: list[float] = []
        self._clock: list[float] = []
        self._last = 0.0
        self._failed = 0
        self._networks: dict[object, str | None] = {}

    def began(self, architecture: Architecture, curve: Curve | None) -> Curve | None:
        """A trial begins or goes on; its curve again."""
        self._failed += curve is None
        if architecture.vector not in self._networks:
            self._networks[architecture.vector] = self._problem.look_up.network(architecture)
        return curve

    def epoch(self, now: float, metrics: Mapping[str, float], curve: Curve) -> None:
        """One epoch more."""
        seen, judged = self._names
        point = {"seen": metrics[seen], "judged": curve.metrics[-1][judged]}
        self._missing = self._judge.add(point)
        self._epochs += 1
        self._last = now
        if self._epochs % self._full == 0:
            self._mark()

    def _mark(self) -> None:
        self._curve.append(self._missing)
        self._clock.append(self._last)

    def run(
        self, key: RunKey, settings: Mapping[str, object], *, answered: int, seconds: float
    ) -> Run:
        """All of it; an evaluation that is not full counts as one."""
        if self._epochs % self._full:
            self._mark()
        networks = {network for network in self._networks.values() if network is not None}
        return Run(
            key=key,
            settings=dict(settings),  # type: ignore[arg-type]  # an optimizer's settings are JSON
            curves={self._problem.verdict: tuple(self._curve)},
            clock=tuple(self._clock),
            evaluations=len(self._curve),
            vectors=len(self._networks),
            networks=len(networks) or None,
            answered=answered,
            failed=self._failed,
            ask_ms=1e3 * seconds / max(1, len(self._curve)),
        )


def _renamed(measure: Measure, name: str) -> Measure:
    return replace(measure, objective=replace(measure.objective, name=name))


def _optimizer(problem: Problem, name: str, rule: Fidelity | None) -> Optimizer:
    """The optimizer, which beside a rule learns results of equal epochs only."""
    if rule is None:
        return create_optimizer(name, problem.space)
    return OneLevel(partial(create_optimizer, name, problem.space), rule.rungs)


def _spec(
    problem: Problem, key: RunKey, optimizer: Optimizer, rule: Fidelity | None
) -> ExperimentSpec:
    assert problem.curves is not None
    epochs = key.trials * problem.curves.epochs
    return replace(
        spec_of(problem, optimizer, key.seed, Budget(trials=epochs, epochs=epochs)),
        max_epochs=problem.curves.epochs,
        fidelity=None
        if rule is None
        else FidelityReference(name=rule.name, settings=rule.settings),
        workers=problem.workers,
    )
