"""The in-process engine: attempts are function calls, for debugging, tables and tests.

Prints go to the terminal, ``pdb`` works, Ctrl-C goes through. There is no time or memory limit.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from morphml.clock import Clock, SystemClock
from morphml.engines import runtime
from morphml.engines.port import (
    Assignment,
    Checkpointed,
    Context,
    EngineEvent,
    Finished,
    Logged,
    Order,
    Reported,
    Started,
)
from morphml.engines.waiting import outcome_before_start
from morphml.errors import WorkerError
from morphml.ids import AttemptToken, ExperimentId

#: Decides at once about a report; used where nobody else can, since the evaluator has the thread.
Judge = Callable[[Reported], Order]


class InProcessEngine:
    """Runs each attempt inside ``events``, in the order submitted.

    The evaluator has the caller's thread, so orders can reach it only through ``judge``, which is
    asked at each report; otherwise reports are returned together with the end of their attempt.

    Args:
        judge: answers a report with an order, or None.
        device: where models go.
        clock: tells the time.
    """

    name = "inprocess"

    def __init__(
        self, *, judge: Judge | None = None, device: str = "cpu", clock: Clock | None = None
    ) -> None:
        self._judge = judge
        self._device = device
        self._clock = clock or SystemClock()
        self._loaded: dict[ExperimentId, runtime.Loaded] = {}
        self._contexts: dict[ExperimentId, Context] = {}
        self._queue: deque[Assignment] = deque()
        self._orders: dict[AttemptToken, Order] = {}
        self._closed = False

    @property
    def slots(self) -> int:
        """One: the caller's thread."""
        return 1

    def prepare(self, experiment: ExperimentId, context: Context) -> None:
        """Make an experiment known; its ``setup`` runs before its first attempt.

        Raises:
            EvaluatorError: when the evaluator's import path leads nowhere.
        """
        context.evaluator.load()
        self._contexts[experiment] = context
        self._loaded.pop(experiment, None)

    @property
    def ahead(self) -> int:
        """None: nothing is gained by a longer queue."""
        return 0

    def submit(self, *assignments: Assignment) -> None:
        """Queue attempts.

        Raises:
            WorkerError: when the experiment was not prepared or the engine is closed.
        """
        for assignment in assignments:
            if self._closed or assignment.experiment not in self._contexts:
                why = "the engine is closed" if self._closed else "it was not prepared"
                raise WorkerError(f"experiment {assignment.experiment}: {why}")
            self._queue.append(assignment)

    def order(self, token: AttemptToken, order: Order) -> None:
        """Pass an order on: to the attempt that runs, or to one that waits."""
        if any(assignment.token == token for assignment in self._queue):
            self._orders[token] = order

    def heed(self, judge: Judge) -> None:
        """Answer reports with the orders of ``judge`` from now on."""
        self._judge = judge

    def acknowledge(self, tokens: Sequence[AttemptToken]) -> None:
        """Nothing is kept that could be forgotten now."""

    def events(self, timeout_s: float) -> list[EngineEvent]:
        """Run the next attempt to its end and return what happened; [] when none waits.

        Raises:
            KeyboardInterrupt: when Ctrl-C was pressed; the attempt stays first in the queue.
            bdb.BdbQuit: when the debugger was left with ``q``.
        """
        if not self._queue:
            return []
        assignment = self._queue[0]
        events: list[EngineEvent] = []
        finished = self._run(assignment, events)
        self._queue.popleft()
        if self._orders:
            self._orders.pop(assignment.token, None)
        events.append(finished)
        return events

    def close(self) -> None:
        """Forget what waits."""
        self._closed = True
        self._queue.clear()
        self._loaded.clear()

    def _run(self, assignment: Assignment, events: list[EngineEvent]) -> Finished:
        token = assignment.token
        clock = self._clock
        at = clock.now()
        start = clock.monotonic()
        if self._orders and token in self._orders:
            early = outcome_before_start(assignment, self._orders[token])
            if early is not None:
                return Finished(
                    token=token, outcome=early, worker="", started_at=at, duration_s=0.0
                )
        loaded = self._loaded.get(assignment.experiment)
        if loaded is None:
            try:
                loaded = self._load(assignment.experiment)
            except Exception as error:  # noqa: BLE001  # recorded in the outcome
                return Finished(
                    token=token,
                    outcome=runtime.load_failure(error),
                    worker=self.name,
                    started_at=at,
                    duration_s=0.0,
                )
        channel = _Channel(token, events, self._judge, self._orders)
        started = Started(token=token, worker=self.name, at=at)
        outcome = runtime.run(loaded, assignment, channel, lambda: events.append(started))
        return Finished(
            token=token,
            outcome=outcome,
            worker=self.name,
            started_at=at,
            duration_s=clock.monotonic() - start,
        )

    def _load(self, experiment: ExperimentId) -> runtime.Loaded:
        context = self._contexts[experiment]
        evaluator = context.evaluator.load()
        loaded = runtime.load(context, evaluator, self._device, self.name)
        self._loaded[experiment] = loaded
        return loaded


class _Channel:
    """A trial's way to the events of the call it runs in."""

    __slots__ = ("_events", "_judge", "_order", "_orders", "_token")

    def __init__(
        self,
        token: AttemptToken,
        events: list[EngineEvent],
        judge: Judge | None,
        orders: Mapping[AttemptToken, Order],
    ) -> None:
        self._token = token
        self._events = events
        self._judge = judge
        self._orders = orders
        self._order = Order.CONTINUE

    def report(self, step: int, metrics: Mapping[str, float]) -> Order:
        event = Reported(token=self._token, step=step, metrics=metrics)
        self._events.append(event)
        if self._judge is not None:
            self._order = self._judge(event)
        return self.order()

    def order(self) -> Order:
        return self._orders.get(self._token, self._order)

    def checkpointed(self, step: int, path: Path, digest: str) -> None:
        self._events.append(Checkpointed(token=self._token, step=step, path=path, digest=digest))

    def log(self, text: str) -> None:
        self._events.append(Logged(token=self._token, stream="log", text=text + "\n"))
