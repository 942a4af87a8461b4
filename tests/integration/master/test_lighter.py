"""Going on with fewer epochs a trial: another experiment, which tries the best ones again first."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import morphml as mm
from morphml.errors import ExperimentError
from morphml.master import Experiment, replay
from morphml.master.lighter import lighter

ROW = mm.SearchSpace(decisions={"i": mm.integer(0, 99)})
EVALUATOR = """
def evaluate(arch, trial):
    score = 0.0
    for epoch in trial.epochs():
        score = arch.decisions["i"] + epoch / 100
        trial.report(epoch, score=score)
    return score
"""


def heavy_search(folder: Path) -> Experiment:
    (folder / "climb.py").write_text(EVALUATOR)
    made = Experiment.create(
        ROW, "climb:evaluate", storage=folder / "s.db", workers=0, trials=30, max_epochs=9,
        objectives={"score": "max"}, optimizer="random", seed=3,
    )  # fmt: skip
    made.run(0)
    return made


def test_lighter_search_tries_the_best_again_with_fewer_epochs_and_leaves_the_first_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    with heavy_search(tmp_path) as heavy:
        best = [trial.architecture.vector for trial in heavy.result().ranked()[:10]]
        light = lighter(heavy, 3, trials=16)
        result = light.run(0)
        assert [result.trial(number).architecture.vector for number in range(10)] == best
        assert {record.epochs for record in result.records} == {3}
        assert len(result.records) == 16
        assert {record.epochs for record in heavy.result().records} == {9}
        assert len(heavy.result().records) == 30
        assert replay(heavy).passed
        assert replay(light).passed


def test_lighter_search_with_as_many_epochs_or_without_trials_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    with heavy_search(tmp_path) as heavy:
        with pytest.raises(ExperimentError, match="max_epochs: fewer than the 9 of"):
            lighter(heavy, 9)
        with pytest.raises(ExperimentError, match="has used up its 30 trials"):
            lighter(heavy, 3)
        assert len(list(heavy.store.experiments())) == 1


def test_resume_with_fewer_epochs_goes_on_from_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    heavy_search(tmp_path).close()
    command = [sys.executable, "-m", "morphml.cli", "resume", "s.db", "--max-epochs", "2"]
    more = ["--trials", "12", "--workers", "0", "--quiet", "--json"]
    done = subprocess.run(
        [*command, *more], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert shown["name"].endswith("at 2 epochs")
    assert shown["trials"] == {"completed": 12}
    assert shown["best"]["epochs"] == 2
