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
from ray.util import get_node_ip_address
from tests.faults.ray.certificates import tls_variables

from morphml.engines.ray.settings import FAST_DETECTION

LONG_S = 240.0
RAY = Path(sys.executable).with_name("ray")


@dataclass
class RayNode:
    """One ``ray start --block``."""

    process: subprocess.Popen[bytes]
    log: Path

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def raylet(self) -> psutil.Process:
        """The process that is the node."""
        found = [p for p in self.family() if Path((_words(p) or [""])[0]).name == "raylet"]
        assert len(found) == 1, self.said()[-2000:]
        return found[0]

    def hosts(self) -> list[psutil.Process]:
        """Worker processes that serve masters."""
        return [p for p in self.family() if any("Placed" in word for word in _words(p))]

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self) -> None:
        """Every process of it, at once."""
        with contextlib.suppress(psutil.NoSuchProcess):
            for each in [psutil.Process(self.process.pid), *self.family()]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    each.kill()
        self.process.wait(30)


def free_port() -> int:
    with contextlib.closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


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
    #: Where it takes jobs, if it does.
    jobs: str = ""

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self, *, cpus: int = 0, jobs: bool = False) -> None:
        """A head; once more, and it is one on the same port."""
        self.port = self.port or free_port()
        taken, agent = free_port(), free_port()
        self.jobs = f"http://127.0.0.1:{taken}" if jobs else ""
        self.head = self._start(
            "--head",
            f"--port={self.port}",
            f"--num-cpus={cpus}",
            *((f"--dashboard-port={taken}",) if jobs else ()),
            f"--dashboard-agent-listen-port={agent}",  # two on one port, and neither takes jobs
            f"--include-dashboard={str(jobs).lower()}",
            f"--temp-dir={self.folder}",
            f"--system-config={json.dumps(FAST_DETECTION)}",
        )

    def add(self, cpus: int = 2, gpus: int = 0, **resources: float) -> RayNode:
        return self._start(
            f"--address={self.address}",
            f"--num-cpus={cpus}",
            f"--num-gpus={gpus}",
            f"--resources={json.dumps(resources)}",
        )

    def status(self) -> str:
        """What Ray says of the cluster, with the demand that waits."""
        return self._command("status")

    def drain(self, node_id: str, within_s: int) -> None:
        """As who takes a machine away does it."""
        self._command(
            "drain-node",
            f"--node-id={node_id}",
            "--reason=DRAIN_NODE_REASON_PREEMPTION",
            "--reason-message=it is taken away",
            f"--deadline-remaining-seconds={within_s}",
        )

    def _command(self, name: str, *words: str) -> str:
        command = [str(RAY), name, f"--address={self.address}", *words]
        done = subprocess.run(
            command, env=self.env, capture_output=True, text=True, check=False, timeout=LONG_S
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def close(self) -> None:
        for node in reversed(self.started):
            node.end()
        for process in psutil.process_iter():  # what a node left behind names our folder
            if any(str(self.folder) in word for word in _words(process)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self, *words: str) -> RayNode:
        """Ray gives a node 30 s to start, which a busy machine may need a second time for."""
        for _ in range(3):
            made = self._begin(*words)
            until = time.monotonic() + LONG_S
            while made.process.poll() is None:
                if "--block" in made.said():
                    return made
                assert time.monotonic() < until, made.said()
                time.sleep(0.05)
            self.started.remove(made)
        raise AssertionError(made.said()[-2000:])

    def _begin(self, *words: str) -> RayNode:
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
        return made


@contextlib.contextmanager
def ray_cluster(*, cpus: int = 0, jobs: bool = False, tls: bool = False) -> Iterator[RayCluster]:
    # Paths of sockets have little room, and pytest's folders are deep.
    folder = Path(tempfile.mkdtemp(prefix="mr-"))
    token = secrets.token_hex(32)
    env = {**os.environ, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token}
    env["PATH"] = f"{RAY.parent}{os.pathsep}{env['PATH']}"  # the `python` of jobs
    if tls:
        env |= tls_variables(folder / "tls", "127.0.0.1", get_node_ip_address())
    cluster = RayCluster(folder, env)
    try:
        cluster.start(cpus=cpus, jobs=jobs)
        yield cluster
    finally:
        cluster.close()
