"""A search in a process of its own that halts after every so many trials until told to go on."""

from __future__ import annotations

import gc
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection

import psutil

from benchmarks.instant_engine import InstantEngine
from benchmarks.searching import Case, evaluate, prepared
from morphml.master.runner import run as drive
from morphml.space import Architecture


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """What some trials in a row took."""

    #: Seconds by the clock on the wall, and of the process's processor time.
    wall_s: float
    cpu_s: float
    #: MiB by which the resident set has grown since the search was prepared.
    grown_mb: float


class Halting:
    """The search, as its parent sees it."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def block(self) -> Block:
        """Let the next trials run; returns when they are stored.

        Raises:
            EOFError: when the search has failed.
        """
        self._pipe.send("go on")
        block = self._pipe.recv()
        assert isinstance(block, Block)
        return block


@contextmanager
def halting(case: Case, every: int) -> Iterator[Halting]:
    """A prepared search that has not begun.

    Args:
        case: the search; all of its blocks are to be run.
        every: trials of a block, which divide those of the case.

    Raises:
        AssertionError: when the search failed, or did not store every trial.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_search, args=(case, every, there))
    process.start()
    there.close()
    try:
        yield Halting(here)
    finally:
        here.close()
        process.join()
    assert process.exitcode == 0, f"the search of {case} failed, or was left before its end"


class _Halt:
    """An evaluator that costs nothing, and halts the search where a block ends."""

    def __init__(self, every: int, pipe: Connection) -> None:
        self._every = every
        self._pipe = pipe
        self._count = 0
        gc.collect()
        self._before = psutil.Process().memory_info().rss
        self._begin()

    def __call__(self, arch: Architecture, trial: None) -> float:
        """The score; where it is the first one of another block, after the halt."""
        if self._count and self._count % self._every == 0:
            self.tell()
            self._begin()
        self._count += 1
        return evaluate(arch, trial)

    def tell(self) -> None:
        """Say what the block took."""
        wall, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
        grown = (psutil.Process().memory_info().rss - self._before) / 2**20
        self._pipe.send(Block(wall_s=wall, cpu_s=cpu, grown_mb=grown))

    def _begin(self) -> None:
        self._pipe.recv()
        self._wall, self._cpu = time.perf_counter(), time.process_time()


def _search(case: Case, every: int, pipe: Connection) -> None:
    """What the process does; the last block ends with the search."""
    with prepared(case) as run:
        halt = _Halt(every, pipe)
        drive(run, engine=InstantEngine(run.space, halt, case.in_flight))
        halt.tell()
        count = sum(1 for _ in run.store.trials(run.experiment))
    assert count == case.trials, (count, case.trials)
