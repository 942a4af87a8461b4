"""How evaluators get from a person's process to workers, over a real master and a real worker."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

import morphml as mm
from morphml.clock import SystemClock
from morphml.engines.remote.access import Scope, client_access, server_access
from morphml.engines.remote.worker import RemoteWorker, WorkerSettings
from morphml.errors import ExperimentError, MorphError
from morphml.master.cluster.master import Master
from morphml.master.cluster.settings import MasterSettings

SPACE = mm.SearchSpace(decisions={"x": mm.real(-1, 1)})
ANYWHERE = "127.0.0.1:0"


@contextmanager
def cluster(folder: Path, *, allow_pickle: bool = False) -> Iterator[str]:
    """A master with a worker of two slots; the storage to submit to."""
    clock = SystemClock()
    storage = str(folder / "s.db")
    settings = MasterSettings(storage=storage, listen=ANYWHERE, allow_pickle=allow_pickle)
    access = server_access(ANYWHERE, token_file=None, tls=None, clock=clock)
    with Master(settings, access, clock) as master:
        worker = RemoteWorker(
            WorkerSettings(
                masters=(f"127.0.0.1:{master.port}",),
                slots=2,
                folder=folder / "worker",
                allow_pickle=allow_pickle,
            ),
            client_access(token_file=None, scope=Scope.WORKER, tls=None, clock=clock),
            clock,
        )
        thread = Thread(target=worker.run, daemon=True)
        thread.start()
        try:
            yield storage
        finally:
            worker.stop()
            thread.join()


def search(storage: str, evaluate: object, **options: object) -> mm.Result:
    return mm.search(
        SPACE, evaluate, objectives={"loss": "min"}, trials=6, storage=storage, engine="remote",
        **options,
    )  # fmt: skip


def module(folder: Path, name: str, factor: int) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "helping.py").write_text(f"FACTOR = {factor}\n", encoding="utf-8")
    (folder / f"{name}.py").write_text(
        "from helping import FACTOR\n"
        "def evaluate(arch, trial):\n"
        "    return {'loss': FACTOR * arch.decisions['x'] ** 2}\n",
        encoding="utf-8",
    )


def forget(*names: str) -> None:
    for name in names:
        sys.modules.pop(name, None)


def test_two_versions_of_a_module_travel_as_bundles_and_do_not_meet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with cluster(tmp_path) as storage:
        for factor in (1, 1000):
            folder = tmp_path / f"version-{factor}"
            module(folder, "scoring", factor)
            with monkeypatch.context() as patch:
                patch.syspath_prepend(str(folder))
                result = search(storage, "scoring:evaluate", seed=3)
            forget("scoring", "helping")
            assert len(result.records) == 6
            for trial in result.ranked():
                expected = factor * float(str(trial.decisions["x"])) ** 2
                assert trial.metrics["loss"] == pytest.approx(expected)


def test_closure_goes_by_value_where_both_sides_allow_it(tmp_path: Path) -> None:
    offset = 7.0
    with cluster(tmp_path, allow_pickle=True) as storage:
        marked = mm.by_value(lambda arch, trial: {"loss": offset + arch.decisions["x"] ** 2})
        result = search(storage, marked)
    assert len(result.records) == 6
    assert result.best is not None
    assert 7.0 <= result.best.metrics["loss"] < 8.0


def test_master_that_allows_no_pickle_says_so_and_runs_nothing(tmp_path: Path) -> None:
    with cluster(tmp_path) as storage:
        marked = mm.by_value(lambda arch, trial: {"loss": 0.0})
        with pytest.raises(ExperimentError, match="--allow-pickle"):
            search(storage, marked)


def test_closure_without_the_mark_is_refused_before_anything_is_stored(tmp_path: Path) -> None:
    storage = tmp_path / "none.db"
    with pytest.raises(MorphError, match="py file"):
        search(str(storage), lambda arch, trial: {"loss": 0.0})
