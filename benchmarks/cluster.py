"""Masters and workers as processes of their own on a private PostgreSQL, for benchmarks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from morphml.search.experiment import ExperimentState
from morphml.storage import SqlStore, open_store
from morphml.storage.cluster import WorkerRow
from morphml.testing.postgres import PrivateServer, private_server

ROOT = Path(__file__).resolve().parent.parent
#: Code of evaluators, to be sent to workers; nothing else is in the folder.
CODE = str(ROOT / "benchmarks" / "travelling")
LISTENS = re.compile(r"start workers with: morphml worker --master (\S+)")
#: Seconds for what should take moments.
LONG_S = 120.0


class Member:
    """One process, with what it says in a file."""

    def __init__(self, command: Sequence[str], log: Path, env: dict[str, str]) -> None:
        self._log = log
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env, cwd=ROOT
            )
        self.pid = self._process.pid

    def text(self) -> str:
        """All that it said."""
        return self._log.read_text(errors="replace")

    def kill(self) -> float:
        """End it with SIGKILL; the hour of the signal."""
        at = time.time()
        self._process.kill()
        self._process.wait()
        return at

    def clean_up(self) -> None:
        """Leave nothing of it, nor of its children."""
        with suppress(psutil.NoSuchProcess):
            main = psutil.Process(self.pid)
            for process in (*main.children(recursive=True), main):
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        self._process.wait()

    def check(self) -> None:
        """Break off when it has ended."""
        if self._process.poll() is not None:
            raise RuntimeError(f"a process ended: {self.text()[-2000:]}")


class Cluster:
    """The processes on one database."""

    def __init__(self, folder: Path, server: PrivateServer) -> None:
        self.folder = folder
        self._server = server
        self.url = server.new_database()
        self.store: SqlStore = open_store(self.url)
        if CODE not in sys.path:
            sys.path.insert(0, CODE)
        self.masters: dict[str, Member] = {}
        self.addresses: dict[str, str] = {}
        self._members: list[Member] = []
        self._env = {
            **os.environ,
            "MORPHML_ARTIFACTS": str(folder / "artifacts"),
        }

    def start_masters(self, *names: str, options: Sequence[str] = ()) -> None:
        """Start masters and wait until they listen."""
        for name in names:
            command = ["master", "--storage", self.url, "--listen", "127.0.0.1:0", "--no-token"]
            command += ["--rest", "off", "--name", name, *options]
            self.masters[name] = self._start(name, *command)
        for name in names:
            member = self.masters[name]
            self.until(lambda m=member: LISTENS.search(m.text()), member)
            found = LISTENS.search(member.text())
            assert found is not None
            self.addresses[name] = found[1]

    def start_workers(self, count: int, slots: int, masters: Sequence[str] = ()) -> float:
        """Start workers of these masters, by default of all, and wait until all are registered.

        Returns:
            Seconds until then.
        """
        began = time.monotonic()
        dialled = ",".join(self.addresses[name] for name in masters or self.addresses)
        for _ in range(count):
            name = f"w{len(self._members)}"
            folder = str(self.folder / name)
            command = ("worker", "--master", dialled, "--no-token", "--slots", str(slots))
            self._start(name, *command, "--name", name, "--folder", folder)
        here = count + len(self.workers())
        self.until(lambda: len(self.workers()) >= here)
        return time.monotonic() - began

    def workers(self) -> list[WorkerRow]:
        """Those that a live master has reported."""
        return [worker for worker in self.store.cluster.workers.all() if worker.live]

    def driver(self, experiment: str) -> str:
        """Name of the master that drives an experiment; "" for none."""
        rows = self.store.cluster.masters()
        return next((row.name for row in rows if experiment in row.experiments), "")

    def until_over(self, experiment: str, timeout_s: float = 600.0) -> None:
        """Wait until an experiment is completed."""

        def over() -> bool:
            record = self.store.experiment(experiment)
            running = (ExperimentState.QUEUED, ExperimentState.RUNNING)
            assert record.state in (*running, ExperimentState.COMPLETED), record.reason
            return record.state is ExperimentState.COMPLETED

        self.until(over, timeout_s=timeout_s, every_s=0.2)

    def until(
        self,
        condition: Callable[[], object],
        *members: Member,
        timeout_s: float = LONG_S,
        every_s: float = 0.05,
    ) -> None:
        """Wait for something, as long as all processes live that it depends on."""
        limit = time.monotonic() + timeout_s
        while not condition():
            for member in members:
                member.check()
            if time.monotonic() > limit:
                raise TimeoutError("\n".join(each.text()[-500:] for each in self._members[:5]))
            time.sleep(every_s)

    def cpu_seconds(self) -> dict[str, float]:
        """Processor time so far of the masters, the workers with their children, and the server."""
        masters = {member.pid for member in self.masters.values()}
        workers = [member.pid for member in self._members if member.pid not in masters]
        return {
            "master": sum(map(_cpu_s, masters)),
            "workers": sum(map(_cpu_s, workers)),
            "server": _cpu_s(self._server.pid),
        }

    def close(self) -> None:
        """End everything."""
        self.store.close()
        for member in self._members:
            member.clean_up()

    def _start(self, name: str, *arguments: str) -> Member:
        command = [sys.executable, "-m", "morphml.cli", *arguments]
        member = Member(command, self.folder / f"{name}.log", self._env)
        self._members.append(member)
        return member


@contextmanager
def private_cluster(server: PrivateServer | None = None) -> Iterator[Cluster]:
    """A cluster without members, on a PostgreSQL server that flushes every commit to the disk."""
    with tempfile.TemporaryDirectory(prefix="morphml-bench-") as folder:
        if server is None:
            with private_server(fsync=True) as own, _closed(Cluster(Path(folder), own)) as cluster:
                yield cluster
        else:
            with _closed(Cluster(Path(folder), server)) as cluster:
                yield cluster


@contextmanager
def _closed(cluster: Cluster) -> Iterator[Cluster]:
    try:
        yield cluster
    finally:
        cluster.close()


def _cpu_s(pid: int) -> float:
    """Of a process and all that it started, those that have ended included."""
    main = psutil.Process(pid)
    times = [each.cpu_times() for each in (main, *main.children(recursive=True))]
    return sum(t.user + t.system + t.children_user + t.children_system for t in times)


def load() -> float:
    """What else the machine has to do: processes that want to run, mean of the last minute."""
    return round(os.getloadavg()[0], 1)
