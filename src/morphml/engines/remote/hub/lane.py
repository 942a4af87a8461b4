"""The engine of one experiment's driver: its share of all workers of the hub."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

from morphml.engines.port import Assignment, Context, EngineEvent, Order
from morphml.engines.remote.hub.contexts import Contexts
from morphml.engines.remote.hub.files import CheckpointReader
from morphml.engines.remote.hub.switchboard import Switchboard
from morphml.errors import WorkerError
from morphml.ids import AttemptToken, ExperimentId

#: Seconds for which ends are gathered where workers have more to do than their slots.
_GATHER_S = 0.015
#: Ends of one turn at most where slots wait for what follows them: when many trials end at once,
#: the first workers begin their next ones while the driver is at the others.
_FEW = 8


class Lane:
    """Runs attempts of one experiment on the workers of a hub.

    Made by ``Hub.lane``. Only ``push`` may be called by another thread than the driver's.

    Args:
        switchboard: of the hub.
        experiment: its id.
        share: the number of slots that it may use now; called by the driver's thread.
        contexts: what attempts share.
        reader: looks at checkpoints that are to be sent.
    """

    def __init__(
        self,
        switchboard: Switchboard,
        experiment: ExperimentId,
        share: Callable[[], int],
        contexts: Contexts,
        reader: CheckpointReader,
    ) -> None:
        self._switchboard = switchboard
        self._experiment = experiment
        self._share = share
        self._contexts = contexts
        self._reader = reader
        self._bell = switchboard.bell(experiment)
        self._prepared = False
        self._closed = False
        self._slots = -1
        self._ahead = 0
        #: Until when what happens is gathered, in monotonic seconds.
        self._gather_until = 0.0
        self._listener = switchboard.act(lambda book, _: book.drivers.attach(experiment))
        switchboard.ring(experiment)

    @property
    def slots(self) -> int:
        """Slots that the experiment may use now; 0 while there is no worker."""
        slots = max(0, self._share())
        if slots != self._slots:
            self._slots = slots
            self._switchboard.act(lambda book, _: book.wishes.share(self._experiment, slots))
        return slots

    def prepare(self, experiment: ExperimentId, context: Context) -> None:
        """Make the experiment known, to the workers too, which load it before there is a task.

        What travels is what the master's records hold of it. The first tasks wait until the workers
        that are here are ready, but not for long; see ``HubSettings.prepare_within_s``.

        Args:
            experiment: the lane's own.
            context: not looked at: a worker gets the form that can travel.

        Raises:
            EvaluatorError: when the evaluator cannot travel, or is too large.
            WorkerError: for another experiment, or when the lane is closed.
        """
        self._check_open()
        if experiment != self._experiment:
            raise WorkerError(f"experiment {experiment}: this lane is of {self._experiment}")
        self._contexts.learn(experiment)
        self._switchboard.act(lambda book, now: book.preparing.begin(experiment, now))
        self._prepared = True

    @property
    def ahead(self) -> int:
        """Tasks that workers take beyond their slots, by how long those of this experiment run."""
        experiment, slots = self._experiment, max(0, self._slots)
        self._ahead = self._switchboard.act(
            lambda book, _: int(book.wishes.ahead(experiment) * min(slots, book.slots()[0]))
        )
        return self._ahead

    def expect(self, more: int) -> None:
        """So many tasks the experiment will still bring, as far as is known."""
        self._switchboard.act(lambda book, _: book.wishes.expect(self._experiment, more))

    def submit(self, *assignments: Assignment) -> None:
        """Send attempts to workers, or queue them. Never waits.

        Raises:
            WorkerError: when the experiment was not prepared or the lane is closed.
        """
        self._check_open()
        for each in assignments:
            if not self._prepared or each.experiment != self._experiment:
                raise WorkerError(f"experiment {each.experiment}: it was not prepared")
        fresh = self._switchboard.act(lambda book, now: book.drivers.submit(assignments, now))
        for each in fresh:
            if each.checkpoint is not None:
                self._reader.look(each.token, each.checkpoint, each.from_epoch)

    def order(self, token: AttemptToken, order: Order) -> None:
        """Pass an order on. Never waits; a token that ended already is ignored."""
        self._switchboard.act(lambda book, now: book.drivers.order(token, order, now))

    def acknowledge(self, tokens: Sequence[AttemptToken]) -> None:
        """The ends of these attempts are stored; their workers may forget them."""
        self._switchboard.act(lambda book, _: book.drivers.acknowledge(tokens))

    def events(self, timeout_s: float) -> list[EngineEvent]:
        """What happened, in order; waits up to ``timeout_s`` seconds when nothing did."""
        now = time.monotonic()
        until = now + timeout_s
        # With a task ahead for every slot nobody waits for the next one, and turns cost more than
        # what comes of them.
        relaxed = self._ahead >= max(1, self._slots)
        if relaxed and self._gather_until > now:
            time.sleep(min(timeout_s, self._gather_until - now))
        ends = math.inf if relaxed else _FEW
        with self._bell:
            while self._listens:
                events = self._switchboard.book.drivers.collect(self._experiment, ends)
                now = time.monotonic()
                if events or now >= until:
                    self._gather_until = now + _GATHER_S
                    return events
                self._bell.wait(until - now)
        return []

    def push(self, events: Sequence[EngineEvent]) -> None:
        """Tell the driver what came another way, such as from another master."""
        with self._bell:
            if self._listens:
                push = tuple(events)
                self._switchboard.act(lambda book, _: book.drivers.push(self._experiment, push))

    def close(self) -> None:
        """Listen no more: what waits goes back, what runs goes on. May be called twice."""
        with self._bell:
            if self._closed:
                return
            self._closed = True
            experiment, listener = self._experiment, self._listener
            self._switchboard.act(lambda book, now: book.drivers.detach(experiment, listener, now))
            self._bell.notify_all()

    @property
    def _listens(self) -> bool:
        drivers = self._switchboard.book.drivers
        return not self._closed and drivers.listens(self._experiment, self._listener)

    def _check_open(self) -> None:
        if not self._listens:
            raise WorkerError("the lane is closed, or the experiment has another one")
