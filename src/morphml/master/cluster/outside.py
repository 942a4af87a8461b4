"""Workers that come over REST: each leases under its own session and posts what became of it.

To the driver of an experiment such a worker looks like a master that runs some of its trials: it
claims, and posts mail. Ends of jobs are stored at once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

import orjson

from morphml.clock import Clock, SystemClock
from morphml.engines.port import EngineEvent, Finished, Outcome, Reported, Started, Succeeded
from morphml.engines.remote.messages import AttemptName
from morphml.errors import CallerError, MorphError
from morphml.evaluation.orders import Order
from morphml.ids import (
    AttemptToken,
    ExecutionId,
    ExperimentId,
    SessionId,
    TaskId,
    is_execution,
)
from morphml.master.cluster.draining import ask_to_drain
from morphml.master.cluster.fence import Fence
from morphml.master.cluster.mails import mail_of
from morphml.master.cluster.outside_files import OutsideFiles
from morphml.master.sending import refuse_what_cannot_travel
from morphml.master.workflows.attempts import job_end
from morphml.optimizers.events import JSON
from morphml.scheduling.resources import Capacity, Requirements
from morphml.scheduling.worker import WorkerState
from morphml.search.changes import CheckpointPointer, ClaimedTask
from morphml.search.experiment import ExperimentSpec
from morphml.seeds import training_seed
from morphml.space import Architecture, SearchSpace
from morphml.space.text import parse_space
from morphml.storage import SqlStore
from morphml.storage.cluster import RestWorker, WorkerRow
from morphml.storage.hints import HintTopic
from morphml.storage.workflows import CallRecord

#: Seconds after which a worker that says nothing has missed a heartbeat, where it says no other.
HEARTBEAT_TIMEOUT_S = 10.0
#: So many of them a worker lives without a heartbeat.
TTL_TIMEOUTS = 2
#: Slots of one worker at most.
MOST_SLOTS = 1_000
#: Experiments that are kept in mind.
MOST_KNOWN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomer:
    """What a worker says when it registers."""

    #: Chosen by the worker.
    id: str
    #: For people.
    hostname: str
    #: Labels and amounts such as ``{"cpu": 8.0, "high-memory": 1.0}``.
    offers: Mapping[str, float]
    #: Attempts that it runs at the same time.
    slots: int
    #: For people and programs; MorphML shows it and no more.
    metadata: Mapping[str, JSON]
    #: Seconds after which it has missed a heartbeat.
    heartbeat_timeout_s: float = HEARTBEAT_TIMEOUT_S


@dataclass(frozen=True, slots=True, kw_only=True)
class LeasedTrial:
    """A segment of a trial that a worker holds."""

    task: TaskId
    token: AttemptToken
    number: int
    segment: int
    from_epoch: int
    to_epoch: int
    #: To go on from; None where it begins anew.
    checkpoint: CheckpointPointer | None
    #: Seed of the training.
    seed: int
    architecture: Architecture
    experiment: ExperimentId
    spec: ExperimentSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class LeasedJob:
    """A job that a worker holds."""

    task: TaskId
    token: AttemptToken
    call: CallRecord


Leased: TypeAlias = LeasedTrial | LeasedJob


class OutsideWorkers:
    """Serves workers that come over REST; may be used from several threads.

    Args:
        store: the truth.
        fence: knows whose an attempt is.
        files: what attempts put out, and go on from.
        clock: the hour, for what workers do not tell.
    """

    def __init__(
        self, store: SqlStore, fence: Fence, files: OutsideFiles, clock: Clock | None = None
    ) -> None:
        self._store = store
        self._fence = fence
        self._files = files
        self._clock = clock or SystemClock()
        #: What fixes an experiment, by its id; read once.
        self._specs: dict[ExperimentId, ExperimentSpec] = {}

    def register(self, newcomer: Newcomer) -> RestWorker:
        """Begin its life; the one before under its id is ended.

        Raises:
            WorkerError: when a master has a worker of this id.
        """
        row = WorkerRow(
            id=newcomer.id,
            name=newcomer.hostname,
            state=WorkerState.IDLE,
            offers=newcomer.offers,
            figures={"slots": newcomer.slots, "running": 0, "metadata": dict(newcomer.metadata)},
            joined_at=0.0,
        )
        ttl_s = TTL_TIMEOUTS * newcomer.heartbeat_timeout_s
        worker = self._store.cluster.rest_workers.register(row, ttl_s)
        self._store.hints.send(HintTopic.WORK)
        return worker

    def heartbeat(
        self,
        id_: str,
        load: int | None,
        incarnation: int | None = None,
        running: Collection[AttemptToken] = (),
    ) -> tuple[RestWorker, dict[AttemptToken, Order]]:
        """It lives; the worker now, and what its attempts are to do.

        Args:
            id_: of the worker.
            load: tasks that run there; None where it does not say.
            incarnation: which of its lives; None for the present one.
            running: attempts that it has; those that are not its any more it is to cancel.

        Raises:
            UnknownWorker: when it is not there, or a later incarnation took its place.
        """
        figures: dict[str, JSON] = {} if load is None else {"running": load}
        worker = self._store.cluster.rest_workers.beat(id_, figures, incarnation)
        strange = set(running) - self._fence.held(worker.session) if running else set()
        orders = self._orders(worker.session) | dict.fromkeys(strange, Order.CANCEL)
        return worker, orders

    def leave(self, id_: str) -> None:
        """It goes; what it leased waits for others.

        Raises:
            UnknownWorker: when it is not there.
        """
        self._store.cluster.rest_workers.leave(id_)
        self._store.hints.send(HintTopic.WORK)

    def drain(self, id_: str, grace_s: float | None) -> WorkerRow:
        """Ask a worker to leave, over REST or of a master; see ``ask_to_drain``."""
        (worker,) = ask_to_drain(self._store, [id_], grace_s)
        return worker

    def all(self) -> list[WorkerRow]:
        """All workers of the last day by name, those of masters too."""
        return self._store.cluster.workers.all()

    def lease(
        self, id_: str, limit: int, incarnation: int | None = None, only: str | None = None
    ) -> list[Leased]:
        """The next tasks that fit the worker, by rank, jobs before trials; it holds them now.

        One that was asked to leave gets none.

        Args:
            id_: of the worker.
            limit: tasks at most.
            incarnation: which of its lives; None for the present one.
            only: a capability that the tasks must require; None takes any.

        Raises:
            UnknownWorker: when it is not there, or a later incarnation took its place.
        """
        worker = self._fence.worker(id_, incarnation)
        if worker.row.drains:
            return []
        capacity = Capacity.parse(worker.row.offers)

        def could(needs: Requirements) -> bool:
            return capacity.could(needs) and (only is None or only in needs.mapping())

        claimed = list(self._store.cluster.claim_jobs(worker.session, limit, could))
        claimed += self._store.cluster.claim_any(worker.session, limit - len(claimed), could)
        return [leased for task in claimed if (leased := self._leased(task)) is not None]

    def tell(
        self,
        id_: str,
        attempt: AttemptName,
        step: int,
        metrics: Mapping[str, float],
        incarnation: int | None = None,
    ) -> Order:
        """A report of a trial that goes on; what it is to do, as far as that is known by now.

        Raises:
            UnknownWorker: when the worker is not there.
            TokenRefused: when the attempt is not the worker's any more: it is to be ended.
            CallerError: when the attempt is at a job.
        """
        if is_execution(attempt.owner):
            raise CallerError("a job has no reports: send output, or put it out at its end")
        event = Reported(token=attempt.token, step=step, metrics=dict(metrics))
        session = self._post(id_, attempt, [event], incarnation)
        return self._orders(session).get(attempt.token, Order.CONTINUE)

    def finish(
        self,
        id_: str,
        attempt: AttemptName,
        outcome: Outcome,
        duration_s: float,
        incarnation: int | None = None,
    ) -> None:
        """The end of an attempt; telling it twice does no harm.

        Raises:
            UnknownWorker: when the worker is not there.
            TokenRefused: when the attempt is not the worker's any more; the end is not stored.
            CallerError: when it names files that are not here; the end is not stored.
        """
        began = self._clock.now() - duration_s
        finished = Finished(
            token=attempt.token,
            outcome=outcome,
            worker=id_,
            started_at=began,
            duration_s=duration_s,
        )
        if is_execution(attempt.owner):
            self._end_job(id_, attempt, finished, incarnation)
            return
        started = Started(token=attempt.token, worker=id_, at=began)
        self._post(id_, attempt, [started, finished], incarnation)
        self._files.ended(attempt)

    def _end_job(
        self, id_: str, attempt: AttemptName, finished: Finished, incarnation: int | None
    ) -> None:
        worker = self._fence.worker(id_, incarnation)
        if isinstance(finished.outcome, Succeeded):
            self._files.check_outputs(attempt, finished.outcome.outputs)
        execution, end = ExecutionId(attempt.owner), job_end(attempt.number, finished)
        refused = self._store.workflows.running.end_attempts(execution, [end], worker.session)
        self._fence.judge(id_, attempt, refused, is_end=True)
        self._store.hints.send(HintTopic.WORK)

    def _post(
        self,
        id_: str,
        attempt: AttemptName,
        events: Sequence[EngineEvent],
        incarnation: int | None,
    ) -> SessionId:
        worker = self._fence.worker(id_, incarnation)
        # Only checkpoints have a folder, and here is none.
        mails = [mail for each in events if (mail := mail_of(attempt, each, Path())) is not None]
        refused = self._store.cluster.mail.post(worker.session, mails)
        is_end = any(isinstance(each, Finished) for each in events)
        self._fence.judge(id_, attempt, refused, is_end=is_end)
        self._store.hints.send(HintTopic.MAIL)
        return worker.session

    def _orders(self, session: SessionId) -> dict[AttemptToken, Order]:
        """What the attempts that a session holds are to do; told until they end."""
        waiting = self._store.cluster.orders.waiting(session)
        return {each.order.token: each.order.order for each in waiting}

    def _leased(self, task: ClaimedTask) -> Leased | None:
        """The task with all that a worker must know; given back where it cannot travel."""
        if is_execution(task.experiment):
            (call,) = self._store.workflows.running.calls([task])
            if call is not None:
                return LeasedJob(task=task.id, token=task.token, call=call)
            self._store.leases.give_back(task.experiment, [(task.number, task.token)])
            return None
        try:
            spec = self._spec(task.experiment)
            space = _space(spec.space or "")
        except MorphError:
            self._store.leases.give_back(task.experiment, [(task.number, task.token)])
            return None
        checkpoint = task.checkpoint
        if checkpoint is not None and self._files.find(task.experiment, checkpoint) is None:
            checkpoint = None
        return LeasedTrial(
            task=task.id,
            token=task.token,
            number=task.number,
            segment=task.segment,
            from_epoch=0 if checkpoint is None else checkpoint.step,
            to_epoch=task.to_epoch,
            checkpoint=checkpoint,
            seed=training_seed(spec.seed, task.number),
            architecture=space.architecture(tuple(orjson.loads(task.vector))),
            experiment=task.experiment,
            spec=spec,
        )

    def _spec(self, experiment: ExperimentId) -> ExperimentSpec:
        found = self._specs.get(experiment)
        if found is None:
            found = self._store.experiment(experiment).current_spec
            refuse_what_cannot_travel(found)
            if len(self._specs) >= MOST_KNOWN:
                del self._specs[next(iter(self._specs))]
            self._specs[experiment] = found
        return found


@lru_cache(maxsize=16)
def _space(text: str) -> SearchSpace:
    """A space by its text; reading it takes milliseconds."""
    return parse_space(text)
