"""Fold of a long log, and the cost of ``import morphml``."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from benchmarks.searching import Case, finish, prepared
from morphml.master.recovery import fresh_machine

LONG = 100_000
#: Prints the most memory that this program has used, in KiB. ``ru_maxrss`` would not do: it counts
#: what the parent used before it became this program.
PEAK = "print(*[x.split()[1] for x in open('/proc/self/status') if x.startswith('VmHWM')])"


def measure_fold(trials: int = LONG) -> dict[str, object]:
    """Seconds to fold the log of a search of 100,000 trials from SQLite."""
    case = Case(storage="SQLite", optimizer="evolution", in_flight=64, trials=trials)
    with prepared(case) as run:
        finish(run, case.in_flight)
        began = time.perf_counter()
        machine = fresh_machine(run.spec, run.space)
        machine.fold(run.store.log(run.experiment))
        seconds = time.perf_counter() - began
    assert machine.next_number == trials
    return {"case": f"fold of {trials:,} trials, evolution", "seconds": round(seconds, 2)}


def measure_import(repeats: int = 10) -> dict[str, object]:
    """Median seconds and the memory of ``import morphml`` over an empty interpreter."""

    def once(statement: str) -> tuple[float, float]:
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", statement + PEAK], capture_output=True, check=True
        )
        return time.perf_counter() - began, int(done.stdout) / 1024

    once("import morphml;")
    empty = [once("") for _ in range(repeats)]
    full = [once("import morphml;") for _ in range(repeats)]
    typed = [
        once("import morphml as mm;mm.search;mm.SearchSpace;mm.layers;") for _ in range(repeats)
    ]
    base = statistics.median(seconds for seconds, _ in empty)
    return {
        "case": "import morphml, over an empty interpreter",
        "seconds": round(statistics.median(s for s, _ in full) - base, 3),
        "mb": round(statistics.median(m for _, m in full), 1),
        "seconds_with_search": round(statistics.median(s for s, _ in typed) - base, 3),
        "mb_with_search": round(statistics.median(m for _, m in typed), 1),
    }


def run() -> list[dict[str, object]]:
    """All rows of the table."""
    return [measure_import(), measure_fold()]


if __name__ == "__main__":
    for row in run():
        print(row)
