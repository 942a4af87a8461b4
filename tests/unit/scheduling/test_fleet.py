from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from morphml.ids import AttemptToken
from morphml.scheduling.fleet import Fleet
from morphml.scheduling.resources import Requirements
from morphml.scheduling.resources.requirements import AMOUNTS
from morphml.scheduling.seat import Ahead, Key, Seat, is_avoided

GPU = {"gpu": 1.0}
HALF_AHEAD = Ahead(least=0.5, most=0.5)


def least_used(seat: Seat) -> Key:
    return (seat.share,)


def needs(**amounts: float) -> Requirements:
    return Requirements.parse(amounts)


def chosen(fleet: Fleet, wanted: Requirements, *avoid: str, ahead: float = 0.0) -> str | None:
    seat = fleet.choose(wanted, avoid, ahead=ahead)
    return None if seat is None else seat.id


def fleet_of(ahead: float = 0.0, **workers: int) -> Fleet:
    made = Fleet(least_used, Ahead(least=ahead, most=ahead))
    for name, slots in workers.items():
        made.put(name, name=f"box-{name}", slots=slots, capabilities={}, held={})
    return made


def token(number: int) -> AttemptToken:
    return AttemptToken(f"{number:032x}")


def test_least_used_share_is_chosen() -> None:
    made = fleet_of(a=4, b=2)
    order = []
    for number in range(6):
        worker = chosen(made, needs())
        assert worker is not None
        made.take(worker, token(number), needs())
        order.append(worker)
    assert sorted(order) == ["a"] * 4 + ["b"] * 2
    assert order[:2] == ["a", "b"]
    assert (chosen(made, needs()), made.free()) == (None, 0)


def test_attempts_wait_ahead_only_where_asked_and_only_so_many() -> None:
    made = fleet_of(ahead=0.1, a=2)
    for number in range(2):
        made.take("a", token(number), needs())
    assert chosen(made, needs()) is None
    assert chosen(made, needs(), ahead=0.1) == "a"
    made.take("a", token(2), needs())
    assert chosen(made, needs(), ahead=0.1) is None


def test_worker_with_a_free_slot_goes_before_one_where_the_task_would_wait() -> None:
    made = Fleet(lambda seat: (-seat.share,), HALF_AHEAD)
    for name in ("a", "b"):
        made.put(name, name=name, slots=2, capabilities={}, held={})
    for number in range(2):
        made.take("a", token(number), needs())
    assert chosen(made, needs(), ahead=0.5) == "b"


def test_refilled_worker_gets_more_only_when_its_queue_is_short() -> None:
    made = Fleet(least_used, Ahead(least=4.0, most=4.0, refill=2.0))
    made.put("a", name="a", slots=1, capabilities={}, held={})
    for number in range(5):
        assert chosen(made, needs(), ahead=4.0) == "a"
        made.take("a", token(number), needs())
    left = []
    for number in range(5):
        made.give_back("a", token(number))
        left.append(chosen(made, needs(), ahead=4.0))
    assert left == [None, "a", "a", "a", "a"]


def test_short_tasks_go_ahead_by_how_short_they_are() -> None:
    rule = Ahead(least=0.1, most=6.0, seconds=0.05, below_s=0.2)
    shares = [rule.share(mean_s) for mean_s in (None, 0.2, 0.1, 0.05, 0.01, 0.0)]
    assert shares == [0.0, 0.0, 0.5, 1.0, 5.0, 6.0]
    assert Ahead().share(0.01) == 0.0


def test_resources_are_used_up_and_labels_are_not() -> None:
    made = Fleet(least_used)
    made.put("a", name="a", slots=9, capabilities={"gpu": 1, "ssd": 1}, held={})
    made.put("b", name="b", slots=9, capabilities={}, held={})
    half = needs(gpu=0.5, ssd=1.0)
    for number in range(2):
        assert chosen(made, half) == "a"
        made.take("a", token(number), half)
    assert chosen(made, half) is None
    assert chosen(made, needs(ssd=1)) == "a"
    assert made.could_run(half)
    assert not made.could_run(needs(gpu=2))
    made.give_back("a", token(0))
    made.give_back("a", token(0))
    assert chosen(made, half) == "a"
    made.take("a", token(2), half)
    assert chosen(made, half) is None


def test_three_thirds_of_a_gpu_fit() -> None:
    made = Fleet(least_used)
    made.put("a", name="a", slots=9, capabilities=GPU, held={})
    third = needs(gpu=1 / 3)
    for number in range(3):
        assert chosen(made, third) == "a"
        made.take("a", token(number), third)
    assert chosen(made, third) is None


def test_avoided_worker_comes_last() -> None:
    made = fleet_of(a=9, b=1)
    assert chosen(made, needs(), "box-a/slot-2") == "b"
    made.take("b", token(1), needs())
    assert chosen(made, needs(), "box-a/slot-2") == "a"
    assert made.could_run(needs(), ("box-a/slot-2",))
    assert not made.could_run(needs(), ("box-a", "box-b"))


def test_name_is_avoided_as_a_whole_or_by_a_slot_but_not_by_a_prefix() -> None:
    assert is_avoided("box", ["box"])
    assert is_avoided("box", ["box/slot-1"])
    assert not is_avoided("box", ["box-2/slot-1", "bo"])


def test_closed_or_removed_worker_gets_nothing_and_counts_for_nothing() -> None:
    made = fleet_of(a=2, b=2)
    made.take("a", token(2), needs())
    made.open("a", False)
    assert (made.slots(), made.free(), made.behind(), chosen(made, needs())) == (2, 2, 1, "b")
    made.open("a", True)
    assert made.behind() == 0
    made.give_back("a", token(2))
    made.remove("b")
    assert (made.slots(), chosen(made, needs())) == (2, "a")
    made.remove("b")
    made.give_back("b", token(1))
    made.take("b", token(1), needs())
    assert made.get("b") is None


