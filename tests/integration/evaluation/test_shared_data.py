"""One copy of a data set for all processes of a machine, on a real engine."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

import morphml as mm


class Reading:
    """Every trial reads the same array; the process that loads it first dies of it."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def load(self) -> dict[str, np.ndarray]:
        with (Path(self.folder) / "loads").open("a") as file:
            file.write(f"{os.getpid()}\n")
        if len((Path(self.folder) / "loads").read_text().split()) == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.2)  # the others come and wait
        return {"x": np.arange(1 << 20, dtype=np.float64)}

    def __call__(self, arch: mm.Architecture, trial: mm.Trial) -> dict[str, float]:
        x = trial.dataset(self.load)["x"]
        total = float(x.sum())
        assert isinstance(x, np.memmap)
        assert x.filename is not None
        name = os.path.realpath(x.filename)
        return {"loss": total, "inode": Path(name).stat().st_ino, "own_kib": own_kib(name)}


def own_kib(name: str) -> float:
    """KiB of a mapped file that were copied for this process."""
    lines = Path("/proc/self/smaps").read_text().splitlines()
    at = next(i for i, line in enumerate(lines) if line.endswith(name))
    (copied,) = [line for line in lines[at : at + 25] if line.startswith("Anonymous")]
    return float(copied.split()[1])


def test_data_are_loaded_once_for_all_processes_even_when_the_first_dies_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MORPHML_DATA_CACHE", str(tmp_path / "cache"))
    space = mm.SearchSpace(decisions={"k": mm.integer(0, 99)})
    result = mm.search(
        space,
        Reading(str(tmp_path)),
        objectives={"loss": "min"},
        optimizer="random",
        trials=8,
        workers=3,
    )
    assert [each.state.value for each in result.records] == ["completed"] * 8
    metrics = [each.metrics or {} for each in result.records]
    assert {each["loss"] for each in metrics} == {(1 << 20) * ((1 << 20) - 1) / 2}
    assert len({each["inode"] for each in metrics}) == 1
    assert {each["own_kib"] for each in metrics} == {0.0}
    loaders = (tmp_path / "loads").read_text().split()
    assert len(loaders) == len(set(loaders)) == 2
