"""Runs attempts in child processes, once their code and checkpoints are here."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from pathlib import Path

import orjson

from morphml.engines.failure import failure
from morphml.engines.local import LocalEngine
from morphml.engines.local.code import INSTALLED, Code, Parcel
from morphml.engines.local.payload import Sent, pack_sent
from morphml.engines.port import Assignment, EngineEvent, Finished, Order, Started
from morphml.engines.remote.job_calls import files_of
from morphml.engines.remote.messages import AttemptName, CheckpointFile, ContextMessage
from morphml.engines.remote.worker.happenings import (
    ArtifactWanted,
    BundleWanted,
    CheckpointWanted,
    Fetched,
    Wanted,
)
from morphml.engines.remote.worker.needs import needs_of_path
from morphml.engines.remote.worker.scratch import Scratch
from morphml.engines.waiting import end_unbegun, outcome_before_start
from morphml.evaluation.metrics import MetricRules
from morphml.ids import AttemptToken, ExperimentId, digest
from morphml.jobs import runs_as
from morphml.scheduling.failures import FailureKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What the operator lets masters run here, beyond code that is installed or in a bundle."""

    #: Whether experiments that travel as pickles are run.
    pickles: bool = False
    #: Types of jobs that are not run, such as ``shell``.
    refused_jobs: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Pending:
    """An attempt that waits for files."""

    assignment: Assignment
    wants: set[Wanted] = field(default_factory=set)


