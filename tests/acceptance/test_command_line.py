"""The command line, as a person types it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from morphml.cli.commands import COMMANDS
from morphml.optimizers import OPTIMIZERS
from morphml.search.fidelity import COMBINATIONS

Run = Callable[..., subprocess.CompletedProcess[str]]

EXPERIMENT = """\
name: numbers
space: |
  SearchSpace(decisions={"x": real(-1.0, 1.0), "k": integer(1, 5)})
evaluator: scoring:evaluate
objectives: {loss: min}
optimizer: evolution
trials: 12
workers: 1
seed: 3
"""
SCORING = """\
import time
from pathlib import Path


def evaluate(arch, trial):
    return {"loss": arch.decisions["x"] ** 2 + arch.decisions["k"]}


def slow(arch, trial):
    if not Path("quick").exists():
        time.sleep(0.2)
    return {"loss": arch.decisions["x"] ** 2}


def broken(arch, trial):
    raise ValueError("no such column: <b>age</b>")
"""
MORPHML = Path(sys.executable).with_name("morphml")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with an experiment file and the module of its evaluator."""
    (tmp_path / "experiment.yaml").write_text(EXPERIMENT, encoding="utf-8")
    (tmp_path / "scoring.py").write_text(SCORING, encoding="utf-8")
    return tmp_path


def change(folder: Path, old: str, new: str) -> None:
    path = folder / "experiment.yaml"
    assert old in path.read_text(encoding="utf-8")
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def test_every_optimizer_is_listed_with_its_settings(typed: Run) -> None:
    rows = json.loads(typed("optimizers", "--json").stdout)
    assert {row["name"] for row in rows} == {*OPTIMIZERS, *COMBINATIONS}
    assert all(row["use"] and row["cost"] and row["source"] for row in rows)
    (evolution,) = [row for row in rows if row["name"] == "evolution"]
    assert evolution["settings"] == {"population_size": 50, "sample_size": 10}
    assert {"simulated_annealing", "asha_stopping"} <= set(typed("optimizers").stdout.split())


# --- the way of a search -------------------------------------------------------------------------


def test_search_then_every_other_command(morphml: Run, typed: Run, folder: Path) -> None:
    found = morphml("search", "experiment.yaml", "--json")
    assert found.returncode == 0, found.stderr
    result = json.loads(found.stdout)
    assert result["trials"] == {"completed": 12}
    assert result["storage"] == "experiment.db"
    assert "12/12 trials" in found.stderr  # progress goes where it is not in the way

    (row,) = json.loads(typed("list", "experiment.db", "--json").stdout)
    assert (row["name"], row["state"]) == ("numbers", "completed")
    assert (row["trials"], row["budget"]) == (12, 12)

    shown = json.loads(typed("show", "experiment.db", "--json").stdout)
    assert shown["best"] == result["best"]
    assert f"morphml export experiment.db {row['id']}" in typed("show", "experiment.db").stdout
    trial = json.loads(typed("show", "experiment.db", "--trial", "4", "--json").stdout)
    assert trial["number"] == 4
    assert len(trial["attempts"]) == 1

    replayed = typed("replay", "experiment.db", "--check", "--json")
    assert replayed.returncode == 0
    assert json.loads(replayed.stdout)["asked"] >= 12

    more = morphml("resume", "experiment.db", "--trials", "15", "--quiet", "--json")
    assert json.loads(more.stdout)["trials"] == {"completed": 15}
    assert more.stderr == ""

    for name in ("best.json", "trials.csv", "report.html"):
        done = typed("export", "experiment.db", "--to", name)
        assert done.returncode == 0, done.stderr
        assert (folder / name).stat().st_size > 100
    assert len((folder / "trials.csv").read_text(encoding="utf-8").splitlines()) == 16


def test_compare_shows_searches_side_by_side(morphml: Run, typed: Run, folder: Path) -> None:
    morphml("search", "experiment.yaml", "--storage", "a.db", "--trials", "6", "-q")
    change(folder, "evolution", "random")
    morphml("search", "experiment.yaml", "--storage", "a.db", "--trials", "5", "-q")
    done = typed("compare", "a.db", "--plot", "race.svg", "--json")
    assert done.returncode == 0, done.stderr
    rows = {row["optimizer"]: row for row in json.loads(done.stdout)}
    assert {name: row["trials"] for name, row in rows.items()} == {
        "evolution": 6,
        "random": 5,
    }
    assert (folder / "race.svg").read_text(encoding="utf-8").startswith("<svg")
    assert "random" in typed("compare", "a.db").stdout


