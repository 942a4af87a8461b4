"""Beats that wait for a turn, and what is heard in the order in which it was said."""

from __future__ import annotations

import threading

from morphml.engines.remote.hub.beats import Beats
from morphml.engines.remote.hub.connection import Connection
from morphml.engines.remote.hub.reading import Draining
from morphml.engines.remote.messages import Beat


def connection(worker: str = "w") -> Connection:
    return Connection(worker, None, threading.RLock())


def test_beats_of_many_workers_are_heard_in_one_turn() -> None:
    beats, crowd = Beats(), [connection(f"w{number}") for number in range(100)]
    assert [beats.sift(each, [Beat(index=7)]) for each in crowd] == [[]] * 100
    assert beats.take() == {each: [Beat(index=7)] for each in crowd}
    assert beats.take() == {}


def test_a_message_is_heard_after_the_beat_before_it() -> None:
    beats, one, other = Beats(), connection(), connection("other")
    beats.sift(one, [Beat(index=1)])
    beats.sift(other, [Beat(index=5)])
    assert beats.sift(one, [Draining("full")]) == [Beat(index=1), Draining("full")]
    assert beats.take() == {other: [Beat(index=5)]}


def test_a_beat_with_other_news_does_not_wait() -> None:
    beats, one = Beats(), connection()
    said = [Beat(index=1), Draining("full")]
    assert beats.sift(one, said) == said
    assert beats.take() == {}


def test_no_beat_is_lost_to_the_next_one_of_its_worker() -> None:
    beats, one = Beats(), connection()
    assert beats.sift(one, [Beat(index=1)]) == []
    assert beats.sift(one, [Beat(index=2)]) == [Beat(index=1)]
    assert beats.take() == {one: [Beat(index=2)]}
