"""Why a request can run nowhere, said so that a person can act on it."""

from __future__ import annotations

import pytest

from morphml.scheduling.resources import Capacity, Missing, Requirements, missing, words

BOX = Capacity.parse({"cpu": 4.0, "memory": 16e9, "gpu:0:tesla-t4": 16e9})
STORE = Capacity.parse({"cpu": 64.0, "memory": 512e9, "ssd": 1.0, "fast": 1.0})
GPU_1 = "gpu 2, and the most that any worker has is 1"
MEMORY_16 = "gpu-memory 40 GB, and the most that any worker has is 16 GB"


@pytest.mark.parametrize(
    ("needs", "said"),
    [
        ({"gpu": 2}, [GPU_1]),
        ({"cpu": 65}, ["cpu 65, and the most that any worker has is 64"]),
        ({"memory": 1e12}, ["memory 1000 GB, and the most that any worker has is 512 GB"]),
        ({"gpu": 0.5, "gpu-memory": 40e9}, [MEMORY_16]),
        ({"gpu": 1, "gpu:h200": 1}, ["gpu:h200, which no worker has"]),
        ({"nvme": 1, "gpu": 2, "cpu": 2}, [GPU_1, "nvme, which no worker has"]),
        ({"gpu": 1, "ssd": 1, "cpu": 2}, ["no worker has ssd and gpu together"]),
        ({"gpu": 1, "cpu": 8}, ["no worker has cpu and gpu together"]),
        ({"workers": 3}, ["3 workers at once, and 2 could take part"]),
        ({"gpu": 1, "workers": 2}, ["2 workers at once, and 1 could take part"]),
        ({"gpu": 1, "ssd": 1, "workers": 2}, ["no worker has ssd and gpu together"]),
    ],
)
def test_missing_says_what_no_worker_has(needs: dict[str, float], said: list[str]) -> None:
    found = missing(Requirements.parse(needs), [BOX, STORE])
    assert sorted(str(each) for each in found) == sorted(said)


@pytest.mark.parametrize(
    "needs", [{}, {"gpu": 1, "cpu": 4}, {"ssd": 1}, {"gpu": 0}, {"workers": 2}]
)
def test_missing_is_empty_where_a_worker_could_run_it(needs: dict[str, float]) -> None:
    assert missing(Requirements.parse(needs), [BOX, STORE]) == ()


def test_missing_without_any_worker_is_a_worker() -> None:
    assert missing(Requirements.parse({"gpu": 1}), []) == (
        Missing(name="workers", asked=1, most=0),
    )
    assert str(missing(Requirements.parse({}), [])[0]) == "there is no worker"


def test_words_name_a_request_for_people() -> None:
    assert (
        words(Requirements.parse({"gpu": 0.5, "ssd": 1, "memory": 2e9}))
        == "gpu 0.5, memory 2 GB, ssd"
    )
    assert words(Requirements.parse({})) == "a slot"
