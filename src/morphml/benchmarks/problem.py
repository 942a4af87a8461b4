"""A benchmark problem: a space whose every member has a known result, and what the best one is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from morphml.benchmarks.curve import Curves
from morphml.benchmarks.judging import FrontDistance, HypervolumeLoss, Judge, SeenRegret
from morphml.search.indicators import installed
from morphml.search.objectives import Objective
from morphml.space import Architecture, SearchSpace


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One metric of a problem."""

    objective: Objective
    #: Such as ``%`` or ``ms``; empty where it has none.
    unit: str = ""
    #: The best value that any member has.
    best: float

    def regret(self, value: float) -> float:
        """How far ``value`` is from the best, in the metric's unit; >= 0."""
        return self.objective.minimised(value) - self.objective.minimised(self.best)


class LookUp(Protocol):
    """Where the results of a problem come from; it is pickled to other processes."""

    def __call__(self, architecture: Architecture, /) -> Mapping[str, float] | None:
        """The metrics of a member; None where it was never measured."""
        ...

    def network(self, architecture: Architecture, /) -> str | None:
        """What tells networks apart that are built alike; None where there are no networks."""
        ...

    @property
    def digest(self) -> str:
        """Changes whenever a result does."""
        ...


class Reporting(Protocol):
    """As much of a running trial as a problem with curves needs, see ``evaluation.trial``."""

    def epochs(self, count: int, /) -> Iterable[int]:
        """The epochs to run, from 1."""
        ...

    def report(self, step: int, /, *, check: bool = True, **metrics: float) -> None:
        """Tell the search how it goes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Problem:
    """A space, what is optimised in it, and the result of every member.

    It is an evaluator, too: ``mm.search(problem.space, problem, objectives=problem.objectives)``.
    """

    #: Such as ``nasbench201/cifar100/direct``.
    name: str
    space: SearchSpace
    #: What a search sees; the first is the fitness.
    measures: tuple[Measure, ...]
    look_up: LookUp
    #: Results epoch by epoch, where they are known.
    curves: Curves | None = None
    #: The metric that the best member seen is judged by, where that is not the fitness.
    answer: Measure | None = None
    #: For two objectives: the point, in their own units, that bounds the hypervolume.
    reference: tuple[float, float] | None = None
    #: Hypervolume of the exact front beyond ``reference``; > 0.
    hypervolume: float = 0.0
    #: The exact front within ``reference``, as both objectives are minimised.
    front: tuple[tuple[float, float], ...] = ()
    #: Trials at a time under a computed clock, see ``simulated.with_workers``; 0: one after the
    #: other, and no clock.
    workers: int = 0
    #: What one look-up stands for.
    cost: str = ""
    #: Whom to credit.
    source: str = ""

    @property
    def objectives(self) -> dict[str, str]:
        """The objectives as ``mm.search`` takes them."""
        return {each.objective.name: each.objective.direction.value for each in self.measures}

    @property
    def version(self) -> str:
        """Stands for the results where searches share them, see ``evaluation.contract``."""
        return f"{self.name} {self.look_up.digest}"

    def judges(self) -> dict[str, Judge]:
        """Fresh judges of one search by name; the last one's verdict is what counts."""
        if len(self.measures) == 2 and self.reference is not None:
            objectives = (self.measures[0].objective, self.measures[1].objective)
            volume = HypervolumeLoss(objectives, self.reference, self.hypervolume)
            if not installed():
                return {"hypervolume": volume}
            return {"igd_plus": FrontDistance(objectives, self.front), "hypervolume": volume}
        fitness = self.measures[0]
        judges: dict[str, Judge] = {fitness.objective.name: SeenRegret(fitness, fitness)}
        if self.answer is not None:
            judges[self.answer.objective.name] = SeenRegret(fitness, self.answer)
        return judges

    @property
    def verdict(self) -> str:
        """The name of the judge that counts."""
        return list(self.judges())[-1]

    def __call__(self, architecture: Architecture, trial: Reporting) -> dict[str, float]:
        """The result of a member, as an evaluator returns it.

        Where curves are known, each epoch is reported, so that a search may stop or pause it.

        Raises:
            LookupError: nobody measured this member; the trial fails.
        """
        if self.curves is not None and (curve := self.curves(architecture)) is not None:
            last: Mapping[str, float] = {}
            for epoch in trial.epochs(self.curves.epochs):
                last = curve.metrics[epoch - 1]
                trial.report(epoch, **last)  # type: ignore[arg-type]  # no metric is "check"
            return dict(last)
        found = self.look_up(architecture)
        if found is None:
            raise LookupError(f"{self.name}: no row for {architecture.decisions!r}")
        return dict(found)
