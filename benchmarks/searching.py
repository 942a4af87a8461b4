"""The search that benchmarks time: six layers whose width is one of ten, so 10**6 members.

The evaluator costs nothing, and an engine without machines ends every attempt at once: what is left
is the full way of a trial (proposal, graph, ids, duplicate check, all rows of the store).
"""

from __future__ import annotations

import gc
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psutil

from benchmarks.instant_engine import InstantEngine
from morphml import layers as L
from morphml.evaluation import EvaluatorSource
from morphml.master.crew import Run
from morphml.master.experiment import experiment_folder
from morphml.master.options import make_spec
from morphml.master.runner import run as drive
from morphml.settings import Durability
from morphml.space import SearchSpace, choice
from morphml.storage import StoreOptions, open_store

_T = TypeVar("_T")

WIDTHS = tuple(range(8, 88, 8))


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One search."""

    #: ``memory`` or ``SQLite``.
    storage: str
    #: What an acknowledged commit survives, on SQLite.
    durability: Durability = Durability.NORMAL
    #: Name of the optimizer.
    optimizer: str
    #: Attempts that are kept submitted.
    in_flight: int
    trials: int

    def __str__(self) -> str:
        """As it stands in the table."""
        return f"{self.storage} {self.durability.value}, {self.optimizer}"


def layered_space() -> SearchSpace:
    """Six dense layers, each of one of ten widths."""
    layers = [L.dense(units=choice(*WIDTHS)) for _ in range(6)]
    return SearchSpace(input=(16,), layers=[*layers, L.output(10)])


def evaluate(arch, trial) -> float:
    """A score that costs nothing."""
    return float(sum(code or 0 for code in arch.vector))


@contextmanager
def prepared(case: Case) -> Iterator[Run]:
    """A stored experiment that was not started; its store is closed and deleted at the end."""
    space = layered_space()
    source = EvaluatorSource.of(evaluate)
    with tempfile.TemporaryDirectory() as folder:
        path = None if case.storage == "memory" else Path(folder) / "bench.db"
        with closing(open_store(path, StoreOptions(durability=case.durability))) as store:
            options = {"optimizer": case.optimizer, "trials": case.trials, "seed": 1}
            spec = make_spec(space, source, 1, options)
            experiment = store.create_experiment(spec)
            yield Run(
                store=store,
                experiment=experiment,
                spec=spec,
                space=space,
                source=source,
                folder=experiment_folder(path, experiment),
                workers=0,
                observer=lambda progress: None,
            )


def finish(run: Run, in_flight: int) -> None:
    """Drive the search to its end."""
    drive(run, engine=InstantEngine(run.space, evaluate, in_flight))


def measure(case: Case) -> dict[str, object]:
    """Trials per second of one search, and the growth of the resident set."""
    with prepared(case) as run:
        gc.collect()
        before = psutil.Process().memory_info().rss
        began = time.perf_counter()
        finish(run, case.in_flight)
        seconds = time.perf_counter() - began
        grown = psutil.Process().memory_info().rss - before
        count = sum(1 for _ in run.store.trials(run.experiment))
    assert count == case.trials, (count, case.trials)
    return {
        "case": f"{case}, {case.in_flight} in flight",
        "trials": case.trials,
        "trials_per_s": round(case.trials / seconds),
        "rss_mb": round(grown / 2**20, 1),
    }


def in_fresh_process(function: Callable[[Case], _T], case: Case) -> _T:
    """The function's value from a process that did nothing before: memory is not given back."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, (case,))


def figure(row: Mapping[str, object], name: str) -> float:
    """A figure of a row as a number."""
    return float(str(row[name]))
