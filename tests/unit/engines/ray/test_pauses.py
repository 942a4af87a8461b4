"""When a node gets another worker after one that did not last."""

from __future__ import annotations

from morphml.engines.ray.pauses import LASTING_S, SETTLED_AFTER_S, Patience, Pauses, Settling
from morphml.engines.ray.planning import Node


def test_pauses_double_for_a_node_that_only_fails() -> None:
    pauses = Pauses((1.0, 8.0))
    now = 100.0
    told = []
    for _ in range(6):
        told.append(pauses.failed("a", 0.5, now))
        assert not pauses.over("a", now)
        now += told[-1]
        assert pauses.over("a", now)
    assert told == [1.0, 2.0, 4.0, 8.0, 8.0, 8.0]


def test_a_worker_that_lasted_is_followed_at_once() -> None:
    pauses = Pauses((1.0, 8.0))
    pauses.failed("a", 0.5, 0.0)
    pauses.failed("a", 0.5, 1.0)
    assert pauses.failed("a", LASTING_S, 100.0) == 1.0


def test_nodes_do_not_wait_for_each_other() -> None:
    pauses = Pauses((1.0, 8.0))
    pauses.failed("a", 0.5, 0.0)
    assert pauses.over("b", 0.0)


def test_a_worker_goes_on_for_two_leases_without_a_master() -> None:
    patience = Patience(16.0, 100.0)
    assert not patience.is_over(116.0, confirmed=False)
    assert not patience.is_over(116.5, confirmed=True)
    assert not patience.is_over(132.5, confirmed=False)
    assert patience.is_over(132.6, confirmed=False)


def test_a_node_that_is_partly_taken_when_it_comes_is_left_alone_for_a_moment() -> None:
    def node(free: float) -> Node:
        return Node(id="a", name="a", total={"CPU": 2.0}, free={"CPU": free})

    settling = Settling()
    assert not settling.over(node(free=1.0), now=10.0)
    assert settling.over(node(free=2.0), now=10.5)
    assert not settling.over(node(free=1.0), now=10.0 + SETTLED_AFTER_S - 0.1)
    assert settling.over(node(free=1.0), now=10.0 + SETTLED_AFTER_S)
