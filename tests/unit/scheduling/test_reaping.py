from __future__ import annotations

from morphml.ids import SessionId
from morphml.scheduling.reaping import Reaper, ReaperRule, lost_store, must_stop_acting, reap

RULE = ReaperRule()
A, B, C = (SessionId(name) for name in "abc")


def test_silent_session_is_reaped_after_one_lease() -> None:
    reaper = Reaper(reachable_since=0.0)
    assert reap(reaper, {A: 12.1, B: 20.0, C: 19.0}, 20.0, RULE)[1] == ()
    assert reap(reaper, {A: 12.0, B: 20.0, C: 19.0}, 20.0, RULE)[1] == (A,)


def test_nobody_is_reaped_until_the_store_was_reachable_for_one_lease() -> None:
    reaper = lost_store(Reaper(reachable_since=0.0), back_at=100.0)
    renewed = {A: 50.0, B: 101.0, C: 102.0}
    assert reap(reaper, renewed, 107.9, RULE) == (reaper, ())
    assert reap(reaper, renewed, 108.0, RULE)[1] == (A,)


def test_mass_expiry_waits_one_lease_more_once() -> None:
    reaper = Reaper(reachable_since=0.0)
    renewed = {A: 10.0, B: 10.0, C: 20.0}
    waiting, ended = reap(reaper, renewed, 20.0, RULE)
    assert ended == ()
    assert reap(waiting, renewed, 27.9, RULE) == (waiting, ())
    after, ended = reap(waiting, {**renewed, C: 28.0}, 28.0, RULE)
    assert ended == (A, B)
    assert after.grace_until is None


def test_mass_expiry_that_passes_by_itself_is_forgotten() -> None:
    waiting, _ = reap(Reaper(reachable_since=0.0), {A: 10.0, B: 10.0}, 20.0, RULE)
    assert reap(waiting, {A: 21.0, B: 21.0}, 21.0, RULE) == (Reaper(reachable_since=0.0), ())


def test_death_that_is_known_is_no_mass_and_waits_for_its_lease_only() -> None:
    reaper = Reaper(reachable_since=0.0)
    renewed = {A: 10.0, B: 12.0, C: 20.0}
    assert reap(reaper, renewed, 18.0, RULE, {A, B})[1] == (A,)
    assert reap(reaper, renewed, 20.0, RULE, {A, B}) == (reaper, (A, B))
    waiting, ended = reap(reaper, {**renewed, C: 11.0}, 20.0, RULE, {A})
    assert ended == (A,)  # and the two others are a mass
    assert waiting.grace_until == 28.0


def test_death_that_is_known_is_no_reason_not_to_wait_for_workers_after_an_outage() -> None:
    reaper = lost_store(Reaper(reachable_since=0.0), back_at=100.0)
    assert reap(reaper, {A: 90.0, B: 101.0}, 107.9, RULE, {A}) == (reaper, ())


def test_single_session_is_no_mass() -> None:
    assert reap(Reaper(reachable_since=0.0), {A: 10.0}, 20.0, RULE)[1] == (A,)


def test_master_stops_acting_after_two_thirds_of_a_lease() -> None:
    assert not must_stop_acting(10.0, 15.3, RULE)
    assert must_stop_acting(10.0, 15.4, RULE)
