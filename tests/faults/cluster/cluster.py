"""A cluster of real processes for one test: masters and workers that are started, hurt and counted.

Everything lies in one folder. The evaluator writes a line at each call, so that what ran is counted
by what ran, and not by what the store believes.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from psycopg.conninfo import conninfo_to_dict

import morphml as mm
from morphml.engines.remote.access import TokenFile
from morphml.master import Experiment, replay
from morphml.search.experiment import ExperimentState
from morphml.search.log import EntryKind, LogEntry
from morphml.storage import open_store
from morphml.storage.cluster import MasterRow

CODE = Path(__file__).with_name("code")
SPACE = mm.SearchSpace(decisions={"a": mm.integer(0, 99), "b": mm.integer(0, 99)})
LISTENS = re.compile(r"start workers with: morphml worker --master (\S+)")
#: Seconds for what should be a matter of moments on an idle machine.
LONG_S = 150.0


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One call of the evaluator."""

    number: int
    worker: str
    attempt: str
    #: Seconds since the Unix epoch.
    at: float


class Member:
    """One process of the cluster, with its log."""

    def __init__(self, name: str, command: list[str], log: Path, env: dict[str, str]) -> None:
        self.name = name
        self.log = log
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=env,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def send(self, number: signal.Signals) -> float:
        """Send a signal to the process alone; the hour, in seconds since the Unix epoch."""
        self._process.send_signal(number)
        return time.time()

    def kill(self) -> float:
        """End the process with SIGKILL and wait for that; the hour of the signal."""
        at = self.send(signal.SIGKILL)
        self._process.wait(LONG_S)
        return at

    def terminate(self) -> float:
        """Ask it to leave; the hour."""
        return self.send(signal.SIGTERM)

    def wait(self, timeout_s: float = LONG_S) -> int:
        """Its exit status."""
        return self._process.wait(timeout_s)

    def text(self) -> str:
        """All that it said."""
        return self.log.read_text(errors="replace")

    def said(self, words: str) -> float:
        """Wait until it has said this; the hour, to 10 ms."""
        limit = time.monotonic() + LONG_S
        while words not in self.text():
            assert time.monotonic() < limit, self.text()[-2000:]
            time.sleep(0.01)
        return time.time()

    def clean_up(self) -> None:
        """Leave nothing of it, nor of its children."""
        with suppress(psutil.NoSuchProcess):
            main = psutil.Process(self.pid)
            for process in (*main.children(recursive=True), main):
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        self._process.wait(LONG_S)


