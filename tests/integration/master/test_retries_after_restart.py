"""What the retry rule still knows when a search goes on in another process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import morphml as mm
from morphml.evaluation import EvaluatorSource
from morphml.master import Experiment
from morphml.master.options import make_spec
from morphml.master.recovery import earlier_failures, fresh_machine
from morphml.scheduling.failures import Failure, FailureKind

GRID = mm.SearchSpace(decisions={"a": mm.integer(0, 9), "b": mm.integer(0, 9)})

#: A search whose process is killed in the middle of its only trial.
LOST = """
import os, signal, sys
import morphml as mm

def evaluate(arch, trial):
    os.kill(os.getpid(), signal.SIGKILL)

space = mm.SearchSpace(decisions={"a": mm.integer(0, 9), "b": mm.integer(0, 9)})
if os.path.exists(sys.argv[1]):
    mm.resume(sys.argv[1], workers=0, evaluate=evaluate)
else:
    mm.search(space, evaluate, trials=1, workers=0, storage=sys.argv[1])
"""


class Unready:
    """An evaluator that fails before it begins: an infrastructure failure."""

    def setup(self, context):
        raise RuntimeError("no data here")

    def __call__(self, arch, trial):
        return 1.0


def test_error_seen_on_two_workers_before_a_restart_is_not_retried_after_it(tmp_path: Path) -> None:
    folder = str(tmp_path)

    def evaluate(arch, trial):
        Path(folder, f"here-{os.getpid()}").touch()
        while len(list(Path(folder).glob("here-*"))) < 2:  # until both workers have one
            time.sleep(0.01)
        if trial.number:
            raise ValueError("the same everywhere")
        return 1.0

    path = tmp_path / "s.db"
    mm.search(GRID, evaluate, trials=5, workers=2, storage=path)
    mm.resume(path, trials=9, workers=2)
    with Experiment.open(path) as experiment:
        attempts = list(experiment.store.attempts(experiment.id))
    failing = [a for a in attempts if a.failure is not None]
    assert {a.worker for a in failing if a.number < 5} == {"local-0", "local-1"}
    assert Counter(a.number for a in failing if a.number >= 5) == {5: 1, 6: 1, 7: 1, 8: 1}


def test_sightings_are_rebuilt_from_trials_that_ended_too(tmp_path: Path) -> None:
    def evaluate(arch, trial):
        raise ValueError("here")

    result = mm.search(GRID, evaluate, trials=1, workers=0, storage=tmp_path / "s.db")
    (failure,) = result.failures.values()
    with Experiment.open(tmp_path / "s.db") as experiment:
        spec = make_spec(GRID, EvaluatorSource.of(evaluate), 1, {"trials": 1})
        machine = fresh_machine(spec, GRID)
        earlier = earlier_failures(experiment.store, experiment.id, machine)
    assert not earlier.by_task
    again = Failure(
        kind=FailureKind.USER_ERROR, worker="another", at=0.0, digest=str(failure["digest"])
    )
    assert earlier.sightings.add(again) == 2


def test_lost_attempts_count_as_failures_of_the_machines(tmp_path: Path) -> None:
    script, path = tmp_path / "lost.py", tmp_path / "s.db"
    script.write_text(LOST)
    for _ in range(3):
        done = subprocess.run([sys.executable, str(script), str(path)], check=False, timeout=300)
        assert done.returncode == -signal.SIGKILL
    with Experiment.open(path, evaluate=Unready()) as experiment:
        result = experiment.run(workers=0)
        attempts = [a.result for a in experiment.store.attempts(experiment.id)]
    # Three times lost are the three retries: a fourth failure of the machines is the last.
    assert attempts == ["lost", "lost", "lost", "failed"]
    assert result.counts == {"dead": 1}
