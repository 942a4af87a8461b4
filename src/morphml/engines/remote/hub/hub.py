"""The master's side of all workers: who they are, what they run, and lanes for drivers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from morphml.clock import Clock
from morphml.engines.port import Assignment, Order, Returned
from morphml.engines.remote.access import ServerAccess
from morphml.engines.remote.hub.contexts import Contexts
from morphml.engines.remote.hub.files import CheckpointReader
from morphml.engines.remote.hub.fitting import Fitting
from morphml.engines.remote.hub.lane import Lane
from morphml.engines.remote.hub.reception import Identity
from morphml.engines.remote.hub.records import Records
from morphml.engines.remote.hub.server import HubServer
from morphml.engines.remote.hub.settings import HubSettings
from morphml.engines.remote.hub.sights import Sights
from morphml.engines.remote.hub.switchboard import Switchboard
from morphml.engines.remote.hub.views import Glance, WaitingView, WorkerView
from morphml.engines.remote.proto import worker_pb2 as pb
from morphml.errors import MorphError
from morphml.ids import AttemptToken, ExperimentId, SessionId

_LOG = logging.getLogger(__name__)


class Hub:
    """All workers of one master. Every method may be called from any thread.

    Args:
        settings: times, sizes, and the address.
        records: what the master knows of its store.
        access: TLS and tokens.
        identity: what the master says of itself to workers; asked at each registration.
        clock: tells the time.
    """

    def __init__(
        self,
        settings: HubSettings,
        records: Records,
        access: ServerAccess,
        identity: Callable[[], Identity],
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._switchboard = Switchboard(settings, clock)
        self._contexts = Contexts(self._switchboard, records)
        self._pool = ThreadPoolExecutor(settings.threads, thread_name_prefix="morphml-hub")
        self._reader = CheckpointReader(self._switchboard, self._pool)
        #: What its workers could run at all.
        self.fitting = Fitting(self._switchboard)
        #: What operators may ask of it.
        self.sights = Sights(self._switchboard)
        self._server = HubServer(self._switchboard, records, access, identity, self._pool)

    # --- life ------------------------------------------------------------------------------------

    def start(self) -> None:
        """Listen for workers.

        Raises:
            CallerError: when the address is taken or not this machine's.
        """
        self._server.start()

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return self._server.port

    @property
    def ticked_at(self) -> float:
        """Monotonic seconds of the last sign of life of the event loop."""
        return self._server.ticked_at

    def close(self, *, grace_s: float = 0.0) -> None:
        """Listen no more; workers keep what they run and dial another master."""
        self._server.close(grace_s)
        self._pool.shutdown(wait=True, cancel_futures=True)

    def drop_all(self) -> None:
        """Forget every attempt, since the session that held them is lost.

        All streams end; workers come back and announce what they have, and the records are asked
        about each of it.
        """
        self._switchboard.forget_all()

    # --- attempts --------------------------------------------------------------------------------

    def lane(self, experiment: ExperimentId, share: Callable[[], int]) -> Lane:
        """The engine of the experiment's driver; a lane that was there before listens no more.

        Args:
            experiment: its id.
            share: the slots that it may use now; called by the driver's thread.
        """
        return Lane(self._switchboard, experiment, share, self._contexts, self._reader)

    def place(self, assignment: Assignment) -> None:
        """Run an attempt of an experiment that has no lane here; what happens goes to the records.

        Where its context cannot be had it ends as ``Returned``. May wait for the store.
        """
        token, reader = assignment.token, self._reader
        try:
            while not self._submit_known(assignment):
                self._contexts.learn(assignment.experiment)
        except MorphError as error:
            _LOG.warning("an attempt of %s goes back: %s", assignment.experiment, error)
            self._switchboard.act(
                lambda book, now: book.drivers.submit([assignment], now, hold=True)
            )
            self._switchboard.act(lambda book, now: book.drivers.refuse(token, Returned(), now))
            return
        if assignment.checkpoint is not None:
            reader.look(token, assignment.checkpoint, assignment.from_epoch)

    def _submit_known(self, assignment: Assignment) -> bool:
        """Take the attempt over if its context is here."""
        with self._switchboard.lock:
            if not self._contexts.has(assignment.experiment):
                return False
            self._switchboard.act(lambda book, now: book.drivers.submit([assignment], now))
            return True

    def acknowledge(self, tokens: Iterable[AttemptToken]) -> None:
        """The ends of these attempts are stored; their workers may forget them."""
        self._switchboard.act(lambda book, _: book.drivers.acknowledge(tokens))

    def kill(self, tokens: Iterable[AttemptToken]) -> None:
        """Nobody wants these attempts any more: their workers kill and forget them."""
        self._switchboard.act(lambda book, now: book.drivers.kill(tokens, now))

    def order(self, token: AttemptToken, order: Order) -> None:
        """Pass an order on that came from another master; an unknown token is ignored."""
        self._switchboard.act(lambda book, now: book.drivers.order(token, order, now))

    def running(self, experiment: ExperimentId) -> frozenset[AttemptToken]:
        """All its attempts that wait, run, or have ended without being acknowledged."""
        return self._switchboard.act(lambda book, _: book.drivers.here(experiment))

    # --- workers ---------------------------------------------------------------------------------

    def workers(self, known: Mapping[str, Glance] | None = None) -> list[WorkerView]:
        """Workers that are or were here lately. Cost: O(workers).

        Args:
            known: only those that do not look as they did then, by id; all by default.
        """
        return self._switchboard.act(lambda book, _: book.views(known or {}))

    def waiting(self) -> list[WaitingView]:
        """What waits for a worker, and whether any live one could run it."""
        return self._switchboard.act(lambda book, _: book.wishes.waiting())

    def slots(self, *, under_way: bool = False) -> int:
        """Slots of all workers that take tasks. Cost: O(workers that take none).

        Args:
            under_way: and what may be under way beyond them. That is the share asked ahead: it
                waits here, and goes to the first slot that is free, without waiting for a commit.
                And it is what workers still have that leave, or take nothing for another reason:
                no slot of the others, here or at another master, stays empty for it.
        """
        slots, behind = self._switchboard.act(lambda book, _: book.slots())
        return slots + int(self._settings.ahead * slots) + behind if under_way else slots

    def free(self) -> int:
        """Slots that nothing lies on and nothing waits for. Cost: O(workers)."""
        return self._switchboard.act(lambda book, _: book.free())

    def tell_masters(self, addresses: Iterable[str]) -> None:
        """Other masters have come or gone; whoever comes later is told by ``identity``.

        Args:
            addresses: all that workers can dial instead of this one, as ``host:port``.
        """
        masters = pb.Masters(addresses=addresses)
        self._switchboard.tell_all(pb.MasterEvent(masters=masters))

    def drain(self, worker: str, grace_s: float | None = None) -> bool:
        """Let a worker take nothing more, finish within the time, and leave; whether it is here.

        Args:
            worker: its id.
            grace_s: seconds for what runs there; None for the worker's own.
        """
        return self._switchboard.act(
            lambda book, _: book.workers.drain(worker, "drained by request", grace_s)
        )


def identify(session: SessionId, version: str) -> Identity:
    """A master of this version of MorphML that knows no others."""
    return Identity(session=session, version=version)
