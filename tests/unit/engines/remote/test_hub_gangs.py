"""Stories of an attempt that runs at several workers at once, told to the book of a hub."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.engines.remote.gang_stage import EXPERIMENT, TOKEN, Stage

from morphml.engines.port import (
    Cancelled,
    Checkpointed,
    Failed,
    Finished,
    Logged,
    Order,
    Outcome,
    PausedAt,
    Reported,
    Returned,
    Started,
    Stopped,
    Succeeded,
    WorkerGone,
)
from morphml.engines.remote.hub.gang import LINGER_S
from morphml.ids import AttemptToken
from morphml.scheduling.failures import FailureKind

DONE = Succeeded(metrics={"accuracy": 0.5})
RAISED = Failed(kind=FailureKind.USER_ERROR, error_type="RuntimeError", message="peer closed")
CRASHED = Failed(kind=FailureKind.CRASH, error_type="Crash", message="killed by SIGSEGV")


def test_all_members_are_sent_at_once_and_know_their_places() -> None:
    stage = Stage(workers=3)
    stage.submit()
    assert stage.tasks == []  # no part of it
    assert stage.free == 3
    stage.come(3)
    assert [task.worker for task in stage.tasks] == ["w1", "w2", "w3", "w0"]
    places = [task.assignment.place for task in stage.tasks if task.assignment]
    assert [place.rank for place in places] == [0, 1, 2, 3]
    assert {place.world_size for place in places} == {4}
    (rendezvous,) = {place.rendezvous for place in places}
    # Not the machine that only the master reaches, by its loopback address.
    host, _, port = rendezvous.partition(":")
    assert host == "10.0.0.7"
    assert 20_000 <= int(port) < 32_000
    tokens = {task.token for task in stage.tasks}
    assert len(tokens) == 4
    assert TOKEN not in tokens  # what the store knows of is no worker's
    assert all(task.assignment.requirements == {} for task in stage.tasks if task.assignment)
    assert stage.free == 0
    assert stage.book.drivers.here(EXPERIMENT) == {TOKEN}


def test_the_word_of_rank_0_counts_and_the_result_is_told_once() -> None:
    stage = Stage()
    stage.submit()
    stage.start()
    for rank in (2, 0):
        member = stage.member(rank)
        for event in (
            Reported(token=member.token, step=1, metrics={"accuracy": 0.1 * rank}),
            Logged(token=member.token, stream="stdout", text="a\nb"),
        ):
            stage.book.workers.event(member.worker, event)
    stage.end(1, DONE)
    stake = stage.book.ledger.scheduler.stakes.of(EXPERIMENT)
    assert (stake.used, stake.mean_s) == (4, None)
    stage.end(0, Succeeded(metrics={"accuracy": 0.9}))
    assert (stake.used, stake.mean_s) == (0, 1.0)
    stage.end(2, RAISED)  # rank 0 has left
    stage.end(0, Succeeded(metrics={"accuracy": 0.7}))  # said again
    stage.end(3, DONE)
    assert [type(event) for event in stage.events] == [
        Started,
        Logged,
        Reported,
        Logged,
        Logged,
        Finished,
    ]
    assert {event.token for event in stage.events if not isinstance(event, WorkerGone)} == {TOKEN}
    assert [event.metrics for event in stage.events if isinstance(event, Reported)] == [
        {"accuracy": 0.0}
    ]
    assert [event.text for event in stage.events if isinstance(event, Logged)] == [
        "[rank 2] a\n",
        "[rank 0] a\n",
        "[rank 0] b\n",  # rank 2 had not ended its line when all was over
    ]
    assert stage.ends[0].outcome == Succeeded(metrics={"accuracy": 0.9})
    assert stage.ends[0].worker == "box1/slot-0"
    assert stage.orders == []
    assert all(stage.confirmed[stage.member(rank).token] >= 1 for rank in range(4))
    stage.check_nothing_left()


def test_those_that_go_on_after_rank_0_are_ended_a_little_later() -> None:
    stage = Stage()
    stage.submit()
    stage.start()
    stage.end(0, DONE)
    stage.end(1, DONE)
    stage.pass_time(LINGER_S - 1.0)
    assert stage.orders == []
    stage.pass_time(2.0)
    assert sorted(stage.orders) == [("w0", Order.CANCEL), ("w3", Order.CANCEL)]
    assert stage.free == 2  # their slots are theirs until they have ended
    stage.end(2, Cancelled())
    stage.end(3, Cancelled())
    assert [end.outcome for end in stage.ends] == [DONE]
    stage.check_nothing_left()


@pytest.mark.parametrize("own", [Stopped(metrics={}), PausedAt(step=3)])
@pytest.mark.parametrize("first", [True, False])
def test_an_order_to_stop_is_for_rank_0_and_the_others_end_with_it(
    own: Outcome, first: bool
) -> None:
    stage = Stage()
    stage.submit()
    stage.start()
    stage.book.drivers.order(TOKEN, Order.STOP, stage.now)
    stage.look()
    assert stage.orders == [("w1", Order.STOP)]
    if first:
        stage.end(3, RAISED)  # rank 0 left it alone, and its word came first
    stage.end(0, own)
    assert {("w2", Order.CANCEL), ("w3", Order.CANCEL)} <= set(stage.orders)
    assert [end.outcome for end in stage.ends] == [own]
    for rank in (1, 2) if first else (1, 2, 3):
        stage.end(rank, Cancelled())
    assert len(stage.ends) == 1
    stage.check_nothing_left()


def test_a_member_that_fails_ends_all_and_is_blamed_once() -> None:
    stage = Stage()
    stage.submit()
    stage.start()
    stage.end(2, CRASHED)
    assert sorted(stage.orders) == [(w, Order.CANCEL) for w in ("w0", "w1", "w2")]
    assert stage.ends == []  # a retry is to find free workers
    stage.end(0, RAISED)  # since its partner is gone
    for rank in (1, 3):
        stage.end(rank, Cancelled())
    (end,) = stage.ends
    assert isinstance(end.outcome, Failed)
    assert end.outcome.kind is FailureKind.CRASH
    assert [stage.book.ledger.faults.doubts(f"w{i}") for i in range(4)] == [
        False,
        False,
        False,
        True,  # only the worker of rank 2
    ]
    assert end.outcome.message == "rank 2 of 4: killed by SIGSEGV"
    assert end.worker == "box3/slot-0"
    stage.check_nothing_left()


def test_who_raises_since_a_partner_is_gone_is_not_the_reason() -> None:
    stage = Stage()
    stage.submit()
    stage.start()
    stage.end(0, RAISED)  # at once, and the partner is known to be lost only later
    stage.end(1, RAISED)
    stage.end(2, Cancelled())
    assert stage.ends == []
    stage.lose(3)
    (end,) = stage.ends
    assert isinstance(end.outcome, Failed)
    assert end.outcome.kind is FailureKind.LOST_WORKER
    assert end.outcome.alone
    assert stage.book.ledger.faults.doubts("w2") is False
    stage.check_nothing_left()


def test_an_error_of_user_code_is_told_where_nothing_graver_follows() -> None:
    stage = Stage()
    stage.submit()
    stage.start()
    stage.end(1, RAISED)
    for rank in (0, 2, 3):
        stage.end(rank, Cancelled())
    assert [end.outcome.kind for end in stage.ends if isinstance(end.outcome, Failed)] == [
        FailureKind.USER_ERROR
    ]
    stage.check_nothing_left()


def test_one_that_refuses_sends_all_back_without_blame() -> None:
    stage = Stage()
    stage.submit()
    stage.start(0, 1)
    refusing = stage.member(2)
    stage.book.workers.returned(refusing.worker, [refusing.token], stage.now)
    stage.look()
    assert sorted(stage.orders) == [(w, Order.CANCEL) for w in ("w0", "w1", "w2")]
    for rank in (0, 1, 3):
        stage.end(rank, Cancelled())
    assert [end.outcome for end in stage.ends] == [Returned()]
    stage.check_nothing_left()


def test_one_that_never_confirms_sends_all_back() -> None:
    stage = Stage()
    stage.submit()
    stage.start(0, 1, 2)
    silent = stage.member(3).token
    for _ in range(200):
        stage.time += 0.25
        stage.beat(0, 1, 2)
        stage.book.workers.heard("w0", stage.now)
        stage.book.tick(stage.now)
    stage.look()
    assert silent in stage.killed
    for rank in (0, 1, 2):
        stage.end(rank, Cancelled())
    assert [end.outcome for end in stage.ends] == [Returned()]
    stage.check_nothing_left()


def test_a_lost_worker_ends_all_and_what_it_says_later_is_dropped() -> None:
    stage = Stage()
    stage.submit()
    stage.start()
    lost = stage.member(0)
    stage.lose(0)
    for rank in (1, 2, 3):
        assert (stage.member(rank).worker, Order.CANCEL) in stage.orders
        stage.end(rank, Cancelled())
    (end,) = stage.ends
    assert isinstance(end.outcome, Failed)
    assert end.outcome.kind is FailureKind.LOST_WORKER
    stage.come(1, has=[lost.name])  # it is back, with what it had
    assert lost.token in stage.killed
    stage.end(0, DONE)
    assert len(stage.ends) == 1
    assert stage.asked == []
    assert stage.confirmed[lost.token] == 1
    stage.check_nothing_left()


def test_a_cancel_ends_all_whatever_the_members_say() -> None:
    stage = Stage()
    stage.submit()
    stage.start()
    stage.book.drivers.order(TOKEN, Order.CANCEL, stage.now)
    stage.look()
    assert sorted(stage.orders) == [(f"w{i}", Order.CANCEL) for i in range(4)]
    stage.end(1, Cancelled())
    stage.end(2, RAISED)
    stage.end(0, Cancelled())
    stage.end(3, Cancelled())
    assert [end.outcome for end in stage.ends] == [Cancelled()]
    stage.check_nothing_left()


def test_a_gang_that_nobody_wants_is_killed_everywhere() -> None:
    stage = Stage()
    stage.submit()
    stage.start()
    stage.book.drivers.kill([TOKEN], stage.now)
    stage.look()
    assert sorted(stage.killed) == sorted(stage.member(rank).token for rank in range(4))
    assert stage.book.drivers.here(EXPERIMENT) == frozenset()
    assert stage.free == 0
    for rank in range(4):
        stage.end(rank, Cancelled())
    assert stage.ends == []
    assert stage.free == 4
    stage.check_nothing_left()


def test_another_master_ends_members_instead_of_adopting_them() -> None:
    stage = Stage()
    stage.submit()
    stage.start()
    names = [stage.member(rank).name for rank in range(4)]
    successor = Stage(workers=0)
    for rank, name in enumerate(names):
        index = int(stage.member(rank).worker[1:])
        successor.come(index, has=[name])
    assert {name.token for name in successor.asked} == {name.token for name in names}
    for name in names:  # the store knows TOKEN alone
        worker = stage.member(names.index(name)).worker
        successor.book.workers.resolve(worker, [name], (), (), successor.now)
    successor.look()
    assert sorted(successor.killed) == sorted(name.token for name in names)
    assert successor.book.ledger.attempts == {}


def test_gangs_meet_at_different_ports_though_their_tokens_are_alike() -> None:
    stage = Stage(workers=4, gang=2)
    stage.submit()
    stage.submit(AttemptToken(TOKEN[:8] + "0" * 24))
    assert len(stage.tasks) == 4
    places = {task.assignment.place.rendezvous for task in stage.tasks if task.assignment}
    assert len(places) == 2


def test_only_a_pool_with_enough_workers_could_run_it() -> None:
    stage = Stage(workers=3)
    offers = stage.book.ledger.offers
    assert offers.could_run({"workers": 3})
    assert not offers.could_run({"workers": 4})
    assert not offers.could_run({"workers": 3}, avoid=("box1",))
    stage.submit()
    (view,) = stage.book.wishes.waiting()
    assert not view.feasible
    assert stage.book.free() == 0  # three slots, and four that wait


def test_rank_0_checkpoints_are_told_and_those_of_others_are_not() -> None:
    stage = Stage(gang=2)
    stage.submit()
    stage.start()
    for rank in (0, 1):
        member = stage.member(rank)
        event = Checkpointed(token=member.token, step=rank, path=Path("c"), digest="")
        stage.book.workers.event(member.worker, event)
    stage.look()
    assert [e.step for e in stage.events if isinstance(e, Checkpointed)] == [0]
