"""What waits for the store is stored once, in its order, however often the store is away."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from morphml.errors import StoreUnavailable
from morphml.master.cluster import backlog
from morphml.master.cluster.backlog import Backlog

#: Far longer than anything here takes.
LONG_S = 60.0


class Store:
    """Takes batches when it is let.

    Args:
        refuses: calls that it refuses, from 0.
        keeps: how many entries of a refused batch are stored nevertheless.
    """

    def __init__(self, refuses: range = range(0), keeps: int = 0) -> None:
        self._refuses = refuses
        self._keeps = keeps
        self.batches: list[list[int]] = []
        self.stored: list[int] = []
        self._open = threading.Event()
        self._asked = threading.Event()
        self._over = threading.Condition()

    def let(self) -> None:
        self._open.set()

    def until_asked(self) -> None:
        assert self._asked.wait(LONG_S)

    def until_stored(self, count: int) -> None:
        with self._over:
            assert self._over.wait_for(lambda: len(self.stored) >= count, LONG_S)

    def take(self, batch: list[int]) -> None:
        self._asked.set()
        assert self._open.wait(LONG_S)
        self.batches.append(list(batch))
        if len(self.batches) - 1 in self._refuses:
            self.stored += batch[: self._keeps]
            del batch[: self._keeps]
            raise StoreUnavailable("away")
        with self._over:
            self.stored += batch
            self._over.notify_all()


@contextmanager
def running(store: Store) -> Iterator[Backlog[int]]:
    made: Backlog[int] = Backlog(store.take, name="test-backlog", what="numbers")
    try:
        yield made
    finally:
        store.let()
        made.close()


def test_first_entry_waits_for_others_until_one_has_no_patience() -> None:
    store = Store()
    store.let()
    patience = {0: LONG_S * 2, 1: LONG_S * 2, 2: 0.0}
    numbers: Backlog[int] = Backlog(
        store.take, name="test-backlog", what="numbers", linger=patience.__getitem__
    )
    for number in range(3):
        numbers.put(number)
    store.until_stored(3)
    numbers.close()
    assert store.batches == [[0, 1, 2]]


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "AGAIN_S", 0.0)


def test_entries_that_come_while_a_batch_is_stored_are_the_next_batch() -> None:
    store = Store()
    with running(store) as numbers:
        numbers.put(0)
        store.until_asked()
        for number in range(1, 5):
            numbers.put(number)
        store.let()
        store.until_stored(5)
    assert store.batches == [[0], [1, 2, 3, 4]]


def test_batch_is_no_larger_than_the_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "BATCH", 3)
    store = Store()
    with running(store) as numbers:
        numbers.put(0)
        store.until_asked()
        for number in range(1, 8):
            numbers.put(number)
        store.let()
        store.until_stored(8)
    assert store.batches == [[0], [1, 2, 3], [4, 5, 6], [7]]


def test_refused_batch_is_tried_again_before_what_came_later(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = Store(refuses=range(3))
    with caplog.at_level(logging.WARNING), running(store) as numbers:
        numbers.put(0)
        store.until_asked()
        numbers.put(1)
        store.let()
        store.until_stored(2)
    assert store.batches == [[0], [0], [0], [0], [1]]
    assert caplog.messages == ["numbers wait, the store is away: away"]


def test_what_was_taken_out_of_a_refused_batch_is_not_tried_again() -> None:
    store = Store(refuses=range(1, 2), keeps=1)
    with running(store) as numbers:
        numbers.put(0)
        store.until_asked()
        numbers.put(1)
        numbers.put(2)
        store.let()
        store.until_stored(3)
    assert store.batches == [[0], [1, 2], [2]]
    assert store.stored == [0, 1, 2]


def test_more_is_refused_once_so_much_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog, "MOST", 2)
    store = Store()
    with running(store) as numbers:
        numbers.put(0)
        store.until_asked()
        numbers.put(1)
        numbers.check_room()
        numbers.put(2)
        with pytest.raises(StoreUnavailable, match="2 numbers wait already"):
            numbers.check_room()
        store.let()
        store.until_stored(3)
        numbers.check_room()


def test_closed_one_tries_no_longer_to_store() -> None:
    store = Store(refuses=range(1_000_000_000))
    with running(store) as numbers:
        numbers.put(0)
        store.let()
        store.until_asked()
    assert store.stored == []
    assert threading.active_count() == len(
        [each for each in threading.enumerate() if each.name != "test-backlog"]
    )
