"""Functions that jobs of these tests call; each run writes a line into a file of the test."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from morphml.jobs import JobRun


def note(file: str, run: JobRun) -> None:
    with Path(file).open("a") as ran:
        ran.write(f"{run.job} {run.attempt_id}\n")


def prepare(count: int, ran: str, run: JobRun) -> Mapping[str, object]:
    note(ran, run)
    data = run.folder / "data.txt"
    data.write_text("x" * count)
    print("prepared", count)
    run.log(f"in {run.execution}")
    return {"rows": count, "data": data, "sizes": [1, 2]}


def length(data: Path) -> Mapping[str, object]:
    return {"length": len(data.read_text())}


def large(size: int) -> Mapping[str, object]:
    return {"text": "x" * size}


def odd(kind: str) -> Mapping[str, object]:
    return {"value": float("nan") if kind == "nan" else object()}


def linger(ran: str, run: JobRun) -> None:
    note(ran, run)
    time.sleep(60)


def broken() -> None:
    raise ValueError("this cannot work")


def hungry(ran: str, run: JobRun) -> None:
    note(ran, run)
    held = bytearray(400 << 20)
    held[::4096] = b"x" * len(held[::4096])
    time.sleep(60)
