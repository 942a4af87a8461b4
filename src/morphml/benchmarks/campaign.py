"""Many searches of one problem, in several processes, kept as they end: a second call goes on.

Results stand in one file for each problem, a line of JSON for each search, in the order in which
they ended. One process writes; half a line that a killed one left is passed over.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.connection import wait
from pathlib import Path

from morphml.benchmarks.peers import PEERS, installed_peers
from morphml.benchmarks.playing import key_of, play
from morphml.benchmarks.problem import Problem
from morphml.benchmarks.run import Run, RunKey
from morphml.errors import CallerError, MissingExtraError
from morphml.hints import meant_or_known
from morphml.optimizers import OPTIMIZERS
from morphml.search.fidelity import COMBINATIONS, FIDELITIES

ALL = "all"


def competitors(asked: str, *, simulated: bool = False) -> list[str]:
    """Names of optimizers and peers.

    Args:
        asked: names with commas between them, or ``all``: every optimizer and every peer whose
            packages are installed.
        simulated: several workers at a time under a computed clock: then there are no peers, which
            know no such clock, but combinations with rules of fidelity, see ``searcher_of``.

    Raises:
        CallerError: there is no such optimizer.
        MissingExtraError: a peer's package is not installed.
    """
    if asked == ALL:
        here = [name for name, entry in OPTIMIZERS.items() if entry.installed]
        if simulated:
            return here + [name for name in COMBINATIONS if COMBINATIONS[name].optimizer in here]
        return here + installed_peers()
    names = list(dict.fromkeys(name.strip() for name in asked.split(",") if name.strip()))
    known = [*OPTIMIZERS, *(COMBINATIONS if simulated else PEERS)]
    for name in names:
        first, _, rule = name.partition("+")
        if not simulated and (name in COMBINATIONS or rule):
            raise CallerError(
                f"{name!r} gives some trials fewer epochs than others: only where a benchmark with "
                "curves is searched by several workers (--workers)"
            )
        if first not in known:
            raise CallerError(f"there is no optimizer {first!r}{meant_or_known(first, known)}")
        if rule and rule not in FIDELITIES:
            raise CallerError(
                f"there is no rule of fidelity {rule!r}{meant_or_known(rule, FIDELITIES)}"
            )
        if name in PEERS and PEERS[name].version is None:
            raise MissingExtraError(f"the peer {name!r}", extra=PEERS[name].extra)
    if not names:
        raise CallerError(f"name at least one optimizer, or {ALL!r}")
    return names


def results_file(folder: Path, problem: Problem) -> Path:
    """Where the searches of a problem are kept."""
    return folder / f"{problem.name.replace('/', '-')}.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """Which searches are wanted, and where they are kept."""

    problem: Problem
    #: Optimizers and peers, see ``competitors``.
    names: Sequence[str]
    #: Searches of each, with seeds 0, 1, ...
    seeds: int
    #: Evaluations of each search.
    trials: int
    #: A folder of results; made where it is not there.
    folder: Path


def run_campaign(
    campaign: Campaign, *, processes: int = 1, told: Callable[[int, int], None] | None = None
) -> list[Run]:
    """All searches, by optimizer and seed.

    Those that the folder holds already, of the same data, version, seed and trials, are not run
    again.

    Args:
        campaign: what is wanted.
        processes: how many searches run at once; 1 stays in this process.
        told: is called with (searches that are done, searches in all) at first and after each.
    """
    keys = campaign_keys(campaign)
    campaign.folder.mkdir(parents=True, exist_ok=True)
    file = results_file(campaign.folder, campaign.problem)
    done = {run.key: run for run in kept(file)}
    # By seed, so that a campaign that is cut short has some seeds of all.
    left = sorted((key for key in keys if key not in done), key=lambda key: key.seed)
    say = told or (lambda _done, _all: None)
    say(len(keys) - len(left), len(keys))
    if left:
        with file.open("ab") as lines:
            for run in _played(campaign.problem, left, processes):
                # Begins with a line end: whatever a killed process left stays a line of its own.
                lines.write(f"\n{run.to_line()}".encode())
                lines.flush()
                done[run.key] = run
                say(len([key for key in keys if key in done]), len(keys))
    return [done[key] for key in keys]


def campaign_keys(campaign: Campaign) -> list[RunKey]:
    """What is wanted, by optimizer and seed."""
    firsts = [_key(campaign.problem, name, campaign.trials) for name in campaign.names]
    return [replace(first, seed=seed) for first in firsts for seed in range(campaign.seeds)]


def kept(file: Path) -> Iterator[Run]:
    """The runs in a file of results; none where it is not there."""
    if not file.is_file():
        return
    with file.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            run = Run.of_line(line)
            if run is not None:
                yield run


def _key(problem: Problem, name: str, trials: int) -> RunKey:
    if name not in PEERS:
        return key_of(problem, name, 0, trials)
    return RunKey(
        problem=problem.name,
        data=problem.look_up.digest,
        optimizer=name,
        version=PEERS[name].version or "",
        seed=0,
        trials=trials,
    )


def _play(problem: Problem, key: RunKey) -> Run:
    peer = PEERS.get(key.optimizer)
    return play(problem, key) if peer is None else peer.play(problem, key)


def _played(problem: Problem, keys: Sequence[RunKey], processes: int) -> Iterator[Run]:
    if processes <= 1 or len(keys) == 1:
        yield from map(partial(_play, problem), keys)
        return
    # A fork of a process with threads may hang; a spawned one begins afresh.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(
        min(processes, len(keys)), mp_context=context, initializer=_end_with_parent
    )
    try:
        for ended in as_completed([pool.submit(_play, problem, key) for key in keys]):
            yield ended.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _end_with_parent() -> None:
    """Let this process end when the one that started it does, however that ended.

    Ctrl-C reaches both; the parent then takes back what was not begun, and waits for the rest.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
