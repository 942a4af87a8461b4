"""What is to be told of an experiment is taken a few ends at a time."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from morphml.engines.port import EngineEvent, Finished, Started, Succeeded
from morphml.engines.remote.hub.group import Group
from morphml.ids import AttemptToken, ExperimentId


def event(number: int, *, is_end: bool) -> EngineEvent:
    """The event of this number."""
    token = AttemptToken(f"t{number}")
    if not is_end:
        return Started(token=token, worker="w", at=0.0)
    succeeded = Succeeded(metrics={})
    return Finished(token=token, outcome=succeeded, worker="w", started_at=0.0, duration_s=1.0)


@given(
    kinds=st.lists(st.booleans(), max_size=30), most=st.sampled_from([1, 2, 3, 8, 100, math.inf])
)
def test_everything_is_taken_once_and_in_order(kinds: list[bool], most: float) -> None:
    group = Group(ExperimentId("e"), max_logs=1000)
    told = [event(number, is_end=kind) for number, kind in enumerate(kinds)]
    for each in told:
        group.tell(each)
    turns: list[list[EngineEvent]] = []
    while turn := group.take(most):
        turns.append(turn)
    assert [each for turn in turns for each in turn] == told
    ends = [sum(isinstance(each, Finished) for each in turn) for turn in turns]
    assert all(count == most for count in ends[:-1])
    assert len(turns) <= math.ceil(sum(kinds) / most) + 1


def test_what_comes_after_the_last_end_waits() -> None:
    group = Group(ExperimentId("e"), max_logs=1000)
    started, first, later, second = (
        event(number, is_end=end) for number, end in enumerate([False, True, False, True])
    )
    for each in (started, first, later, second):
        group.tell(each)
    assert group.take(1) == [started, first]
    assert group.take(1) == [later, second]
    assert group.take(1) == []
