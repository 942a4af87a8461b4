"""Evaluators that break their contract or their process: each costs its own trial and no other."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest

import morphml as mm

ROW = mm.SearchSpace(decisions={"i": mm.integer(0, 99)})
Suffer = Callable[..., object]

# --- what is returned or raised ------------------------------------------------------------------


def raises() -> object:
    raise ValueError("no such column: age")


class Tensor:
    """Stands for torch's: its import would take longer than all searches of this file."""

    def __init__(self, *shape: int) -> None:
        self.shape = shape

    def __float__(self) -> float:
        raise RuntimeError("a Tensor with 3 elements cannot be converted to Scalar")


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


def raises_the_unprintable() -> object:
    raise Unprintable


def recurses() -> object:
    return recurses()


def generates() -> object:
    yield 0.5


BROKEN = {
    1: (raises, "ValueError: no such column: age"),
    3: (lambda: float("nan"), "EvaluatorError: the evaluator returned score=nan; a metric is a fi"),
    4: (lambda: {"score": float("inf")}, "returned score=inf; a metric is a finite number. When t"),
    6: (lambda: Tensor(3), "a Tensor of shape (3,) (reduce it to one number, then call .item())"),
    7: (lambda: {"score": Tensor()}, "score=a Tensor of shape () (call .item() on it)"),
    9: (lambda: "0.93", "the evaluator returned the text '0.93'; expected a finite number, or a m"),
    10: (lambda: {"scor": 0.5}, "the experiment optimises or constrains; returned: 'scor'"),
    12: (dict, "which the experiment optimises or constrains; returned: an empty mapping"),
    13: (lambda: None, "the evaluator returned None (is a return statement missing?)"),
    15: (lambda: True, "the evaluator returned True (a bool is no metric; use float(...) if"),
    16: (lambda: {"score": 1.0, "params": 7}, "give it another name, such as 'measured_params'"),
    18: (lambda: 10**400, "returned score beyond the range of a float"),
    19: (generates, "returned a value of type generator"),
    21: (recurses, "RecursionError: maximum recursion depth exceeded"),
    22: (raises_the_unprintable, "Unprintable: (its text cannot be made: RuntimeError)"),
    24: (lambda: sys.exit("bye"), "SystemExit: the evaluator ended its process: sys.exit('bye')"),
    25: (lambda: {"score": 1.0, 3: 2.0}, "returned a metric named 3; names are texts"),
}  # fmt: skip


def test_broken_results_fail_their_trials_with_the_reason_and_the_search_goes_on(
    suffer: Suffer,
) -> None:
    suffered = suffer({number: bad for number, (bad, _) in BROKEN.items()}, trials=30)
    suffered.check(30, dict.fromkeys(BROKEN, "user_error"))
    for number, (_, words) in BROKEN.items():
        assert words in suffered.message(number)
    (trace,) = {failure["traceback"] for failure in suffered.failures(1)}
    assert 'raise ValueError("no such column: age")' in trace
    assert "morphml/engines" not in trace


def test_broken_results_in_process_fail_their_trials_as_well(suffer: Suffer) -> None:
    suffered = suffer({number: bad for number, (bad, _) in BROKEN.items()}, trials=30, workers=0)
    suffered.check(30, dict.fromkeys(BROKEN, "user_error"))
    for number, (_, words) in BROKEN.items():
        assert words in suffered.message(number)


