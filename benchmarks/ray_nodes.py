"""A Ray cluster of several nodes on this machine, for benchmarks."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

RAY = Path(sys.executable).with_name("ray")
#: Seconds that a node may take to start; Ray itself allows 30 s.
STARTS_WITHIN_S = 60.0


@contextmanager
def ray_nodes(nodes: int, slots: int, port: int = 6399) -> Iterator[str]:
    """A head without slots and so many nodes; its address.

    Args:
        nodes: beside the head.
        slots: cores that each says it has.
        port: of the head.
    """
    folder = tempfile.mkdtemp(prefix="mrb-")
    started: list[subprocess.Popen[bytes]] = []

    def start(*words: str) -> None:
        log = Path(folder, f"{len(started)}.out")
        command = [str(RAY), "start", *words, "--object-store-memory=100000000", "--block"]
        with log.open("wb") as out:
            started.append(subprocess.Popen(command, stdout=out, stderr=out))
        until = time.monotonic() + STARTS_WITHIN_S
        while "--block" not in log.read_text(errors="replace"):
            if started[-1].poll() is not None or time.monotonic() > until:
                raise RuntimeError(log.read_text()[-1000:])
            time.sleep(0.1)

    try:
        start(
            "--head",
            f"--port={port}",
            "--num-cpus=0",
            "--include-dashboard=false",
            f"--temp-dir={folder}",
            "--disable-usage-stats",
        )
        for _ in range(nodes):
            start(f"--address=127.0.0.1:{port}", f"--num-cpus={slots}", "--disable-usage-stats")
        yield f"127.0.0.1:{port}"
    finally:
        for process in reversed(started):
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(psutil.NoSuchProcess):
        family = psutil.Process(process.pid).children(recursive=True)
        for each in [psutil.Process(process.pid), *family]:
            with suppress(psutil.NoSuchProcess):
                each.kill()
    process.wait(30)
