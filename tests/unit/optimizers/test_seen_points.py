from __future__ import annotations

from morphml.optimizers.pareto import Result
from morphml.optimizers.population import Member
from morphml.optimizers.seen_points import SeenPoints, point_key
from morphml.seeds import generator
from morphml.testing.example_spaces import flat_space

SPACE = flat_space()


def test_point_is_seen_before_it_has_a_result_and_keeps_all_of_it() -> None:
    seen = SeenPoints()
    points = list({(a := SPACE.sample(generator(0, n, "p"))).vector: a for n in range(50)}.values())
    for point in points:
        key = point_key(point)
        assert key not in seen
        seen.add(key)
        assert key in seen
        assert seen.member(key, point) is None
    members = [Member(n, p, Result(0.5, (float(n), -1.0))) for n, p in enumerate(points)]
    for member in members:
        seen.tell(point_key(member.architecture), member)
    assert [seen.member(point_key(point), point) for point in points] == members


def test_later_result_replaces_the_earlier_one_and_may_have_no_number() -> None:
    seen = SeenPoints()
    point = SPACE.sample(generator(0, 0, "p"))
    key = point_key(point)
    seen.tell(key, Member(3, point, Result(0.0, (1.0,))))
    seen.tell(key, Member(None, point, Result(0.0, (2.0,))))
    seen.add(key)
    assert seen.member(key, point) == Member(None, point, Result(0.0, (2.0,)))
