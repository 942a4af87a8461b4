"""GPUs as an operator declares them and a user asks for them, through real commands."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.acceptance.cluster.commands import EXPERIMENT, Started, make_store, one_screen

Run = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[..., Started]

SEEING = """\
import os


def evaluate(arch, trial):
    with open(os.environ["EVALUATIONS"], "a") as file:
        file.write(os.environ.get("CUDA_VISIBLE_DEVICES", "all") + " " + trial.device + "\\n")
    return {"loss": arch.decisions["x"] ** 2}
"""


@pytest.fixture
def environment(environment: dict[str, str]) -> dict[str, str]:
    """Of a machine whose batch system gave it three GPUs; none has to be there."""
    return environment | {"CUDA_VISIBLE_DEVICES": "4,5,6"}


@pytest.mark.slow
def test_search_runs_on_the_gpus_that_an_operator_offers_and_waits_for_more(
    tmp_path: Path, morphml: Run, start: Start
) -> None:
    (tmp_path / "scoring.py").write_text(SEEING, encoding="utf-8")
    for name, amount in (("shares", 0.5), ("whole", 2), ("many", 3)):
        text = EXPERIMENT.replace("trials: 12", "trials: 6")
        (tmp_path / f"{name}.yaml").write_text(
            f"{text}resources: {{gpu: {amount}}}\n", encoding="utf-8"
        )
    make_store(tmp_path)
    master = start("master", "--storage", "a.db", "--listen", "127.0.0.1:0")
    address = master.wait_for(r"morphml worker --master (\S+)")[1]
    worker = start("worker", "--master", address, "--gpus", "0,2", "--slots", "4", "--name", "w1")
    worker.wait_for("GPUs 4, 6")
    worker.wait_for("connected")
    while not json.loads(morphml("status", "a.db", "--json").stdout)["workers"]:
        pass  # the master writes down its workers every two seconds

    for name in ("shares", "whole"):
        done = morphml("submit", f"{name}.yaml", "--storage", "a.db", "--watch", "-q", "--strict")
        assert done.returncode == 0, done.stderr
    seen = Counter((tmp_path / "evaluations").read_text(encoding="utf-8").splitlines())
    assert seen["4,6 cuda:0"] == 6
    assert seen["4 cuda:0"] + seen["6 cuda:0"] == 6
    assert len(seen) <= 3

    said = "gpu 3, and the most that any worker has is 2"
    refused = morphml("submit", "many.yaml", "--storage", "a.db", "--strict")
    assert refused.returncode == 2
    assert said in one_screen(refused)
    left = morphml("submit", "many.yaml", "--storage", "a.db", "--json")
    assert said in one_screen(left)
    assert json.loads(left.stdout)["waits_for"] == [said]
    shown = json.loads(morphml("status", "a.db", "--json").stdout)["experiments"]
    assert [each["waits_for"] for each in shown if each["state"] in ("queued", "running")] == [
        [said]
    ]
