"""Results shared by evaluators on files, other processes, the command line, and after kill -9."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from tests.integration.master.reuse_cases import calls, replays, search

import morphml as mm
from morphml.master import Experiment
from morphml.search.log import EntryKind, LogEntry, decode_body

MODULE = """
from pathlib import Path
from uuid import uuid4

def evaluate(arch, trial):
    (Path({folder!r}) / f"call-{{uuid4().hex}}").write_text(arch.point_id)
    return {{"loss": {loss}}}
"""


def test_import_path_is_named_by_its_file_and_changed_code_shares_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s.db"
    monkeypatch.syspath_prepend(tmp_path)
    module = tmp_path / "reused_module.py"
    module.write_text(MODULE.format(folder=str(tmp_path), loss="1.0"))
    first = search(path, "reused_module:evaluate", trials=10, name="first")
    second = search(path, "reused_module:evaluate", trials=10, seed=1, name="second")
    assert calls(tmp_path).total() == len(first.records) + len(second.records)
    assert second.reused
    with Experiment.open(path, "first") as opened:
        opened.extend(12)
    del sys.modules["reused_module"]
    module.write_text(MODULE.format(folder=str(tmp_path), loss="2.0 + 0 * trial.number"))
    with pytest.warns(UserWarning, match="not the one that experiment 'first' began with"):
        grown = mm.resume(path, "first", workers=0)
    assert (len(grown.records), grown.reused) == (12, [])
    third = search(path, "reused_module:evaluate", trials=25, seed=2)
    assert third.reused == []
    assert {record.metrics["loss"] for record in third.records} == {2.0}


SCRIPT = """
import sys
from pathlib import Path
from uuid import uuid4
import morphml as mm
from morphml.master import Experiment

def evaluate(arch, trial):
    (Path(folder) / f"call-{uuid4().hex}").write_text(arch.point_id)
    return {"loss": float(arch.decisions["a"])}

folder = sys.argv[1]
space = mm.SearchSpace(decisions={"a": mm.integer(0, 9)})
given = dict(storage=f"{folder}/s.db", objectives={"loss": "min"}, workers=0, reuse=True)
mm.search(space, evaluate, trials=6, name="first", **given)
Experiment.create(space, evaluate, trials=10, name="second", **given).close()
"""


def test_evaluator_of_a_script_is_known_again_where_another_process_resumes(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    subprocess.run([sys.executable, str(script), str(tmp_path)], check=True, timeout=300)
    resumed = mm.resume(tmp_path / "s.db", "second", workers=0)
    assert (len(resumed.records), len(resumed.reused)) == (4, 6)
    assert calls(tmp_path).total() == 10
    assert replays(tmp_path / "s.db") == 2


# --- the command line --------------------------------------------------------------------------


@pytest.mark.slow
def test_command_line_shares_with_the_option_and_shows_what_was_reused(tmp_path: Path) -> None:
    (tmp_path / "cli_module.py").write_text(MODULE.format(folder=str(tmp_path), loss="1.0"))
    (tmp_path / "e.yaml").write_text(
        "space: |\n  SearchSpace(decisions={'a': integer(0, 4)})\n"
        "evaluator: cli_module:evaluate\nobjectives: {loss: min}\nworkers: 0\n"
    )

    def morphml(*words: str) -> dict[str, object]:
        command = [sys.executable, "-m", "morphml.cli", *words, "--json"]
        done = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=True
        )
        return json.loads(done.stdout)  # type: ignore[no-any-return]

    first = morphml("search", "e.yaml", "--reuse", "--trials", "3")
    assert (first["trials"], first["reused"]) == ({"completed": 3}, 0)
    second = morphml("search", "e.yaml", "--reuse", "--seed", "1")
    assert (second["trials"], second["reused"]) == ({"completed": 2}, 3)
    alone = morphml("search", "e.yaml", "--seed", "1")
    assert (alone["trials"], alone["reused"]) == ({"completed": 5}, 0)
    assert calls(tmp_path).total() == 10
    shown = morphml("show", "e.db", str(second["experiment"]), "--trial=-1")
    assert shown["reused_from"] in {f"{first['experiment']}#{n}" for n in range(3)}


# --- death -------------------------------------------------------------------------------------

DYING = """
import os, signal, sys
from pathlib import Path
import morphml as mm
from morphml.master import Experiment
from tests.integration.master.reuse_cases import GRID, Bowl

class Dying(Bowl):
    def __init__(self, folder, death):
        super().__init__(folder)
        self.version = "1"
        self._death = death

    def __call__(self, arch, trial):
        if trial.number == int(Path(self._death).read_text()):
            os.kill(os.getpid(), signal.SIGKILL)
        return {"loss": super().__call__(arch, trial)["loss"]}

folder, name, seed, death = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
(folder / "death").write_text(death)
if name == "resume":
    mm.resume(folder / "s.db", workers=0)
else:
    evaluate = Dying(folder, str(folder / "death"))
    mm.search(GRID, evaluate, storage=folder / "s.db", objectives={"loss": "min"}, trials=12,
              workers=0, optimizer="evolution", seed=seed, name=name, reuse=True)
"""


def live(folder: Path, name: str, seed: int, death: int) -> int:
    script = folder / "dying.py"
    script.write_text(DYING)
    command = [sys.executable, str(script), str(folder), name, str(seed), str(death)]
    root = Path(__file__).parents[3]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={"PYTHONPATH": f"{root}:{root / 'src'}", "PATH": ""},
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode


def entries_of(path: Path, name: str) -> list[LogEntry]:
    with Experiment.open(path, name) as experiment:
        return list(experiment.store.log(experiment.id))


def history(path: Path, name: str) -> list[tuple[object, ...]]:
    found = []
    for entry in entries_of(path, name):
        body = decode_body(entry)
        body.pop("duration", None)
        found.append((entry.seq, entry.kind, entry.number, body))
    return found


def test_killed_second_experiment_has_the_history_of_one_that_lived(tmp_path: Path) -> None:
    folder = tmp_path / "same"
    folder.mkdir()
    assert live(folder, "first", 1, -1) == 0
    shutil.copytree(folder, tmp_path / "kept")
    assert live(folder, "second", 2, -1) == 0
    whole = history(folder / "s.db", "second")
    assert any(kind is EntryKind.ANSWERED and "metrics" in body for _, kind, _, body in whole)
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "kept", folder)
    assert live(folder, "second", 2, 4) == -signal.SIGKILL
    begun = history(folder / "s.db", "second")
    assert live(folder, "resume", 0, 7) == -signal.SIGKILL
    assert live(folder, "resume", 0, -1) == 0
    resumed = history(folder / "s.db", "second")
    assert 0 < len(begun) < len(resumed)
    assert resumed[: len(begun)] == begun
    assert resumed == whole
    assert replays(folder / "s.db") == 2
    counted = calls(folder)
    assert counted == Counter(dict.fromkeys(counted, 1))
