"""Scripts as people write them: unguarded, typed in, with lambdas and closures, and interrupted."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import morphml as mm

HEAD = """\
import sys, time
import morphml as mm

print("top level", __name__, flush=True)
space = mm.SearchSpace(decisions={"i": mm.integer(0, 999)})
"""
SEARCH = """
result = mm.search(space, evaluate, objectives={"score": "max"}, optimizer="random",
                   trials=12, workers=2, storage="s.db")
print(dict(result.counts), result.best.metrics["score"] == 3 * result.best.decisions["i"] + 1)
"""
PLAIN = """
THREE = 3


class Scale:
    def __init__(self, by):
        self.by = by

    def __call__(self, x):
        return self.by * x


scale = Scale(THREE)


def shift(x):
    return x + 1


def evaluate(arch, trial):
    return float(shift(scale(arch.decisions["i"])))
"""
LAMBDA = "three = 3\nevaluate = lambda arch, trial: 3.0 * arch.decisions['i'] + 1\n"
CLOSURE = """
def make(by):
    offset = 1
    def evaluate(arch, trial):
        return float(by * arch.decisions["i"] + offset)
    return evaluate

evaluate = make(3)
"""
OBJECT = """
class Evaluator:
    def setup(self, context):
        self.offset = 1
    def __call__(self, arch, trial):
        return float(3 * arch.decisions["i"] + self.offset)

evaluate = Evaluator()
"""
PARTIAL = """
import functools

def scaled(by, arch, trial):
    return float(by * arch.decisions["i"] + 1)

evaluate = functools.partial(scaled, 3)
"""
KINDS = {
    "plain": PLAIN,
    "lambda": LAMBDA,
    "closure": CLOSURE,
    "object": OBJECT,
    "partial": PARTIAL,
}


def run(folder: Path, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        input=text,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


@pytest.mark.parametrize(
    "kind",
    [
        *("lambda", "object", "partial"),
        # A plain function is tried below, and a closure goes to workers by value elsewhere.
        *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("plain", "closure")),
    ],
)
def test_unguarded_script_runs_once_and_its_evaluator_works_by_value(
    kind: str, tmp_path: Path
) -> None:
    (tmp_path / "script.py").write_text(HEAD + KINDS[kind] + SEARCH)
    done = run(tmp_path, "script.py")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["top level __main__", "{'completed': 12} True"]


@pytest.mark.parametrize("how", ["stdin", "-c", pytest.param("-m", marks=pytest.mark.slow)])
def test_unguarded_code_without_a_file_of_its_own_works(how: str, tmp_path: Path) -> None:
    code = HEAD + PLAIN + SEARCH
    (tmp_path / "module.py").write_text(code)
    arguments = {"stdin": ["-"], "-c": ["-c", code], "-m": ["-m", "module"]}[how]
    done = run(tmp_path, *arguments, text=code if how == "stdin" else "")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["top level __main__", "{'completed': 12} True"]


def test_code_typed_line_by_line_as_in_a_notebook_works(tmp_path: Path) -> None:
    typed = HEAD + "\ndef evaluate(arch, trial):\n    return 3.0 * arch.decisions['i'] + 1\n\n"
    done = run(tmp_path, "-i", "-q", text=typed + SEARCH)
    assert "{'completed': 12} True" in done.stdout, done.stderr
    assert done.stdout.count("top level") == 1


def test_evaluator_that_cannot_travel_says_what_to_do_in_the_last_line(
    tmp_path: Path,
) -> None:
    unpicklable = "\nlock = __import__('threading').Lock()\n" + (
        "def evaluate(arch, trial):\n    with lock:\n        return 1.0\n"
    )
    (tmp_path / "script.py").write_text(HEAD + unpicklable + SEARCH)
    done = run(tmp_path, "script.py")
    assert done.returncode == 1
    (last,) = done.stderr.strip().splitlines()[-1:]
    assert last.startswith("morphml.errors.EvaluatorError: evaluator __main__:evaluate: it cannot")
    assert "cannot pickle '_thread.lock' object" in last
    assert "Make what cannot be pickled (locks, open files, connections) in setup(context)" in last
    assert not (tmp_path / "s.db").exists()


# --- Ctrl-C --------------------------------------------------------------------------------------

SLOW = """
def evaluate(arch, trial):
    if len(sys.argv) > 1:
        time.sleep(0.1)
    return 3.0 * arch.decisions["i"] + 1
"""


def interrupted(folder: Path, code: str) -> str:
    """What the script says when a person presses Ctrl-C after some trials."""
    (folder / "script.py").write_text(code)
    running = subprocess.Popen(
        [sys.executable, "script.py", "slow"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_for_marks(folder, 4)
        running.send_signal(signal.SIGINT)
        _, errors = running.communicate(timeout=300)
    finally:
        running.kill()
        running.communicate()
    assert running.returncode == -signal.SIGINT
    return errors


def wait_for_marks(folder: Path, count: int) -> None:
    end = time.monotonic() + 300
    while time.monotonic() < end:
        if len(list(folder.glob("mark-*"))) >= count:
            return
        time.sleep(0.05)
    pytest.fail(f"no {count} trials within 300 s")


MARKING = SLOW.replace("time.sleep", "open(f'mark-{trial.number}', 'w').close(); time.sleep")


def test_interrupted_script_says_how_to_go_on_and_it_does(tmp_path: Path) -> None:
    errors = interrupted(tmp_path, HEAD + MARKING + SEARCH.replace("trials=12", "trials=600"))
    assert errors.rstrip().endswith(
        "KeyboardInterrupt\nThe search was stopped; every finished trial is stored. "
        "Go on with: mm.resume('s.db'), or: morphml resume s.db"
    )
    with mm.Experiment.open(tmp_path / "s.db") as experiment:
        before = experiment.result()
        assert (before.record.state, before.record.reason) == ("paused", "interrupted")
        assert before.counts["completed"] >= 2
    done = run(tmp_path, "-c", "import morphml as mm; print(dict(mm.resume('s.db').counts))")
    assert done.stdout.strip() == "{'completed': 600}", done.stderr
    with mm.Experiment.open(tmp_path / "s.db") as experiment:
        after = {record.number: record for record in experiment.result().records}
    for record in before.records:
        if record.state == "completed":
            assert after[record.number] == record


def test_interrupted_search_in_memory_says_that_it_is_gone(tmp_path: Path) -> None:
    search = SEARCH.replace("trials=12", "trials=600").replace(', storage="s.db"', "")
    errors = interrupted(tmp_path, HEAD + MARKING + search)
    assert "is gone with its memory store; give storage='FILE.db' to keep the next one" in errors
