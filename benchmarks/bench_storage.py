"""The store alone: what one driver transaction costs, and reading 100,000 trials back.

The transaction is: result of n, trial n + 1, its task leased to the session, two log entries. At
``full`` it waits for the disk once, at ``normal`` it does not, so the latter's median is what a
transaction costs beside the disk. Writing and flushing as many bytes to a plain file stands first.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import orjson
import psutil

from morphml.ids import GraphId, PointId, digest
from morphml.scheduling.resources import Capacity
from morphml.search.changes import Changes
from morphml.search.log import EntryKind, LogEntry
from morphml.storage import Durability, SqlStore, StoreOptions, open_store
from morphml.testing.store_contract import Ask, DriverScript, sample_spec

Row = dict[str, object]
COMMITS = 4_000
LONG = 100_000
WAITING = 99_900
#: Bytes that the transaction adds to the write-ahead log: 8.8 pages on average, with their headers.
FLUSHED = 9 * 4_120


def run() -> list[Row]:
    """All rows; about a minute."""
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder:
        here = Path(folder)
        return [
            {"case": "write and fsync of 36 kB", "median_us": round(flush_cost(here / "flushed"))},
            *commits(here),
            *long_log(here / "long.db"),
            *claims(here / "claims.db"),
            *openings(here / "opened.db"),
        ]


def script_of(store: SqlStore) -> DriverScript:
    """A driver of a fresh experiment."""
    return DriverScript(store, store.create_experiment(sample_spec()), store.open_session("bench"))


def turns(script: DriverScript, count: int) -> Iterator[float]:
    """Drive ``count`` trials one after the other; seconds of each commit."""
    body = orjson.dumps(
        {
            "vector": [3, 1, 4, 1, 5, 9],
            "parents": [17],
            "note": None,
            "origin": "optimizer",
            "seen": 123,
            "computed": {"params": 123_456, "flops": 7_890_123},
        }
    )
    told = b'{"state":"completed","metrics":{"accuracy":0.5},"violation":0.0,"duration":0.01}'
    handed = None
    for _ in range(count):
        asked, (new,) = script.asking(1, Ask())
        point = digest(str(new.number).encode())
        trial = replace(asked.trials[0], point_id=PointId(point), graph_id=GraphId(point))
        entries = [LogEntry(script.seq + 1, EntryKind.ASKED, new.number, body)]
        changes = replace(asked, trials=(trial,))
        if handed is not None:
            told_before = script.telling(handed)
            entry = LogEntry(script.seq + 1, EntryKind.TOLD, handed.number, told)
            entries = [entry, entries[0]._replace(seq=script.seq + 2)]
            changes = replace(changes, ended=told_before.ended, updates=told_before.updates)
        changes = replace(changes, entries=tuple(entries))
        start = time.perf_counter()
        script.commit(changes)
        yield time.perf_counter() - start
        handed = new


def commits(folder: Path) -> Iterator[Row]:
    """One driver transaction, by kind of store."""
    kinds: list[tuple[str, Path | None, Durability]] = [
        (f"SQLite {durability}", folder / f"{durability}.db", durability)
        for durability in Durability
    ]
    for name, path, durability in (*kinds, ("memory", None, Durability.NORMAL)):
        with contextlib.closing(open_store(path, StoreOptions(durability=durability))) as store:
            times = sorted(1e6 * seconds for seconds in turns(script_of(store), COMMITS))
        yield {
            "case": f"one driver transaction, {name}",
            "median_us": round(times[COMMITS // 2]),
            "mean_us": round(statistics.fmean(times)),
            "p99_us": round(times[COMMITS * 99 // 100]),
        }


def flush_cost(path: Path) -> float:
    """Median microseconds to append and flush what one transaction writes."""
    data = bytes(FLUSHED)
    with path.open("wb", buffering=0) as file:
        for _ in range(500):  # SQLite's log is written over, not made longer, after a while
            file.write(data)
        os.fsync(file.fileno())

        def once() -> None:
            file.seek(0)
            file.write(data)
            os.fdatasync(file.fileno())

        return median_us(once, 500)


def median_us(call: Callable[[], object], count: int) -> float:
    """Median microseconds of ``count`` calls."""
    times = []
    for _ in range(count):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1e6 * statistics.median(times)


def long_log(path: Path) -> Iterator[Row]:
    """100,000 trials: does it stay fast, does memory stay flat, how fast is it read."""
    process = psutil.Process()
    with contextlib.closing(open_store(path)) as store:
        script = script_of(store)
        before = process.memory_info().rss
        times = list(turns(script, LONG))
        tenth = LONG // 10
        yield {
            "case": "100,000 trials written, SQLite normal",
            "first_tenth_us": round(1e6 * statistics.median(times[:tenth])),
            "last_tenth_us": round(1e6 * statistics.median(times[-tenth:])),
            "rss_grown_mb": round((process.memory_info().rss - before) / 2**20, 1),
            "file_mb": round(path.stat().st_size / 2**20),
        }
        del times
        experiment = script.right.experiment
        before = process.memory_info().rss
        start = time.perf_counter()
        entries = sum(1 for entry in store.log(experiment) if orjson.loads(entry.body))
        seconds = time.perf_counter() - start
        yield {
            "case": "log of 100,000 trials read, JSON decoded",
            "entries": entries,
            "seconds": round(seconds, 3),
            "rss_grown_mb": round((process.memory_info().rss - before) / 2**20, 1),
        }
        start = time.perf_counter()
        count = sum(1 for _ in store.trials(experiment))
        yield {
            "case": "100,000 trial records read",
            "entries": count,
            "seconds": round(time.perf_counter() - start, 3),
        }


def claims(path: Path) -> Iterator[Row]:
    """Claims past 99,900 tasks that this worker cannot run; the timer's one write."""
    with contextlib.closing(open_store(path)) as store:
        script = script_of(store)
        for _ in range(10):
            script.ask(WAITING // 10, Ask(leased=False, rank=-1.0, requirements={"memory": 64.0}))
        script.ask(1_000, Ask(leased=False))
        experiment, session = script.right.experiment, script.right.session
        for limit in (1, 8):
            yield {
                "case": f"claim of {limit} behind 99,900 other tasks, SQLite normal",
                "median_us": round(
                    median_us(
                        lambda n=limit: store.claim(experiment, session, n, Capacity().could), 100
                    )
                ),
            }
        calls: dict[str, Callable[[], object]] = {
            "renewal of a session beside 100,000 tasks": lambda: store.renew_session(session),
            "look for a stop request": lambda: store.stop_requested(experiment),
            "empty transaction (the fence alone)": lambda: script.commit(Changes()),
        }
        for case, call in calls.items():
            yield {"case": case, "median_us": round(median_us(call, 300))}


def openings(path: Path) -> Iterator[Row]:
    """A new file (migrations run) and one that is there already."""
    for case in ("open a new file", "open a file of this version"):
        start = time.perf_counter()
        store = open_store(path)
        yield {"case": case, "ms": round(1e3 * (time.perf_counter() - start), 1)}
        store.close()


if __name__ == "__main__":
    for row in run():
        print(row)
