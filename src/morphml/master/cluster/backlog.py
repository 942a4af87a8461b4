"""What waits for the store: gathered, and stored in batches by a thread of its own."""

from __future__ import annotations

import logging
import math
import queue
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from morphml.errors import StorageError, StoreUnavailable

log = logging.getLogger(__name__)

#: Entries of one batch at most.
BATCH = 500
#: Entries that wait for the store at most.
MOST = 20_000
#: Seconds between two tries while the store is away.
AGAIN_S = 0.5
#: Seconds that are waited out: looking at each entry meanwhile costs more than it gains.
SHORT_S = 0.025

Entry = TypeVar("Entry")


class Backlog(Generic[Entry]):
    """Entries in their order, each stored once the store takes it. Thread-safe.

    While the store is away they wait here, and the batch that it refused is tried again.

    Args:
        store_batch: stores entries, in the backlog's own thread. Raises ``StorageError`` where the
            store cannot: what it has left in the list is then handed to it again.
        name: of the thread.
        what: the entries are, for people, such as "mails".
        linger: seconds for which an entry may wait for others, to be stored together with them; by
            default none. The least patient one decides.
    """

    def __init__(
        self,
        store_batch: Callable[[list[Entry]], None],
        *,
        name: str,
        what: str,
        linger: Callable[[Entry], float] = lambda _: 0.0,
    ) -> None:
        self._store_batch = store_batch
        self._what = what
        self._linger = linger
        self._queue: queue.SimpleQueue[Entry | None] = queue.SimpleQueue()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def check_room(self) -> None:
        """Refuse what whoever brings it can keep.

        Raises:
            StoreUnavailable: when so much waits that the hub is to keep it, and hold workers back.
        """
        if self._queue.qsize() >= MOST:
            raise StoreUnavailable(f"{MOST} {self._what} wait already for the store to come back")

    def put(self, entry: Entry) -> None:
        """Let an entry wait for its turn. Never waits for the store, and never refuses."""
        self._queue.put(entry)

    def close(self) -> None:
        """Store nothing more; the batch under way is waited for."""
        self._closed.set()
        self._queue.put(None)
        self._thread.join(timeout=5.0)

    def _run(self) -> None:
        away = False
        while not self._closed.is_set():
            batch = self._next_batch()
            while batch and not self._closed.is_set():
                try:
                    self._store_batch(batch)
                    away = False
                    break
                except StorageError as error:
                    if not away:
                        away = True
                        log.warning("%s wait, the store is away: %s", self._what, error)
                    self._closed.wait(AGAIN_S)

    def _next_batch(self) -> list[Entry]:
        """What came until one of it must not wait any longer; empty once closed."""
        entry = self._queue.get()
        batch: list[Entry] = []
        until = math.inf
        while entry is not None and len(batch) < BATCH:
            batch.append(entry)
            now = time.monotonic()
            until = min(until, now + self._linger(entry))
            if until - now <= SHORT_S:
                self._closed.wait(until - now)
                break
            try:
                entry = self._queue.get(timeout=until - now)
            except queue.Empty:
                break
        return batch + self._waiting(BATCH - len(batch))

    def _waiting(self, most: int) -> list[Entry]:
        """What waits now, without waiting for more."""
        found: list[Entry] = []
        while len(found) < most:
            try:
                entry = self._queue.get_nowait()
            except queue.Empty:
                break
            if entry is not None:
                found.append(entry)
        return found
