"""Functions that jobs of these tests call in worker processes; they write down that they ran."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

from morphml.jobs import JobRun


def tally(word: str, run: JobRun) -> None:
    with Path(os.environ["TALLY"]).open("a") as file:
        file.write(f"{word} {run.job} {run.attempt_id}\n")


def write(size: int, run: JobRun, seconds: float = 0.0) -> Mapping[str, object]:
    tally("began", run)
    time.sleep(seconds)
    file = run.folder / "numbers.bin"
    file.write_bytes(bytes(i % 251 for i in range(size)))
    return {"file": file, "size": size}


def read(file: Path, run: JobRun) -> Mapping[str, object]:
    tally("began", run)
    data = file.read_bytes()
    return {"size": len(data), "last": data[-1], "name": file.name}


def wait(go: str, fifo: str, run: JobRun) -> None:
    """Wait until a file says that all may go; whoever ends a writing to the pipe wakes it."""
    tally("began", run)
    if not Path(go).exists():
        Path(fifo).read_bytes()
    tally("ended", run)
