"""A master and its workers in two short scripts; see ``MasterNode`` and ``WorkerNode``."""

from __future__ import annotations

import tempfile
import threading
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self, TypedDict, Unpack

from morphml.clock import SystemClock
from morphml.engines.remote.access import (
    Scope,
    client_access,
    server_access,
    share_with_masters_here,
)
from morphml.engines.remote.worker import RemoteWorker, WorkerSettings
from morphml.errors import ExperimentError
from morphml.evaluation.training import Classification
from morphml.master.cluster.master import Master
from morphml.master.cluster.settings import MasterSettings
from morphml.master.evaluated import EvaluatedTrial
from morphml.master.experiment import Experiment
from morphml.master.options import SearchOptions, gpus
from morphml.optimizers import Optimizer
from morphml.search.progress import Observer
from morphml.settings import read_settings
from morphml.space import SearchSpace


class MasterConfig(TypedDict, total=False):
    """What a ``MasterNode`` may be told; all are optional."""

    #: Address and port to listen on. Defaults 127.0.0.1 and 50051; 0 takes a free port.
    host: str
    port: int
    #: Workers that are waited for before the search begins. Default 1.
    num_workers: int
    #: A SQLite file, or ``postgresql://...``. Default ``morphml.db`` in this folder.
    storage: str
    #: The evaluator; by default classification of handwritten digits, where the space fits them.
    evaluator: object
    #: See ``SearchOptions``. Default ``{"accuracy": "max"}``.
    objectives: Mapping[str, str] | Sequence[str]
    #: See ``morphml master --token-file``.
    token_file: str
    #: Who gets which task; see ``morphml master --policy``.
    policy: str


class WorkerConfig(TypedDict, total=False):
    """What a ``WorkerNode`` may be told; all are optional."""

    #: The master to dial. Defaults localhost and 50051.
    master_host: str
    master_port: int
    #: Port of the worker's own service for operators; none by default.
    port: int
    #: GPUs to use, each one slot; where fewer are found, those. Default: all that are found.
    num_gpus: int
    #: Attempts that run at the same time. Default: the GPUs, or 1.
    num_slots: int
    #: See ``morphml worker --token-file``.
    token_file: str


class MasterNode:
    """A master that runs searches of one optimizer.

    Args:
        optimizer: a pattern, such as ``GeneticAlgorithm(space, population_size=50)``; each run
            makes a fresh one of it.
        config: see ``MasterConfig``.

    Raises:
        CallerError: when a value is not usable.
        StorageError: when the store cannot be opened.
    """

    def __init__(self, optimizer: Optimizer, config: MasterConfig | None = None) -> None:
        self._optimizer = optimizer
        self._config: MasterConfig = {} if config is None else config
        listen = f"{self._config.get('host', '127.0.0.1')}:{self._config.get('port', 50051)}"
        settings = MasterSettings(
            storage=str(self._config.get("storage", "morphml.db")),
            listen=listen,
            policy=self._config.get("policy", ""),
        )
        clock = SystemClock()
        token_file = _token_file(self._config.get("token_file"))
        access = server_access(listen, token_file=token_file, tls=None, clock=clock)
        self._master = Master(settings, access, clock)

    @property
    def port(self) -> int:
        """The port that workers dial."""
        return self._master.port

    def start(self) -> None:
        """Listen and begin to work.

        Raises:
            WorkerError: when the port is taken.
            StoreInUse: when another process claims tasks on the same SQLite file.
        """
        self._master.start()

    def run_experiment(
        self,
        num_generations: int,
        *,
        observer: Observer | None = None,
        **options: Unpack[SearchOptions],
    ) -> EvaluatedTrial:
        """Search on the workers that join, and return the best trial.

        Args:
            num_generations: times the optimizer's population is how many trials there are; no
                generation waits for another.
            observer: called with a ``Progress`` twice a second; by default a live view.
            options: see ``SearchOptions``; they go before the config's.

        Raises:
            ExperimentError: when the search was paused or failed; the message has the reason.
        """
        space: SearchSpace = self._optimizer.space
        population = int(str(self._optimizer.settings.get("population_size", 1)))
        options.setdefault("trials", num_generations * population)
        options.setdefault("optimizer", self._optimizer)
        if "objectives" in self._config:
            options.setdefault("objectives", self._config["objectives"])
        self._wait_for_workers()
        evaluator = self._config.get("evaluator") or Classification("digits")
        store = self._master.settings.storage
        with Experiment.create(space, evaluator, storage=store, engine="remote", **options) as made:
            made.submit()
            best = made.watch(observer).best
        if best is None:
            raise ExperimentError("no trial ended with a result")
        return best

    def stop(self) -> None:
        """Leave off; workers wait for another master."""
        self._master.stop()

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Stop it."""
        self.stop()

    def _wait_for_workers(self) -> None:
        wanted = self._config.get("num_workers", 1)
        pause = threading.Event()
        while len(self._master.hub.workers()) < wanted and not self._master.wait(0.0):
            pause.wait(0.1)


class WorkerNode:
    """A worker on this machine.

    Args:
        config: see ``WorkerConfig``.

    Raises:
        CallerError: when a value is not usable.
    """

    def __init__(self, config: WorkerConfig | None = None) -> None:
        given: WorkerConfig = {} if config is None else config
        host, port = given.get("master_host", "localhost"), given.get("master_port", 50051)
        devices = _devices(given.get("num_gpus"))
        folder = Path(tempfile.gettempdir()) / f"morphml-worker-{port}"
        settings = WorkerSettings(
            masters=(f"{host}:{port}",),
            slots=given.get("num_slots") or len(devices) or 1,
            folder=folder,
            devices=devices,
            listen=f"127.0.0.1:{given['port']}" if "port" in given else None,
        )
        clock = SystemClock()
        token_file = _token_file(given.get("token_file"))
        if not given.get("token_file"):
            share_with_masters_here(token_file, settings.masters)
        access = client_access(
            token_file=token_file,
            scope=Scope.WORKER,
            tls=None,
            clock=clock,
        )
        self._worker = RemoteWorker(settings, access, clock)
        self._thread: threading.Thread | None = None

    def start(self, *, wait: bool = True) -> None:
        """Begin to work.

        Args:
            wait: return only when the worker has left, after ``stop``, SIGTERM or Ctrl-C; else work
                in the background for as long as the program runs.
        """
        if wait:
            self._worker.run()
            return
        self._thread = threading.Thread(target=self._worker.run, name="morphml-worker", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish what runs and leave."""
        self._worker.drain("asked to leave")
        if self._thread is not None:
            self._thread.join()


def _devices(wanted: int | None) -> tuple[str, ...]:
    found = gpus()
    if wanted is not None and wanted > len(found):
        warnings.warn(
            f"num_gpus: {wanted} wanted, {len(found)} found on this machine; going on with "
            f"{len(found) or 'the CPU'}",
            stacklevel=3,
        )
    return found if wanted is None else found[:wanted] or ("cpu",)


def _token_file(given: str | None) -> Path:
    return Path(given) if given else read_settings().access.token_file
