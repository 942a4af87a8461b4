"""One search of one problem, counted look-up by look-up."""

from __future__ import annotations

import time
from collections.abc import Mapping

from morphml.benchmarks.problem import Problem
from morphml.benchmarks.run import Run, RunKey
from morphml.benchmarks.simulated import searcher_of, simulate
from morphml.benchmarks.spec import spec_of
from morphml.optimizers import create_optimizer
from morphml.optimizers.events import JSON
from morphml.search.asked import Taken
from morphml.search.experiment import (
    Budget,
    TrialState,
)
from morphml.search.machine import SearchMachine
from morphml.search.outcome import Outcome
from morphml.space import Architecture


class Tally:
    """Looks results up for one search and counts.

    Args:
        problem: what is searched.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.evaluations = 0
        self.failed = 0
        self._judges = problem.judges()
        self._curves: dict[str, list[float]] = {name: [] for name in self._judges}
        self._vectors: dict[object, str | None] = {}
        self._networks: set[str] = set()
        self._repeats: list[int] = []

    def look_up(self, architecture: Architecture) -> Mapping[str, float] | None:
        """One evaluation; None where there is no row."""
        metrics = self.problem.look_up(architecture)
        self.evaluations += 1
        self.failed += metrics is None
        for name, judge in self._judges.items():
            self._curves[name].append(judge.add(metrics))
        if architecture.vector not in self._vectors:
            self._vectors[architecture.vector] = self.problem.look_up.network(architecture)
        network = self._vectors[architecture.vector]
        if network in self._networks:
            self._repeats.append(self.evaluations)
        if network is not None:
            self._networks.add(network)
        return metrics

    def run(
        self, key: RunKey, settings: Mapping[str, JSON], *, answered: int, seconds: float
    ) -> Run:
        """What was counted.

        Args:
            key: what fixed the search.
            settings: the optimizer's.
            answered: proposals that needed no look-up.
            seconds: processor time of all asking and telling.
        """
        return Run(
            key=key,
            settings=dict(settings),
            curves={name: tuple(curve) for name, curve in self._curves.items()},
            evaluations=self.evaluations,
            vectors=len(self._vectors),
            networks=len(self._networks) or None,
            repeats=tuple(self._repeats),
            answered=answered,
            failed=self.failed,
            ask_ms=1e3 * seconds / max(1, self.evaluations),
        )


def key_of(problem: Problem, optimizer: str, seed: int, trials: int) -> RunKey:
    """The key of one of our own optimizers' search.

    Args:
        problem: what is searched.
        optimizer: its name; with workers also a combination, see ``simulated.searcher_of``.
        seed: of the search.
        trials: evaluations.

    Raises:
        OptimizerError, ExperimentError: there is no such optimizer, or rule of fidelity.
    """
    name = optimizer
    if problem.workers and problem.curves is not None:
        name, _ = searcher_of(optimizer, problem.curves.epochs)
    return RunKey(
        problem=problem.name,
        data=problem.look_up.digest,
        optimizer=optimizer,
        version=str(create_optimizer(name, problem.space).version),
        seed=seed,
        trials=trials,
    )


def play(problem: Problem, key: RunKey) -> Run:
    """Search with one of our own optimizers; one trial at a time where there are no workers.

    The search machine is the one that drives real experiments: a proposal that repeats a known
    point is answered by it, and costs no look-up. The search ends early where the space runs dry.
    """
    if problem.workers:
        return simulate(problem, key)
    optimizer = create_optimizer(key.optimizer, problem.space)
    spec = spec_of(problem, optimizer, key.seed, Budget(trials=key.trials))
    machine = SearchMachine(spec, problem.space, optimizer)
    tally = Tally(problem)
    seconds = 0.0
    while True:
        began = time.process_time()
        taken = machine.ask()
        seconds += time.process_time() - began
        if not isinstance(taken, Taken):
            break
        metrics = tally.look_up(taken.architecture)
        outcome = Outcome(state=TrialState.FAILED)
        if metrics is not None:
            outcome = Outcome(state=TrialState.COMPLETED, metrics=metrics)
        began = time.process_time()
        machine.tell(taken.number, outcome)
        machine.drain()
        seconds += time.process_time() - began
    answered = machine.standing.duplicates
    return tally.run(key, optimizer.settings, answered=answered, seconds=seconds)
