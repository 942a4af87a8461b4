"""Run every benchmark, each in a process of its own, and show figures beside what is promised.

    make bench                           # all
    python -m benchmarks resume scaling  # some, by name
    python -m benchmarks --list

A benchmark is a module ``bench_<name>`` with ``run() -> list of rows``; a row is a mapping with
``case`` and figures. Results go to ``benchmarks/results/`` as JSON with the machine they are from.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil
from rich.console import Console, JustifyMethod
from rich.table import Table

from benchmarks.bars import verdict

HERE = Path(__file__).resolve().parent
#: Characters that the name of a case has at least, beside however many figures.
CASE_WIDTH = 40
Row = dict[str, object]


def names() -> list[str]:
    """All benchmarks, by name."""
    return sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))


def main() -> int:
    """Run what was asked for; 1 when a benchmark broke, whatever its figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", help="which benchmarks; all by default")
    parser.add_argument("--list", action="store_true", help="show the names and stop")
    parser.add_argument("--rows", metavar="NAME", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.rows:
        rows = importlib.import_module(f"benchmarks.bench_{options.rows}").run()
        # On its own line, since a benchmark may print on the way.
        print(f"\n{json.dumps(rows)}")
        return 0
    if options.list:
        print("\n".join(names()))
        return 0
    unknown = set(options.names) - set(names())
    if unknown:
        parser.error(f"unknown {', '.join(sorted(unknown))}; there are {', '.join(names())}")
    return run(options.names or names())


def run(chosen: list[str]) -> int:
    """Run, show and write; 1 when a benchmark broke."""
    console = Console(width=max(Console().width, 120))
    facts = machine()
    console.print(", ".join(f"{key} {value}" for key, value in facts.items()), markup=False)
    found: dict[str, list[Row]] = {}
    for name in chosen:
        rows = rows_of(name)
        if rows is not None:
            found[name] = rows
            console.print(*tables_of(name, rows), sep="\n")
    path = write(facts, found)
    console.print(f"written to {path}", markup=False)
    return 0 if len(found) == len(chosen) else 1


def rows_of(name: str) -> list[Row] | None:
    """The rows of one benchmark, run in a process of its own; None when it broke."""
    command = [sys.executable, "-m", "benchmarks", "--rows", name]
    done = subprocess.run(command, cwd=HERE.parent, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.stderr.write(f"benchmark {name} broke with status {done.returncode}\n")
        return None
    rows: list[Row] = json.loads(done.stdout.splitlines()[-1])
    return rows


def tables_of(name: str, rows: list[Row]) -> Iterator[Table]:
    """Figures by case, with what is promised; rows of the same figures in one table."""
    kinds: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        kinds.setdefault(tuple(key for key in row if row[key] is not None), []).append(row)
    for heads, alike in kinds.items():
        table = Table(title=name, title_justify="left", title_style="bold")
        for head in [*heads, "promised"]:
            left = head in ("case", "promised")
            width = CASE_WIDTH if head == "case" else None
            justify: JustifyMethod = "left" if left else "right"
            table.add_column(head, justify=justify, min_width=width, overflow="fold")
        for row in alike:
            table.add_row(*(str(row[head]) for head in heads), verdict(row))
        yield table


def machine() -> Row:
    """What the figures depend on."""
    facts: Row = {
        "date": datetime.now(tz=UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "cpu": processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
    }
    for package in ("morphml", "numpy", "sqlalchemy", "torch", "optuna"):
        try:
            facts[package] = version(package)
        except PackageNotFoundError:
            facts[package] = "absent"
    return facts


def processor() -> str:
    """The processor's name where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()


def write(facts: Row, found: dict[str, list[Row]]) -> Path:
    """Write the results as JSON; the newest also as ``latest.json``."""
    folder = HERE / "results"
    folder.mkdir(exist_ok=True)
    judged = {
        name: [{**row, "promised": verdict(row)} for row in rows] for name, rows in found.items()
    }
    text = json.dumps({"machine": facts, "benchmarks": judged}, indent=2) + "\n"
    stamp = datetime.now(tz=UTC).strftime("%Y%m%d-%H%M%S")
    path = folder / f"{stamp}.json"
    path.write_text(text, encoding="utf-8")
    (folder / "latest.json").write_text(text, encoding="utf-8")
    return path


if __name__ == "__main__":
    sys.exit(main())
