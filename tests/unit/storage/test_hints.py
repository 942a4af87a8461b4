"""Hints within one process: coalesced, by topic, and never lost between two waits."""

from __future__ import annotations

import contextlib
import threading

from morphml.storage import open_store
from morphml.storage.hints import HintTopic, LocalHints


def test_hint_reaches_those_who_listen_to_its_topic() -> None:
    hints = LocalHints()
    work, mail, both = hints.listen(HintTopic.WORK), hints.listen(HintTopic.MAIL), hints.listen()
    hints.send(HintTopic.WORK)
    assert [one.wait(0.0) for one in (work, mail, both)] == [True, False, True]
    hints.send(HintTopic.MAIL)
    assert [one.wait(0.0) for one in (work, mail, both)] == [False, True, True]


def test_hints_that_nobody_waited_for_become_one() -> None:
    hints = LocalHints()
    listener = hints.listen()
    for _ in range(5):
        hints.send(HintTopic.WORK)
    assert [listener.wait(0.0) for _ in range(2)] == [True, False]


def test_forgotten_listener_is_not_told() -> None:
    hints = LocalHints()
    listener = hints.listen()
    hints.forget(listener)
    hints.forget(listener)
    hints.send(HintTopic.WORK)
    assert not listener.wait(0.0)


def test_closing_a_store_ends_the_waits() -> None:
    with contextlib.closing(open_store(None)) as store:
        listener = store.hints.listen()
        told: list[bool] = []
        waiter = threading.Thread(target=lambda: told.append(listener.wait(30.0)))
        waiter.start()
    waiter.join(5.0)
    assert told == [True]