def test_search_interrupted_says_how_to_go_on_and_resume_does(
    folder: Path, morphml: Run, typed: Run, environment: dict[str, str]
) -> None:
    change(folder, "scoring:evaluate", "scoring:slow")
    change(folder, "trials: 12", "trials: 300")
    running = subprocess.Popen(
        [str(MORPHML), "search", "experiment.yaml"],
        cwd=folder,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for_trials(typed, 3)
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=300)
    assert running.returncode == 130, errors
    assert "Traceback" not in errors
    assert "morphml resume experiment.db" in errors
    assert "go on with: morphml resume experiment.db" in typed("show", "experiment.db").stdout
    (folder / "quick").touch()
    done = morphml("resume", "experiment.db", "--json")
    assert json.loads(done.stdout)["trials"] == {"completed": 300}
    assert typed("replay", "experiment.db", "--check").returncode == 0


def wait_for_trials(typed: Run, count: int) -> None:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        listed = typed("list", "experiment.db", "--json")
        if listed.returncode == 0 and listed.stdout.strip() != "[]":
            (row,) = json.loads(listed.stdout)
            if row["trials"] > count:
                return
        time.sleep(0.1)
    pytest.fail(f"no {count} trials within 300 s")


# --- help ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [entry.name for entry in COMMANDS])
def test_help_shows_examples(command: str, typed: Run) -> None:
    done = typed(command, "--help")
    assert done.returncode == 0
    assert f"$ morphml {command}" in done.stdout


def test_completion_offers_commands_and_stores(folder: Path, environment: dict[str, str]) -> None:
    (folder / "digits.db").touch()
    for typed, position, offered in (
        ("morphml re", 1, "resume"),
        ("morphml show d", 2, "digits.db"),
        ("morphml master --storage d", 3, "digits.db"),
    ):
        done = subprocess.run(
            [str(MORPHML)],
            cwd=folder,
            env={
                **environment,
                "_MORPHML_COMPLETE": "complete_bash",
                "COMP_WORDS": typed,
                "COMP_CWORD": str(position),
            },
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        assert offered in done.stdout.split(), done.stderr


# --- errors --------------------------------------------------------------------------------------


def assert_one_screen(done: subprocess.CompletedProcess[str], status: int, *words: str) -> None:
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 30
    flat = " ".join(done.stderr.replace("│", " ").split())
    for word in words:
        assert word in flat


def test_a_file_that_is_not_there_is_named(typed: Run, folder: Path) -> None:
    assert_one_screen(typed("search", "absent.yaml"), 2, "absent.yaml")


def test_a_mistake_in_the_file_is_pointed_at(typed: Run, folder: Path) -> None:
    change(folder, "optimizer:", "optimiser:")
    done = typed("search", "experiment.yaml")
    assert_one_screen(done, 2, "line 6", "did you mean 'optimizer'")
    assert not (folder / "experiment.db").exists()


def test_a_mistake_in_the_space_is_pointed_at(typed: Run, folder: Path) -> None:
    change(folder, "real(-1.0, 1.0)", "reall(-1.0, 1.0)")
    assert_one_screen(
        typed("search", "experiment.yaml"), 2, "line 3", "'reall'", "did you mean 'real'"
    )


def test_an_evaluator_that_cannot_be_imported_is_named(morphml: Run, folder: Path) -> None:
    change(folder, "scoring:evaluate", "absent_module:evaluate")
    done = morphml("search", "experiment.yaml", "--workers", "1", "-q")
    assert done.returncode != 0
    assert "absent_module" in done.stderr + done.stdout


def test_an_evaluator_that_always_raises_ends_the_search_with_its_error(
    morphml: Run, typed: Run, folder: Path
) -> None:
    change(folder, "scoring:evaluate", "scoring:broken")
    done = morphml("search", "experiment.yaml", "-q")
    assert done.returncode == 1
    assert "no such column: <b>age</b>" in done.stdout
    shown = typed("show", "experiment.db", "--trial", "0")
    assert 'raise ValueError("no such column' in shown.stdout


def test_a_store_that_is_not_there_is_not_made(typed: Run, folder: Path) -> None:
    for command in ("list", "show", "resume"):
        assert_one_screen(typed(command, "absent.db"), 3, "absent.db")
    assert not (folder / "absent.db").exists()


def test_a_file_that_is_not_ours_is_left_alone(typed: Run, folder: Path) -> None:
    (folder / "letter.db").write_text("Dear Sir or Madam", encoding="utf-8")
    assert_one_screen(typed("list", "letter.db"), 3, "letter.db")
    assert (folder / "letter.db").read_text(encoding="utf-8") == "Dear Sir or Madam"


def test_errors_are_json_for_programs(typed: Run, folder: Path) -> None:
    document = json.loads(typed("list", "absent.db", "--json").stdout)
    assert document["exit_code"] == 3
    assert "absent.db" in document["error"]


def test_debug_shows_the_traceback(morphml: Run, folder: Path) -> None:
    assert "Traceback" in morphml("--debug", "list", "absent.db").stderr


def test_export_knows_its_endings(typed: Run, folder: Path) -> None:
    assert_one_screen(typed("export", "x.db", "--to", "model.exe"), 2, ".exe", ".onnx")
