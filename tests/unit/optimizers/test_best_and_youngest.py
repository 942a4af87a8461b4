from __future__ import annotations

from morphml.optimizers.best_and_youngest import BestAndYoungest
from morphml.optimizers.pareto import Result
from morphml.optimizers.population import Member
from morphml.testing.example_spaces import flat_space

ANYTHING = flat_space().default()


def member(number: int, *values: float) -> Member:
    return Member(number, ANYTHING, Result(0.0, values))


def numbers(window: BestAndYoungest) -> list[int | None]:
    return [member.number for member in window.take()]


def test_all_are_seen_in_their_order_while_there_is_room() -> None:
    window = BestAndYoungest(4)
    for number, value in enumerate((3.0, 1.0, 2.0)):
        window.add(member(number, value))
    assert numbers(window) == [0, 1, 2]


def test_half_are_the_youngest_and_the_others_the_best() -> None:
    window = BestAndYoungest(4)
    for number, value in enumerate((0.1, 9.0, 0.2, 8.0, 7.0, 0.3)):
        window.add(member(number, value))
    assert numbers(window) == [0, 2, 4, 5]


def test_best_of_long_ago_stay_however_often_it_is_taken() -> None:
    window = BestAndYoungest(6)
    for number in range(300):
        window.add(member(number, 0.0 if number == 5 else 1.0 + number))
        if number % 7 == 0:
            window.take()
    assert numbers(window) == [0, 1, 5, 297, 298, 299]


def test_with_two_objectives_the_front_stays() -> None:
    window = BestAndYoungest(4)
    for number, values in enumerate([(0.0, 1.0), (5.0, 5.0), (1.0, 0.0), (6.0, 6.0), (7.0, 7.0)]):
        window.add(member(number, *values))
    assert numbers(window) == [0, 2, 3, 4]
