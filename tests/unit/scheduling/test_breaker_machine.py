from __future__ import annotations

from itertools import product

import pytest

from morphml.errors import IllegalTransition
from morphml.scheduling.breaker import (
    TRANSITIONS,
    Breaker,
    BreakerCommand,
    BreakerEvent,
    BreakerRule,
    BreakerState,
    Broke,
    Needed,
    Passed,
    Probe,
    Restore,
    Ticked,
    Trip,
    Withdrew,
    Worked,
    step,
)

RULE = BreakerRule(threshold=2, cool_s=30.0, longest_s=100.0)


def run(breaker: Breaker, *events: BreakerEvent) -> tuple[Breaker, list[BreakerCommand]]:
    done: list[BreakerCommand] = []
    for event in events:
        breaker, commands = step(breaker, event, RULE)
        done += commands
    return breaker, done


def test_breaker_opens_after_failures_in_a_row_only() -> None:
    mixed, commands = run(Breaker(id="w"), Broke(at=0), Worked(), Broke(at=1))
    assert (mixed.state, commands) == (BreakerState.CLOSED, [])
    opened, commands = run(mixed, Broke(at=2))
    assert commands == [Trip(retry_at=32.0)]
    assert not opened.admits


def test_open_breaker_lets_one_probe_through_and_its_success_restores() -> None:
    opened, _ = run(Breaker(id="w"), Broke(at=0), Broke(at=0))
    assert run(opened, Ticked(at=29.9)) == (opened, [])
    half, commands = run(opened, Ticked(at=30.0))
    assert commands == [Probe()]
    probing, _ = run(half, Passed())
    assert not probing.admits
    with pytest.raises(IllegalTransition, match="probe is under way"):
        step(probing, Passed(), RULE)
    closed, commands = run(probing, Worked())
    assert (closed, commands) == (Breaker(id="w"), [Restore()])


def test_each_failed_probe_doubles_the_wait_up_to_the_cap() -> None:
    breaker, _ = run(Breaker(id="w"), Broke(at=0), Broke(at=0))
    waits = []
    for _ in range(4):
        now = breaker.retry_at
        breaker, commands = run(breaker, Ticked(at=now), Passed(), Broke(at=now))
        waits += [c.retry_at - now for c in commands if isinstance(c, Trip)]
    assert waits == [60.0, 100.0, 100.0, 100.0]


def test_failures_of_tasks_under_way_do_not_prolong_an_open_breaker() -> None:
    opened, _ = run(Breaker(id="w"), Broke(at=0), Broke(at=0))
    assert run(opened, Broke(at=20), Worked()) == (opened, [])


def test_probe_that_says_nothing_makes_room_for_the_next_one() -> None:
    half, _ = run(Breaker(id="w"), Broke(at=0), Broke(at=0), Ticked(at=30.0))
    again, commands = run(half, Passed(), Withdrew())
    assert (again, commands) == (half, [Probe()])


def test_open_breaker_lets_a_probe_through_before_its_time_where_nobody_else_could_run_it() -> None:
    opened, _ = run(Breaker(id="w"), Broke(at=0), Broke(at=0))
    half, commands = run(opened, Needed())
    assert (half.state, commands) == (BreakerState.HALF_OPEN, [Probe()])


def test_nothing_passes_an_open_breaker_in_any_sequence() -> None:
    alphabet: list[BreakerEvent] = [
        *(Passed(), Worked(), Broke(at=0.0), Ticked(at=31.0), Withdrew(), Needed())
    ]
    reached, found = set(), {Breaker(id="w")}
    for _ in range(12):
        for breaker, event in product(tuple(found), alphabet):
            try:
                after, _ = step(breaker, event, RULE)
            except IllegalTransition:
                assert isinstance(event, Passed)
                assert not breaker.admits
                continue
            assert after.state in TRANSITIONS[breaker.state, type(event)]
            reached.add((breaker.state, type(event), after.state))
            found.add(after)
    listed = {(s, e, target) for (s, e), targets in TRANSITIONS.items() for target in targets}
    assert reached == listed
