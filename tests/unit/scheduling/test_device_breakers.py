"""Which GPUs of a machine are shut off for their failures, and how they come back."""

from __future__ import annotations

from itertools import count

from morphml.ids import AttemptToken, ExperimentId
from morphml.scheduling import FailureKind
from morphml.scheduling.faults import DeviceBreakers, DeviceFailure
from morphml.scheduling.faults.events import AwaitProbe, CloseBreaker, OpenBreaker, Probe

NAMES = tuple(f"cuda:{index}" for index in range(4))
ALL = frozenset(range(4))


class Story:
    """Breakers, and short words for what happens to attempts."""

    def __init__(self, devices: int = 4) -> None:
        self.breakers = DeviceBreakers(NAMES[:devices])
        self.able = frozenset(range(devices))
        self.numbers = count()
        self.now = 0.0

    def begins(self, *devices: int) -> AttemptToken:
        token = AttemptToken(f"t{next(self.numbers)}")
        self.commands = self.breakers.sent(token, devices, self.able, self.now)
        return token

    def fails(
        self,
        *devices: int,
        evidence: str = "CUDA error",
        token: AttemptToken | None = None,
        kind: FailureKind = FailureKind.USER_ERROR,
    ) -> None:
        failure = DeviceFailure(
            kind=kind,
            experiment=ExperimentId("e"),
            evidence=evidence,
            lasted_s=0.1,
            error="RuntimeError: CUDA error: an illegal memory access",
        )
        token = token or self.begins(*devices)
        self.commands = self.breakers.broke(token, failure, self.now)

    def works(self, *devices: int) -> None:
        self.commands = self.breakers.worked(self.begins(*devices), self.now)

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.commands = self.breakers.tick(self.now)


def test_device_that_only_fails_is_shut_off_and_the_others_are_not() -> None:
    story = Story()
    for device in (0, 1, 3):
        story.works(device)
    story.fails(2)
    assert (story.breakers.doubted, story.breakers.shut) == ({2}, set())
    for _ in range(2):
        story.fails(2)
    [opened] = story.commands
    assert isinstance(opened, OpenBreaker)
    assert opened.worker == "cuda:2"
    assert story.breakers.shut == {2}
    assert "3 failures in a row: RuntimeError: CUDA error" in story.breakers.why(2)
    assert story.breakers.due() == 30.0


def test_device_comes_back_when_its_one_probe_works() -> None:
    story = Story()
    for _ in range(3):
        story.fails(2)
    story.wait(29.0)
    assert story.breakers.shut == {2}
    story.wait(1.0)
    assert story.commands == [Probe(worker="cuda:2")]
    assert (story.breakers.shut, story.breakers.doubted) == (set(), {2})
    token = story.begins(2)
    assert story.commands == [AwaitProbe(worker="cuda:2")]
    assert story.breakers.shut == {2}
    assert story.breakers.worked(token, story.now) == [CloseBreaker(worker="cuda:2")]
    assert (story.breakers.shut, story.breakers.doubted) == (set(), set())


def test_failed_probe_shuts_it_off_for_twice_as_long() -> None:
    story = Story()
    for _ in range(3):
        story.fails(2)
    story.wait(30.0)
    story.fails(token=story.begins(2))
    assert (story.breakers.shut, story.breakers.due()) == ({2}, 90.0)


def test_what_all_devices_show_is_no_fault_of_one() -> None:
    story = Story()
    for _ in range(10):
        for device in range(4):
            story.fails(device)
    assert story.breakers.shut == set()


def test_last_device_that_could_run_it_is_never_shut_off() -> None:
    story = Story()
    story.able = frozenset({1, 2})
    for device in (1, 2):
        for attempt in range(9):
            story.fails(device, evidence=f"{device}-{attempt}")
    assert story.breakers.shut == {1}


def test_attempt_sent_to_a_shut_device_all_the_same_is_no_probe() -> None:
    story = Story()
    for _ in range(3):
        story.fails(2)
    story.works(2)
    assert story.breakers.shut == {2}


def test_attempt_on_several_devices_speaks_for_them_and_never_against_one() -> None:
    story = Story()
    for _ in range(9):
        story.fails(0, 1)
    assert (story.breakers.shut, story.breakers.doubted) == (set(), set())
    story.fails(0)
    assert story.breakers.doubted == {0}
    story.works(0, 1)
    assert story.breakers.doubted == set()


def test_limits_and_lost_workers_say_nothing_of_a_device() -> None:
    story = Story()
    for kind in (FailureKind.TIME_LIMIT, FailureKind.LOST_WORKER, FailureKind.PREEMPTED):
        for _ in range(5):
            story.fails(0, kind=kind)
    assert (story.breakers.shut, story.breakers.doubted) == (set(), set())


def test_single_device_is_not_watched() -> None:
    story = Story(devices=1)
    for _ in range(9):
        story.fails(0)
    assert (story.breakers.shut, story.breakers.doubted, story.breakers.why(0)) == (
        set(),
        set(),
        "",
    )
