"""What a contract check is given: an open store and a way to let time pass."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from morphml.errors import MorphError
from morphml.ids import ExperimentId, SessionId
from morphml.search.experiment import TrialState
from morphml.storage import SqlStore
from morphml.testing.store.script import DriverScript, sample_spec

_E = TypeVar("_E", bound=MorphError)


@dataclass(slots=True, kw_only=True)
class StoreCase:
    """An empty open store under test; the caller closes it."""

    store: SqlStore
    #: Lets so many seconds go by on the database's clock.
    let_pass: Callable[[float], None]
    #: Seconds that the store's sessions live without renewal.
    lease_s: float
    experiment: ExperimentId = field(init=False)
    session: SessionId = field(init=False)

    def __post_init__(self) -> None:
        """Store one experiment and open one session."""
        self.experiment = self.store.create_experiment(sample_spec())
        self.session = self.store.open_session("first")

    def script(self, session: SessionId | None = None) -> DriverScript:
        """A driver of the experiment."""
        return DriverScript(self.store, self.experiment, session or self.session)

    def shared(self) -> ExperimentId:
        """Another experiment, left to whichever master has room."""
        experiment = self.store.create_experiment(sample_spec())
        self.store.cluster.submit(experiment)
        return experiment

    def counters(self) -> tuple[int, int]:
        """Numbers taken, and log entries stored, by the experiment row; the rows must agree."""
        record = self.store.experiment(self.experiment)
        numbers = [trial.number for trial in self.store.trials(self.experiment)]
        entries = [entry.seq for entry in self.store.log(self.experiment)]
        assert numbers == list(range(record.next_number)), "numbers have a gap"
        assert entries == list(range(1, record.seq + 1)), "the log has a gap"
        return record.next_number, record.seq

    def trial_states(self) -> list[TrialState]:
        """States of all trials by number."""
        return [trial.state for trial in self.store.trials(self.experiment)]


#: One behaviour that every store has.
Check = Callable[[StoreCase], None]


def refused(kind: type[_E], call: Callable[[], object]) -> _E:
    """The error that ``call`` raises, which must be of exactly this kind.

    Raises:
        AssertionError: when it raises nothing.
    """
    try:
        call()
    except kind as error:
        assert type(error) is kind, f"{type(error).__name__} instead of {kind.__name__}: {error}"
        assert str(error), "an error says what happened"
        return error
    raise AssertionError(f"nothing was raised, expected {kind.__name__}")


def in_threads(calls: Sequence[Callable[[], object]]) -> None:
    """Run all calls at the same time, each in a thread of its own.

    Raises:
        AssertionError: when one of them raised; the error is its cause.
    """
    errors: list[BaseException] = []

    def run(call: Callable[[], object]) -> None:
        try:
            call()
        except BaseException as error:  # noqa: BLE001  # told by whoever waits
            errors.append(error)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise AssertionError(f"{len(errors)} of {len(calls)} threads failed") from errors[0]
