"""A master with one worker of its own, on this machine: what runs a workflow without a cluster."""

from __future__ import annotations

import logging
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from morphml.clock import SystemClock
from morphml.engines.devices import default_workers, gpus
from morphml.engines.remote.access import Scope, client_access, server_access
from morphml.engines.remote.worker import RemoteWorker, WorkerSettings
from morphml.master.cluster.master import Master
from morphml.master.cluster.settings import MasterSettings
from morphml.settings import read_settings

_log = logging.getLogger(__name__)
#: Seconds that the worker gets to hand back what it runs.
_LEAVE_S = 15.0


@contextmanager
def master_alone(storage: str, slots: int | None = None) -> Iterator[Master]:
    """A master on a store and a worker for it, in this process; attempts run in child processes.

    They speak over a free port of the loopback address, with tokens that nobody else can read. At
    the end what runs is ended and handed back: it begins again with the next master.

    Args:
        storage: path of a SQLite file, or ``postgresql://...``.
        slots: attempts that run at the same time; by default the GPUs, or half the cores.

    Raises:
        StoreInUse: when a master of another process has the SQLite file.
        StorageError: when the store cannot be opened.
    """
    clock, listen, devices = SystemClock(), "127.0.0.1:0", gpus()
    with tempfile.TemporaryDirectory(prefix="morphml-alone-") as folder:
        tokens = Path(folder) / "tokens.json"
        access = server_access(listen, token_file=tokens, tls=None, clock=clock)
        with Master(MasterSettings(storage=storage, listen=listen), access, clock) as master:
            settings = WorkerSettings(
                masters=(f"127.0.0.1:{master.port}",),
                slots=slots or default_workers(devices),
                folder=read_settings().worker.folder,
                name="here",
                devices=devices,
            )
            door = client_access(token_file=tokens, scope=Scope.WORKER, tls=None, clock=clock)
            with _at_work(RemoteWorker(settings, door, clock)):
                yield master


@contextmanager
def _at_work(worker: RemoteWorker) -> Iterator[None]:
    thread = threading.Thread(target=worker.run, name="morphml-worker", daemon=True)
    thread.start()
    try:
        yield
    finally:
        worker.drain("what it was started for is over", grace_s=0.0)
        thread.join(_LEAVE_S)
        if thread.is_alive():
            _log.warning("the worker does not leave; its processes end with this one")
