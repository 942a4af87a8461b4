"""Checks of reading: the log's order, pages, and readers beside a writer."""

from __future__ import annotations

import threading

from morphml.ids import ExperimentId
from morphml.search.changes import Changes
from morphml.search.log import EntryKind, LogEntry
from morphml.testing.store.case import Check, StoreCase

#: More than stores read at once.
_MANY = 2_100


def log_comes_in_order_and_from_any_place(case: StoreCase) -> None:
    """Each entry as it was written, after the one that was named."""
    script = case.script()
    bodies = [f'{{"n":{n},"text":"ü\\n\\u0000"}}'.encode() for n in range(5)]
    written = [
        LogEntry(n + 1, kind, 0, body)
        for n, (kind, body) in enumerate(zip(EntryKind, bodies, strict=False))
    ]
    script.commit(Changes(entries=tuple(written)))
    assert list(case.store.log(case.experiment)) == written
    assert list(case.store.log(case.experiment, after=3)) == written[3:]
    assert list(case.store.log(case.experiment, after=99)) == []


def long_lists_are_complete(case: StoreCase) -> None:
    """Reading in pages loses and doubles nothing."""
    script = case.script()
    for handed in script.ask(_MANY):
        script.commit(Changes(ended=script.telling(handed).ended))
    entries = [entry.seq for entry in case.store.log(case.experiment)]
    assert entries == list(range(1, _MANY + 1))
    numbers = list(range(_MANY))
    assert [trial.number for trial in case.store.trials(case.experiment)] == numbers
    assert [attempt.number for attempt in case.store.attempts(case.experiment)] == numbers


def other_experiments_do_not_show(case: StoreCase) -> None:
    """Log, trials and attempts belong to one experiment."""
    script = case.script()
    script.tell(script.ask()[0])
    other = ExperimentId("other")
    assert list(case.store.log(other)) == []
    assert list(case.store.trials(other)) == []
    assert list(case.store.attempts(other)) == []
    assert list(case.store.live_attempts(other)) == []


def readers_beside_a_writer_see_whole_transactions(case: StoreCase) -> None:
    """Trials and log entries are written together: a reader sees both or neither."""
    script = case.script()
    stop = threading.Event()
    seen: list[int] = []
    faults: list[str] = []

    def read() -> None:
        while not stop.is_set():
            trials = sum(1 for _ in case.store.trials(case.experiment))
            entries = [entry.seq for entry in case.store.log(case.experiment)]
            if entries != list(range(1, len(entries) + 1)) or len(entries) < trials:
                faults.append(f"{trials} trials, entries {entries[-3:]}")
            seen.append(trials)

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(150):
        script.ask(2)
    stop.set()
    reader.join()
    assert faults == []
    assert seen == sorted(seen)
    assert case.counters() == (300, 300)


CHECKS: tuple[Check, ...] = (
    log_comes_in_order_and_from_any_place,
    long_lists_are_complete,
    other_experiments_do_not_show,
    readers_beside_a_writer_see_whole_transactions,
)
