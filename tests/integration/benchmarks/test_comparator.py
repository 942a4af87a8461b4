"""The comparator as a person runs it: killed, gone on with, and drawn; problems as evaluators."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil

import morphml as mm
from morphml.benchmarks import Campaign, Run, RunKey, run_campaign, synthetic, table
from morphml.benchmarks.campaign import kept, results_file

NAMES = ["random", "evolution", "local_search"]
SEEDS, TRIALS = 8, 60


def campaign(folder: Path, seeds: int = SEEDS) -> Campaign:
    return Campaign(
        problem=synthetic("cell"), names=NAMES, seeds=seeds, trials=TRIALS, folder=folder
    )


def command(folder: Path, *options: str) -> list[str]:
    asked = ["--benchmark", "synthetic", "--data-set", "cell", "--optimizers", ",".join(NAMES)]
    sizes = ["--seeds", str(SEEDS), "--trials", str(TRIALS), "--processes", "2"]
    start = [sys.executable, "-m", "morphml.cli", "bench", "compare"]
    return [*start, *asked, *sizes, "--to", str(folder), "--json", *options]


def untimed(runs: list[Run]) -> list[Run]:
    return [replace(run, ask_ms=0.0) for run in runs]


def test_killed_comparison_goes_on_to_the_results_of_an_uninterrupted_one(tmp_path: Path) -> None:
    file = results_file(tmp_path / "killed", synthetic("cell"))
    first = subprocess.Popen(command(tmp_path / "killed"), stdout=subprocess.PIPE)
    deadline = time.monotonic() + 250
    while len(list(kept(file))) < 3:
        assert first.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    children = psutil.Process(first.pid).children(recursive=True)
    os.kill(first.pid, signal.SIGKILL)
    first.communicate()
    assert psutil.wait_procs(children, timeout=90)[1] == []
    before = {run.key: run for run in kept(file)}
    assert 3 <= len(before) < len(NAMES) * SEEDS
    with file.open("ab") as lines:
        lines.write(b'\n{"curves": {"distance": [0.5, 0.')  # as a power loss may leave it

    second = subprocess.run(
        command(tmp_path / "killed", "--plot", str(tmp_path / "race.html")),
        capture_output=True,
        check=True,
    )
    after = list(kept(file))
    assert len(after) == len({run.key for run in after}) == len(NAMES) * SEEDS
    assert all(run == before[run.key] for run in after if run.key in before)
    whole = run_campaign(campaign(tmp_path / "whole"))
    order: dict[RunKey, Run] = {run.key: run for run in after}
    assert untimed([order[run.key] for run in whole]) == untimed(whole)
    document = json.loads(second.stdout)
    assert [each["optimizer"] for each in document["optimizers"]] == NAMES
    assert all(len(each["marks"]) == 3 for each in document["optimizers"])
    assert "less that of evolution" in (tmp_path / "race.html").read_text(encoding="utf-8")


def test_interrupted_comparison_begins_no_further_search(tmp_path: Path) -> None:
    file = results_file(tmp_path, synthetic("cell"))
    asked = command(tmp_path, "--seeds", "2000")
    running = subprocess.Popen(asked, stdout=subprocess.PIPE, start_new_session=True)
    deadline = time.monotonic() + 250
    while len(list(kept(file))) < 3:
        assert running.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(running.pid, signal.SIGINT)
    running.communicate(timeout=200)  # 6,000 searches would take minutes
    assert running.returncode == 130
    assert len(list(kept(file))) < 2_000


def test_second_call_runs_only_what_is_missing(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    few = run_campaign(campaign(tmp_path, seeds=1))
    more = run_campaign(campaign(tmp_path, seeds=2), told=lambda *at: told.append(at))
    assert told == [(3, 6), (4, 6), (5, 6), (6, 6)]
    assert [run for run in more if run.key.seed == 0] == few  # times too: they were read


def test_problem_is_an_evaluator_of_a_search_in_other_processes(tmp_path: Path) -> None:
    file = tmp_path / "runs.csv"
    rows = [f"{width},{act},{width + len(act)}" for width in (1, 2, 4) for act in ("a", "bcd")]
    file.write_text("\n".join(["width,act,loss", *rows]))
    problem = table(file, decisions=["width", "act"], objectives={"loss": "min"})
    result = mm.search(
        problem.space,
        problem,
        objectives=problem.objectives,
        optimizer="random",
        trials=10,
        workers=1,
    )
    assert len(result.records) == 6  # the space runs dry: no point is looked up twice
    assert result.ranked()[0].metrics["loss"] == 2.0
