"""Drives an engine by hand and keeps all that it tells; with a space of one real number."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from morphml.engines.port import (
    Assignment,
    Checkpointed,
    Context,
    Engine,
    EngineEvent,
    Finished,
    Logged,
    Outcome,
    Reported,
    Started,
    WorkerGone,
)
from morphml.evaluation.metrics import MetricRules
from morphml.evaluation.source import EvaluatorSource
from morphml.ids import AttemptToken, ExperimentId, new_token
from morphml.optimizers.events import JSON

if TYPE_CHECKING:
    from morphml.space import Architecture

E = TypeVar("E", bound=EngineEvent)

#: The experiment that a probe runs unless told otherwise.
EXPERIMENT = ExperimentId("probe")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToyArchitecture:
    """A member of ``ToySpace``."""

    vector: tuple[int | float | None, ...]

    @property
    def hyper(self) -> Mapping[str, JSON]:
        """The first code as ``x``."""
        return {"x": self.vector[0]}


@dataclass(frozen=True, slots=True)
class ToySpace:
    """A stand-in for a search space: its members are what their vectors say."""

    def architecture(self, vector: tuple[int | float | None, ...], /) -> Architecture:
        """The member with these codes."""
        return cast("Architecture", ToyArchitecture(vector=vector))


@dataclass
class EngineProbe:
    """One engine under test."""

    engine: Engine
    #: All events so far, in order.
    events: list[EngineEvent] = field(default_factory=list)
    #: All tokens submitted, in order.
    tokens: list[AttemptToken] = field(default_factory=list)

    def prepare(
        self,
        evaluator: object,
        *metrics: str,
        scratch: Path = Path(),
        experiment: ExperimentId = EXPERIMENT,
        settings: Mapping[str, JSON] | None = None,
    ) -> None:
        """Make an evaluator known; without metrics the required one is ``score``."""
        context = Context(
            space=ToySpace(),
            evaluator=EvaluatorSource.of(evaluator),
            rules=MetricRules.of(*(metrics or ("score",))),
            scratch=scratch,
            settings=settings or {},
        )
        self.engine.prepare(experiment, context)

    def submit(self, x: float = 0.0, **fields: Any) -> AttemptToken:  # noqa: ANN401  # Assignment's
        """Submit an attempt of the member ``x``; returns its token."""
        number = len(self.tokens)
        plain = Assignment(
            token=new_token(), experiment=EXPERIMENT, number=number, vector=(x,), seed=number
        )
        assignment = replace(plain, **fields)
        self.engine.submit(assignment)
        self.tokens.append(assignment.token)
        return assignment.token

    def pump(self, until: Callable[[], bool], timeout_s: float = 120.0) -> None:
        """Take events until ``until`` holds.

        Raises:
            TimeoutError: when it does not within ``timeout_s`` seconds; the message tells what did
                happen.
        """
        end = time.monotonic() + timeout_s
        while not until():
            left = end - time.monotonic()
            if left < 0:
                last = "\n".join(repr(event)[:300] for event in self.events[-12:])
                raise TimeoutError(f"not within {timeout_s} s; the last events:\n{last}")
            self.events += self.engine.events(min(left, 0.5))

    def finish(self, timeout_s: float = 120.0) -> None:
        """Take events until every token has ended, and check that each ended once."""
        self.pump(lambda: len(self.of(Finished)) >= len(self.tokens), timeout_s)
        counts = Counter(event.token for event in self.of(Finished))
        assert counts == Counter(self.tokens), "each submitted token ends exactly once"

    def run(self, x: float = 0.0, timeout_s: float = 120.0, **fields: Any) -> Outcome:  # noqa: ANN401  # Assignment's
        """Submit one attempt, wait for all, and return its outcome."""
        token = self.submit(x, **fields)
        self.finish(timeout_s)
        return self.finished(token).outcome

    def of(self, kind: type[E]) -> list[E]:
        """The events of one kind, in order."""
        return [event for event in self.events if isinstance(event, kind)]

    def about(self, token: AttemptToken) -> list[EngineEvent]:
        """The events about one token, in order."""
        kinds = Started | Reported | Checkpointed | Logged | Finished
        return [e for e in self.events if isinstance(e, kinds) and e.token == token]

    def finished(self, token: AttemptToken) -> Finished:
        """The end of one token."""
        return next(event for event in self.of(Finished) if event.token == token)

    def output(self, token: AttemptToken, stream: str) -> str:
        """All that an attempt wrote to ``stdout``, ``stderr`` or ``log``."""
        logged = (event for event in self.of(Logged) if event.token == token)
        return "".join(event.text for event in logged if event.stream == stream)

    def deaths(self) -> list[str]:
        """Why workers went, in order."""
        return [event.reason for event in self.of(WorkerGone)]
