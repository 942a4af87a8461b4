"""A cluster behind Ray's own TLS and token, and a search that is sent to it as a job."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.ray.clusters import LONG_S, RayCluster, ray_cluster
from tests.faults.ray.conftest import CODE
from tests.faults.ray.hunting import SPACE

import morphml as mm
from morphml.errors import WorkerError
from morphml.master import Experiment
from morphml.search.experiment import ExperimentState
from morphml.search.progress import Progress

pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]
OUTSIDE = "ray://127.0.0.1:10001"


@pytest.fixture(scope="module")
def guarded() -> Iterator[RayCluster]:
    """A head with two slots that takes jobs; every connection is TLS, and needs the token."""
    with ray_cluster(cpus=2, jobs=True, tls=True) as made:
        yield made


@pytest.fixture(autouse=True)
def _let_in(guarded: RayCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in guarded.env.items():
        if name.startswith("RAY_"):
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("RAY_API_SERVER_ADDRESS", guarded.jobs)
    monkeypatch.setenv("MORPHML_ARTIFACTS", str(guarded.folder / "artifacts"))


def search(engine: str) -> mm.Result:
    return mm.search(
        SPACE,
        lambda arch, trial: arch.decisions["x"] ** 2,  # type: ignore[operator]
        objectives={"loss": "min"},
        optimizer="random",
        trials=6,
        engine=engine,
    )


def test_search_runs_behind_tls_and_a_token_of_ray(guarded: RayCluster) -> None:
    result = search(f"ray:{guarded.address}")
    assert [each.state.value for each in result.records] == ["completed"] * 6


@pytest.mark.parametrize(
    ("name", "value"), [("RAY_AUTH_TOKEN", "0" * 64), ("RAY_USE_TLS", "0")], ids=["token", "tls"]
)
def test_search_that_is_not_let_in_is_told_what_to_look_at(
    name: str, value: str, guarded: RayCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(WorkerError, match=f"(?s)no Ray cluster.*{name}"):
        search(f"ray:{guarded.address}")


def test_search_of_a_script_outside_runs_as_a_job_and_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres_url: str
) -> None:
    tally, seen = tmp_path / "tally", []
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    Path("beside.py").write_text("def square(x):\n    return x * x\n")

    def evaluate(arch: mm.Architecture, trial: mm.Trial) -> float:
        from beside import square  # type: ignore[import-not-found]  # went along with the folder

        with tally.open("a") as file:
            file.write(f"{trial.number}\n")
        return float(square(arch.decisions["x"]))

    result = mm.search(
        SPACE,
        evaluate,
        objectives={"loss": "min"},
        optimizer="random",
        trials=6,
        storage=postgres_url,
        engine=OUTSIDE,
        observer=lambda progress: seen.append(progress.ended),
    )
    assert [each.state.value for each in result.records] == ["completed"] * 6
    assert sorted(map(int, tally.read_text().split())) == list(range(6))
    assert seen
    assert {each.worker.partition("-")[0] for each in result.attempts} == {"ray"}

    with pytest.raises(WorkerError, match="is completed"):  # as the job says it
        mm.resume(postgres_url, evaluate=evaluate, engine=OUTSIDE)


def test_search_that_is_stopped_here_stops_there_and_goes_on_by_resume(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres_url: str
) -> None:
    tally = tmp_path / "tally"
    monkeypatch.chdir(tmp_path)

    def evaluate(arch: mm.Architecture, trial: mm.Trial) -> float:
        with tally.open("a") as file:
            file.write(f"{trial.number}\n")
        time.sleep(0.0 if (tmp_path / "go").exists() else 2.0)
        return 0.0

    def stop(progress: Progress) -> None:
        if progress.ended:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mm.search(
            SPACE,
            evaluate,
            objectives={"loss": "min"},
            optimizer="random",
            trials=200,
            storage=postgres_url,
            engine=OUTSIDE,
            observer=stop,
        )
    with Experiment.open(postgres_url) as stopped:
        assert stopped.record.state is ExperimentState.PAUSED
        ended = len(stopped.result().records)
    begun = len(tally.read_text().split())
    assert 0 < ended < 200
    assert begun <= ended + 2 * 2  # slots, and as many taken ahead
    (tmp_path / "go").touch()
    result = mm.resume(postgres_url, engine=OUTSIDE)
    assert [each.state.value for each in result.records] == ["completed"] * 200
    again = Counter(map(int, tally.read_text().split()))
    assert set(again) == set(range(200))
    assert again.total() <= 200 + 2 * 2


def test_experiment_file_is_sent_by_the_command_line(tmp_path: Path, postgres_url: str) -> None:
    (tmp_path / "theirs.py").write_text((CODE / "ray_evaluations.py").read_text())
    (tmp_path / "e.yaml").write_text(
        'space: \'SearchSpace(decisions={"x": real(-1.0, 1.0), "k": integer(1, 5)})\'\n'
        "evaluator: theirs:loss\nobjectives: {loss: min}\noptimizer: random\ntrials: 4\n"
    )
    command = [sys.executable, "-m", "morphml.cli", "search", "e.yaml", "--json", "--quiet"]
    done = subprocess.run(
        [*command, "--engine", OUTSIDE, "--storage", postgres_url],
        cwd=tmp_path,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
        timeout=LONG_S,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["trials"]["completed"] == 4
