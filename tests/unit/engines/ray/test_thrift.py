"""Which workers give their nodes back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from morphml.engines.ray.thrift import Seen, Thrift


def seen(name: str, busy: int = 0, slots: int = 2) -> Seen:
    return Seen(name=name, slots=slots, busy=busy)


def test_idle_workers_go_after_their_time_as_far_as_they_are_not_wanted() -> None:
    thrift, there = Thrift(30.0), [seen("a"), seen("b"), seen("c", busy=1)]
    assert thrift.spare(there, wanted=1, now=0.0) == []
    assert thrift.spare(there, wanted=1, now=29.0) == []
    assert thrift.spare(there, wanted=3, now=30.0) == ["a"]
    assert thrift.spare(there, wanted=5, now=30.0) == []
    assert thrift.spare(there, wanted=0, now=30.0) == ["a", "b"]


def test_work_in_between_begins_the_time_anew() -> None:
    thrift = Thrift(30.0)
    thrift.spare([seen("a")], wanted=0, now=0.0)
    thrift.spare([seen("a", busy=1)], wanted=0, now=20.0)
    assert thrift.spare([seen("a")], wanted=0, now=31.0) == []
    assert thrift.spare([seen("a")], wanted=0, now=61.0) == ["a"]


@given(
    workers=st.lists(st.tuples(st.integers(1, 4), st.integers(0, 3)), max_size=6),
    wanted=st.integers(0, 20),
)
def test_what_is_wanted_stays_and_what_works_stays(
    workers: list[tuple[int, int]], wanted: int
) -> None:
    there = [seen(str(i), busy, slots) for i, (slots, busy) in enumerate(workers)]
    thrift = Thrift(10.0)
    thrift.spare(there, wanted, now=0.0)
    gone = thrift.spare(there, wanted, now=10.0)
    left = [each for each in there if each.name not in gone]
    total = sum(each.slots for each in there)
    assert sum(each.slots for each in left) >= min(wanted, total)
    assert all(not each.busy for each in there if each.name in gone)
