"""Real Ray clusters of several nodes on this machine, each process ended by its id."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

LONG_S = 240.0
#: A node that is gone is noticed within about 3 s.
FAST = {
    "health_check_initial_delay_ms": 1000,
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 1000,
    "health_check_failure_threshold": 3,
}
RAY = Path(sys.executable).with_name("ray")


@dataclass
class RayNode:
    """One ``ray start --block``."""

    process: subprocess.Popen[bytes]
    log: Path

    def raylet(self) -> psutil.Process:
        """The process that is the node."""
        found = [p for p in self.family() if p.name() == "raylet"]
        assert len(found) == 1, self.log.read_text()[-2000:]
        return found[0]

    def hosts(self) -> list[psutil.Process]:
        """Worker processes that serve masters."""
        return [p for p in self.family() if any("Host" in word for word in _words(p))]

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self) -> None:
        """Every process of it, at once."""
        with contextlib.suppress(psutil.NoSuchProcess):
            for each in [psutil.Process(self.process.pid), *self.family()]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    each.kill()
        self.process.wait(30)


def _words(process: psutil.Process) -> list[str]:
    with contextlib.suppress(psutil.Error):
        return process.cmdline()
    return []


@dataclass
class RayCluster:
    """A head without slots, and nodes that a test adds."""

    folder: Path
    env: dict[str, str]
    head: RayNode | None = None
    started: list[RayNode] = field(default_factory=list)
    port: int = 0

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self, *, cpus: int = 0) -> None:
        with contextlib.closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.head = self._start(
            "--head",
            f"--port={self.port}",
            f"--num-cpus={cpus}",
            "--include-dashboard=false",
            f"--temp-dir={self.folder}",
            f"--system-config={json.dumps(FAST)}",
        )

    def add(self, cpus: int = 2, **resources: float) -> RayNode:
        return self._start(
            f"--address={self.address}",
            f"--num-cpus={cpus}",
            f"--resources={json.dumps(resources)}",
        )

    def close(self) -> None:
        for node in reversed(self.started):
            node.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self, *words: str) -> RayNode:
        log = self.folder / f"{secrets.token_hex(3)}.out"
        command = [str(RAY), "start", *words, "--object-store-memory=100000000", "--block"]
        with log.open("wb") as out:
            process = subprocess.Popen(
                [*command, "--disable-usage-stats"],
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        made = RayNode(process, log)
        self.started.append(made)
        until = time.monotonic() + LONG_S
        while "--block" not in log.read_text(errors="replace"):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.05)
        return made


@contextlib.contextmanager
def ray_cluster() -> Iterator[RayCluster]:
    # Paths of sockets have little room, and pytest's folders are deep.
    folder = Path(tempfile.mkdtemp(prefix="mr-"))
    token = secrets.token_hex(32)
    env = {**os.environ, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token}
    cluster = RayCluster(folder, env)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.close()
