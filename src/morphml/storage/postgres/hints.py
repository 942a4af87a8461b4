"""Hints by LISTEN and NOTIFY, on a connection and a thread of their own."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import socket
import threading
from typing import Final

import psycopg

from morphml.clock import Clock
from morphml.storage.hints import HintTopic, Listener, LocalHints
from morphml.storage.postgres.connection import Connection, Opener
from morphml.storage.postgres.faults import first_line

_log = logging.getLogger("morphml.storage.hints")
#: Seconds between two transactions that notify: 50 a second.
_PAUSE_S: Final = 0.02
#: Seconds before a lost connection is made again: the first time, and at most.
_BACKOFF_S: Final = (0.2, 5.0)
_CHANNELS: Final = {f"morphml_{topic.value}": topic for topic in HintTopic}


class PostgresHints:
    """Hints over a database; the connection is made when somebody first sends or listens."""

    def __init__(self, opener: Opener, clock: Clock, where: str) -> None:
        """Connect to nothing yet.

        Args:
            opener: makes the connection.
            clock: its monotonic time spaces what is sent.
            where: the database's URL without a password, for messages.
        """
        self._opener = opener
        self._clock = clock
        self._where = where
        self._local = LocalHints()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()
        self._due: set[HintTopic] = set()
        self._bell, self._ring = socket.socketpair()
        self._bell.setblocking(False)
        self._ring.setblocking(False)
        self._process = os.getpid()

    def send(self, topic: HintTopic) -> None:
        """See ``Hints``: this process is told at once, the others within 20 ms."""
        self._local.send(topic)
        with self._lock:
            if topic in self._due or self._closed.is_set():
                return
            self._due.add(topic)
        self._run()
        self._wake()

    def listen(self, *topics: HintTopic) -> Listener:
        """See ``Hints``."""
        listener = self._local.listen(*topics)
        self._run()
        return listener

    def forget(self, listener: Listener) -> None:
        """See ``Hints``."""
        self._local.forget(listener)

    def close(self) -> None:
        """See ``Hints``."""
        if self._closed.is_set():
            return
        self._closed.set()
        self._local.close()
        if os.getpid() == self._process and self._thread is not None:
            self._wake()
            self._thread.join(_BACKOFF_S[1])
        self._bell.close()
        self._ring.close()

    def _run(self) -> None:
        with self._lock:
            if self._thread is None and not self._closed.is_set():
                self._thread = threading.Thread(
                    target=self._stay_connected, name="morphml-hints", daemon=True
                )
                self._thread.start()

    def _wake(self) -> None:
        # A full buffer is a bell that rings already.
        with contextlib.suppress(BlockingIOError, OSError):
            self._ring.send(b"!")

    def _stay_connected(self) -> None:
        shortest, longest = _BACKOFF_S
        wait_s = shortest
        while not self._closed.is_set():
            try:
                with contextlib.closing(self._opener.connect()) as connection:
                    for channel in _CHANNELS:
                        connection.execute(f"LISTEN {channel}".encode())
                    # What was sent while nobody listened is gone: everybody looks once.
                    self._tell_all()
                    wait_s = shortest
                    self._converse(connection)
            except (psycopg.Error, OSError) as error:
                if self._closed.is_set():
                    return
                said = first_line(error) if isinstance(error, psycopg.Error) else str(error)
                _log.info("%s: hints come late for %.1f s: %s", self._where, wait_s, said)
                self._closed.wait(wait_s)
                wait_s = min(2 * wait_s, longest)

    def _converse(self, connection: Connection) -> None:
        """Send and receive until the store is closed.

        Raises:
            psycopg.Error: when the connection is lost.
        """
        own = connection.info.backend_pid
        quiet = select.poll()
        quiet.register(connection.fileno(), select.POLLIN)
        quiet.register(self._bell.fileno(), select.POLLIN)
        next_at = 0.0
        while not self._closed.is_set():
            if self._due and self._clock.monotonic() >= next_at:
                self._notify(connection)
                next_at = self._clock.monotonic() + _PAUSE_S
            heard = connection.notifies(timeout=0)
            for topic in {_CHANNELS.get(one.channel) for one in heard if one.pid != own}:
                if topic is not None:
                    self._local.send(topic)
            # With hints to send, only until they may go; else until somebody rings or notifies.
            quiet.poll(max(1.0, 1000 * (next_at - self._clock.monotonic())) if self._due else None)
            self._silence()

    def _notify(self, connection: Connection) -> None:
        with self._lock:
            due = sorted(self._due)
            self._due.clear()
        try:
            channels = [f"morphml_{topic.value}" for topic in due]
            connection.execute("SELECT pg_notify(c, '') FROM unnest(%s::text[]) AS c", (channels,))
        except psycopg.Error:
            with self._lock:
                self._due.update(due)
            raise

    def _silence(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._bell.recv(64):
                pass

    def _tell_all(self) -> None:
        for topic in HintTopic:
            self._local.send(topic)
