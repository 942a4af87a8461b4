"""Tasks of OpenML from a copy of what it answers, served on this machine or lying on the disk."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from morphml.errors import CallerError, WorkerError
from morphml.evaluation.data import load_dataset
from morphml.evaluation.data.openml import openml_task

ROWS = 60


def data() -> str:
    """A number with gaps, words, a text, a row number to ignore, and two classes."""
    rng = np.random.default_rng(0)
    lines = ["@relation loans", "@attribute row integer", "@attribute age numeric"]
    lines += ["@attribute job {none, some}", "@attribute note string"]
    lines += ["@attribute class {good, bad}", "@data"]
    for row in range(ROWS):
        age = "?" if row % 10 == 3 else f"{rng.normal(40 + 20 * (row % 2), 5):.3f}"
        job = "?" if row % 15 == 7 else ("none", "some")[row % 3 == 0]
        lines.append(f"{row},{age},{job},'a note',{('good', 'bad')[row % 2]}")
    return "\n".join(lines)


def splits() -> str:
    lines = ["@relation splits", "@attribute type {TRAIN,TEST}", "@attribute rowid numeric"]
    lines += ["@attribute repeat numeric", "@attribute fold numeric", "@data"]
    for fold in (0, 1):
        for row in range(ROWS):
            lines.append(f"{'TEST' if row % 4 == fold else 'TRAIN'},{row},0,{fold}")
    return "\n".join(lines)


def answers(server: str) -> dict[str, str]:
    task = {
        "task_id": "7",
        "task_type": "Supervised Classification",
        "input": [
            {
                "name": "source_data",
                "data_set": {"data_set_id": "3", "target_feature": "class"},
            },
            {
                "name": "estimation_procedure",
                "estimation_procedure": {"data_splits_url": f"{server}/splits/7"},
            },
        ],
    }
    described = {
        "id": "3",
        "name": "loans",
        "format": "ARFF",
        "url": f"{server}/data/3.arff",
        "md5_checksum": hashlib.md5(data().encode()).hexdigest(),
        "row_id_attribute": "row",
    }
    clusters = {**task, "task_type": "Clustering"}
    return {
        "/api/v1/json/task/7": json.dumps({"task": task}),
        "/api/v1/json/task/8": json.dumps({"task": clusters}),
        "/api/v1/json/data/3": json.dumps({"data_set_description": described}),
        "/data/3.arff": data(),
        "/splits/7": splits(),
    }


class Asked(BaseHTTPRequestHandler):
    def __init__(self, seen: list[str], wrong: set[str], *rest: object) -> None:
        self._seen, self._wrong = seen, wrong
        super().__init__(*rest)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        self._seen.append(self.path)
        host, port = self.server.server_address[:2]
        found = answers(f"http://{host}:{port}").get(self.path)
        if found is not None and self.path in self._wrong:
            found = found[:-9]
        self.send_response(200 if found is not None else 412)
        self.end_headers()
        self.wfile.write((found or "{}").encode())

    def log_message(self, *_: object) -> None:
        """Quiet."""


class Served:
    def __init__(self) -> None:
        self.seen: list[str] = []
        self.wrong: set[str] = set()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Asked, self.seen, self.wrong))
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def openml() -> Iterator[Served]:
    served = Served()
    thread = threading.Thread(target=served.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield served
    served.server.shutdown()
    served.server.server_close()
    thread.join()


def test_task_is_fetched_once_and_read_without_network_after(
    openml: Served, tmp_path: Path
) -> None:
    first = openml_task(7, folder=tmp_path, server=openml.url)
    assert sorted(openml.seen) == sorted(path for path in answers("") if not path.endswith("/8"))
    openml.server.shutdown()
    again = load_dataset("openml:7", folder=tmp_path)
    assert len(openml.seen) == 4
    assert np.array_equal(first.train.x, again.train.x)
    kept = sorted(each.name for each in (tmp_path / "openml").iterdir())
    assert kept == ["data-3.arff", "data-3.json", "splits-7.arff", "task-7.json"]


def test_rows_become_numbers_by_the_training_rows(openml: Served, tmp_path: Path) -> None:
    loaded = openml_task(7, folder=tmp_path, server=openml.url)
    assert loaded.test is not None
    train, test = np.asarray(loaded.train.x), np.asarray(loaded.test.x)
    assert train.shape == (45, 3) and test.shape == (15, 3)  # age, and a column for each word
    assert train.dtype == np.float32 and loaded.train.y.dtype == np.int64
    rows = [row for row in range(ROWS) if row % 4]
    assert loaded.train.y.tolist() == [row % 2 for row in rows]
    gaps = [place for place, row in enumerate(rows) if row % 10 == 3]
    assert gaps and (train[gaps, 0] == 0).all()  # a missing number is the mean
    assert abs(train[:, 0].mean()) < 1e-6
    present = np.delete(train[:, 0], gaps)
    assert present.std() == pytest.approx(1.0, abs=1e-5)
    missing = [place for place, row in enumerate(rows) if row % 15 == 7]
    assert missing and not train[missing, 1:].any()  # a missing word is none of them
    assert (np.delete(train[:, 1:], missing, axis=0).sum(1) == 1).all()


def test_folds_are_those_of_the_task(openml: Served, tmp_path: Path) -> None:
    second = openml_task(7, fold=1, folder=tmp_path, server=openml.url)
    assert second.test is not None
    assert second.test.y.tolist() == [1] * 15  # rows 1, 5, 9, ...
    with pytest.raises(CallerError, match=r"has no fold 2; there are \[0, 1\]"):
        openml_task(7, fold=2, folder=tmp_path, server=openml.url)


def test_broken_download_is_not_kept(openml: Served, tmp_path: Path) -> None:
    openml.wrong.add("/data/3.arff")
    with pytest.raises(WorkerError, match="OpenML says"):
        openml_task(7, folder=tmp_path, server=openml.url)
    assert sorted(each.name for each in (tmp_path / "openml").iterdir()) == [
        "data-3.json",
        "task-7.json",
    ]
    openml.wrong.clear()
    assert len(openml_task(7, folder=tmp_path, server=openml.url).train) == 45


def test_changed_file_is_noticed(openml: Served, tmp_path: Path) -> None:
    openml_task(7, folder=tmp_path, server=openml.url)
    with (tmp_path / "openml" / "data-3.arff").open("a") as file:
        file.write("\n60,1,none,'x',good\n")
    with pytest.raises(CallerError, match="remove it to fetch it again"):
        openml_task(7, folder=tmp_path, server=openml.url)


def test_what_cannot_be_had_is_told(openml: Served, tmp_path: Path) -> None:
    with pytest.raises(CallerError, match=r"OpenML has nothing at .*/task/9 \(HTTP 412\)"):
        openml_task(9, folder=tmp_path, server=openml.url)
    with pytest.raises(CallerError, match="is 'Clustering'"):
        openml_task(8, folder=tmp_path, server=openml.url)
    openml.server.shutdown()
    openml.server.server_close()
    with pytest.raises(WorkerError, match="cannot be reached"):
        openml_task(7, folder=tmp_path / "other", server=openml.url)
    with pytest.raises(CallerError, match="a task's number, such as 'openml:31'"):
        load_dataset("openml:credit", folder=tmp_path)


def test_built_in_training_learns_a_task(openml: Served, tmp_path: Path, monkeypatch) -> None:
    import morphml as mm
    from morphml import layers as L
    from morphml.evaluation.training import Classification

    openml_task(7, folder=tmp_path, server=openml.url)
    openml.server.shutdown()
    monkeypatch.setenv("MORPHML_DATA", str(tmp_path))
    layers = [L.dense(mm.choice(8, 16)), L.relu(), L.output(2)]
    space = mm.SearchSpace(input=(3,), layers=layers)
    evaluator = Classification("openml:7", epochs=20, lr=0.05, batch_size=16)
    result = mm.search(space, evaluator, optimizer="random", trials=2, workers=0, seed=1)
    assert result.counts == {"completed": 2}
    assert result.best.metrics["accuracy"] > 0.8
