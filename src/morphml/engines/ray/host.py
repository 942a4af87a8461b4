"""What runs on a node: a worker of the remote protocol in a process that Ray has started."""

from __future__ import annotations

import logging
import sys
import tempfile
import threading
from pathlib import Path

from morphml.clock import Clock, SystemClock
from morphml.engines.devices import gpus
from morphml.engines.ray.orders import Duty, Summons
from morphml.engines.ray.pauses import Patience
from morphml.engines.remote.access import ClientAccess, ClientTls
from morphml.engines.remote.worker import RemoteWorker, WorkerSettings

_LOG = logging.getLogger(__name__)

#: Seconds between two looks at whether a master is there.
_LOOK_EVERY_S = 0.5


class Host:
    """The worker of one node; ``serve`` is called once."""

    def serve(self, text: str) -> None:
        """Work for the masters until they let the worker go, or none confirms it any more.

        Args:
            text: a ``Duty`` as JSON.
        """
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
        duty = Duty.read(text)
        sys.path.extend(each for each in duty.summons.path if each not in sys.path)
        with tempfile.TemporaryDirectory(prefix="morphml-ray-") as folder:
            worker = RemoteWorker(
                _settings(duty, Path(folder)), _access(duty.summons, Path(folder)), SystemClock()
            )
            watch = Watch(worker, duty.summons.give_up_after_s, SystemClock())
            watch.start()
            try:
                code = worker.run()
            finally:
                watch.stop()
        _LOG.info("worker %s ends with status %d", duty.name, code)


class Watch:
    """Ends a worker that no master confirms: by then another one runs its attempts.

    What runs is killed with its process group, so that an orphan neither uses the node nor waits
    for somebody who has long forgotten it.

    Args:
        worker: to be watched.
        give_up_after_s: seconds without a master.
        clock: monotonic time.
    """

    def __init__(self, worker: RemoteWorker, give_up_after_s: float, clock: Clock) -> None:
        self._worker = worker
        self._clock = clock
        self._patience = Patience(give_up_after_s, clock.monotonic())
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="morphml-watch", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Watch no more."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(_LOOK_EVERY_S):
            confirmed = bool(self._worker.master)
            if self._patience.is_over(self._clock.monotonic(), confirmed=confirmed):
                _LOG.error("no master any more: what runs here is killed")
                self._worker.stop()
                return


def _settings(duty: Duty, folder: Path) -> WorkerSettings:
    return WorkerSettings(
        masters=duty.summons.masters,
        slots=duty.slots,
        folder=folder,
        name=duty.name,
        capabilities=duty.offers,
        devices=gpus() if duty.gpus else (),
        allow_pickle=duty.summons.allow_pickle,
    )


def _access(summons: Summons, folder: Path) -> ClientAccess:
    token = summons.token or None
    if not summons.authority:
        return ClientAccess(token=token)
    authority = folder / "authority.pem"
    authority.write_text(summons.authority)
    tls = ClientTls(ca=authority)
    return ClientAccess(credentials=tls.credentials(SystemClock()), token=token, tls=tls)
