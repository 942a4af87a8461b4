"""Which GPUs a local engine gives to whom after some of them failed, or were found sick."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count

import pytest

from morphml.engines.local.binding import Binding, Sight
from morphml.engines.port import Assignment, Failed, Outcome, Succeeded
from morphml.ids import AttemptToken, ExperimentId
from morphml.scheduling.failures import FailureKind
from morphml.scheduling.resources import Capacity, Gpu

GPUS = tuple(f"cuda:{index}" for index in range(4))
CAPACITY = Capacity(gpus=tuple(Gpu(index=index) for index in range(4)))
WELL = Succeeded(metrics={})
BROKEN = Failed(kind=FailureKind.USER_ERROR, error_type="E", message="m", traceback="t", digest="d")


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


class Scene:
    """A binding of four slots and GPUs, and attempts by their needs."""

    def __init__(self) -> None:
        self.binding = Binding(4, GPUS, CAPACITY)
        self.numbers = count()
        self.now = 0.0

    def attempt(self, needs: Mapping[str, float], *avoid: str) -> Assignment:
        number = next(self.numbers)
        return Assignment(
            token=AttemptToken(f"t{number}"),
            experiment=ExperimentId("e"),
            number=number,
            vector=(),
            seed=0,
            requirements=needs,
            avoid=avoid,
        )

    def begin(self, needs: Mapping[str, float], slot: int = 0) -> tuple[Assignment, Sight]:
        assignment = self.attempt(needs)
        return assignment, self.binding.take(assignment, slot, self.now)

    def run(self, outcome: Outcome, needs: Mapping[str, float], slot: int = 0) -> Outcome:
        return self.binding.ended(self.begin(needs, slot)[0], outcome, 0.1, self.now)


def test_gpu_that_failed_once_is_given_away_last_and_not_to_a_retry() -> None:
    scene = Scene()
    told = scene.run(BROKEN, {"gpu": 1.0})
    assert isinstance(told, Failed)
    assert told.gpus == "0"
    assert [scene.begin({"gpu": 1.0})[1].visible for _ in range(3)] == ["1", "2", "3"]
    assert scene.binding.has_room(scene.attempt({"gpu": 1.0}))
    assert not scene.binding.has_room(scene.attempt({"gpu": 1.0}, "local-0"))
    assert scene.begin({"gpu": 1.0})[1].visible == "0"


def test_retry_that_only_doubted_gpus_could_run_gets_one() -> None:
    scene = Scene()
    scene.run(BROKEN, {"gpu": 1.0})
    assert scene.binding.has_room(scene.attempt({"gpu": 4.0}, "local-0"))


def test_gpu_that_only_fails_is_given_to_nobody_until_a_probe_works() -> None:
    scene = Scene()
    for _ in range(3):
        scene.run(BROKEN, {}, slot=2)
    assert scene.binding.care.why == {2: "3 failures in a row: E: m"}
    kept = [slot for slot in range(4) if scene.binding.keeps_off(scene.attempt({}), slot)]
    assert kept == [2]
    assert not scene.binding.keeps_off(scene.attempt({"gpu": 0.0}), 2)
    assert [scene.begin({"gpu": 1.0})[1].visible for _ in range(3)] == ["0", "1", "3"]
    assert not scene.binding.has_room(scene.attempt({"gpu": 1.0}))
    assert scene.binding.tick(29.0) == 30.0
    scene.now = 30.0
    scene.binding.tick(30.0)
    assert scene.binding.has_room(scene.attempt({"gpu": 1.0}))
    probe, sight = scene.begin({"gpu": 1.0})
    assert sight.visible == "2"
    assert scene.binding.keeps_off(scene.attempt({}), 2)
    scene.binding.ended(probe, WELL, 0.1, scene.now)
    assert scene.binding.care.why == {}
    assert not scene.binding.keeps_off(scene.attempt({}), 2)


def test_retry_is_kept_from_the_slot_of_a_doubted_gpu() -> None:
    scene = Scene()
    scene.run(BROKEN, {}, slot=1)
    retry, fresh = scene.attempt({}, "local-1"), scene.attempt({})
    assert [scene.binding.keeps_off(retry, slot) for slot in range(4)] == [
        False,
        True,
        False,
        False,
    ]
    assert not any(scene.binding.keeps_off(fresh, slot) for slot in range(4))


def test_sick_gpus_are_given_to_nobody_until_they_are_well() -> None:
    scene = Scene()
    scene.binding.care.declare({0: "it is too hot: 95 C", 3: "it has 1 errors"})
    scene.binding.tick(0.0)
    assert scene.binding.care.why == {0: "it is too hot: 95 C", 3: "it has 1 errors"}
    assert scene.begin({"gpu": 1.0})[1].visible == "1"
    assert not scene.binding.has_room(scene.attempt({"gpu": 2.0}))
    assert scene.binding.refusal(scene.attempt({"gpu": 4.0})) == ""
    scene.binding.care.declare({3: "it has 1 errors"})
    scene.binding.tick(0.0)
    assert scene.begin({"gpu": 1.0})[1].visible == "0"


def test_attempt_that_did_not_begin_says_nothing() -> None:
    scene = Scene()
    for _ in range(5):
        assignment, _ = scene.begin({"gpu": 1.0})
        scene.binding.release(assignment.token, scene.now)
    assert scene.begin({"gpu": 1.0})[1].visible == "0"