class Cluster:
    """Masters and workers on one store.

    Args:
        folder: for all files.
        storage: a URL of PostgreSQL, or the path of a SQLite file.
    """

    def __init__(self, folder: Path, storage: str) -> None:
        self.folder = folder
        self.storage = storage
        self.masters: dict[str, Member] = {}
        self.workers: dict[str, Member] = {}
        self._everybody: list[Member] = []
        self._experiments: list[Experiment] = []
        self.addresses: dict[str, str] = {}
        self.tokens = folder / "tokens.json"
        TokenFile(self.tokens).ensure()
        self.store = open_store(storage)
        self.take(0.0)

    # --- processes -------------------------------------------------------------------------------

    def start_masters(self, *names: str) -> None:
        """Start masters, each on the port of the one that had its name, and wait for them."""
        for name in names:
            at = self.addresses.get(name, "127.0.0.1:0")
            self.masters[name] = self._start(name, self.master_command(name, at), {})
        for name in names:
            self._until_listens(name)

    def start_master(self, name: str, command: list[str]) -> Member:
        """Start a master of another kind, and wait until it listens."""
        self.masters[name] = self._start(name, command, {})
        self._until_listens(name)
        return self.masters[name]

    @property
    def database(self) -> str:
        """``host:port`` of the PostgreSQL server."""
        parts = conninfo_to_dict(self.storage)
        return f"{parts.get('host', 'localhost')}:{parts.get('port', 5432)}"

    def start_master_through(self, name: str, line: str) -> Member:
        """Start a master that reaches the PostgreSQL server by another address."""
        aside = re.sub(r"@[^/]*/", f"@{line}/", self.storage)
        assert aside != self.storage
        command = self.master_command(name, "127.0.0.1:0")
        return self.start_master(name, [aside if p == self.storage else p for p in command])

    def start_process(self, name: str, command: list[str]) -> Member:
        """Start anything else that belongs to the cluster."""
        return self._start(name, command, {})

    def _until_listens(self, name: str) -> None:
        member = self.masters[name]
        self.until(lambda: LISTENS.search(member.text()) or not member.running, f"{name} starts")
        found = LISTENS.search(member.text())
        assert found, member.text()
        self.addresses[name] = found[1]

    def master_command(self, name: str, at: str) -> list[str]:
        return [
            *(sys.executable, "-m", "morphml.cli", "master"),
            *("--storage", self.storage, "--listen", at, "--name", name),
            *("--artifacts", str(self.folder / "artifacts"), "--token-file", str(self.tokens)),
        ]

    def start_workers(
        self, *names: str, slots: int, at: list[str] | None = None, wait: bool = True
    ) -> list[Member]:
        """Start workers that dial these addresses, by default all masters in order."""
        masters = ",".join(self.addresses.values() if at is None else at)
        for name in names:
            command = [
                *(sys.executable, "-m", "morphml.cli", "worker", "--master", masters),
                *("--slots", str(slots), "--name", name, "--token-file", str(self.tokens)),
                *("--folder", str(self.folder / "worker" / name)),
            ]
            self.workers[name] = self._start(name, command, {"COUNTED_WORKER": name})
        if wait:
            self.until(lambda: set(names) <= self.present(), f"{', '.join(names)} are there")
        return [self.workers[name] for name in names]

    def _start(self, name: str, command: list[str], extra: dict[str, str]) -> Member:
        env = {**os.environ, "COUNTED_FOLDER": str(self.folder), **extra}
        lives = sum(member.name == name for member in self._everybody)
        member = Member(name, command, self.folder / f"{name}.{lives}.log", env)
        self._everybody.append(member)
        return member

    def close(self) -> None:
        """End everything."""
        for store in (self.store, *self._experiments):
            store.close()
        for member in self._everybody:
            member.clean_up()

    # --- what it shall do ------------------------------------------------------------------------

    def take(self, seconds: float) -> None:
        """Let each evaluation that begins from now on take so long."""
        self._put("seconds", str(seconds))

    def hold(self, *workers: str, since: int = 0) -> None:
        """Let no evaluation of these workers end from now on, but of numbers below ``since``."""
        for worker in workers:
            self._put(f"hold-{worker}", str(since))

    def _put(self, name: str, text: str) -> None:
        """Write a file that others read at any moment."""
        file = self.folder / f"{name}.new"
        file.write_text(text)
        file.rename(self.folder / name)

    def release(self, *workers: str) -> None:
        """Let their evaluations end again."""
        for worker in workers:
            (self.folder / f"hold-{worker}").unlink()

    def submit(
        self, trials: int, evaluator: str = "counted_evaluations:evaluate", **options: object
    ) -> Experiment:
        """A search that is left to the masters."""
        options = {"optimizer": "random", "seed": 7, **options}
        made = Experiment.create(
            SPACE,
            evaluator,
            storage=self.storage,
            engine="remote",
            objectives={"loss": "min"},
            trials=trials,
            **options,
        )
        self._experiments.append(made)
        made.submit()
        return made

    # --- what there is ---------------------------------------------------------------------------

    def present(self) -> set[str]:
        """Names of the workers that are with a running master."""
        newest = {row.name: row for row in self.store.cluster.masters()}  # oldest first
        live = {row.session for name, row in newest.items() if self.masters[name].running}
        rows = self.store.cluster.workers.all()
        return {w.name for w in rows if w.master in live and w.state in ("idle", "busy")}

    def driver(self, experiment: Experiment) -> MasterRow | None:
        """Who drives it, as far as no one has said that it does not any more."""
        rows = self.store.cluster.masters()
        return next((row for row in rows if experiment.id in row.experiments), None)

    def driving(self, experiment: Experiment) -> Member:
        """The process that drives it; waits for one."""
        self.until(lambda: self.driver(experiment), "somebody drives it")
        found = self.driver(experiment)
        assert found is not None
        return self.masters[found.name]

    def evaluations(self) -> list[Evaluation]:
        """All calls of the evaluator, in order."""
        path = self.folder / "evaluations"
        # A line that crosses a page is seen in two steps: what has no end yet is not there yet.
        text = path.read_text() if path.exists() else ""
        lines = text[: text.rfind("\n") + 1].splitlines()
        parts = (line.split() for line in lines)
        return [Evaluation(int(n), worker, attempt, float(at)) for n, worker, attempt, at in parts]

    def evaluated(self) -> Counter[int]:
        """How often each number was evaluated; for one experiment."""
        return Counter(each.number for each in self.evaluations())

    def log(self, experiment: Experiment) -> list[LogEntry]:
        return list(self.store.log(experiment.id))

    def told(self, experiment: Experiment) -> int:
        """How many trials have ended."""
        return sum(entry.kind is EntryKind.TOLD for entry in self.log(experiment))

    # --- waiting ---------------------------------------------------------------------------------

    def until(self, condition: Callable[[], object], what: str, timeout_s: float = LONG_S) -> float:
        """Wait until something is so; the seconds that it took."""
        began = time.monotonic()
        while not condition():
            if time.monotonic() - began > timeout_s:
                raise AssertionError(f"not within {timeout_s:g} s: {what}\n{self.report()}")
            time.sleep(0.02)
        return time.monotonic() - began

    def until_held(self, count: int) -> None:
        """Wait until so many evaluations are held, and the master of each knows that it began.

        A worker gathers news for some milliseconds before it sends them, and its attempts run
        meanwhile: who kills it then, takes with it that they were even accepted, and its master
        hands them on as tasks that never began, blames nobody and writes no ended attempt.
        """
        folder = self.folder / "artifacts"

        def held() -> int:
            return sum(file.read_text().count("is held") for file in folder.rglob("output/*.log"))

        self.until(lambda: held() == count, f"{count} evaluations are held")

    def until_over(self, experiment: Experiment, timeout_s: float = LONG_S) -> float:
        """Wait until the experiment is completed; the seconds that it took."""

        def over() -> bool:
            state = experiment.record.state
            assert state in ("queued", "running", "completed"), self.report()
            return state is ExperimentState.COMPLETED

        return self.until(over, f"{experiment.id} is completed", timeout_s)

    def report(self) -> str:
        """What everybody said last, for a failed test."""
        parts = [f"{len(self.evaluations())} evaluations"]
        for member in self._everybody:
            lines = "\n".join(member.text().splitlines()[-30:])
            parts.append(f"--- {member.name}{'' if member.running else ' (ended)'}\n{lines}")
        return "\n".join(parts)


