"""The local engine: attempts run in child processes of this machine.

One thread, one loop: all that the engine does happens inside ``events``.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Sequence
from typing import Any, Self

from morphml.engines.devices import cores
from morphml.engines.failure import failure
from morphml.engines.local import wire
from morphml.engines.local.attempt import Attempt, Patience
from morphml.engines.local.binding import Binding
from morphml.engines.local.code import Code, Parcel
from morphml.engines.local.frames import ProtocolError, encode
from morphml.engines.local.handle import STREAMS, ChildHandle
from morphml.engines.local.lessons import Lessons
from morphml.engines.local.limits import Limits
from morphml.engines.local.payload import pack
from morphml.engines.local.pool import Died, Pool, Said, SlotPlan, Wrote
from morphml.engines.local.queue import AttemptQueue
from morphml.engines.local.shares import preload
from morphml.engines.local.warming import Warming
from morphml.engines.machine import local_capacity
from morphml.engines.port import (
    Assignment,
    Context,
    EngineEvent,
    Finished,
    Logged,
    Order,
    Outcome,
    Started,
    WorkerGone,
)
from morphml.engines.waiting import end_unbegun, outcome_before_start
from morphml.errors import WorkerError
from morphml.evaluation.source_needs import needs_of
from morphml.ids import AttemptToken, ExperimentId
from morphml.scheduling.failures import FailureKind
from morphml.scheduling.resources import Capacity

#: After so many children in a row that did not get ready, waiting attempts fail.
_MISFIRES = 3


class LocalEngine:
    """Runs attempts in long-lived child processes that die with this one.

    Args:
        workers: how many attempts run at the same time, >= 1.
        devices: devices to spread the slots over, such as ``("cuda:0", "cuda:1")``; a child sees
            only its own. Empty: ``cpu``, and nothing is hidden.
        capacity: what attempts may take in all; its GPUs are the devices. By default what is here.
        threads: threads of each child's numerical libraries; by default the cores are shared out.
        patience: how long the engine waits before it does worse.
    """

    def __init__(
        self,
        workers: int,
        *,
        devices: Sequence[str] = (),
        capacity: Capacity | None = None,
        threads: int | None = None,
        patience: Patience | None = None,
    ) -> None:
        if workers < 1:
            raise WorkerError(f"workers: at least 1 for the local engine, got {workers}")
        if os.name != "posix":
            raise WorkerError("local worker processes need Linux or macOS; use workers=0 here")
        self._patience = patience or Patience()
        #: Who sees which GPUs.
        self.binding = Binding(workers, devices, capacity or local_capacity(devices))
        plans = [SlotPlan(name=f"local-{i}", sight=self.binding.own(i)) for i in range(workers)]
        self._pool = Pool(plans, threads or max(1, cores() // workers))
        self._lessons = Lessons(self._pool.send, self._patience.setup_s)
        self._limits = Limits(self._pool, self._lessons, self._patience)
        self._waiting = AttemptQueue([plan.name for plan in plans], self._patience.elsewhere_s)
        self._codes: dict[ExperimentId, Code] = {}
        self._running: dict[AttemptToken, ChildHandle] = {}
        self._idle: dict[int, ChildHandle] = {}
        #: Gets free children ready for experiments before there is an attempt of them.
        self.warming = Warming(self._pool, self._idle, self._codes)
        self._events: list[EngineEvent] = []
        self._closed = False

    @property
    def slots(self) -> int:
        """Attempts that run at the same time."""
        return len(self._pool.plans)

    @property
    def ahead(self) -> int:
        """None: whoever drives is in the same process."""
        return 0

    @property
    def ready(self) -> int:
        """Children that are there and wait for work or do it."""
        return sum(child.ready for child in self._pool.children)

    @property
    def processes(self) -> tuple[int, ...]:
        """Process ids of the fork server and the children, as far as they are known."""
        pids = [self._pool.server_pid, *(child.pid for child in self._pool.children)]
        return tuple(pid for pid in pids if pid is not None)

    def prepare(self, experiment: ExperimentId, context: Context) -> None:
        """Make an experiment known; children load it at once, before their first attempt.

        Raises:
            EvaluatorError: when the evaluator cannot be loaded or cannot travel.
        """
        evaluator = context.evaluator.load()
        self.prepare_parcel(experiment, Parcel(payload=pack(context), needs=needs_of(evaluator)))

    def prepare_parcel(self, experiment: ExperimentId, parcel: Parcel) -> None:
        """Make an experiment known whose code this process does not import itself.

        A mistake in it shows in its attempts, which fail as infrastructure.
        """
        self._check_open()
        self.start(parcel.needs)
        self._codes[experiment] = parcel.code
        children = [child for child in self._pool.children if child.code == parcel.code]
        for child in self._lessons.learn(experiment, parcel.payload, children, time.monotonic()):
            self._idle.pop(child.slot, None)
            self._pool.condemn(child, "the experiment that it was loading was replaced")

    def forget(self, experiment: ExperimentId) -> None:
        """Free what an experiment without attempts takes up, in free children too."""
        self._lessons.forget(experiment)
        if self._codes.pop(experiment, None) is not None:
            self.warming.renew(each for each in self._idle.values() if experiment in each.known)

    def start(self, needs: Sequence[str] = ()) -> None:
        """Start child processes now rather than with the first experiment."""
        if self._pool.start(preload(needs)):
            self.warming.renew(each for each in self._idle.values() if not each.known)

    def fileno(self) -> int:
        """A descriptor that is readable when something happened, for ``events`` to tell."""
        return self._pool.fileno()

    def submit(self, *assignments: Assignment) -> None:
        """Hand attempts to free children, or queue them. Never waits.

        Raises:
            WorkerError: when the experiment was not prepared or the engine is closed.
        """
        self._check_open()
        for assignment in assignments:
            if assignment.experiment not in self._lessons:
                raise WorkerError(f"experiment {assignment.experiment}: it was not prepared")
            if refusal := self.binding.refusal(assignment):
                self._fail(assignment, f"the attempt can never run here: it needs {refusal}")
            else:
                self._waiting.add(assignment)
        self._dispatch()

    def order(self, token: AttemptToken, order: Order) -> None:
        """Pass an order on. Never waits; a token that ended already is ignored."""
        child = self._running.get(token)
        if child is None:
            self._order_waiting(token, order)
            return
        self._pool.send(child, encode({"do": "order", "token": token, "order": order.value}))
        if order is Order.CANCEL and child.attempt is not None:
            child.attempt.cancel(time.monotonic())

    def acknowledge(self, tokens: Sequence[AttemptToken]) -> None:
        """Nothing is kept that could be forgotten now."""

    def events(self, timeout_s: float) -> list[EngineEvent]:
        """What happened, in order; waits up to ``timeout_s`` seconds when nothing did."""
        until = time.monotonic() + timeout_s
        while not self._closed:
            due = min(until, self.keep_time())
            self._handle(0.0 if self._events else max(0.0, due - time.monotonic()))
            if self._waiting:
                self._dispatch()
            if self._events or self._pool.woken() or time.monotonic() >= until:
                break
        events, self._events = self._events, []
        return events

    def keep_time(self) -> float:
        """Enforce what is due now; returns when to do so again, in monotonic seconds."""
        now = time.monotonic()
        due = self._limits.keep(self._running.values(), self._idle, now)
        waits = self._waiting.due if self._idle else math.inf
        return min(due, self._pool.due, waits, self.binding.tick(now))

    def warm_up(self, timeout_s: float) -> bool:
        """Wait until every child is there and has loaded what is prepared; whether all did.

        A search need not call it: attempts start as children come. It lets all slots begin at the
        same moment. Events that come meanwhile are kept for ``events``.
        """
        until = time.monotonic() + timeout_s
        while not self._closed and not self.warming.are_all_warm():
            due, now = min(until, self.keep_time()), time.monotonic()
            if now >= until or self._pool.misfires >= _MISFIRES:
                return False
            self._handle(max(0.0, due - now))
        return not self._closed

    def close(self) -> None:
        """End everything that runs; no process stays. May be called twice."""
        if not self._closed:
            self._closed = True
            self._waiting.clear()
            self._running.clear()
            self._events.clear()
            self._pool.close()

    def __enter__(self) -> Self:
        """The engine itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    # --- giving work -----------------------------------------------------------------------------

    def _check_open(self) -> None:
        if self._closed:
            raise WorkerError("the engine is closed")

    def _dispatch(self) -> None:
        while self._waiting and self._idle:
            free = {slot: child.loading for slot, child in self._idle.items()}
            now = time.monotonic()
            taken = self._waiting.take(
                free, now, self._fits, self.binding.has_room, keeps_off=self.binding.keeps_off
            )
            if taken is None:
                return
            assignment, slot = taken
            child: ChildHandle | None = self._idle.pop(slot)
            assert child is not None
            code = self._codes[assignment.experiment]
            sight = self.binding.take(assignment, slot, now)
            if (child.code, child.sight) != (code, sight):
                child = self._pool.replace(child, code, sight)
            if child is None:
                self.binding.release(assignment.token, now)
                self._waiting.add(assignment)
            else:
                self._assign(child, assignment)

    def _fits(self, assignment: Assignment, slot: int) -> bool:
        child = self._idle[slot]
        code = self._codes[assignment.experiment]
        return child.code == code and self.binding.suits(assignment, slot, child.sight)

    def _assign(self, child: ChildHandle, assignment: Assignment) -> None:
        now = time.monotonic()
        self._lessons.teach(child, assignment.experiment, now)
        child.attempt = Attempt(
            assignment=assignment,
            patience=self._patience,
            setup_until=now + self._patience.setup_s,
        )
        self._running[assignment.token] = child
        self._pool.send(child, encode({"do": "run", **wire.assignment_to_json(assignment)}))
        for stream, kept in child.early.items():
            if kept:
                self._log(child.attempt, stream, bytes(kept))
                kept.clear()

    def _order_waiting(self, token: AttemptToken, order: Order) -> None:
        assignment = self._waiting.find(token)
        outcome = None if assignment is None else outcome_before_start(assignment, order)
        if assignment is not None and outcome is not None:
            self._waiting.remove(assignment)
            self._events.append(end_unbegun(assignment, outcome, time.time()))

    # --- hearing of it ---------------------------------------------------------------------------

    def _handle(self, wait: float) -> None:
        for happening in self._pool.wait(wait):
            match happening:
                case Said(child, message):
                    try:
                        self._hear(child, message)
                    except ProtocolError as error:
                        self._pool.condemn(child, f"it broke the protocol: {error}")
                case Wrote(child, stream, data):
                    if child.attempt is None:
                        child.keep_early(stream, data)
                    else:
                        self._log(child.attempt, stream, data)
                case Died(child, reason, together):
                    self._mourn(child, reason, together=together)

    def _hear(self, child: ChildHandle, message: dict[str, Any]) -> None:
        kind = message.get("is")
        if kind == "ready":
            if child.attempt is None:
                self._idle[child.slot] = child
                known = (name for name, code in self._codes.items() if code == child.code)
                self._lessons.teach_all(child, known, time.monotonic())
            return
        if kind == "loaded":
            child.loading.pop(wire.experiment_of(message), None)
            self.warming.look()
            return
        attempt = child.attempt
        token = wire.text(message, "token")
        if attempt is None or token != attempt.assignment.token:
            raise ProtocolError(f"it spoke of an attempt that is not its own ({kind!r})")
        if kind == "started":
            at = wire.number(message, "at")
            attempt.begin(at, time.monotonic())
            self._events.append(
                Started(token=attempt.assignment.token, worker=self._name(child), at=at)
            )
        elif kind == "finished":
            self._end(child, attempt, message)
        else:
            event = wire.event_from_json(attempt.assignment.token, message)
            if event is None:
                raise ProtocolError(f"it sent a message of unknown kind {kind!r}")
            self._events.append(event)

    def _end(self, child: ChildHandle, attempt: Attempt, message: dict[str, Any]) -> None:
        """An attempt ended by itself; its child is free, or ends too and is replaced."""
        told = wire.outcome_from_json(message)
        where = wire.text(message, "where")
        at, duration_s = wire.number(message, "at"), wire.number(message, "duration_s")
        for stream in STREAMS:
            self._log(attempt, stream, child.read(stream) or b"")
        self._finish(child, attempt, attempt.outcome(told, where), at, duration_s)
        leaves = bool(where) or attempt.begun is None
        if not leaves:
            self._idle[child.slot] = child

    def _mourn(self, child: ChildHandle, reason: str, *, together: bool) -> None:
        self._idle.pop(child.slot, None)
        if not together:
            self._lessons.blame(child)
        attempt = child.attempt
        if attempt is not None:
            duration_s = 0.0 if attempt.begun is None else time.monotonic() - attempt.begun
            outcome = attempt.outcome_of_death(reason, together=together)
            self._finish(child, attempt, outcome, attempt.started_at or time.time(), duration_s)
        self._events.append(WorkerGone(worker=self._name(child), reason=reason, at=time.time()))
        if self._pool.misfires >= _MISFIRES and not self.ready:
            message = f"no worker process can be started: {reason}"
            for assignment in self._waiting.clear():
                self._fail(assignment, message)

    def _fail(self, assignment: Assignment, message: str) -> None:
        """An attempt ends that cannot be run."""
        outcome = failure(FailureKind.INFRASTRUCTURE, "WorkerError", message)
        self._events.append(end_unbegun(assignment, outcome, time.time()))

    def _finish(
        self,
        child: ChildHandle,
        attempt: Attempt,
        outcome: Outcome,
        started_at: float,
        duration_s: float,
    ) -> None:
        """The one place where an attempt that was sent ends."""
        token = attempt.assignment.token
        child.attempt = None
        del self._running[token]
        outcome = self.binding.ended(attempt.assignment, outcome, duration_s, time.monotonic())
        for stream, log in attempt.logs.items():
            self._pass_on(token, stream, log.finish())
        self._events.append(
            Finished(
                token=token,
                outcome=outcome,
                worker=self._name(child),
                started_at=started_at,
                duration_s=duration_s,
            )
        )

    def _log(self, attempt: Attempt, stream: str, data: bytes) -> None:
        if data:
            self._pass_on(attempt.assignment.token, stream, attempt.logs[stream].feed(data))

    def _pass_on(self, token: AttemptToken, stream: str, text: str) -> None:
        if text:
            self._events.append(Logged(token=token, stream=stream, text=text))

    def _name(self, child: ChildHandle) -> str:
        return self._pool.plans[child.slot].name
