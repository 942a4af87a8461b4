"""The driver's side of a store: taking an experiment over, and the transaction that it writes."""

from __future__ import annotations

import secrets

import orjson

from morphml.errors import DriverLost, ExperimentError, StoreInUse, UnknownExperiment
from morphml.ids import ExperimentId, SessionId
from morphml.search.changes import Changes, Driver
from morphml.search.experiment import ExperimentSpec, ExperimentState
from morphml.storage.classes import ClassNames
from morphml.storage.database import Database, Row, Transaction, Values, again
from morphml.storage.sessions import check_live, expire
from morphml.storage.statements import experiment_rows
from morphml.storage.writing import hold, write


class Driving:
    """Takes experiments over and writes driver transactions."""

    def __init__(self, database: Database, classes: ClassNames) -> None:
        self._database = database
        self._classes = classes

    def take_over(self, experiment: ExperimentId, session: SessionId) -> Driver:
        """See ``Store.acquire_driver``."""
        return again(lambda: self._take_over(experiment, session, secrets.token_hex(16)))

    def _take_over(self, experiment: ExperimentId, session: SessionId, nonce: str) -> Driver:
        with self._database.writing() as run:
            last = _check_free(run, experiment, session)
            values: Values = {
                "p_id": experiment,
                "p_epoch": last,
                "p_session": session,
                "p_nonce": nonce,
            }
            row = run.row(experiment_rows.take_over, values)
        if row is None:
            raise StoreInUse(
                f"experiment {experiment}: another session took it in this very moment; wait until "
                "that ends, or until its lease has run out"
            )
        epoch, next_number, seq = row
        return Driver(
            experiment=experiment,
            session=session,
            epoch=epoch,
            nonce=nonce,
            next_number=next_number,
            seq=seq,
        )

    def commit(self, driver: Driver, changes: Changes) -> None:
        """See ``Store.commit``. About 60 us beside the disk for one result and one new trial."""
        again(lambda: self._commit(driver, changes))

    def _commit(self, driver: Driver, changes: Changes) -> None:
        classes = self._classes.for_transaction()
        with self._database.writing() as run:
            # Asked before the fence has answered: a round trip less, and undone where it refuses.
            fence = run.ask(experiment_rows.fence, _at_fence(driver, changes))
            held = hold(run, driver.experiment, changes)
            now = _passed(run, driver, changes, fence())
            write(run, driver.experiment, changes, held, now, classes)
        classes.stored()


def _check_free(run: Transaction, experiment: ExperimentId, session: SessionId) -> int:
    """Let a session pass that may take the experiment over; a late driver is reaped.

    Returns:
        How often it was taken over.
    """
    check_live(run, session)
    row = run.row(experiment_rows.driver_of, {"p_id": experiment})
    if row is None:
        raise unknown_experiment(experiment)
    state, _, living, epoch = row
    if state == ExperimentState.COMPLETED:
        raise ExperimentError(
            f"experiment {experiment} is completed; give it more trials (--trials, in Python "
            "trials=), or start a new one"
        )
    if living is not None and living != session and not expire(run, SessionId(living)):
        raise StoreInUse(
            f"experiment {experiment}: session {living} drives it; wait until that ends, or until "
            "its lease has run out"
        )
    return int(epoch)


def new_experiment(name: ExperimentId, spec: ExperimentSpec) -> Values:
    """The row of an experiment that has not begun."""
    return {
        "p_id": name,
        "p_name": spec.name,
        "p_spec": orjson.dumps(spec.to_json()).decode(),
        "p_trials": spec.budget.trials,
        "p_priority": spec.priority,
    }


def unknown_experiment(experiment: ExperimentId) -> UnknownExperiment:
    """The error for an id that the store does not have."""
    return UnknownExperiment(
        f"experiment {experiment!r}: there is none of that id in this store; list them first"
    )


def _at_fence(driver: Driver, changes: Changes) -> Values:
    """What takes the numbers and sequence numbers of ``changes``."""
    return {
        "p_id": driver.experiment,
        "p_epoch": driver.epoch,
        "p_nonce": driver.nonce,
        "p_taken": len(changes.trials),
        "p_entries": len(changes.entries),
    }


def _passed(run: Transaction, driver: Driver, changes: Changes, row: Row | None) -> float:
    """The database's time, where the fence has given the numbers that the driver named."""
    if row is None:
        raise _fenced(run, driver, len(changes.trials))
    _check_numbers(driver, changes, row)
    now: float = row[2]
    return now


def _check_numbers(driver: Driver, changes: Changes, row: Row) -> None:
    """The driver named its numbers already: they must be the ones that the row gives."""
    next_number, seq, _ = row
    first = next_number - len(changes.trials)
    for number, trial in enumerate(changes.trials, start=first):
        if trial.number != number:
            raise DriverLost(
                f"experiment {driver.experiment}: number {number} is the next in the store, the "
                f"driver takes {trial.number}; drop what is in memory and fold the log"
            )
    first = seq - len(changes.entries) + 1
    for place, entry in enumerate(changes.entries, start=first):
        if entry.seq != place:
            raise DriverLost(
                f"experiment {driver.experiment}: log entry {place} is the next in the store, the "
                f"driver writes {entry.seq}; drop what is in memory and fold the log"
            )


def _fenced(run: Transaction, driver: Driver, taken: int) -> DriverLost:
    row = run.row(experiment_rows.why_fenced, {"p_id": driver.experiment})
    if row is None:
        why = "it is not in this store any more"
    elif row[0] == driver.epoch and row[1] is None and row[2] == ExperimentState.RUNNING:
        why = "the session that drove it has ended, or its lease ran out"
    elif row[:2] != (driver.epoch, driver.nonce) and row[2] == ExperimentState.RUNNING:
        why = f"takeover {row[0]} drives it, this was takeover {driver.epoch}"
    elif row[2] != ExperimentState.RUNNING:
        why = f"it is {row[2]}"
    else:
        why = f"{row[3]} numbers are taken and {taken} more exceed the budget of {row[4]}"
    return DriverLost(
        f"experiment {driver.experiment}: {why}; nothing was stored; drop what is in memory"
    )
