"""What a worker has, read from its offers."""

from __future__ import annotations

import pytest

from morphml.scheduling.resources import Capacity, Gpu, Requirements

TWO = {
    "cpu": 8.0,
    "memory": 64e9,
    "ssd": 1.0,
    "gpu:0:nvidia-a100-sxm4-80gb": 85e9,
    "gpu:1:tesla-t4": 16e9,
}


def test_capacity_has_devices_labels_and_amounts() -> None:
    found = Capacity.parse(TWO)
    assert found.gpus == (
        Gpu(index=0, model="nvidia-a100-sxm4-80gb", memory=85e9),
        Gpu(index=1, model="tesla-t4", memory=16e9),
    )
    assert found.labels == {"ssd": 1.0}
    assert found.amounts == {"cpu": 8.0, "memory": 64e9}
    assert Capacity.parse(found.offers()) == found


def test_capacity_of_a_number_of_gpus_alone_has_devices_without_a_model() -> None:
    assert Capacity.parse({"gpu": 2.0, "gpu-memory": 8e9}).gpus == (
        Gpu(index=0, memory=8e9),
        Gpu(index=1, memory=8e9),
    )
    assert Capacity.parse({"gpu": 1.5}).gpus == (Gpu(index=0), Gpu(index=1, share=0.5))
    assert Capacity.parse({"cpu": 2.0}).gpus == ()


def test_capacity_offers_as_many_of_its_devices_as_the_operator_says() -> None:
    assert [gpu.index for gpu in Capacity.parse(TWO | {"gpu": 1.0}).gpus] == [0]
    assert Capacity.parse(TWO | {"gpu": 0.0}).gpus == ()
    assert [gpu.index for gpu in Capacity.parse(TWO | {"gpu": 3.0}).gpus] == [0, 1, 2]


def test_capacity_of_a_worker_that_boasts_is_bounded() -> None:
    assert len(Capacity.parse({"gpu": 1e12}).gpus) == 1024


@pytest.mark.parametrize(
    ("needs", "could"),
    [
        ({}, True),
        ({"cpu": 8}, True),
        ({"cpu": 8.5}, False),
        ({"disk": 1}, False),
        ({"ssd": 1}, True),
        ({"ssd": 2}, False),
        ({"gpu": 2}, True),
        ({"gpu": 3}, False),
        ({"gpu": 0}, True),
        ({"gpu": 0.5, "gpu-memory": 80e9}, True),
        ({"gpu": 2, "gpu-memory": 80e9}, False),
        ({"gpu": 1, "gpu:t4": 1}, True),
        ({"gpu": 1, "gpu:a100": 1, "gpu:80gb": 1}, True),
        ({"gpu": 2, "gpu:a100": 1}, False),
        ({"gpu": 1, "gpu:t4": 1, "gpu-memory": 20e9}, False),
    ],
)
def test_capacity_could_run_what_it_has_enough_for(needs: dict[str, float], could: bool) -> None:
    assert Capacity.parse(TWO).could(Requirements.parse(needs)) is could
