"""Which GPUs real child processes are shown, and how many run side by side; no GPU is needed."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

import morphml as mm
from morphml.engines.local import LocalEngine
from morphml.engines.port import Failed, Finished, Logged, Started, Succeeded
from morphml.scheduling.failures import FailureKind
from morphml.testing.engine_probe import EngineProbe

READY_S = 90.0
TWO = ("cuda:0", "cuda:1")


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch, no_torch: None) -> None:
    for name in ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER"):
        monkeypatch.delenv(name, raising=False)


class Gated:
    """Says what it sees of devices, and waits for a file to end; ``die`` kills its process."""

    def __init__(self, gate: Path) -> None:
        self.gate = str(gate)
        self.at_setup = ""

    def setup(self, context: object) -> None:
        """User code that would start CUDA."""
        self.at_setup = os.environ.get("CUDA_VISIBLE_DEVICES", "all")

    def __call__(self, arch: mm.Architecture, trial: mm.Trial) -> float:
        """Score 1."""
        visible = os.environ.get("CUDA_VISIBLE_DEVICES", "all")
        order = os.environ.get("CUDA_DEVICE_ORDER", "")
        trial.log(json.dumps([self.at_setup, visible, order, trial.device, os.getpid()]))
        while not os.path.exists(f"{self.gate}-{trial.number}"):  # noqa: PTH110  # travels by value
            time.sleep(0.01)
        if arch.vector[0] == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return 1.0


class Scene:
    """An engine with declared GPUs, and attempts that end when they are let."""

    def __init__(self, engine: LocalEngine, gate: Path) -> None:
        self.engine, self.gate = engine, gate
        self.probe = EngineProbe(engine)
        self.probe.prepare(Gated(gate))
        assert engine.warm_up(READY_S)

    def submit(self, count: int = 1, x: float = 0.0, **needs: float) -> None:
        """Attempts of one kind."""
        for _ in range(count):
            self.probe.submit(x, requirements=needs)

    def let(self, *numbers: int) -> None:
        """These attempts may end."""
        for number in numbers:
            Path(f"{self.gate}-{number}").touch()

    def running(self, count: int) -> Counter[str]:
        """What is seen by the attempts that run, once there are so many, and no more come."""
        ended = {end.token for end in self.probe.of(Finished)}
        begun = self.tokens(Started)
        self.probe.pump(lambda: len(self.tokens(Started) - self.tokens(Finished)) >= count, READY_S)
        self.probe.pump(self.said_by_all)
        quiet = time.monotonic() + 0.3
        self.probe.pump(lambda: time.monotonic() > quiet)
        live = self.tokens(Started) - self.tokens(Finished)
        assert len(live) == count, (begun, ended)
        return Counter(seen[1] for token, seen in self.seen().items() if token in live)

    def tokens(self, kind: type[Started] | type[Finished]) -> set[str]:
        """Tokens that have such an event."""
        return {event.token for event in self.probe.of(kind)}

    def said_by_all(self) -> bool:
        """Whether all that began said what they see."""
        return self.tokens(Started) <= self.seen().keys()

    def seen(self) -> dict[str, list[str]]:
        """What each attempt said: at setup, when it ran, order, device, process."""
        return {e.token: json.loads(e.text) for e in self.probe.of(Logged) if e.stream == "log"}


Make = Callable[..., Scene]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Makes scenes and closes their engines."""
    open_engines: list[LocalEngine] = []

    def scene(slots: int, devices: tuple[str, ...]) -> Scene:
        engine = LocalEngine(slots, devices=devices)
        open_engines.append(engine)
        return Scene(engine, tmp_path / "gate")

    yield scene
    for engine in open_engines:
        engine.close()


def test_halves_share_devices_two_by_two(make: Make) -> None:
    scene = make(4, TWO)
    children = set(scene.engine.processes)
    scene.submit(4, gpu=0.5)
    assert scene.running(4) == {"0": 2, "1": 2}
    for at_setup, visible, order, device, _ in scene.seen().values():
        assert (visible, order, device) == (at_setup, "PCI_BUS_ID", "cuda:0")
    assert set(scene.engine.processes) == children, "nobody had to make room"
    scene.let(*range(4))
    scene.probe.finish()


