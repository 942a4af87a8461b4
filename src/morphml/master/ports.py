"""What the master needs of a store; SQLite, PostgreSQL and memory stores offer it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from morphml.ids import AttemptToken, ExperimentId, SessionId
from morphml.search.changes import (
    AttemptRecord,
    Changes,
    ClaimedTask,
    Driver,
    ExperimentRecord,
    TrialRecord,
)
from morphml.search.experiment import ExperimentSpec, ExperimentState
from morphml.search.log import LogEntry
from morphml.storage.knowledge import Knowledge
from morphml.storage.requests import Requests


class ReadableStore(Protocol):
    """What faces may ask of a store."""

    def experiments(self) -> list[ExperimentRecord]:
        """All experiments, newest first."""
        ...

    def experiment(self, experiment: ExperimentId) -> ExperimentRecord:
        """One experiment.

        Raises:
            ExperimentError: when there is none of that id.
        """
        ...

    def trials(self, experiment: ExperimentId) -> Iterator[TrialRecord]:
        """All trials by number."""
        ...

    def attempts(self, experiment: ExperimentId) -> Iterator[AttemptRecord]:
        """All ended attempts by number, segment, index."""
        ...

    def log(self, experiment: ExperimentId, after: int = 0) -> Iterator[LogEntry]:
        """Log entries with ``seq > after`` in order."""
        ...

    def close(self) -> None:
        """Release connections, locks and files; safe to call twice."""
        ...


class Store(ReadableStore, Protocol):
    """What a driving master needs of a store."""

    @property
    def requests(self) -> Requests:
        """What other processes ask of an experiment's driver."""
        ...

    @property
    def knowledge(self) -> Knowledge:
        """What finished experiments taught."""
        ...

    def create_experiment(self, spec: ExperimentSpec) -> ExperimentId:
        """Store a new experiment in state ``created``."""
        ...

    def open_session(self, name: str) -> SessionId:
        """Begin the life of one master; its lease is 8 s by the database's clock.

        Raises:
            StoreInUse: when another process claims tasks on a store that allows one (SQLite).
        """
        ...

    def renew_session(self, session: SessionId) -> bool:
        """Renew the lease; False when it was lost. Called from a thread of its own."""
        ...

    def close_session(self, session: SessionId) -> None:
        """End the session; its leased tasks become pending without an attempt counted."""
        ...

    def acquire_driver(self, experiment: ExperimentId, session: SessionId) -> Driver:
        """Become the driver: a new epoch and nonce; state becomes ``running``.

        Raises:
            StoreInUse: when a live session other than this one drives it.
            ExperimentError: when there is no such experiment, or it is completed.
        """
        ...

    def commit(self, driver: Driver, changes: Changes) -> None:
        """Write one driver transaction.

        Raises:
            DriverLost: when the fence refuses; nothing was written.
            TokenRefused: when an attempt's token is not live; nothing was written.
            StorageError: when the store cannot write; nothing was written.
        """
        ...

    def claim(
        self, experiment: ExperimentId, session: SessionId, limit: int
    ) -> Sequence[ClaimedTask]:
        """Lease up to ``limit`` ready tasks of an experiment by rank, with fresh tokens."""
        ...

    def live_attempts(self, experiment: ExperimentId) -> Sequence[AttemptToken]:
        """Tokens of the tasks that are leased at the moment."""
        ...

    def extend_budget(self, experiment: ExperimentId, trials: int) -> None:
        """Set the number of trials allowed; never below the numbers taken."""
        ...

    def set_state(self, experiment: ExperimentId, state: ExperimentState, reason: str) -> None:
        """Ask, from outside, that a driver pause or stop the experiment."""
        ...

    def stop_requested(self, experiment: ExperimentId) -> str | None:
        """Why someone asked the driver to stop, never empty; None when nobody did."""
        ...


class Exchange(Protocol):
    """Where checkpoints lie at which trials wait, for masters that do not share a folder.

    Every method raises StoreUnavailable when it cannot be asked.
    """

    def put(self, digest: str, path: Path) -> bool:
        """Keep a file for other masters; False where none needs it, or it cannot be kept."""
        ...

    def get(self, digest: str, path: Path) -> bool:
        """Fetch a file to its place; False where it is not to be had."""
        ...

    def drop(self, digests: Sequence[str]) -> None:
        """Nobody needs these any more."""
        ...
