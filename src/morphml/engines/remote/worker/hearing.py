"""What a master tells a worker, and what becomes of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from morphml.engines.port import Order
from morphml.engines.remote import checking
from morphml.engines.remote.checking import ProtocolError
from morphml.engines.remote.meeting import is_free
from morphml.engines.remote.messages import ContextMessage
from morphml.engines.remote.proto import worker_pb2 as pb
from morphml.engines.remote.wire import (
    attempt_from_proto,
    checkpoint_from_proto,
    context_from_proto,
    order_from_proto,
    task_to_assignment,
)
from morphml.engines.remote.worker.book import Arrival, Book
from morphml.engines.remote.worker.executor import Executor
from morphml.engines.remote.worker.happenings import EvaluateAsked
from morphml.engines.remote.worker.leaving import Leaving, Phase
from morphml.engines.remote.worker.scratch import Scratch
from morphml.engines.remote.worker.telling import Telling
from morphml.ids import AttemptToken, ExperimentId

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the words of a master act on."""

    book: Book
    executor: Executor
    telling: Telling
    scratch: Scratch
    leaving: Leaving


class Hearing:
    """Obeys masters.

    Args:
        parts: of the worker.
        most: attempts that may wait or run here; more are given back.
        drain: begins to leave, with a reason and seconds of grace, None for the usual ones.
    """

    def __init__(self, parts: Parts, most: int, drain: Callable[[str, float | None], None]) -> None:
        self._parts = parts
        self._most = most
        self._drain = drain

    def take(self, events: Iterable[pb.MasterEvent], now: float) -> None:
        """Do what the events say; what breaks the protocol is logged and left out.

        Args:
            events: in order.
            now: seconds of a monotonic clock.
        """
        accepted: list[AttemptToken] = []
        for event in events:
            try:
                self._take(event, accepted, now)
            except ProtocolError as error:
                _log.warning("the master sent what is no message: %s", error)
        if accepted:
            self._parts.telling.say(pb.WorkerEvent(accepted=pb.Accepted(tokens=accepted)))

    def evaluate(self, asked: EvaluateAsked) -> None:
        """Run an attempt that no master knows of."""
        parts, task = self._parts, asked.request.task
        try:
            context = context_from_proto(asked.request.context)
            name, assignment = attempt_from_proto(task.attempt), task_to_assignment(task)
        except ProtocolError as error:
            asked.answer(str(error))
            return
        if not parts.executor.agrees(context):
            asked.answer("the experiment is known here with another context")
            return
        parts.executor.learn(context)
        if task.HasField("checkpoint") or not parts.executor.has(context):
            asked.answer("files come from masters only: send a task without any")
        elif name.owner != context.experiment or not self._has_room(name.owner):
            asked.answer("the worker leaves or is full, or the task is of another experiment")
        elif parts.book.arrive(name) is not Arrival.NEW:
            asked.answer("an attempt of this token is here already")
        else:
            parts.telling.answer(name.token, asked.answer)
            parts.executor.submit(assignment, None)

    def cancel(self, tokens: Iterable[AttemptToken]) -> None:
        """End attempts that nobody wants to hear of again."""
        for token in self._parts.book.kill(tokens):
            self._parts.executor.order(token, Order.CANCEL)

    def _take(self, event: pb.MasterEvent, accepted: list[AttemptToken], now: float) -> None:
        match event.WhichOneof("event"):
            case "task":
                self._task(event.task, accepted)
            case "context":
                self._context(context_from_proto(event.context))
            case "order":
                self._order(event.order)
            case "acknowledged":
                tokens = checking.tokens(event.acknowledged.tokens)
                for token in self._parts.book.acknowledge(tokens, now):
                    self._parts.scratch.clear(token)
            case "verdict":
                self.cancel(checking.tokens(event.verdict.kill))
            case "drain":
                self._drain(event.drain.reason or "the master asked for it", _grace(event.drain))
            case _:
                pass  # of a newer protocol, or said before

    def _context(self, context: ContextMessage) -> None:
        executor = self._parts.executor
        executor.learn(context)
        if self._parts.leaving.phase is Phase.WORKING:
            executor.get_ready(context.experiment)

    def _task(self, task: pb.Task, accepted: list[AttemptToken]) -> None:
        parts = self._parts
        name = attempt_from_proto(task.attempt)
        assignment = task_to_assignment(task)
        file = checkpoint_from_proto(task.checkpoint) if task.HasField("checkpoint") else None
        known = parts.book.get(name.token) is not None or name.token in parts.book.stored
        if not known and not (self._has_room(assignment.experiment) and is_free(assignment.place)):
            parts.telling.say(pb.WorkerEvent(returned=pb.Returned(tokens=[name.token])))
            return
        match parts.book.arrive(name):
            case Arrival.NEW:
                accepted.append(name.token)
                parts.executor.submit(assignment, file)
            case Arrival.HELD:
                accepted.append(name.token)
            case Arrival.ENDED:
                parts.telling.offer(parts.book[name.token])

    def _has_room(self, experiment: ExperimentId) -> bool:
        """Whether a new attempt is taken."""
        parts = self._parts
        if parts.leaving.phase is not Phase.WORKING or len(parts.book) >= self._most:
            return False
        if parts.executor.knows(experiment):
            return True
        _log.warning("the master sent a task of experiment %s before its context", experiment)
        return False

    def _order(self, message: pb.Order) -> None:
        token, order = order_from_proto(message)
        entry = self._parts.book.get(token)
        if entry is not None:
            entry.cancelled = entry.cancelled or order is Order.CANCEL
            self._parts.executor.order(token, order)


def _grace(message: pb.Drain) -> float | None:
    """Seconds for what runs; None where the master leaves them to the worker."""
    if not message.HasField("grace_s"):
        return None
    return checking.finite(message.grace_s, "grace_s", least=0.0)