class Executor:
    """The child processes of a worker.

    Args:
        engine: where attempts run.
        scratch: where files are.
        name: of the worker, for names of slots.
        trust: what is run at all.
        fetch: has a file fetched; the answer comes by ``fetched``.
    """

    def __init__(
        self,
        engine: LocalEngine,
        scratch: Scratch,
        name: str,
        *,
        trust: Trust,
        fetch: Callable[[Wanted], None],
    ) -> None:
        self._engine = engine
        self._scratch = scratch
        self._name = name
        self._trust = trust
        self._fetch = fetch
        self._contexts: dict[ExperimentId, ContextMessage] = {}
        #: Digest of the context that the engine was given.
        self._prepared: dict[ExperimentId, str] = {}
        self._pending: dict[AttemptToken, _Pending] = {}
        self._wanted: set[Wanted] = set()
        #: Experiments that children are to load before there is an attempt.
        self._awaited: set[ExperimentId] = set()
        #: Bundles that were seen to be here.
        self._here: set[str] = set()
        self._events: list[EngineEvent] = []

    def learn(self, context: ContextMessage) -> None:
        """Take an experiment in, or a new version of it."""
        self._contexts[context.experiment] = context

    def get_ready(self, experiment: ExperimentId) -> None:
        """Fetch the code of a known experiment and load it, before there is an attempt of it."""
        context = self._contexts[experiment]
        self._awaited.add(experiment)
        if not self.has(context):
            wanted = BundleWanted(digest=context.bundle)
            if wanted not in self._wanted:
                self._want(wanted)
        elif not context.pickle or self._trust.pickles:
            with contextlib.suppress(OSError):  # its attempts will say so
                self._prepare(context)
                self._engine.warming.turn_to(experiment)

    def ready(self) -> list[ExperimentId]:
        """Experiments that are ready since the last question, or as ready as they will be."""
        ready = [
            experiment
            for experiment in self._awaited
            if self.has(self._contexts[experiment]) and self._engine.warming.is_warm(experiment)
        ]
        self._awaited.difference_update(ready)
        return ready

    def agrees(self, context: ContextMessage) -> bool:
        """Whether nothing else was told of the experiment."""
        known = self._contexts.get(context.experiment)
        return known is None or known == context

    def knows(self, experiment: ExperimentId) -> bool:
        """Whether the experiment was told."""
        return experiment in self._contexts

    def submit(self, assignment: Assignment, checkpoint: CheckpointFile | None) -> None:
        """Run an attempt of a known experiment as soon as its files are here and a slot is free.

        Args:
            assignment: without its checkpoint.
            checkpoint: the one to go on from.
        """
        context = self._contexts[assignment.experiment]
        pending = _Pending(assignment)
        name = AttemptName(
            token=assignment.token,
            owner=assignment.experiment,
            number=assignment.number,
            segment=assignment.segment,
        )
        for file in files_of(assignment):
            if not self._scratch.artifacts(assignment.experiment).has(file):
                pending.wants.add(ArtifactWanted(attempt=name, file=file))
        if checkpoint is not None:
            pending.wants.add(CheckpointWanted(attempt=name, file=checkpoint))
            path = self._scratch.expect(assignment.token)
            pending.assignment = replace(assignment, checkpoint=path)
        if not self.has(context):
            pending.wants.add(BundleWanted(digest=context.bundle))
        self._pending[assignment.token] = pending
        for wanted in pending.wants - self._wanted:
            self._want(wanted)
        self._begin_if_ready(pending)

    def order(self, token: AttemptToken, order: Order) -> None:
        """Pass an order on; a token that ended already is ignored."""
        pending = self._pending.get(token)
        if pending is None:
            self._engine.order(token, order)
            return
        outcome = outcome_before_start(pending.assignment, order)
        if outcome is not None:
            del self._pending[token]
            self._events.append(end_unbegun(pending.assignment, outcome, time.time()))

    def fetched(self, news: Fetched) -> None:
        """A file is here, or will not come."""
        waiting = [each for each in self._pending.values() if news.wanted in each.wants]
        if news.problem and news.again and waiting:
            return  # it is wanted again from the next master
        self._wanted.discard(news.wanted)
        self._go_on_getting_ready(news)
        for pending in waiting:
            if news.problem:
                self._fail(pending.assignment, news.problem)
            else:
                pending.wants.discard(news.wanted)
                self._begin_if_ready(pending)

    def fetch_again(self) -> None:
        """A master is there: ask it for what is still missing."""
        for wanted in self._wanted:
            self._fetch(wanted)

    def events(self) -> list[EngineEvent]:
        """What happened, in order. Does not wait."""
        found = self._engine.events(0.0)
        mine, self._events = self._events, []
        return [*mine, *(self._named(event) for event in found)]

    @property
    def prepared(self) -> Collection[ExperimentId]:
        """Experiments that took up memory or disk here."""
        return self._prepared.keys()

    def forget(self, experiment: ExperimentId) -> None:
        """Let go what an experiment without attempts takes up; it may come back."""
        self._prepared.pop(experiment, None)
        self._awaited.discard(experiment)
        self._engine.forget(experiment)
        self._scratch.forget(experiment)

    def has(self, context: ContextMessage) -> bool:
        """Whether the code of an experiment is here."""
        return not context.bundle or self._is_here(context.bundle)

    def bundle(self, name: str) -> Path:
        """The folder of a bundle, which need not be there."""
        return self._scratch.bundles / name

    def bundles(self) -> tuple[str, ...]:
        """Digests of the bundles that are here."""
        names = (each.name for each in self._scratch.bundles.iterdir())
        return tuple(sorted(name for name in names if name.isalnum()))

    def _go_on_getting_ready(self, news: Fetched) -> None:
        """A bundle is here, or does not come; a new connection tells of the experiment again."""
        for experiment in sorted(self._awaited):
            if news.wanted == BundleWanted(digest=self._contexts[experiment].bundle):
                if news.problem:
                    self._awaited.discard(experiment)
                else:
                    self.get_ready(experiment)

    def _want(self, wanted: Wanted) -> None:
        self._wanted.add(wanted)
        self._fetch(wanted)

    def _begin_if_ready(self, pending: _Pending) -> None:
        if pending.wants:
            return
        assignment = pending.assignment
        context = self._contexts[assignment.experiment]
        if refusal := self._refusal(context, assignment):
            self._fail(assignment, refusal)
            return
        try:
            self._prepare(context)
        except OSError as error:
            self._fail(assignment, f"the worker has no place for the experiment's files: {error}")
            return
        del self._pending[assignment.token]
        self._engine.submit(assignment)

    def _refusal(self, context: ContextMessage, assignment: Assignment) -> str:
        """Why this worker does not run the attempt; "" where it does."""
        if context.pickle and not self._trust.pickles:
            return _NO_PICKLES
        call = assignment.job
        if call is None:
            return ""
        # Whatever comes with code runs it: a module of a bundle goes before one that is installed.
        right = "python" if context.bundle else runs_as(call.type, call.config)
        if not self._trust.refused_jobs & {right, call.type}:
            return ""
        return f"this worker was started with --refuse-jobs and runs no {call.type} jobs"

    def _prepare(self, context: ContextMessage) -> None:
        if self._prepared.get(context.experiment) != _version(context):
            self._engine.prepare_parcel(context.experiment, self._parcel(context))
            self._prepared[context.experiment] = _version(context)

    def _parcel(self, context: ContextMessage) -> Parcel:
        sent = Sent(
            space=context.space,
            evaluator=context.evaluator,
            pickle=context.pickle,
            rules=MetricRules(required=context.required),
            scratch=self._scratch.of(context.experiment),
            settings=orjson.loads(context.settings),
        )
        code = self._code(context)
        needs = needs_of_path(context.evaluator, (*code.path, *sys.path))
        return Parcel(payload=pack_sent(sent), code=code, needs=needs)

    def _code(self, context: ContextMessage) -> Code:
        if context.bundle:
            return Code(name=context.bundle, path=(str(self.bundle(context.bundle)),))
        if context.pickle:
            return Code(name=f"pickle-{digest(context.pickle)}")
        return INSTALLED

    def _fail(self, assignment: Assignment, problem: str) -> None:
        del self._pending[assignment.token]
        outcome = failure(FailureKind.INFRASTRUCTURE, "WorkerError", problem)
        self._events.append(end_unbegun(assignment, outcome, time.time()))

    def _named(self, event: EngineEvent) -> EngineEvent:
        """The event with the slot's name as masters know it."""
        if isinstance(event, Started):
            return Started(token=event.token, worker=self._slot(event.worker), at=event.at)
        if isinstance(event, Finished):
            return Finished(
                token=event.token,
                outcome=event.outcome,
                worker=self._slot(event.worker),
                started_at=event.started_at,
                duration_s=event.duration_s,
            )
        return event

    def _slot(self, name: str) -> str:
        return f"{self._name}/slot-{name.rpartition('-')[2]}" if name else ""

    def _is_here(self, bundle: str) -> bool:
        if bundle not in self._here and self.bundle(bundle).is_dir():
            self._here.add(bundle)
        return bundle in self._here


_NO_PICKLES = (
    "the experiment's code was sent as a pickle, which this worker does not run: start it with "
    "--allow-pickle if you trust who submits, or send the code as an import path or a bundle"
)


def _version(context: ContextMessage) -> str:
    return context.digest or digest(repr(context).encode())
