"""What a trial needs, read from the mapping that a person writes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from morphml.errors import ExperimentError, RequirementsError
from morphml.scheduling.resources import NOTHING, GpuNeed, Requirements

NAMES = st.sampled_from(["cpu", "memory", "disk", "ssd", "site-a", "gpu", "gpu:h200", "workers"])


@st.composite
def needs(draw: st.DrawFn) -> dict[str, float]:
    """A mapping that makes sense."""
    found = draw(st.dictionaries(NAMES, st.integers(1, 4).map(float)))
    if "gpu" in found and draw(st.booleans()):
        found["gpu"] = draw(st.sampled_from([0.25, 0.5, 1.0]))
    if "gpu" not in found:
        found.pop("gpu:h200", None)
    elif draw(st.booleans()):
        found["gpu-memory"] = 8e9
    return found


def test_requirements_of_an_empty_mapping_are_nothing() -> None:
    assert Requirements.parse({}) is NOTHING
    assert Requirements.parse({"cpu": 0, "ssd": 0}) == NOTHING


@given(needs())
def test_requirements_survive_the_way_over_a_mapping(mapping: dict[str, float]) -> None:
    made = Requirements.parse(mapping)
    again = Requirements.parse(dict(reversed(made.mapping().items())))
    assert again == made
    assert hash(again) == hash(made)


def test_requirements_of_gpus_are_a_share_of_one_or_whole_ones() -> None:
    assert Requirements.parse({"gpu": 0.5}).gpu == GpuNeed(1, 0.5)
    assert Requirements.parse({"gpu": 1}).gpu == GpuNeed(1, 1.0)
    assert Requirements.parse({"gpu": 3}).gpu == GpuNeed(3, 1.0)
    assert Requirements.parse({"gpu": 0}).gpu == GpuNeed(0)
    assert Requirements.parse({"cpu": 1}).gpu is None


def test_requirements_know_models_by_their_words() -> None:
    one = Requirements.parse({"gpu": 1, "gpu:NVIDIA H200": 1})
    two = Requirements.parse({"gpu": 1, "gpu:h200": 1, "gpu:nvidia": 1})
    assert one == two
    assert one.gpu is not None
    assert one.gpu.model == {"nvidia", "h200"}


def test_requirements_of_each_worker_of_a_gang_are_those_without_the_gang() -> None:
    gang = Requirements.parse({"gpu": 1, "workers": 4})
    assert gang.workers == 4
    assert gang.one_at_a_time == Requirements.parse({"gpu": 1})


@pytest.mark.parametrize(
    ("mapping", "name", "words"),
    [
        ({"gpu": 1.5}, "gpu", "share of one device .up to 1. or whole devices"),
        ({"gpus": 1}, "gpus", "did you mean 'gpu'"),
        ({"CPU": 1}, "CPU", "did you mean 'cpu'"),
        ({"gpu_memory": 8e9}, "gpu_memory", "did you mean 'gpu-memory'"),
        ({"worker": 2}, "worker", "did you mean 'workers'"),
        ({"gpu-memory": 8e9}, "gpu-memory", "how much of a GPU"),
        ({"gpu:h200": 1}, "gpu:h200", "how much of a GPU"),
        ({"cpu": -1}, "cpu", "a number from 0, got -1"),
        ({"cpu": float("nan")}, "cpu", "a number from 0, got nan"),
        ({"cpu": True}, "cpu", "a number from 0, got True"),
        ({"cpu": "2"}, "cpu", "a number from 0, got '2'"),
        ({"workers": 1.5}, "workers", "a whole number from 1, got 1.5"),
        ({"workers": 0}, "workers", "a whole number from 1, got 0"),
        ({"": 1}, "", "names are texts"),
    ],
)
def test_requirements_that_make_no_sense_are_refused_with_the_rule(
    mapping: dict[str, float], name: str, words: str
) -> None:
    with pytest.raises(RequirementsError, match=words) as caught:
        Requirements.parse(mapping)
    assert caught.value.name == name
    assert isinstance(caught.value, ExperimentError)
