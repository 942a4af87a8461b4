"""Disks that refuse, files that are not ours, two processes on one file: nothing stored is lost."""

from __future__ import annotations

import contextlib
import hashlib
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import morphml as mm
from morphml.errors import EvaluatorError, StorageError, StoreInUse, StoreMismatch, StoreUnavailable
from morphml.master import replay

Run = Callable[..., subprocess.CompletedProcess[str]]
ROW = mm.SearchSpace(decisions={"i": mm.integer(0, 99_999)})
#: Bytes that each trial prints, so that disks fill up.
PRINTED = 20_000


def evaluate(arch, trial):
    print("x" * PRINTED)
    return float(arch.decisions["i"])


def search(path: Path, trials: int) -> mm.Result:
    return mm.search(
        ROW, evaluate, objectives={"score": "max"}, trials=trials, workers=2, storage=path, seed=3
    )


def completed(path: Path) -> dict[int, float]:
    """Number and score of the trials that are stored as completed; the file is sound."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    with mm.Experiment.open(path) as experiment:
        records = experiment.result().records
        assert replay(experiment).passed
    assert [record.number for record in records] == list(range(len(records)))
    return {r.number: r.metrics["score"] for r in records if r.state == "completed"}


# --- disks that refuse ---------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if made.returncode != 0:
        pytest.skip("mounting a small disk needs root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_search_on_a_disk_that_fills_up_keeps_its_trials_and_goes_on_when_there_is_space(
    small_disk: Path,
) -> None:
    path = small_disk / "s.db"
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(1_200_000))
    with pytest.raises(StoreUnavailable, match=r"disk (is full|refused).*nothing stored before"):
        search(path, 5_000)
    ballast.unlink()
    before = completed(path)
    assert len(before) > 5
    again = mm.resume(path, trials=len(before) + 12)
    assert again.reason == "budget of trials spent"
    after = completed(path)
    assert len(after) == len(before) + 12
    assert {number: after[number] for number in before} == before


@pytest.mark.slow
def test_quota_that_ends_a_search_is_told_and_a_resume_goes_on(tmp_path: Path) -> None:
    """A limit on the size of files stands for a quota, which needs no root."""
    script = tmp_path / "script.py"
    script.write_text(
        "import resource, morphml as mm\n"
        "space = mm.SearchSpace(decisions={'i': mm.integer(0, 99_999)})\n"
        "def evaluate(arch, trial):\n"
        "    return float(arch.decisions['i'])\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))\n"
        "mm.search(space, evaluate, objectives={'score': 'max'}, trials=20_000, workers=2,\n"
        "          storage='s.db')\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("morphml.errors.StoreUnavailable: s.db: the disk refused to read or wri")
    assert last.endswith("check free space, quota and file size limits, then resume")
    before = completed(tmp_path / "s.db")
    assert len(before) > 5
    mm.resume(tmp_path / "s.db", trials=len(before) + 12)
    after = completed(tmp_path / "s.db")
    assert {number: after[number] for number in before} == before


def test_search_on_a_read_only_disk_is_refused_and_results_can_still_be_shown(
    small_disk: Path, morphml: Run
) -> None:
    path = small_disk / "s.db"
    search(path, 6)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(StorageError, match=r"read-only.*nothing stored before is lost.*writable"):
        search(path, 6)
    with pytest.raises(StorageError, match=r"new\.db: cannot be opened"):
        search(small_disk / "new.db", 6)
    with pytest.raises(StorageError, match=r"read-only|writable"):
        mm.resume(path, trials=12)
    done = morphml("show", str(path))
    assert done.returncode == 0, done.stderr
    assert "6 completed" in done.stdout
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    assert len(completed(path)) == 6


def test_folder_of_files_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """The database may be written, but a file stands where the folder beside it should."""
    (tmp_path / "s.artifacts").write_text("mine")
    with pytest.raises(StoreUnavailable, match=r"s\.artifacts.*the disk refused \(.*director"):
        search(tmp_path / "s.db", 3)
    assert (tmp_path / "s.artifacts").read_text() == "mine"


def test_output_that_cannot_be_kept_ends_the_search_and_keeps_its_trials(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with mm.Experiment.create(
        ROW, evaluate, objectives={"score": "max"}, trials=50, workers=2, storage=path
    ) as experiment:
        (experiment.folder / "output").write_text("mine")
        with pytest.raises(StoreUnavailable, match=r"output.*nothing stored before is lost"):
            experiment.run(2)
        (experiment.folder / "output").unlink()
    result = mm.resume(path)
    assert result.counts == {"completed": 50}


# --- files that are not ours ---------------------------------------------------------------------


def text_file(path: Path) -> None:
    path.write_text("Dear Sir or Madam,\n" * 500)


def other_program(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
        connection.execute("INSERT INTO recipes VALUES ('soup')")
        connection.commit()


def newer_schema(path: Path) -> None:
    search(path, 3)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA user_version = 99")


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


NOT_OURS = {
    text_file: "not a MorphML store: the file exists and is no SQLite database; name another file",
    other_program: "not a MorphML store: .*another program.*; name another file",
    newer_schema: r"schema version 99, this MorphML knows up to \d+; it was left unchanged; ",
}


@pytest.mark.parametrize(("make", "words"), NOT_OURS.items())
def test_file_that_is_not_ours_is_refused_and_left_as_it_is(
    make: Callable[[Path], None], words: str, tmp_path: Path, typed: Run
) -> None:
    path = tmp_path / "s.db"
    make(path)
    before = digest(path)
    for use in (lambda: search(path, 3), lambda: mm.resume(path)):
        with pytest.raises(StoreMismatch, match=words) as caught:
            use()
        assert str(path) in str(caught.value)
    (tmp_path / "scoring.py").write_text("def evaluate(arch, trial):\n    return 1.0\n")
    (tmp_path / "s.yaml").write_text(
        "space: \"SearchSpace(decisions={'i': integer(0, 9)})\"\n"
        "evaluator: scoring:evaluate\ntrials: 3\nworkers: 0\n"
    )
    for command in (("search", "s.yaml"), ("resume", "s.db")):
        done = typed(*command)
        assert done.returncode == 3, done.stdout
        assert "Traceback" not in done.stderr
        assert re.search(words, " ".join(done.stderr.replace("│", " ").split()))
    assert digest(path) == before


def test_newer_schema_is_whole_again_for_the_version_that_wrote_it(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    newer_schema(path)
    with pytest.raises(StoreMismatch):
        search(path, 3)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA user_version = 1")
    assert len(completed(path)) == 3


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("absent/s.db", "cannot be opened .*check that its folder exists"),
        (".", "cannot be opened"),
    ],
)
def test_path_that_cannot_be_a_store_is_named(path: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=words):
        search(tmp_path / path, 3)
    with pytest.raises(StorageError, match="there is no such file; check the path"):
        mm.resume(tmp_path / "absent.db")


# --- two processes on one file -------------------------------------------------------------------

DRIVER = """
import pathlib, sys, time
import morphml as mm

