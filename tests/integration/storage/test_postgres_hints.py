"""Hints between processes over PostgreSQL: quick, few, and back after an outage."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

import psycopg
import pytest
from tests.integration.engines.remote.scripted import eventually

from morphml.storage import SqlStore, open_store
from morphml.storage.hints import HintTopic
from morphml.testing.postgres import PrivateServer


@pytest.fixture
def stores(postgres_url: str) -> Iterator[tuple[SqlStore, SqlStore]]:
    with (
        contextlib.closing(open_store(postgres_url)) as one,
        contextlib.closing(open_store(postgres_url)) as two,
    ):
        yield one, two


def backends(url: str, query: str) -> list[int]:
    with psycopg.connect(url, autocommit=True) as connection:
        rows = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name = 'morphml' AND query LIKE %s",
            (query,),
        )
        return [row[0] for row in rows]


def test_hint_reaches_who_listens_in_the_other_store_and_nobody_else(
    stores: tuple[SqlStore, SqlStore],
) -> None:
    one, two = stores
    work, mail = two.hints.listen(HintTopic.WORK), two.hints.listen(HintTopic.MAIL)
    assert work.wait(90.0), "told once when it listens"
    for count in range(10):
        one.hints.send(HintTopic.WORK)
        assert work.wait(90.0)
        if count == 0:
            mail.wait(0.5)  # told once as well, by now
    assert not mail.wait(0.0)


def test_thousand_hints_become_a_few_notifications(stores: tuple[SqlStore, SqlStore]) -> None:
    one, two = stores
    heard = two.hints.listen(HintTopic.WORK)
    assert heard.wait(90.0)
    one.hints.send(HintTopic.WORK)
    assert heard.wait(90.0), "the way there is open"
    start, count = time.monotonic(), 0
    stop = threading.Event()

    def listen() -> None:
        nonlocal count
        while not stop.is_set():
            count += heard.wait(0.2)

    listening = threading.Thread(target=listen)
    listening.start()
    for _ in range(1_000):
        one.hints.send(HintTopic.WORK)
        time.sleep(0.0005)
    spent = time.monotonic() - start
    time.sleep(0.1)
    stop.set()
    listening.join()
    assert 2 <= count <= 50 * spent + 3, (count, spent)


def test_hint_wakes_listeners_of_the_same_store_once(stores: tuple[SqlStore, SqlStore]) -> None:
    one, _ = stores
    listener = one.hints.listen(HintTopic.WORK)
    assert listener.wait(90.0)
    one.hints.send(HintTopic.WORK)
    assert listener.wait(0.0), "without a way over the database"
    assert not listener.wait(0.15), "and its echo from there counts for nothing"


def test_lost_connection_comes_back_by_itself(
    stores: tuple[SqlStore, SqlStore], postgres_url: str, postgres_server: PrivateServer
) -> None:
    one, two = stores
    listener = two.hints.listen(HintTopic.WORK)
    assert listener.wait(90.0)
    for pid in backends(postgres_url, "LISTEN%"):
        postgres_server.execute(f"SELECT pg_terminate_backend({pid})")
    assert listener.wait(90.0), "whoever may have missed a hint is told to look"
    one.hints.send(HintTopic.WORK)
    assert listener.wait(90.0)


def test_store_that_nobody_hints_on_has_no_connection_for_it(postgres_url: str) -> None:
    with contextlib.closing(open_store(postgres_url)) as store:
        store.experiments()
        assert backends(postgres_url, "LISTEN%") == []
        store.hints.send(HintTopic.WORK)
        eventually(lambda: len(backends(postgres_url, "%notify%")) == 1)
    eventually(lambda: backends(postgres_url, "%notify%") == [])
