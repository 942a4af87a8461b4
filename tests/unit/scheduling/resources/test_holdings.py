"""What is left of a worker while attempts come and go, and which devices they get."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from morphml.scheduling.resources import NOTHING, Allocation, Capacity, Holdings, Requirements

NEEDS = [
    {},
    {"cpu": 1},
    {"cpu": 1 / 3},
    {"memory": 6e9},
    {"ssd": 1},
    {"gpu": 0},
    {"gpu": 0.5},
    {"gpu": 0.6},
    {"gpu": 1 / 3},
    {"gpu": 1},
    {"gpu": 2},
    {"gpu": 0.25, "gpu-memory": 10e9},
    {"gpu": 1, "gpu:t4": 1},
    {"gpu": 0.5, "gpu:a100": 1, "cpu": 2},
]
OFFERS = {"cpu": 3.0, "memory": 16e9, "ssd": 1.0, "gpu:0:a100": 40e9, "gpu:4:t4": 16e9}


def holdings(gpus: int) -> Holdings:
    return Holdings(Capacity.parse({"gpu": float(gpus), "cpu": 4.0}))


def of(**needs: float) -> Requirements:
    return Requirements.parse(needs)


def test_holdings_let_two_halves_share_one_device() -> None:
    made = holdings(2)
    assert made.take("a", of(gpu=0.5)) == made.take("b", of(gpu=0.5)) == Allocation(((0, 0.5),))
    assert made.take("c", of(gpu=1)).indexes == (1,)
    assert not made.fits(of(gpu=0.5))


def test_holdings_give_nobody_a_device_that_is_shut_and_doubted_ones_last() -> None:
    made = holdings(4)
    made.shut({1}, doubted={0})
    assert made.choice(of(gpu=1)) == (2,)
    assert [made.take(name, of(gpu=1)).indexes for name in "abc"] == [(2,), (3,), (0,)]
    assert not made.fits(of(gpu=1))
    made.release("c")
    assert made.fits(of(gpu=1))
    assert not made.fits(of(gpu=1), careful=True)
    assert [made.could_now(of(gpu=count)) for count in (2, 3)] == [True, False]
    assert made.could(of(gpu=4))
    made.shut(())
    assert made.choice(of(gpu=2)) == (0, 1)


def test_holdings_never_put_two_large_shares_on_one_device() -> None:
    made = holdings(2)
    assert made.room(of(gpu=0.6), 9) == 2
    assert {made.take(token, of(gpu=0.6)).indexes for token in "ab"} == {(0,), (1,)}
    assert not made.fits(of(gpu=0.6))
    assert made.fits(of(gpu=0.4))


def test_holdings_share_a_whole_device_with_nobody() -> None:
    made = holdings(1)
    made.take("a", of(gpu=0.25))
    assert not made.fits(of(gpu=1))
    made.release("a")
    made.take("b", of(gpu=1))
    assert not made.fits(of(gpu=0.01))


def test_holdings_give_three_thirds_of_a_device_and_no_fourth() -> None:
    made = holdings(1)
    for token in range(3):
        assert made.fits(of(gpu=1 / 3))
        made.take(token, of(gpu=1 / 3))
    assert not made.fits(of(gpu=1 / 3))
    for token in range(3):
        made.release(token)
    assert made.fits(of(gpu=1))


def test_holdings_count_the_memory_of_a_device() -> None:
    made = Holdings(Capacity.parse({"gpu": 1.0, "gpu-memory": 24e9}))
    small = Requirements.parse({"gpu": 0.25, "gpu-memory": 10e9})
    assert made.room(small, 9) == 2
    made.take("a", small)
    made.take("b", small)
    assert not made.fits(small)
    assert made.fits(of(gpu=0.25))


def test_holdings_keep_the_large_device_for_those_who_need_it() -> None:
    made = Holdings(Capacity.parse({"gpu:0:big": 80e9, "gpu:1:small": 16e9}))
    assert made.take("a", of(gpu=1)).indexes == (1,)
    assert made.fits(Requirements.parse({"gpu": 1, "gpu-memory": 80e9}))


def test_holdings_count_what_lies_there_though_it_does_not_fit() -> None:
    made = holdings(1)
    made.take("a", of(gpu=1, cpu=4))
    assert made.take("b", of(gpu=1, cpu=4)).indexes == (0,)
    assert made.take("c", of(gpu=2)).indexes == (0,)
    made.release("a")
    assert not made.fits(of(gpu=0.5))
    assert not made.fits(of(cpu=1))
    made.release("b")
    made.release("c")
    assert made.fits(of(gpu=1, cpu=4))


def test_holdings_take_each_token_once_and_release_unknown_ones_in_silence() -> None:
    made = holdings(1)
    first = made.take("a", of(gpu=0.5))
    assert made.take("a", of(gpu=1)) == first == made.of("a")
    made.release("nobody")
    made.release("a")
    assert made.of("a") == Allocation()
    assert not made.held


@pytest.mark.parametrize(("most", "room"), [(9, 4), (3, 3), (0, 0), (-1, 0)])
def test_holdings_have_room_for_no_more_than_the_slots_allow(most: int, room: int) -> None:
    assert holdings(2).room(of(gpu=0.5), most) == room
    assert holdings(2).room(NOTHING, most) == max(0, most)


class HoldingsMachine(RuleBasedStateMachine):
    """Any order of attempts that are taken where they fit, and released."""

    def __init__(self) -> None:
        super().__init__()
        self.holdings = Holdings(Capacity.parse(OFFERS))
        self.lies: dict[int, tuple[Requirements, Allocation]] = {}
        self.tokens = 0

    @rule(needs=st.sampled_from(NEEDS))
    def take_if_it_fits(self, needs: dict[str, float]) -> None:
        wanted = Requirements.parse(needs)
        room = self.holdings.room(wanted, 3)
        assert (room > 0) is self.holdings.fits(wanted)
        if room:
            self.tokens += 1
            choice = self.holdings.choice(wanted)
            given = self.holdings.take(self.tokens, wanted)
            assert given.indexes == choice
            self.lies[self.tokens] = (wanted, given)
            assert self.holdings.room(wanted, 3) >= room - 1

    @precondition(lambda self: self.lies)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        token = data.draw(st.sampled_from(sorted(self.lies)))
        del self.lies[token]
        self.holdings.release(token)

    @invariant()
    def nothing_is_given_twice(self) -> None:
        shares: dict[int, float] = defaultdict(float)
        whole: dict[int, int] = defaultdict(int)
        memory: dict[int, float] = defaultdict(float)
        for wanted, given in self.lies.values():
            need = wanted.gpu
            assert len(given.devices) == (need.count if need else 0)
            for index, share in given.devices:
                assert need is not None
                shares[index] += share
                whole[index] += share == 1.0
                memory[index] += need.memory
        sizes = {0: 40e9, 4: 16e9}
        assert all(share <= 1.0 + 1e-8 for share in shares.values())
        assert all(shares[index] <= 1.0 + 1e-8 for index, count in whole.items() if count)
        assert all(memory[index] <= sizes[index] for index in memory)
        cores = sum(dict(wanted.amounts).get("cpu", 0.0) for wanted, _ in self.lies.values())
        assert cores <= 3.0 + 1e-8

    @invariant()
    def what_could_run_fits_where_nothing_lies(self) -> None:
        if not self.lies:
            for needs in NEEDS:
                wanted = Requirements.parse(needs)
                assert self.holdings.fits(wanted) is self.holdings.could(wanted)


HoldingsMachine.TestCase.settings = settings(stateful_step_count=30)
TestHoldingsMachine = HoldingsMachine.TestCase
