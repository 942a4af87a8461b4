from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from morphml.ids import AttemptToken
from morphml.scheduling.placement import RESOURCES, Places, is_avoided

GPU = {"gpu": 1.0}


def places(ahead: float = 0.0, **workers: int) -> Places:
    made = Places(ahead)
    for name, slots in workers.items():
        made.put(name, name=f"box-{name}", slots=slots, capabilities={}, held={})
    return made


def token(number: int) -> AttemptToken:
    return AttemptToken(f"{number:032x}")


def test_least_used_share_is_chosen() -> None:
    made = places(a=4, b=2)
    chosen = []
    for number in range(6):
        worker = made.choose({})
        assert worker is not None
        made.take(worker, token(number), {})
        chosen.append(worker)
    assert sorted(chosen) == ["a"] * 4 + ["b"] * 2
    assert chosen[:2] == ["a", "b"]
    assert (made.choose({}), made.free()) == (None, 0)


def test_attempts_wait_ahead_only_where_asked_and_only_so_many() -> None:
    made = places(ahead=0.1, a=2)
    for number in range(2):
        made.take("a", token(number), {})
    assert made.choose({}) is None
    assert made.choose({}, ahead=True) == "a"
    made.take("a", token(2), {})
    assert made.choose({}, ahead=True) is None


def test_resources_are_used_up_and_labels_are_not() -> None:
    made = Places()
    made.put("a", name="a", slots=9, capabilities={"gpu": 1, "ssd": 1}, held={})
    made.put("b", name="b", slots=9, capabilities={}, held={})
    half = {"gpu": 0.5, "ssd": 1.0}
    assert made.free_for(half) == 2
    for number in range(2):
        assert made.choose(half) == "a"
        made.take("a", token(number), half)
    assert made.choose(half) is None
    assert made.choose({"ssd": 1}) == "a"
    assert made.could_run(half)
    assert not made.could_run({"gpu": 2})
    made.give_back("a", token(0))
    made.give_back("a", token(0))
    assert made.free_for(half) == 1


def test_three_thirds_of_a_gpu_fit() -> None:
    made = Places()
    made.put("a", name="a", slots=9, capabilities=GPU, held={})
    third = {"gpu": 1 / 3}
    for number in range(3):
        assert made.choose(third) == "a"
        made.take("a", token(number), third)
    assert made.choose(third) is None


def test_avoided_worker_comes_last() -> None:
    made = places(a=9, b=1)
    assert made.choose({}, ("box-a/slot-2",)) == "b"
    made.take("b", token(1), {})
    assert made.choose({}, ("box-a/slot-2",)) == "a"
    assert made.could_run({}, ("box-a/slot-2",))
    assert not made.could_run({}, ("box-a", "box-b"))


def test_name_is_avoided_as_a_whole_or_by_a_slot_but_not_by_a_prefix() -> None:
    assert is_avoided("box", ["box"])
    assert is_avoided("box", ["box/slot-1"])
    assert not is_avoided("box", ["box-2/slot-1", "bo"])


def test_closed_or_removed_worker_gets_nothing_and_counts_for_nothing() -> None:
    made = places(a=2, b=2)
    made.open("a", False)
    assert (made.slots(), made.free(), made.choose({})) == (2, 2, "b")
    made.open("a", True)
    made.remove("b")
    assert (made.slots(), made.choose({})) == (2, "a")
    made.remove("b")
    made.give_back("b", token(1))
    made.take("b", token(1), {})
    assert made.held("b") == ()


class PlacesMachine(RuleBasedStateMachine):
    """Places against a plain list of what lies where."""

    def __init__(self) -> None:
        super().__init__()
        self.places = Places(0.5)
        self.workers: dict[str, tuple[int, dict[str, float], bool]] = {}
        self.held: dict[str, dict[AttemptToken, dict[str, float]]] = {}
        self.count = 0

    @rule(
        worker=st.sampled_from("abcde"),
        slots=st.integers(1, 4),
        gpu=st.sampled_from([0.0, 1.0, 2.0]),
        ssd=st.booleans(),
    )
    def put(self, worker: str, slots: int, gpu: float, ssd: bool) -> None:
        capabilities = {"gpu": gpu} | ({"ssd": 1.0} if ssd else {})
        self.places.put(worker, name=worker, slots=slots, capabilities=capabilities, held={})
        self.workers[worker] = (slots, capabilities, True)
        self.held[worker] = {}

    @rule(worker=st.sampled_from("abcde"))
    def remove(self, worker: str) -> None:
        self.places.remove(worker)
        self.workers.pop(worker, None)
        self.held.pop(worker, None)

    @precondition(lambda self: self.workers)
    @rule(data=st.data(), may=st.booleans())
    def open(self, data: st.DataObject, may: bool) -> None:
        worker = data.draw(st.sampled_from(sorted(self.workers)))
        slots, capabilities, _ = self.workers[worker]
        self.places.open(worker, may)
        self.workers[worker] = (slots, capabilities, may)

    @rule(
        needs=st.sampled_from([{}, {"gpu": 0.5}, {"gpu": 1.0}, {"ssd": 1.0}, {"gpu": 2.0}]),
        avoid=st.sampled_from([(), ("a",), ("a", "b/slot-1")]),
        ahead=st.booleans(),
    )
    def place(self, needs: dict[str, float], avoid: tuple[str, ...], ahead: bool) -> None:
        worker = self.places.choose(needs, avoid, ahead=ahead)
        open_to = [w for w in self.workers if self.fits(w, needs, ahead)]
        preferred = [w for w in open_to if not is_avoided(w, avoid)] or open_to
        if worker is None:
            assert open_to == []
            return
        assert worker in preferred
        least = min(self.share(w) for w in preferred)
        assert self.share(worker) == pytest.approx(least)
        self.count += 1
        self.places.take(worker, token(self.count), needs)
        self.held[worker][token(self.count)] = needs

    @precondition(lambda self: any(self.held.values()))
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        pairs = [(w, t) for w, held in self.held.items() for t in held]
        worker, found = data.draw(st.sampled_from(pairs))
        self.places.give_back(worker, found)
        del self.held[worker][found]

    def share(self, worker: str) -> float:
        return len(self.held[worker]) / self.workers[worker][0]

    def left(self, worker: str, name: str) -> float:
        taken = sum(n.get(name, 0.0) for n in self.held[worker].values() if name in RESOURCES)
        return self.workers[worker][1].get(name, 0.0) - taken

    def fits(self, worker: str, needs: dict[str, float], ahead: bool) -> bool:
        slots, _, is_open = self.workers[worker]
        limit = slots + (-(-slots // 2) if ahead else 0)
        room = len(self.held[worker]) < limit
        return is_open and room and all(self.left(worker, n) >= v for n, v in needs.items())

    @invariant()
    def counts_agree(self) -> None:
        is_open = [w for w, (_, _, o) in self.workers.items() if o]
        free = {w: max(0, self.workers[w][0] - len(self.held[w])) for w in is_open}
        assert self.places.free() == sum(free.values())
        assert self.places.slots() == sum(self.workers[w][0] for w in is_open)
        for worker, held in self.held.items():
            assert set(self.places.held(worker)) == set(held)


PlacesMachine.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, derandomize=True
)
TestPlacesMachine = PlacesMachine.TestCase
