"""A study of Optuna's that says what the log says, for optimizers that ask Optuna's samplers.

What a sampler sees is a function of the log alone, whether the study grew with it or was built from
it later. Results stand in the order in which they came, trials under way where they were asked. At
certain moments of the log the study begins anew from a window of the results, so that asks stay
cheap however long the search is. An ask leaves a failed trial behind, which no sampler reads.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import numpy as np

from morphml.errors import OptimizerError
from morphml.optimizers.best_and_youngest import BestAndYoungest
from morphml.optimizers.contract import Proposal
from morphml.optimizers.events import Answered, Asked, Cancelled, Event, Told
from morphml.optimizers.pareto import Result
from morphml.optimizers.population import Member
from morphml.optimizers.record import Record
from morphml.optimizers.seen_points import point_key
from morphml.optimizers.surrogate.single_thread import single_thread
from morphml.optimizers.surrogate.targets import Floats, targets
from morphml.optimizers.unseen import unseen_draw, unseen_walk
from morphml.space import Architecture, SearchSpace
from morphml.space.decisions import Code, Decision, Kind

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial

SamplerT = TypeVar("SamplerT", bound="BaseSampler")

#: What the study hears of: a trial begins, the trial of that number ends, a result comes in.
_Entry: TypeAlias = Asked | int | Member
#: Trials of a study, those left behind by asks included, after which it is built anew.
_ROOM = 3_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StudySettings:
    """How a sampler is asked."""

    #: The optimizer's name, for errors.
    name: str
    #: A fresh sampler from a seed.
    make_sampler: Callable[[int], BaseSampler]
    #: Results that are drawn at random to begin with, >= 1.
    starts: int
    #: Results at most that the study begins with at a moment of the log, >= 2.
    window: int
    #: Ends of trials from one moment to the next, >= 1.
    every: int
    #: Ends of trials before the first moment.
    first: int
    #: Samples in a row, after which a known point is mutated until it is unseen, >= 1.
    tries: int
    #: Several objectives are weighed anew for each ask, and shown as one (ParEGO).
    weighs: bool = False
    #: Written beside the results of the window.
    attributes: Mapping[str, int] = field(default_factory=dict)
    #: Done once with each study, before any ask, with a seed that depends on the log alone.
    prepare: Callable[[Study, int], None] | None = None


class StudyGuide:
    """Learns from the log and proposes what a fresh sampler says.

    Decisions that are inactive are shown with their defaults. With a violation anywhere in the log
    all results are shown with theirs, as a constraint.

    Args:
        space: what is searched.
        settings: how the sampler is asked.

    Raises:
        OptimizerError: Optuna is not installed.
    """

    def __init__(self, space: SearchSpace, settings: StudySettings) -> None:
        require_installed(settings.name, "optuna")
        self._space = space
        self._settings = settings
        self._record = Record()
        self._window = BestAndYoungest(settings.window)
        self._results = 0
        self._objectives = 1
        self._constrained = False
        #: Trials that ended, and answers from other experiments.
        self._ends = 0
        #: As many when the study last began anew; tells moments of the log apart.
        self._moment = 0
        #: What the study begins with, and what came since, in the log's order.
        self._base: list[_Entry] = []
        self._since: list[_Entry] = []
        self._study: _LiveStudy | None = None

    def observe(self, event: Event) -> None:
        """Learn one log entry; O(decisions), at a moment O(window log window)."""
        learned = self._record.observe(event)
        match event:
            case Asked():
                self._enter(event)
            case Told() | Cancelled():
                self._enter(event.number)
                self._ends += 1
            case Answered() if learned is not None and not learned.again:
                self._ends += 1
            case _:
                return
        if learned is not None:
            self._learn(learned.member)
        settings = self._settings
        ended = not isinstance(event, Asked)
        if ended and self._ends >= settings.first and self._ends % settings.every == 0:
            self._base = [*self._window.take(), *self._record.pending.values()]
            self._since = []
            self._moment = self._ends
            self._study = None

    def propose(self, rng: np.random.Generator) -> Proposal:
        """What a fresh sampler proposes; a random draw to begin with."""
        seen = self._record.seen
        if self._results < self._settings.starts:
            return Proposal(architecture=unseen_draw(self._space, seen, rng))
        study = self._ready(rng)
        study.use(self._settings.make_sampler(int(rng.integers(2**31))))
        found = study.ask()
        for _ in range(self._settings.tries - 1):
            if found is None or point_key(found) not in seen:
                break
            found = study.ask()
        if found is None:
            return Proposal(architecture=unseen_draw(self._space, seen, rng))
        return Proposal(architecture=unseen_walk(self._space, found, seen, rng))

    def _learn(self, member: Member) -> None:
        self._results += 1
        self._objectives = len(member.result.values)
        self._window.add(member)
        if member.result.violation > 0 and not self._constrained:
            self._constrained = True
            self._study = None
        self._enter(member)

    def _enter(self, entry: _Entry) -> None:
        self._since.append(entry)
        if self._study is not None:
            self._study.enter(entry)

    def _ready(self, rng: np.random.Generator) -> _LiveStudy:
        """The study; built where the log passed a moment, or asks left too much behind."""
        if self._settings.weighs and self._objectives > 1:
            return self._weighed(rng.dirichlet(np.ones(self._objectives)))
        if self._study is None or self._study.size > _ROOM:
            study = _LiveStudy(self._space, self._objectives, constrained=self._constrained)
            for entry in self._base:
                study.enter(entry, self._settings.attributes)
            if self._settings.prepare is not None:
                study.prepare(self._settings.prepare, self._moment)
            for entry in self._since:
                study.enter(entry)
            self._study = study
        return self._study

    def _weighed(self, weights: Floats) -> _LiveStudy:
        """A study for one ask, of one objective; violated constraints come last in it."""
        entries = self._base + self._since
        results = [entry.result for entry in entries if isinstance(entry, Member)]
        values = iter(targets(results, weights).tolist())
        study = _LiveStudy(self._space, 1, constrained=False)
        for entry in entries:
            if isinstance(entry, Member):
                study.enter(entry._replace(result=Result(0.0, (next(values),))))
            else:
                study.enter(entry)
        return study


class _LiveStudy:
    """A study in memory, and which of its trials stands for which of ours."""

    def __init__(self, space: SearchSpace, objectives: int, *, constrained: bool) -> None:
        import optuna  # noqa: PLC0415 takes a second, and only these optimizers need it

        self._space = space
        self._constrained = constrained
        self._states = optuna.trial.TrialState
        self._distributions = {d.path: _distribution(d) for d in space.decisions}
        with _silence():
            self._study = optuna.create_study(directions=["minimize"] * objectives)
        #: Trials in the study.
        self.size = 0
        #: Number of a trial under way -> its number in the study.
        self._places: dict[int, int] = {}

    def use(self, sampler: BaseSampler) -> None:
        """Ask this one from now on."""
        self._study.sampler = sampler

    def prepare(self, action: Callable[[Study, int], None], seed: int) -> None:
        """Let ``action`` work on the study."""
        action(self._study, seed)

    def enter(self, entry: _Entry, attributes: Mapping[str, int] | None = None) -> None:
        """Learn that a trial begins, ends or brought a result."""
        match entry:
            case Asked():
                self._places[entry.number] = self.size
                self._add(self._running(entry.architecture))
            case Member():
                self._add(self._complete(entry, attributes or {}))
            case _:
                self._study.tell(self._places.pop(entry), state=self._states.FAIL)

    def ask(self) -> Architecture | None:
        """A sample; None when it is no member of the space."""
        with single_thread(), _silence():
            trial = self._study.ask(self._distributions)
        self.size += 1
        self._study.tell(trial, state=self._states.FAIL)
        decisions = self._space.decisions
        encoded = [decision.encode(trial.params[decision.path]) for decision in decisions]
        architecture = self._space.decode(np.array(encoded))
        return architecture if self._space.contains(architecture).ok else None

    def _add(self, trial: FrozenTrial) -> None:
        self._study.add_trial(trial)
        self.size += 1

    def _running(self, architecture: Architecture) -> FrozenTrial:
        from optuna.trial import create_trial  # noqa: PLC0415 as above

        return create_trial(
            state=self._states.RUNNING,
            params=self._shown(architecture),
            distributions=self._distributions,
        )

    def _complete(self, member: Member, attributes: Mapping[str, int]) -> FrozenTrial:
        from optuna.trial import create_trial  # noqa: PLC0415 as above

        violation = {"violation": member.result.violation} if self._constrained else None
        return create_trial(
            params=self._shown(member.architecture),
            distributions=self._distributions,
            values=member.result.values,
            system_attrs=dict(attributes),
            constraints=violation,
        )

    def _shown(self, architecture: Architecture) -> dict[str, int | float]:
        pairs = zip(self._space.decisions, architecture.vector, strict=True)
        return {decision.path: _code(decision, code) for decision, code in pairs}


def require_installed(optimizer: str, *modules: str, extra: str = "bo") -> None:
    """Nothing when all ``modules``, which come with ``extra``, are there; imports none of them.

    Raises:
        OptimizerError: one is missing; the message says what to install.
    """
    for module in modules:
        if find_spec(module) is None:
            raise OptimizerError(
                f"{module} is not installed; pip install 'morphml[{extra}]'", optimizer=optimizer
            )


def quiet(make: Callable[[], SamplerT]) -> SamplerT:
    """What ``make`` makes, without the warning that Optuna may still change it."""
    from optuna.exceptions import ExperimentalWarning  # noqa: PLC0415 as above

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return make()


@contextmanager
def _silence() -> Iterator[None]:
    """Optuna does not log each study and what it would rather have installed."""
    from optuna import logging  # noqa: PLC0415 as above

    said = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        logging.set_verbosity(said)


def _code(decision: Decision, code: Code) -> int | float:
    return decision.default if code is None else code


def _distribution(decision: Decision) -> BaseDistribution:
    from optuna import distributions  # noqa: PLC0415 as above

    low, high = decision.low, decision.high
    match decision.kind:
        case Kind.CATEGORICAL:
            return distributions.CategoricalDistribution(list(range(len(decision.options))))
        case Kind.REAL:
            return distributions.FloatDistribution(low, high, log=decision.log)
        case _:
            return distributions.IntDistribution(int(low), int(high), log=decision.log)
