"""Which GPUs this process may use, and what a slot's child is shown of them."""

from __future__ import annotations

import pytest

from morphml.engines import devices
from morphml.engines.local.binding import Binding, Sight
from morphml.errors import CallerError, WorkerError
from morphml.scheduling.resources import Capacity

TWO = ("cuda:0", "cuda:1")


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER"):
        monkeypatch.delenv(name, raising=False)


def binding(slots: int, names: tuple[str, ...]) -> Binding:
    return Binding(slots, names, Capacity())


def test_slots_without_devices_use_the_processor_and_hide_nothing() -> None:
    sight = binding(4, ()).own(3)
    assert (sight.device, sight.env) == ("cpu", {})


def test_slots_take_turns_on_devices_and_see_their_own_only() -> None:
    made = binding(4, TWO)
    sights = [made.own(i) for i in range(4)]
    assert [sight.env["CUDA_VISIBLE_DEVICES"] for sight in sights] == ["0", "1", "0", "1"]
    assert {sight.device for sight in sights} == {"cuda:0"}
    assert [sight.indexes for sight in sights] == [(0,), (1,), (0,), (1,)]


def test_slots_of_an_operator_who_wants_no_gpu_hide_all() -> None:
    assert binding(1, ("cpu",)).own(0) == Sight(device="cpu", visible="")
    assert binding(1, ("mps",)).own(0) == Sight(device="mps")


def test_devices_are_counted_among_those_that_the_parent_may_see(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5, GPU-abc")
    assert devices.gpus() == TWO
    assert devices.visible(("cuda:1",)) == ("GPU-abc",)
    assert binding(2, TWO).own(1).env == {"CUDA_VISIBLE_DEVICES": "GPU-abc"}
    with pytest.raises(WorkerError, match="cuda:2: CUDA_VISIBLE_DEVICES=5,GPU-abc has no such one"):
        devices.visible(("cuda:2",))


@pytest.mark.parametrize(("value", "count"), [("", 0), ("0,-1,2", 1), ("-1", 0), ("3", 1)])
def test_devices_end_where_cuda_ends_them(
    monkeypatch: pytest.MonkeyPatch, value: str, count: int
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
    assert len(devices.gpus()) == count


def test_devices_are_counted_as_the_tools_count_them_unless_somebody_counted_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert devices.showing("1") == {"CUDA_VISIBLE_DEVICES": "1", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    assert devices.showing("1") == {"CUDA_VISIBLE_DEVICES": "1"}


def test_operator_chooses_among_the_gpus_that_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5,6")
    assert devices.chosen_gpus("0, 2") == ("cuda:0", "cuda:2")
    assert devices.visible(devices.chosen_gpus("2,0")) == ("6", "4")
    assert devices.chosen_gpus("none") == ("cpu",)


@pytest.mark.parametrize("wanted", ["3", "0,0", "", "a", "-1", "0;1"])
def test_operator_who_names_a_gpu_that_is_not_there_is_told_what_is(
    monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5,6")
    with pytest.raises(CallerError, match="this process may use 3 GPUs numbered 0 to 2"):
        devices.chosen_gpus(wanted)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(CallerError, match="may use no GPU"):
        devices.chosen_gpus(wanted)
