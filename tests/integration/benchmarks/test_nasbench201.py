"""NAS-Bench-201 from its file, where it is on this machine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from benchmarks.nasbench201_table import find_table

from morphml.benchmarks import key_of, nasbench201, play
from morphml.errors import CallerError


@pytest.fixture(scope="module")
def file() -> Path:
    found = find_table()
    if found is None:
        pytest.skip("nas-bench-201/nb201.npz is not here; set MORPHML_DATA to its folder")
    return found


@pytest.mark.parametrize(
    ("data_set", "best"), [("cifar10", 94.373), ("cifar100", 73.513), ("imagenet16", 47.311)]
)
def test_best_cells_are_the_published_ones(file: Path, data_set: str, best: float) -> None:
    problem = nasbench201(data_set, path=file)
    assert problem.measures[0].best == pytest.approx(best, abs=0.001)
    assert len(problem.look_up) == 5**6 == int(str(problem.space.size).replace(",", ""))


def test_both_spaces_look_up_the_same_cells(file: Path) -> None:
    plain = nasbench201(path=file)
    graphs = nasbench201(path=file, space="networks")
    with np.load(file, allow_pickle=False) as arrays:
        cells, names = arrays["ops"], [str(name) for name in arrays["op_names"]]
        accuracy = arrays["test_200_c100"]
    words = {"none": "zero", "skip_connect": "identity", "avg_pool_3x3": "pool3x3"}
    words |= {"nor_conv_1x1": "conv1x1", "nor_conv_3x3": "conv3x3"}
    edges = [decision.path for decision in plain.space.decisions]
    for row in range(0, 15_625, 611):
        ops = [names[op] for op in cells[row]]
        member = plain.space.member(dict(zip(edges, ops, strict=True)))
        network = graphs.space.member(
            {f"cell/{edge}": words[op] for edge, op in zip(edges, ops, strict=True)}
        )
        expected = {"test_200": float(accuracy[row])}
        assert plain(member, None) == graphs(network, None) == expected
    first, second = plain.space.default(), graphs.space.default()
    assert (plain.look_up.network(first) is None, graphs.look_up.network(second) is None) == (
        False,
        False,
    )


def test_small_cells_tell_networks_apart_as_whole_networks_do(file: Path) -> None:
    plain = nasbench201(path=file)
    graphs = nasbench201(path=file, space="networks")
    rng = np.random.default_rng(0)
    members = [graphs.space.sample(rng) for _ in range(120)]
    vectors = [member.vector for member in members]
    small = [plain.look_up.network(plain.space.architecture(vector)) for vector in vectors]
    whole = [graphs.look_up.network(member) for member in members]
    assert len(set(zip(small, whole, strict=True))) == len(set(small)) == len(set(whole)) < 120


def test_networks_that_are_known_cost_no_look_up_in_the_space_of_networks(file: Path) -> None:
    problem = nasbench201(path=file, space="networks")
    run = play(problem, key_of(problem, "evolution", 0, 80))
    assert run.evaluations == run.networks == run.vectors == 80


def test_cheap_protocol_sees_early_accuracy_and_answers_with_the_final_one(file: Path) -> None:
    problem = nasbench201("cifar100", "cheap", path=file)
    assert problem.objectives == {"val_12": "max"}
    run = play(problem, key_of(problem, "local_search", 0, 150))
    assert list(run.curves) == ["val_12", "test_200"]
    assert run.verdict == run.curves["test_200"]
    early = run.curves["val_12"]
    assert list(early) == sorted(early, reverse=True)
    # The best cell by early accuracy is known to be 1.23 points from the best.
    with np.load(file, allow_pickle=False) as arrays:
        best = int(np.argmax(arrays["val_12_c100"]))
        truth = arrays["test_200_c100"]
    assert float(truth.max() - truth[best]) == pytest.approx(1.23, abs=0.01)


def test_latency_protocol_is_judged_by_the_exact_front(file: Path) -> None:
    problem = nasbench201("cifar10", "latency", path=file)
    assert problem.objectives == {"test_200": "max", "latency": "min"}
    run = play(problem, key_of(problem, "nsga2", 0, 300))
    assert run.evaluations == 300
    assert 0.0 <= run.verdict[-1] < 0.06


def test_columns_and_devices_are_objectives_by_name(file: Path) -> None:
    named = nasbench201("cifar10", path=file, objectives=["test_200", "gold_6226"])
    latency = nasbench201("cifar10", "latency", path=file)
    assert named.objectives == {"test_200": "max", "gold_6226": "min"}
    assert (named.hypervolume, named.reference) == (latency.hypervolume, latency.reference)
    with np.load(file) as arrays:
        devices = [str(each) for each in arrays["latency_devices"]]
        pixel = arrays["latency_ms"][:, devices.index("pixel3")]
    assert len(devices) == 27
    for device in devices[::9]:
        assert nasbench201("imagenet16", path=file, objectives=["test_200", device]).hypervolume > 0
    three = nasbench201("cifar100", path=file, objectives=["pixel3", "val_200", "params_m"])
    assert [each.unit for each in three.measures] == ["ms", "points", "millions"]
    assert three.measures[0].best == pytest.approx(float(pixel.min()))
    with pytest.raises(CallerError, match="no objective 'pixel9'"):
        nasbench201("cifar100", path=file, objectives=["test_200", "pixel9"])


def test_missing_file_says_where_to_put_it(tmp_path: Path) -> None:
    with pytest.raises(CallerError, match=r"nb201\.npz is not at .*MORPHML_DATA"):
        nasbench201(path=tmp_path)


def test_unknown_words_are_named(file: Path) -> None:
    with pytest.raises(CallerError, match="did you mean 'cifar100'"):
        nasbench201("cifar1000", path=file)
    with pytest.raises(CallerError, match="no device 'gold'"):
        nasbench201("cifar10", "latency", path=file, device="gold")
