"""Keeps the session's lease alive on a thread of its own."""

from __future__ import annotations

import os
import platform
import threading
from collections.abc import Callable
from typing import Protocol

from morphml.clock import Clock
from morphml.errors import StorageError
from morphml.ids import SessionId
from morphml.master.ports import Store
from morphml.scheduling.reaping import ReaperRule, must_stop_acting

#: Times of a session whose lease is the store's usual one.
_USUAL = ReaperRule()


def process_name() -> str:
    """What people see of a session: host and process id, such as ``node7-4242``."""
    return f"{platform.node()}-{os.getpid()}"


class MasterLife(Protocol):
    """The life of this master, as a driver of it sees it."""

    @property
    def session(self) -> SessionId:
        """Holder of all leases."""
        ...

    @property
    def lost(self) -> bool:
        """Whether the lease may be gone: a driver stops acting before others take over."""
        ...

    def tick(self) -> None:
        """The driver's loop is alive."""
        ...

    def revive(self) -> bool:
        """Renew a lease that is late; False when others have ended the session."""
        ...


class SessionKeeper:
    """The life of one master in the store.

    Args:
        store: where the session is; renewals use a connection of their own thread.
        clock: monotonic time.
        name: what people see, such as the host and process id.
        may_block: True where evaluators run in the driver's own thread, so that a missing tick
            says nothing.
        rule: times.
    """

    def __init__(
        self, store: Store, clock: Clock, name: str, *, may_block: bool, rule: ReaperRule = _USUAL
    ) -> None:
        self._store = store
        self._clock = clock
        self._may_block = may_block
        self._rule = rule
        self.session: SessionId = store.open_session(name)
        now = clock.monotonic()
        self._renewed_at = now
        self._ticked_at = now
        self._other_loops: list[Callable[[], float]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="morphml-session", daemon=True)
        self._thread.start()

    def watch(self, ticked_at: Callable[[], float]) -> None:
        """Renew only while another loop is alive too.

        Args:
            ticked_at: monotonic seconds of its last sign of life.
        """
        self._other_loops.append(ticked_at)

    def tick(self) -> None:
        """The driver's loop is alive."""
        self._ticked_at = self._clock.monotonic()

    @property
    def lost(self) -> bool:
        """Whether the lease may be gone: the driver stops acting before others take over."""
        return must_stop_acting(self._renewed_at, self._clock.monotonic(), self._rule)

    def revive(self) -> bool:
        """Renew a lease that is late (a stopped process, a long turn), unless it was taken away.

        Returns:
            False when others have ended the session: whatever it held may be theirs by now.

        Raises:
            StorageError: when the store cannot be asked.
        """
        renewed = self._store.renew_session(self.session)
        if renewed:
            self._renewed_at = self._clock.monotonic()
        return renewed

    def close(self) -> None:
        """Stop renewing and end the session; its tasks go back to pending."""
        self._stop.set()
        self._thread.join(timeout=5.0)
        self._store.close_session(self.session)

    def _renew(self) -> None:
        while not self._stop.wait(self._rule.renew_every_s):
            alive_at = min([self._ticked_at, *(each() for each in self._other_loops)])
            idle = self._clock.monotonic() - alive_at
            if idle > self._rule.stuck_after_s and not self._may_block:
                continue
            try:
                renewed = self._store.renew_session(self.session)
            except StorageError:
                continue  # `lost` tells the driver when this has lasted too long
            if renewed:
                self._renewed_at = self._clock.monotonic()
