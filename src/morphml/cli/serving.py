"""Runs a master until a signal; imports gRPC and the store."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from types import FrameType
from typing import TypeAlias

from morphml.cli.staying import keep_what_is_there
from morphml.engines.remote.access import ServerAccess, is_loopback, parse_endpoint
from morphml.master.cluster.master import Master
from morphml.master.cluster.settings import MasterSettings
from morphml.storage.address import without_password

_log = logging.getLogger("morphml.cli.master")

#: Seconds between two looks whether the master ended by itself.
LOOK_EVERY_S = 0.2


#: What goes with a master for as long as it is entered, such as its metrics; says where it is.
Beside: TypeAlias = Callable[[Master], AbstractContextManager[str]]


def _nothing(_: Master) -> AbstractContextManager[str]:
    return nullcontext("")


def serve_master(
    settings: MasterSettings,
    access: ServerAccess,
    tokens: Path | None,
    metrics: Beside = _nothing,
    staff: Beside = _nothing,
    rest: Beside = _nothing,
) -> None:
    """Run a master until SIGTERM or Ctrl-C; what it drives is then handed over.

    Args:
        settings: of the master.
        access: who is let in.
        tokens: their file, for people.
        metrics: serves metrics.
        staff: brings workers.
        rest: serves REST.

    Raises:
        CallerError: when it cannot listen there.
        WorkerError: when there is no Ray cluster where one was named.
        StorageError: when the store cannot be opened.
    """
    master = Master(settings, access)
    with (
        _asked_to_stop() as asked,
        master,
        metrics(master) as scraped,
        rest(master) as called,
        staff(master) as cluster,
    ):
        _log.info(
            "master on %s, store %s, %s, %s",
            master.address,
            without_password(settings.storage),
            "TLS" if access.credentials else "no TLS",
            f"tokens in {tokens}" if tokens else "no tokens",
        )
        _log.info("start workers with: %s", worker_command(master.address, access, tokens))
        keep_what_is_there()
        if cluster:
            _log.info("workers on each node of the Ray cluster %s", cluster)
        if scraped:
            _log.info("metrics at %s", scraped)
        if called:
            _log.info("REST at %s", called)
        while not asked.is_set() and not master.wait(LOOK_EVERY_S):
            pass
        _log.info("leaving: handing over to other masters; a second signal ends it at once")
    _log.info("left")


def worker_command(address: str, access: ServerAccess, tokens: Path | None) -> str:
    """What is typed on a worker's machine; a copy of the tokens is wanted where it is another."""
    words = ["morphml worker --master", address]
    if access.credentials is not None:
        words.append("--tls-ca ca.pem")
    if tokens is None:
        words.append("--no-token")
    elif not is_loopback(parse_endpoint(address)):
        words.append("--token-file FILE   (FILE: made here by `morphml tokens FILE`)")
    return " ".join(words)


@contextmanager
def _asked_to_stop() -> Iterator[threading.Event]:
    """An event that the first SIGTERM or Ctrl-C sets; the second does what the system does."""
    asked = threading.Event()

    def ask(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        asked.set()

    before = {each: signal.signal(each, ask) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
