from __future__ import annotations

from morphml.optimizers.pareto import Result
from morphml.optimizers.population import Member
from morphml.optimizers.seen_points import SeenPoints
from morphml.seeds import generator
from morphml.testing.example_spaces import flat_space

SPACE = flat_space()


def test_point_is_seen_before_it_has_a_result_and_keeps_all_of_it() -> None:
    seen = SeenPoints()
    points = list({(a := SPACE.sample(generator(0, n, "p"))).vector: a for n in range(50)}.values())
    for point in points:
        assert point not in seen
        seen.add(point)
        assert point in seen
        assert seen.member(point) is None
    members = [Member(n, p, Result(0.5, (float(n), -1.0))) for n, p in enumerate(points)]
    for member in members:
        seen.tell(member)
    assert [seen.member(point) for point in points] == members


def test_later_result_replaces_the_earlier_one_and_may_have_no_number() -> None:
    seen = SeenPoints()
    point = SPACE.sample(generator(0, 0, "p"))
    seen.tell(Member(3, point, Result(0.0, (1.0,))))
    seen.tell(Member(None, point, Result(0.0, (2.0,))))
    seen.add(point)
    assert seen.member(point) == Member(None, point, Result(0.0, (2.0,)))