def check_whole(cluster: Cluster, experiment: Experiment, before: list[LogEntry]) -> None:
    """TRUTH 8 for one experiment that is over: nothing lost, nothing counted twice.

    Args:
        cluster: where it ran.
        experiment: completed.
        before: its log as it was read at some moment before a fault.
    """
    entries = cluster.log(experiment)
    trials = experiment.spec.budget.trials
    assert entries[: len(before)] == before
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    assert [e.number for e in entries if e.kind is EntryKind.ASKED] == list(range(trials))
    told = Counter(e.number for e in entries if e.kind is EntryKind.TOLD)
    assert told == Counter(range(trials))
    stored = Counter(trial.state for trial in cluster.store.trials(experiment.id))
    assert stored == {"completed": trials}
    ends = cluster.store.attempts(experiment.id)
    succeeded = Counter(end.number for end in ends if end.result == "succeeded")
    assert succeeded == Counter(range(trials))
    assert cluster.store.task_counts(experiment.id) == {}
    report = replay(experiment)
    assert report.passed
    assert report.asked >= trials


def check_evaluations(cluster: Cluster, expected: Counter[int]) -> None:
    """The evaluator itself has counted so many calls for each number."""
    found = cluster.evaluations()
    strange = [each for each in found if cluster.evaluated()[each.number] != expected[each.number]]
    assert cluster.evaluated() == expected, "\n".join([*map(str, strange), cluster.report()])