def test_more_kinds_of_needs_than_are_remembered_are_still_answered() -> None:
    made = fleet_of(a=1)
    made.put("big", name="big", slots=1, capabilities={"memory": 500.0}, held={})
    kinds = [needs(memory=float(number)) for number in range(1, 601)]
    assert sum(chosen(made, kind) == "big" for kind in kinds) == 500
    assert sum(made.could_run(kind) for kind in kinds) == 500


class FleetMachine(RuleBasedStateMachine):
    """A fleet against a plain list of what lies where."""

    def __init__(self) -> None:
        super().__init__()
        self.fleet = Fleet(least_used, HALF_AHEAD)
        self.workers: dict[str, tuple[int, dict[str, float], bool]] = {}
        self.held: dict[str, dict[AttemptToken, dict[str, float]]] = {}
        #: Workers whose GPU is given to nobody.
        self.shut: set[str] = set()
        self.count = 0

    @rule(
        worker=st.sampled_from("abcde"),
        slots=st.integers(1, 4),
        gpu=st.sampled_from([0.0, 1.0]),
        ssd=st.booleans(),
    )
    def put(self, worker: str, slots: int, gpu: float, ssd: bool) -> None:
        capabilities = {"gpu": gpu} | ({"ssd": 1.0} if ssd else {})
        self.fleet.put(worker, name=worker, slots=slots, capabilities=capabilities, held={})
        self.workers[worker] = (slots, capabilities, True)
        self.held[worker] = {}
        self.shut.discard(worker)

    @precondition(lambda self: self.workers)
    @rule(data=st.data(), shut=st.booleans(), slots=st.integers(1, 4))
    def shut_gpu(self, data: st.DataObject, shut: bool, slots: int) -> None:
        worker = data.draw(st.sampled_from(sorted(self.workers)))
        self.fleet.shut(worker, (0,) if shut else (), slots)
        (self.shut.add if shut else self.shut.discard)(worker)
        self.workers[worker] = (slots, *self.workers[worker][1:])

    @rule(worker=st.sampled_from("abcde"))
    def remove(self, worker: str) -> None:
        self.fleet.remove(worker)
        self.workers.pop(worker, None)
        self.held.pop(worker, None)

    @precondition(lambda self: self.workers)
    @rule(data=st.data(), may=st.booleans())
    def open(self, data: st.DataObject, may: bool) -> None:
        worker = data.draw(st.sampled_from(sorted(self.workers)))
        slots, capabilities, _ = self.workers[worker]
        self.fleet.open(worker, may)
        self.workers[worker] = (slots, capabilities, may)

    @rule(
        wanted=st.sampled_from([{}, {"gpu": 0.5}, {"gpu": 1.0}, {"ssd": 1.0}, {"gpu": 2.0}]),
        avoid=st.sampled_from([(), ("a",), ("a", "b/slot-1")]),
        ahead=st.booleans(),
    )
    def place(self, wanted: dict[str, float], avoid: tuple[str, ...], ahead: bool) -> None:
        worker = chosen(self.fleet, needs(**wanted), *avoid, ahead=0.5 * ahead)
        open_to = [w for w in self.workers if self.fits(w, wanted, ahead)]
        preferred = [w for w in open_to if not is_avoided(w, avoid)] or open_to
        if worker is None:
            assert open_to == []
            return
        assert worker in preferred
        free = [w for w in preferred if self.share(w) < 1.0] or preferred
        least = min(self.share(w) for w in free)
        assert self.share(worker) == pytest.approx(least)
        self.count += 1
        self.fleet.take(worker, token(self.count), needs(**wanted))
        self.held[worker][token(self.count)] = wanted

    @precondition(lambda self: any(self.held.values()))
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        pairs = [(w, t) for w, held in self.held.items() for t in held]
        worker, found = data.draw(st.sampled_from(pairs))
        self.fleet.give_back(worker, found)
        del self.held[worker][found]

    def share(self, worker: str) -> float:
        return len(self.held[worker]) / self.workers[worker][0]

    def left(self, worker: str, name: str) -> float:
        taken = sum(
            n.get(name, 0.0) for n in self.held[worker].values() if name in (*AMOUNTS, "gpu")
        )
        return self.workers[worker][1].get(name, 0.0) - taken

    def fits(self, worker: str, wanted: dict[str, float], ahead: bool) -> bool:
        slots, _, is_open = self.workers[worker]
        limit = slots + (-(-slots // 2) if ahead else 0)
        room = len(self.held[worker]) < limit and not ("gpu" in wanted and worker in self.shut)
        return is_open and room and all(self.left(worker, n) >= v for n, v in wanted.items())

    @invariant()
    def counts_agree(self) -> None:
        is_open = [w for w, (_, _, o) in self.workers.items() if o]
        free = {w: max(0, self.workers[w][0] - len(self.held[w])) for w in is_open}
        assert self.fleet.free() == sum(free.values())
        assert self.fleet.slots() == sum(self.workers[w][0] for w in is_open)
        assert self.fleet.behind() == sum(
            len(self.held[w]) for w in self.held.keys() - set(is_open)
        )
        for worker, held in self.held.items():
            seat = self.fleet.get(worker)
            assert seat is not None
            assert set(seat.holdings.held) == set(held)


FleetMachine.TestCase.settings = settings(stateful_step_count=40)
TestFleetMachine = FleetMachine.TestCase
