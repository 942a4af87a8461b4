"""The store: one class over any SQL database, in two halves as its port has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from morphml.clock import Clock
from morphml.errors import ExperimentError
from morphml.ids import AttemptToken, ExperimentId, SessionId, new_experiment_id
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
from morphml.storage import claims, reading, removal
from morphml.storage.answers import Answers
from morphml.storage.classes import ClassNames, Could
from morphml.storage.cluster import Bundles, Cluster
from morphml.storage.database import Database, Values
from morphml.storage.driving import Driving, new_experiment, unknown_experiment
from morphml.storage.hints import Hints
from morphml.storage.knowledge import Knowledge
from morphml.storage.leases import Leases
from morphml.storage.opening import open_database
from morphml.storage.options import StoreOptions
from morphml.storage.requests import Requests
from morphml.storage.sessions import Sessions
from morphml.storage.statements import experiment_rows
from morphml.storage.states import TaskState
from morphml.storage.workflows import Workflows


class _ReadingHalf:
    """What anybody may ask; not used by itself."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.hints: Hints = database.hints

    def experiments(self) -> list[ExperimentRecord]:
        """All experiments, newest first."""
        return reading.experiments(self._database)

    def experiment(self, experiment: ExperimentId) -> ExperimentRecord:
        """One experiment.

        Raises:
            ExperimentError: when there is none of that id.
        """
        return reading.experiment(self._database, experiment)

    def trials(self, experiment: ExperimentId, after: int = -1) -> Iterator[TrialRecord]:
        """Trials with ``number > after`` by number."""
        return reading.trials(self._database, experiment, after)

    def attempts(self, experiment: ExperimentId) -> Iterator[AttemptRecord]:
        """All ended attempts by number, segment, index."""
        return reading.attempts(self._database, experiment)

    def log(self, experiment: ExperimentId, after: int = 0) -> Iterator[LogEntry]:
        """Log entries with ``seq > after`` in order; about 2 us an entry, a page in memory."""
        return reading.log(self._database, experiment, after)

    def live_attempts(self, experiment: ExperimentId) -> Sequence[AttemptToken]:
        """Tokens of the tasks that are leased at the moment, by number and segment."""
        return reading.live_attempts(self._database, experiment)

    def task_counts(self, experiment: ExperimentId) -> Mapping[TaskState, int]:
        """How many tasks are in each state; states without a task are left out."""
        return reading.task_counts(self._database, experiment)

    def stop_requested(self, experiment: ExperimentId) -> str | None:
        """Why someone asked the driver to stop, never empty; None when nobody did; about 15 us.

        Raises:
            ExperimentError: when there is none of that id.
        """
        requested = reading.requested_state(self._database, experiment)
        return None if requested is None else requested[1] or "stopped on request"

    def close(self) -> None:
        """Release connections, locks and files; safe to call twice."""
        self._database.close()