def test_two_halves_share_one_device_and_leave_the_other_whole(make: Make) -> None:
    scene = make(3, TWO)
    scene.submit(2, gpu=0.5)
    assert scene.running(2) == {"0": 2}
    scene.submit(1, gpu=1)
    assert scene.running(3) == {"0": 2, "1": 1}
    scene.let(0, 1, 2)
    scene.probe.finish()


def test_shares_above_a_half_never_meet(make: Make) -> None:
    scene = make(3, TWO)
    scene.submit(3, gpu=0.6)
    assert scene.running(2) == {"0": 1, "1": 1}
    scene.let(0)
    scene.probe.pump(lambda: len(scene.probe.of(Finished)) == 1)
    assert scene.running(2) == {"0": 1, "1": 1}
    scene.let(1, 2)
    scene.probe.finish()


def test_attempt_that_needs_all_devices_waits_for_them_and_sees_them(make: Make) -> None:
    scene = make(3, TWO)
    scene.submit(1, gpu=1)
    assert scene.running(1).total() == 1
    scene.submit(1, gpu=2)
    assert scene.running(1).total() == 1
    scene.let(0)
    scene.probe.pump(lambda: len(scene.probe.of(Finished)) == 1)
    assert scene.running(1) == {"0,1": 1}
    assert [seen[0] for seen in scene.seen().values()][-1] == "0,1", "before user code began"
    scene.submit(1, gpu=0.25)
    assert scene.running(1) == {"0,1": 1}
    scene.let(1, 2)
    scene.probe.finish()


def test_attempt_without_gpus_sees_none_and_one_that_says_nothing_its_slot(make: Make) -> None:
    scene = make(2, TWO)
    scene.submit(2, gpu=0)
    assert scene.running(2) == {"": 2}
    assert {seen[3] for seen in scene.seen().values()} == {"cpu"}
    scene.let(0, 1)
    scene.probe.finish()
    scene.submit(2)
    assert scene.running(2) == {"0": 1, "1": 1}
    scene.let(2, 3)
    scene.probe.finish()


def test_device_of_a_killed_child_is_free_again(make: Make) -> None:
    scene = make(2, ("cuda:0",))
    scene.submit(1, x=1.0, gpu=1)
    scene.submit(1, gpu=1)
    assert scene.running(1) == {"0": 1}
    scene.let(0)
    scene.probe.pump(lambda: len(scene.probe.of(Finished)) == 1)
    first = scene.probe.of(Finished)[0].outcome
    assert isinstance(first, Failed)
    assert first.kind is FailureKind.CRASH
    assert scene.running(1) == {"0": 1}
    scene.let(1)
    scene.probe.finish()
    assert isinstance(scene.probe.of(Finished)[1].outcome, Succeeded)


def test_attempt_that_can_never_run_here_is_refused_at_once(make: Make) -> None:
    scene = make(1, TWO)
    scene.submit(1, gpu=3)
    scene.probe.finish()
    (end,) = scene.probe.of(Finished)
    assert isinstance(end.outcome, Failed)
    assert end.outcome.kind is FailureKind.INFRASTRUCTURE
    assert "it needs gpu 3, and this machine has 2" in end.outcome.message


def test_cores_are_counted_like_devices(make: Make) -> None:
    cores = len(os.sched_getaffinity(0))
    scene = make(cores + 1, ())
    scene.submit(cores + 1, cpu=1)
    assert scene.running(cores) == {"all": cores}
    scene.let(*range(cores + 1))
    scene.probe.finish()


def test_devices_are_those_that_this_process_may_see(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,GPU-abc")
    scene = make(2, TWO)
    scene.submit(2, gpu=1)
    assert scene.running(2) == {"4": 1, "GPU-abc": 1}
    assert {seen[2] for seen in scene.seen().values()} == {""}
    scene.let(0, 1)
    scene.probe.finish()
