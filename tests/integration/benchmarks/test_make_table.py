"""The package's own table is really trained, and a killed making of it goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import pytest

from morphml.benchmarks.cell_table import CellTable
from morphml.benchmarks.digits_cells import different_networks, digits_cells_space
from morphml.evaluation.training.curves import Curves
from morphml.storage import open_store

NETWORKS, EPOCHS = 6, 2


def command(file: Path) -> list[str]:
    start = [sys.executable, "-m", "morphml.cli", "bench", "make-table", "--to", str(file)]
    sizes = ["--networks", str(NETWORKS), "--epochs", str(EPOCHS), "--workers", "1"]
    return [*start, *sizes, "--json"]


def ended(file: Path) -> int:
    """How many networks the store has curves of."""
    if not file.with_suffix(".db").exists():
        return 0
    store = open_store(file.with_suffix(".db"), create=False)
    try:
        trials = [each for made in store.experiments() for each in store.trials(made.id)]
        return sum(bool(trial.metrics) for trial in trials)
    finally:
        store.close()


@contextmanager
def one_thread() -> Iterator[None]:
    """As in the children: sums over several threads depend on how many there are."""
    import torch  # not for each process that collects these tests

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_making_goes_on_and_the_table_is_that_of_the_seed(tmp_path: Path) -> None:
    file = tmp_path / "cells.npz"
    first = subprocess.Popen(command(file), stdout=subprocess.PIPE)
    deadline = time.monotonic() + 300
    while ended(file) < 1:
        assert first.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    children = psutil.Process(first.pid).children(recursive=True)
    os.kill(first.pid, signal.SIGKILL)
    first.communicate()
    assert psutil.wait_procs(children, timeout=90)[1] == []
    before = ended(file)
    assert 1 <= before < NETWORKS and not file.exists()

    second = subprocess.run(command(file), capture_output=True, timeout=300, check=True)
    told = json.loads(second.stdout)
    assert (told["networks"], told["trainings"], told["epochs"]) == (NETWORKS, 3 * NETWORKS, EPOCHS)
    store = open_store(file.with_suffix(".db"), create=False)
    (experiment,) = store.experiments()
    succeeded = [a.number for a in store.attempts(experiment.id) if a.result == "succeeded"]
    store.close()
    assert sorted(succeeded) == list(range(NETWORKS))  # nothing that was stored is trained again

    table = CellTable.read(file)
    assert table.test.shape == (NETWORKS, 3, EPOCHS) and table.held == {
        "validation": 600,
        "test": 598,
    }
    assert set(table.network.tolist()) == set(range(NETWORKS))
    wanted = different_networks(digits_cells_space())[0]
    with one_thread():
        alone = Curves(epochs=EPOCHS)(wanted, None)  # type: ignore[arg-type]  # no trial is asked
    for part, right in (("validation", table.validation), ("test", table.test)):
        again = [[alone[f"{part}_{s}_{e}"] for e in range(1, EPOCHS + 1)] for s in range(3)]
        assert np.array_equal(right[0], again)
    assert len({tuple(curve) for curve in table.test[0].tolist()}) == 3  # three seeds
    assert (table.seconds > 0).all()