class SqlStore(_ReadingHalf):
    """A store over an SQL database; may be used from several threads.

    Attributes:
        leases: what masters do for sessions that are not theirs: reap, adopt, give back.
        requests: what other processes ask of an experiment's driver.
        knowledge: what finished experiments taught.
        hints: that something changed, between all who have the store open.
        cluster: what several masters do for each other.
        bundles: source code of evaluators, for workers.
        workflows: their executions, the queue of jobs, and locks.
        answers: what was answered to requests under a key.
    """

    def __init__(self, database: Database, options: StoreOptions) -> None:
        super().__init__(database)
        self._sessions = Sessions(database, options.session_lease_s)
        classes = ClassNames()
        self._driving = Driving(database, classes)
        self.leases = Leases(database)
        self.requests = Requests(database)
        self.knowledge = Knowledge(database)
        self.cluster = Cluster(database, self._sessions)
        self.bundles = Bundles(database)
        self.workflows = Workflows(database, classes, options.policy)
        self.answers = Answers(database)

    def create_experiment(self, spec: ExperimentSpec) -> ExperimentId:
        """Store a new experiment in state ``created``."""
        name = new_experiment_id()
        with self._database.writing() as run:
            run.run(experiment_rows.add_experiment, new_experiment(name, spec))
        return name

    def open_session(self, name: str) -> SessionId:
        """Begin the life of one master; its lease is ``options.session_lease_s`` long.

        Raises:
            StoreInUse: when another process claims tasks on a store that allows one (SQLite).
        """
        return self._sessions.open(name)

    def renew_session(self, session: SessionId) -> bool:
        """Renew the lease; False when it was lost. Called from a thread of its own."""
        return self._sessions.renew(session)

    def close_session(self, session: SessionId) -> None:
        """End the session; its leased tasks become pending without an attempt counted."""
        self._sessions.close(session)

    def acquire_driver(self, experiment: ExperimentId, session: SessionId) -> Driver:
        """Become the driver: a new epoch and nonce; state becomes ``running``.

        Raises:
            StoreInUse: when a live session other than this one drives it.
            ExperimentError: when there is no such experiment, or it is completed.
            StorageError: when the session has ended.
        """
        return self._driving.take_over(experiment, session)

    def commit(self, driver: Driver, changes: Changes) -> None:
        """Write one driver transaction.

        Raises:
            DriverLost: when the fence refuses; nothing was written.
            TokenRefused: when an attempt's token is not live; nothing was written.
            StorageError: when the store cannot write; nothing was written.
        """
        self._driving.commit(driver, changes)

    def claim(
        self,
        experiment: ExperimentId,
        session: SessionId,
        limit: int,
        could: Could | None = None,
    ) -> Sequence[ClaimedTask]:
        """Lease up to ``limit`` ready tasks of an experiment by rank, with fresh tokens.

        Args:
            experiment: whose tasks.
            session: who holds them from now on.
            limit: how many at most.
            could: only tasks whose needs it is true of; None takes any.

        Raises:
            StorageError: when the session has ended.
        """
        return claims.claim(self._database, experiment, session, limit, could)

    def extend_budget(self, experiment: ExperimentId, trials: int) -> None:
        """Set the number of trials allowed; never below the numbers taken.

        Raises:
            ExperimentError: when there is no such experiment, or more numbers are taken.
        """
        with self._database.writing() as run:
            if run.run(experiment_rows.set_budget, {"p_id": experiment, "p_trials": trials}):
                return
            row = run.row(experiment_rows.one_experiment, {"p_id": experiment})
        if row is None:
            raise unknown_experiment(experiment)
        raise ExperimentError(
            f"experiment {experiment}: {row[6]} numbers are taken, so the budget cannot be {trials}"
        )

    def remove_experiment(self, experiment: ExperimentId) -> None:
        """Delete an experiment that nobody works on, with everything that belongs to it.

        Raises:
            ExperimentError: when it waits or runs, or is a job of an execution.
            UnknownExperiment: when there is none of that id.
        """
        removal.remove(self._database, experiment)

    def set_state(self, experiment: ExperimentId, state: ExperimentState, reason: str) -> None:
        """Ask, from outside, that a driver pause or stop the experiment.

        Where no live session drives it, the state is set at once.

        Raises:
            ExperimentError: when there is no such experiment, or it is completed.
        """
        values: Values = {"p_id": experiment, "p_state": state, "p_reason": reason}
        with self._database.writing() as run:
            row = run.row(experiment_rows.driver_of, {"p_id": experiment})
            if row is None:
                raise unknown_experiment(experiment)
            if row[0] == ExperimentState.COMPLETED:
                raise ExperimentError(f"experiment {experiment}: is completed; nothing to stop")
            driven = row[0] == ExperimentState.RUNNING and row[2] is not None
            change = experiment_rows.request_state if driven else experiment_rows.set_idle_state
            run.run(change, values)


def open_store(
    storage: str | Path | None,
    options: StoreOptions | None = None,
    *,
    clock: Clock | None = None,
    create: bool = True,
) -> SqlStore:
    """An open store.

    Args:
        storage: path of a SQLite file; None or ``":memory:"`` for a store that is gone at the end;
            ``postgresql://user:password@host:port/database`` for a server's database, which any
            number of processes on any machine may open.
        options: durability, time-outs, lease.
        clock: the database's clock where the database is in this process; for tests.
        create: whether to make the file, or lay the tables, where there are none.

    Raises:
        StoreMismatch: when the file or database is not a MorphML store, or one of a newer version.
        StoreUnavailable: when the database's server cannot be reached.
        StorageError: when it cannot be opened, or lies on a network file system.
        MissingExtraError: when ``psycopg`` is not installed.
    """
    options = options or StoreOptions()
    return SqlStore(open_database(storage, options, clock=clock, create=create), options)
