"""Slots that are missing, shown to Ray."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from morphml.engines.ray.demand import MOST, PAUSE_S, Demand


@dataclass(eq=False)
class Wish:
    granted: bool = False
    withdrawn: bool = False

    def withdraw(self) -> None:
        self.withdrawn = True


@dataclass
class Wishes:
    made: list[Wish] = field(default_factory=list)

    def __call__(self) -> Wish:
        self.made.append(Wish())
        return self.made[-1]

    def waiting(self) -> int:
        return sum(not (each.granted or each.withdrawn) for each in self.made)


def test_each_missing_slot_is_asked_for_once() -> None:
    wishes = Wishes()
    demand = Demand(wishes)
    for now in range(5):
        demand.show(3, now)
    assert (len(wishes.made), demand.waiting) == (3, 3)


def test_what_is_not_missing_any_more_is_withdrawn() -> None:
    wishes = Wishes()
    demand = Demand(wishes)
    demand.show(3, 0.0)
    demand.show(1, 1.0)
    assert wishes.waiting() == demand.waiting == 1
    demand.show(-4, 2.0)
    assert wishes.waiting() == demand.waiting == 0


def test_room_that_came_is_not_asked_for_again_at_once() -> None:
    wishes = Wishes()
    demand = Demand(wishes)
    demand.show(2, 0.0)
    wishes.made[0].granted = True
    demand.show(2, 1.0)
    assert demand.waiting == 1
    demand.show(2, 1.0 + PAUSE_S)
    assert demand.waiting == 2


def test_no_cluster_is_asked_for_the_infinite() -> None:
    wishes = Wishes()
    demand = Demand(wishes)
    demand.show(math.inf, 0.0)
    assert not wishes.made
    demand.show(1e6, 1.0)
    assert len(wishes.made) == MOST


def test_nothing_is_asked_for_while_a_node_that_came_is_taken() -> None:
    wishes = Wishes()
    demand = Demand(wishes)
    demand.show(3, 0.0)
    demand.rest(1.0)
    demand.show(3, 1.5)
    assert wishes.waiting() == demand.waiting == 0
    demand.show(1, 1.0 + PAUSE_S)
    assert wishes.waiting() == 1
