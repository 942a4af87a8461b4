"""Small files in the form of the published NATS-Bench ones."""

from __future__ import annotations

import bz2
import os
import pickle
from collections import OrderedDict
from pathlib import Path

import pytest

from morphml.benchmarks import key_of, nasbench201, play
from morphml.benchmarks.nats_bench import META, operations, read_plain
from morphml.errors import CallerError

CELLS = [
    "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|none~1|skip_connect~2|",
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|none~1|nor_conv_3x3~2|",
    "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|",
]


def trained(epochs: int, splits: tuple[str, ...], last: float) -> dict[str, object]:
    times = OrderedDict((epoch, 1.5) for epoch in range(epochs))
    accuracy = {f"{s}@{e}": last - epochs + 1 + e for s in splits for e in range(epochs)}
    return {"eval_acc1es": accuracy, "train_times": times, "net_state_dict": None, "seed": 777}


def results(place: int) -> dict[str, object]:
    made: dict[str, object] = {"full": None}
    for epochs in (12, 200):
        runs = {
            ("cifar100", seed): trained(epochs, ("x-valid", "x-test"), 50.0 + 10 * place + offset)
            for seed, offset in ((777, 0.0), (888, 2.0))
        }
        made[str(epochs)] = {
            "arch_index": place,
            "arch_str": CELLS[place],
            "all_results": runs,
            "dataset_seed": {"cifar100": [777, 888]},
        }
    return made


def write(path: Path, value: object, protocol: int = 4) -> Path:
    path.write_bytes(bz2.compress(pickle.dumps(value, protocol=protocol)))
    return path


@pytest.fixture(params=["file", "folder"])
def published(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    meta = {"meta_archs": CELLS, "total_archs": 3, "evaluated_indexes": {0, 1, 2}}
    if request.param == "file":
        whole = meta | {"arch2infos": {place: results(place) for place in range(3)}}
        return write(tmp_path / "NATS-tss-v1_0-small.pickle.pbz2", whole, protocol=2)
    write(tmp_path / META, meta)
    for place in range(3):
        write(tmp_path / f"{place:06d}.pickle.pbz2", results(place))
    return tmp_path


def test_cells_are_found_with_the_mean_over_their_seeds(published: Path) -> None:
    problem = nasbench201("cifar100", "cheap", path=published)
    assert len(problem.look_up) == 3
    ops = operations(CELLS[1])
    assert len(ops) == 6
    edges = [decision.path for decision in problem.space.decisions]
    member = problem.space.member(dict(zip(edges, ops, strict=True)))
    assert problem.look_up(member) == {"val_12": 61.0, "test_200": 61.0}
    assert problem.measures[0].best == 71.0


def test_cells_that_are_not_in_the_file_fail(published: Path) -> None:
    problem = nasbench201("cifar100", path=published)
    run = play(problem, key_of(problem, "random", 0, 5))
    assert (run.evaluations, run.failed) == (5, 5)
    assert run.verdict[-1] == float("inf")


def test_latency_is_not_in_these_files(published: Path) -> None:
    with pytest.raises(CallerError, match="no latencies"):
        nasbench201("cifar100", "latency", path=published)


def test_data_set_that_was_not_trained_is_named(published: Path) -> None:
    with pytest.raises(CallerError, match="cell 0 lacks a result"):
        nasbench201("cifar10", path=published)


class Command:
    """What an attacker would write."""

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("made-by-a-pickle",)


def test_pickle_that_runs_something_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for value in (Command(), {"meta_archs": [Command()]}, Path("a"), complex(1, 2)):
        file = write(tmp_path / "bad.pickle.pbz2", value)
        with pytest.raises(
            CallerError, match=r"plain values: it names (posix|nt|pathlib|builtins)"
        ):
            read_plain(file)
    assert not (tmp_path / "made-by-a-pickle").exists()


def test_file_that_is_none_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.pickle.pbz2"
    file.write_bytes(b"nothing")
    with pytest.raises(CallerError, match="not read"):
        read_plain(file)
    with pytest.raises(CallerError, match="no 'meta_archs'"):
        nasbench201(path=write(tmp_path / "y.pickle.pbz2", {"a": 1}))