go = pathlib.Path("go").absolute()
space = mm.SearchSpace(decisions={"i": mm.integer(0, 99_999)})


def evaluate(arch, trial):
    while not go.exists():
        time.sleep(0.02)
    return float(arch.decisions["i"])


result = mm.search(space, evaluate, objectives={"score": "max"}, trials=10, workers=2,
                   storage="s.db")
print(dict(result.counts))
"""


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that drives a search, and waits with its results for a file named ``go``."""
    (tmp_path / "driver.py").write_text(DRIVER)
    running = subprocess.Popen(
        [sys.executable, "driver.py"], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    end = time.monotonic() + 300
    while trials_in(tmp_path / "s.db") < 2:
        assert time.monotonic() < end, "the driver did not begin within 300 s"
        time.sleep(0.05)
    yield running
    running.kill()
    running.communicate()


def trials_in(path: Path) -> int:
    try:
        with mm.Experiment.open(path) as experiment:
            return experiment.record.next_number
    except mm.MorphError:
        return 0  # not there yet, or its tables are not


def test_second_process_on_one_file_is_told_who_drives_it_and_disturbs_nothing(
    driver: subprocess.Popen[str], tmp_path: Path, morphml: Run
) -> None:
    path = tmp_path / "s.db"
    words = rf"process {driver.pid} drives searches on this store, .*wait for it, stop it, use"
    with pytest.raises(StoreInUse, match=words):
        mm.resume(path)
    done = morphml("resume", "s.db")
    assert done.returncode == 3, done.stderr
    assert f"process {driver.pid} drives searches" in " ".join(
        done.stderr.replace("│", " ").split()
    )
    with pytest.raises(StoreInUse, match=words):
        search(path, 3)
    shown = morphml("list", "s.db", "--json")
    assert shown.returncode == 0, shown.stderr
    (tmp_path / "go").touch()
    out, _ = driver.communicate(timeout=300)
    assert out.strip() == "{'completed': 10}"
    with mm.Experiment.open(path) as second:
        assert second.record.next_number == 0  # the refused one: stored, never begun
        first = second.store.experiments()[-1]
    with mm.Experiment.open(path, first.id) as experiment:
        assert experiment.record.state == "completed"
        assert replay(experiment).passed


def test_processes_that_begin_at_once_on_a_new_file_make_one_store(tmp_path: Path) -> None:
    (tmp_path / "go").touch()
    (tmp_path / "driver.py").write_text(DRIVER)
    running = [
        subprocess.Popen(
            [sys.executable, "driver.py"],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    ended = [process.communicate(timeout=200) for process in running]
    went = [out for out, _ in ended if out == "{'completed': 10}\n"]
    refused = [errors for _, errors in ended if "morphml.errors.StoreInUse: s.db" in errors]
    assert went
    assert len(went) + len(refused) == 3
    with mm.Experiment.open(tmp_path / "s.db") as newest:
        experiments = newest.store.experiments()
    assert sorted(e.state.value for e in experiments) == (
        ["completed"] * len(went) + ["created"] * len(refused)
    )


def test_file_is_free_at_once_when_the_process_that_drove_it_is_killed(
    driver: subprocess.Popen[str], tmp_path: Path
) -> None:
    driver.kill()
    driver.wait()
    (tmp_path / "go").touch()
    result = mm.resume(tmp_path / "s.db")
    assert result.counts == {"completed": 10}
    assert len(completed(tmp_path / "s.db")) == 10


# --- evaluators that are not there any more -------------------------------------------------------


def test_search_whose_evaluator_is_gone_can_be_shown_and_says_how_to_go_on(
    tmp_path: Path, morphml: Run
) -> None:
    (tmp_path / "scores.py").write_text("def evaluate(arch, trial):\n    return 1.0\n")
    (tmp_path / "script.py").write_text(
        "import morphml as mm, scores\n"
        "space = mm.SearchSpace(decisions={'i': mm.integer(0, 99)})\n"
        "mm.search(space, scores.evaluate, trials=4, workers=0, storage='s.db')\n"
    )
    subprocess.run([sys.executable, "script.py"], cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "scores.py").unlink()
    shown = morphml("show", "s.db")
    assert shown.returncode == 0, shown.stderr
    assert "4 completed" in shown.stdout
    with pytest.raises(
        EvaluatorError,
        match=r"the stored evaluator cannot be loaded \(ModuleNotFoundError: No module named "
        r"'scores'\); run this from the folder.*mm\.resume\(storage, evaluate=",
    ):
        mm.resume(tmp_path / "s.db", trials=6)
    result = mm.resume(tmp_path / "s.db", trials=6, workers=0, evaluate=lambda arch, trial: 2.0)
    assert [record.metrics["accuracy"] for record in result.records] == [1.0] * 4 + [2.0] * 2
