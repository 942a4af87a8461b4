"""What ``morphml doctor`` looks at: is this machine ready, and if not, what is to be done."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psutil


class Verdict(StrEnum):
    """How a check came out."""

    OK = "ok"
    #: Works, with less.
    NOTE = "note"
    #: A search will not run.
    FAULT = "fault"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One finding."""

    subject: str
    verdict: Verdict
    #: What was found.
    found: str
    #: What to do about it; empty where nothing is.
    remedy: str = ""


#: Extra to the modules that it brings.
EXTRAS = {
    "torch": ("torch", "sklearn"),
    "viz": ("matplotlib", "pandas", "sklearn"),
    "onnx": ("onnx", "onnxscript", "onnxruntime"),
    "bo": ("optuna", "cmaes", "moocore", "sklearn"),
    "tables": ("pandas", "pyarrow"),
    "smac": ("smac",),
    "postgres": ("psycopg",),
    "redis": ("redis",),
    "s3": ("obstore",),
    "ray": ("ray",),
    "remote": ("grpc", "grpc_health", "google.protobuf", "cryptography", "pynvml"),
    "server": ("fastapi", "uvicorn", "prometheus_client"),
    "client": ("httpx",),
}
#: A search on less memory than this, in bytes, is likely to be killed.
LITTLE_MEMORY = 2 * 2**30
#: Less free space than this, in bytes, fills up soon with checkpoints.
LITTLE_DISK = 2**30


def examine(folder: Path) -> list[Check]:
    """All checks; ``folder`` is where a store would be kept. It takes seconds: torch is loaded."""
    return [
        python_check(sys.version_info[:3]),
        processor_check(),
        memory_check(psutil.virtual_memory().available),
        *torch_checks(),
        sqlite_check(sqlite3.sqlite_version_info),
        folder_check(folder),
        *extra_checks(EXTRAS),
    ]


def python_check(version: tuple[int, int, int]) -> Check:
    """Whether Python is new enough."""
    found = f"Python {'.'.join(map(str, version))} on {platform.platform(terse=True)}"
    if version < (3, 11, 0):
        return Check(
            subject="python", verdict=Verdict.FAULT, found=found, remedy="install Python 3.11+"
        )
    return Check(subject="python", verdict=Verdict.OK, found=found)


def processor_check() -> Check:
    """How many cores there are, and may be used."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return Check(
        subject="cpu",
        verdict=Verdict.OK,
        found=f"{usable} usable of {os.cpu_count()} cores; {platform.machine()}",
    )


def memory_check(available: int) -> Check:
    """Whether ``available`` bytes carry a training."""
    found = f"{available / 2**30:.1f} GiB available"
    if available < LITTLE_MEMORY:
        return Check(
            subject="memory", verdict=Verdict.NOTE, found=found, remedy="search with workers=1"
        )
    return Check(subject="memory", verdict=Verdict.OK, found=found)


def torch_checks() -> list[Check]:
    """Whether torch is there, and which GPUs it sees."""
    if importlib.util.find_spec("torch") is None:
        return [
            Check(
                subject="torch",
                verdict=Verdict.NOTE,
                found="not installed: architectures can be searched, not built",
                remedy="pip install 'morphml[torch]'",
            )
        ]
    try:
        import torch  # noqa: PLC0415 takes seconds, and is optional
    except (ImportError, OSError) as error:
        remedy = "reinstall torch for this machine"
        return [Check(subject="torch", verdict=Verdict.FAULT, found=str(error), remedy=remedy)]
    found = f"torch {torch.__version__}, {torch.get_num_threads()} threads"
    return [Check(subject="torch", verdict=Verdict.OK, found=found), _gpu_check()]


def _gpu_check() -> Check:
    import torch  # noqa: PLC0415 takes seconds, and is optional

    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
        return Check(subject="gpu", verdict=Verdict.OK, found=", ".join(names))
    return Check(subject="gpu", verdict=Verdict.NOTE, found="none that torch sees; training on CPU")


def sqlite_check(version: tuple[int, ...]) -> Check:
    """Whether SQLite knows ``RETURNING`` (3.35), which the store needs."""
    found = f"SQLite {'.'.join(map(str, version))}"
    if version < (3, 35, 0):
        remedy = "use a Python with SQLite 3.35 or newer"
        return Check(subject="sqlite", verdict=Verdict.FAULT, found=found, remedy=remedy)
    return Check(subject="sqlite", verdict=Verdict.OK, found=found)


def folder_check(folder: Path) -> Check:
    """Whether a store can be made in ``folder``: a real file is written, locked and removed."""
    try:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".morphml-doctor-") as probe:
            connection = sqlite3.connect(Path(probe, "probe.db"))
            try:
                mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
                connection.execute("CREATE TABLE probe (x)")
                connection.commit()
            finally:
                connection.close()
        free = shutil.disk_usage(folder).free
    except (OSError, sqlite3.Error) as error:
        return Check(
            subject="store",
            verdict=Verdict.FAULT,
            found=f"{folder}: {error}",
            remedy="choose a folder that can be written, on a local disk",
        )
    found = f"{folder.resolve()} can be written, {free / 2**30:.1f} GiB free"
    if mode != "wal":
        remedy = "choose a folder on a local disk: this one cannot keep a write-ahead log"
        return Check(subject="store", verdict=Verdict.FAULT, found=found, remedy=remedy)
    if free < LITTLE_DISK:
        return Check(subject="store", verdict=Verdict.NOTE, found=found, remedy="make space")
    return Check(subject="store", verdict=Verdict.OK, found=found)


def extra_checks(extras: dict[str, tuple[str, ...]]) -> Iterable[Check]:
    """Which optional parts are installed."""
    for extra, modules in extras.items():
        missing = [name for name in modules if importlib.util.find_spec(name) is None]
        if missing:
            yield Check(
                subject=f"extra {extra}",
                verdict=Verdict.NOTE,
                found=f"not installed: {', '.join(missing)}",
                remedy=f"pip install 'morphml[{extra}]'",
            )
        else:
            yield Check(subject=f"extra {extra}", verdict=Verdict.OK, found=", ".join(modules))