def test_broken_reports_fail_their_trials_and_name_the_line_that_reported(tmp_path: Path) -> None:
    def evaluate(arch, trial):
        number = arch.decisions["i"]
        trial.report(1, score=0.5)
        trial.report(1 if number == 2 else 2, score=0.6)
        trial.report(3, score=float("nan") if number == 3 else 0.7)
        trial.report(4, **({} if number == 4 else {"score": 0.8}))
        return 0.9

    result = mm.search(
        ROW, evaluate, objectives={"score": "max"}, trials=6, workers=2,
        start=[{"i": number} for number in range(6)], storage=tmp_path / "s.db",
    )  # fmt: skip
    states = [record.state for record in result.records]
    assert states == ["completed", "completed", "failed", "failed", "failed", "completed"]
    for number, words in (
        (2, "report: steps rise strictly; 1 came after 1"),
        (3, "the evaluator reported score=nan; a metric is a finite number"),
        (4, "report(4) names no metric, such as accuracy=0.9"),
    ):
        failure = result.failures[number]
        assert (failure["kind"], failure["error_type"]) == ("user_error", "EvaluatorError")
        assert words in str(failure["message"])
        assert "trial.report(" in str(failure["traceback"])


def test_tensors_are_told_from_numbers(tmp_path: Path) -> None:
    def evaluate(arch, trial):
        import torch

        made = {
            1: torch.zeros(3),
            2: {"score": torch.tensor(0.5)},
            3: torch.ones((), requires_grad=True),
            4: np.ones((2, 2)),
        }
        number = arch.decisions["i"]
        return made.get(number, float(torch.tensor(float(number))))

    result = mm.search(
        ROW, evaluate, objectives={"score": "max"}, trials=6, workers=2,
        start=[{"i": number} for number in range(6)], storage=tmp_path / "s.db",
    )  # fmt: skip
    assert {record.number for record in result.records if record.state == "completed"} == {0, 5}
    for number, words in (
        (1, "returned a Tensor of shape (3,) (reduce it to one number, then call .item())"),
        (2, "returned score=a Tensor of shape () (call .item() on it)"),
        (3, "returned a Tensor of shape () (call .item() on it)"),
        (4, "returned a ndarray of shape (2, 2) (reduce it to one number, then call .item())"),
    ):
        assert words in str(result.failures[number]["message"])


# --- what happens to the process -----------------------------------------------------------------


def prints_binary() -> object:
    os.write(1, bytes(range(256)) * 8192)
    os.write(2, b"\xff\xfe end of stderr")
    sys.stdout.buffer.write(b"\x00\xff end of stdout")
    return 2.0


def test_binary_output_is_kept_as_text_and_cut(suffer: Suffer) -> None:
    suffered = suffer({2: prints_binary}, trials=8)
    suffered.check(8, {})
    output = suffered.output(2)
    assert len(output) < 1_000_000
    assert "bytes left out" in output
    assert "end of stdout" in output
    assert "end of stderr" in output


def test_fork_that_returns_into_the_search_counts_once(suffer: Suffer) -> None:
    def forks() -> object:
        child = os.fork()
        if child:
            os.waitpid(child, 0)
        return 2.0 if child else 1_000.0

    suffer({2: forks}, trials=8).check(8, {})


@pytest.mark.parametrize("then", ["returns", "crashes"])
def test_processes_left_behind_do_not_outlive_the_search(
    suffer: Suffer, tmp_path: Path, then: str
) -> None:
    note = tmp_path / "pids"

    def leaves() -> object:
        forked = os.fork()
        if forked == 0:
            time.sleep(600)
            os._exit(0)
        shell = subprocess.Popen(["sleep", "600"], start_new_session=True)
        note.write_text(f"{forked} {shell.pid}")
        if then == "crashes":
            os._exit(3)
        return 2.0

    suffered = suffer({2: leaves}, trials=8)
    suffered.check(8, {} if then == "returns" else {2: "crash"})
    assert [pid for pid in map(int, note.read_text().split()) if is_alive(pid)] == []


