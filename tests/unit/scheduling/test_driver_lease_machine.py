from __future__ import annotations

from itertools import product

import pytest

from morphml.errors import IllegalTransition
from morphml.ids import ExperimentId, SessionId
from morphml.scheduling.driver_lease import (
    TRANSITIONS,
    Closed,
    DriverEvent,
    DriverLease,
    DriverState,
    DropMemory,
    FoldLog,
    GivenUp,
    Opened,
    SessionEnded,
    Taken,
    step,
)

ONE, TWO = SessionId("one"), SessionId("two")


def fresh() -> DriverLease:
    return DriverLease(experiment=ExperimentId("e"))


def take(lease: DriverLease, session: SessionId, nonce: str) -> DriverLease:
    return step(lease, Taken(session=session, nonce=nonce))[0]


def test_second_driver_cannot_take_what_is_held() -> None:
    held = take(fresh(), ONE, "x")
    with pytest.raises(IllegalTransition, match="driver of e is held"):
        step(held, Taken(session=TWO, nonce="y"))


def test_overtaken_driver_is_fenced_out_and_its_goodbye_means_nothing() -> None:
    old = take(fresh(), ONE, "x")
    free, commands = step(old, SessionEnded(session=ONE))
    assert commands == (DropMemory(session=ONE),)
    new, commands = step(free, Taken(session=TWO, nonce="y"))
    assert commands == (FoldLog(session=TWO),)
    assert (new.admits(1, "x"), new.admits(2, "x"), new.admits(2, "y")) == (False, False, True)
    assert step(new, GivenUp(epoch=1, nonce="x")) == (new, ())
    assert step(new, SessionEnded(session=ONE)) == (new, ())


def test_closed_experiment_admits_nobody_and_opens_free() -> None:
    closed, commands = step(take(fresh(), ONE, "x"), Closed())
    assert commands == (DropMemory(session=ONE),)
    assert not closed.admits(1, "x")
    assert step(closed, Opened())[0].state is DriverState.FREE


def test_every_sequence_admits_at_most_one_fence_and_epochs_never_fall() -> None:
    alphabet: list[DriverEvent] = [
        Taken(session=ONE, nonce="x"),
        Taken(session=TWO, nonce="y"),
        GivenUp(epoch=1, nonce="x"),
        SessionEnded(session=ONE),
        SessionEnded(session=TWO),
        Closed(),
        Opened(),
    ]
    reached, found = set(), {fresh()}
    for _ in range(8):
        for lease, event in product(tuple(found), alphabet):
            try:
                after, _ = step(lease, event)
            except IllegalTransition:
                assert (lease.state, type(event)) not in TRANSITIONS
                continue
            assert after.state in TRANSITIONS[lease.state, type(event)]
            assert after.epoch - lease.epoch == isinstance(event, Taken)
            fences = product(range(9), ["x", "y"])
            admitted = [fence for fence in fences if after.admits(*fence)]
            assert len(admitted) == (after.state is DriverState.HELD)
            reached.add((lease.state, type(event), after.state))
            found.add(after)
    listed = {(s, e, target) for (s, e), targets in TRANSITIONS.items() for target in targets}
    assert reached == listed
