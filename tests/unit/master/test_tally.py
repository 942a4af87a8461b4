"""What ended is counted once, under the name that says how."""

from __future__ import annotations

import json

from morphml.ids import AttemptToken, TaskId
from morphml.master.tally import BUCKETS_S, Tally
from morphml.search.changes import AttemptEnd, AttemptResult, TaskThen

R, T = AttemptResult, TaskThen


def end(
    result: AttemptResult,
    then: TaskThen = T.GONE,
    *,
    kind: str | None = None,
    duration_s: float = 2.0,
) -> AttemptEnd:
    return AttemptEnd(
        token=AttemptToken("a"),
        task=TaskId("t"),
        number=0,
        result=result,
        then=then,
        worker="w",
        started_at=0.0,
        duration_s=duration_s,
        failure=None if kind is None else json.dumps({"kind": kind}).encode(),
    )


def test_each_end_is_counted_under_one_name() -> None:
    tally = Tally()
    tally.count([end(R.SUCCEEDED), end(R.STOPPED, duration_s=0.5), end(R.CANCELLED)])
    tally.count([end(R.FAILED, T.RETRY, kind="crash"), end(R.FAILED, kind="crash")])
    tally.count([end(R.LOST), end(R.PAUSED, T.PAUSED)])
    seen = tally.counts()
    assert (seen.completed, seen.cancelled) == (2, 1)
    assert seen.failed == {"crash": 1, "lost_worker": 1}
    assert seen.retried == {"crash": 1}
    assert seen.duration_s == 2.5


def test_durations_fall_into_the_buckets_that_hold_them() -> None:
    tally = Tally()
    tally.count(end(R.SUCCEEDED, duration_s=each) for each in (0.01, 0.02, 86_400.0, 86_401.0))
    seen = tally.counts()
    assert len(seen.durations) == len(BUCKETS_S) + 1
    assert (*seen.durations[:2], *seen.durations[-2:]) == (1, 1, 1, 1)
    assert sum(seen.durations) == 4
