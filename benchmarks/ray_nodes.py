"""A Ray cluster of several nodes on this machine, for benchmarks."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psutil

RAY = Path(sys.executable).with_name("ray")
#: Seconds that a node may take to start; Ray itself allows 30 s.
STARTS_WITHIN_S = 60.0
#: How often it is tried.
STARTS = 3


class RayNodes:
    """A head without slots, and nodes that are added.

    What this process and its children start afterwards knows the cluster's token.
    """

    def __init__(self) -> None:
        os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self._folder = tempfile.mkdtemp(prefix="mrb-")
        self._started: list[subprocess.Popen[bytes]] = []
        self.address = f"127.0.0.1:{port}"
        head = (f"--port={port}", "--num-cpus=0", "--include-dashboard=false")
        try:
            self._start("--head", *head, f"--temp-dir={self._folder}")
        except RuntimeError:
            self.close()
            raise

    def add(self, slots: int) -> None:
        """A node with so many cores, as it says; returns when Ray has it.

        Ray gives a node 30 s to start, which a busy machine may need again.
        """
        words = (f"--address={self.address}", f"--num-cpus={slots}")
        for _ in range(STARTS - 1):
            with suppress(RuntimeError):
                self._start(*words)
                return
        self._start(*words)

    def close(self) -> None:
        """End them all, with what they have started."""
        for process in reversed(self._started):
            _end(process)
        for each in psutil.process_iter():  # what a node left behind names our folder
            with suppress(psutil.Error):
                if any(self._folder in word for word in each.cmdline()):
                    each.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self, *words: str) -> None:
        log = Path(self._folder, f"{len(self._started)}.out")
        options = ["--object-store-memory=100000000", "--disable-usage-stats", "--block"]
        with log.open("wb") as out:
            command = [str(RAY), "start", *words, *options]
            self._started.append(subprocess.Popen(command, stdout=out, stderr=out))
        until = time.monotonic() + STARTS_WITHIN_S
        while "--block" not in log.read_text(errors="replace"):
            if self._started[-1].poll() is not None or time.monotonic() > until:
                raise RuntimeError(log.read_text()[-1000:])
            time.sleep(0.1)


def _cluster() -> RayNodes:
    for _ in range(STARTS - 1):
        with suppress(RuntimeError):
            return RayNodes()
    return RayNodes()


@contextmanager
def ray_nodes(nodes: int, slots: int) -> Iterator[RayNodes]:
    """A cluster of a head without slots and so many nodes.

    Args:
        nodes: beside the head.
        slots: cores that each says it has.
    """
    made = _cluster()
    try:
        for _ in range(nodes):
            made.add(slots)
        yield made
    finally:
        made.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(psutil.NoSuchProcess):
        family = psutil.Process(process.pid).children(recursive=True)
        for each in [psutil.Process(process.pid), *family]:
            with suppress(psutil.NoSuchProcess):
                each.kill()
    process.wait(30)