def is_alive(pid: int) -> bool:
    """Whether the process is there, within some time for its end."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return False
        except psutil.NoSuchProcess:
            return False
        time.sleep(0.02)
    return True


def hangs() -> object:
    time.sleep(600)
    return None


def hangs_in_c() -> object:
    ctypes.CDLL(None).signal(signal.SIGTERM, 1)  # SIG_IGN
    ctypes.PyDLL(None).sleep(600)
    return None


def swallows_everything() -> object:
    while True:
        try:
            time.sleep(600)
        except BaseException:
            continue


def stops_itself() -> object:
    os.kill(os.getpid(), signal.SIGSTOP)
    return None


@pytest.mark.parametrize("hang", [hangs, hangs_in_c, swallows_everything, stops_itself])
def test_hanging_evaluator_ends_at_its_time_limit(
    suffer: Suffer, hang: Callable[[], object]
) -> None:
    begun = time.monotonic()
    suffered = suffer({2: hang}, trials=12, time_limit=4.0)  # which the others keep in any case
    assert time.monotonic() - begun < 200
    suffered.check(12, {2: "time_limit"})
    assert suffered.message(2) == "TimeLimit: the evaluator ran longer than 4 s"
    assert len(suffered.attempts[2]) == 1  # it would take as long again
    if hang is hangs:
        assert "time.sleep(600)" in str(suffered.failures(2)[0]["traceback"])


def eats_memory() -> object:
    kept = []
    for _ in range(400):
        kept.append(bytearray(os.urandom(16)) * (1 << 20))  # 16 MiB each, all pages touched
        time.sleep(0.01)
    return float(len(kept))


def test_evaluator_that_exceeds_its_memory_ends_alone(suffer: Suffer) -> None:
    suffered = suffer({2: eats_memory}, trials=8, memory_limit=300 << 20)
    suffered.check(8, {2: "out_of_memory"})
    for failure in suffered.failures(2):
        assert failure["error_type"] == "MemoryLimit"
        assert "the limit is 300 MiB" in str(failure["message"])


def test_evaluator_that_ends_its_process_ends_alone(suffer: Suffer) -> None:
    suffered = suffer({2: lambda: os._exit(7), 4: lambda: ctypes.string_at(0)}, trials=12)
    suffered.check(12, {2: "crash", 4: "crash"})
    assert suffered.message(2) == "Crash: the worker process ended: exit code 7"
    assert suffered.message(4) == "Crash: the worker process ended: killed by SIGSEGV"
    assert "Segmentation fault" in suffered.output(4)


def test_every_other_trial_may_crash_and_each_number_still_ends_once(suffer: Suffer) -> None:
    bad = dict.fromkeys(range(1, 24, 2), lambda: os._exit(1))
    suffer(bad, trials=25).check(25, dict.fromkeys(bad, "crash"))


# --- the same from a file ------------------------------------------------------------------------

SCORING = """
import os


def evaluate(arch, trial):
    number = arch.decisions["i"]
    if number == 1:
        raise ValueError("no such column: age")
    if number == 3:
        os._exit(7)
    if number == 4:
        return float("nan")
    return float(number)
"""


@pytest.mark.slow
def test_faults_of_a_search_from_a_file_are_shown_with_their_tracebacks(
    tmp_path: Path, morphml: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    (tmp_path / "scoring.py").write_text(SCORING)
    points = "".join(f"  - {{i: {number}}}\n" for number in range(8))
    (tmp_path / "experiment.yaml").write_text(
        "space: \"SearchSpace(decisions={'i': integer(0, 99)})\"\n"
        "evaluator: scoring:evaluate\nobjectives: {score: max}\ntrials: 8\nworkers: 2\n"
        f"start:\n{points}"
    )
    done = morphml("search", "experiment.yaml", "--json", "--quiet")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["trials"] == {"completed": 5, "failed": 3}
    assert found["best"]["number"] == 7
    for number, kind, words in (
        (1, "user_error", "no such column: age"),
        (3, "crash", "the worker process ended: exit code 7"),
        (4, "user_error", "returned score=nan; a metric is a finite number"),
    ):
        shown = json.loads(
            morphml("show", "experiment.db", "--trial", str(number), "--json").stdout
        )
        failure = shown["attempts"][-1]["failure"]
        assert failure["kind"] == kind
        assert words in failure["message"]
    text = morphml("show", "experiment.db", "--trial", "1").stdout
    assert 'raise ValueError("no such column: age")' in text
