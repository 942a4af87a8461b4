"""Worker processes of the tests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

HERE = Path(__file__).parent
SOURCE = HERE.parents[3] / "src"


@dataclass
class WorkerProcess:
    process: subprocess.Popen[bytes]
    tally: Path
    log: Path

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self, timeout_s: float = 120.0) -> int:
        return self.process.wait(timeout_s)

    def lines(self, word: str) -> list[list[str]]:
        """What evaluators noted under a word: number, process id, time."""
        if not self.tally.exists():
            return []
        lines = [line.split() for line in self.tally.read_text().splitlines()]
        return [rest for first, *rest in lines if first == word]

    def let(self, *numbers: int) -> None:
        """These trials of the evaluator ``gated`` may end, now or when they come."""
        for number in numbers:
            Path(f"{self.tally}-{number}").touch()

    def said(self) -> str:
        return self.log.read_text()

    def loses(self, pid: str, within_s: float) -> bool:
        """Whether a child has ended within that time, though nobody may have looked yet."""
        end = time.monotonic() + within_s
        while int(pid) in {process.pid for process in self.family() if runs(process)}:
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


def runs(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


class Workers:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started: list[WorkerProcess] = []

    def start(self, *ports: int, slots: int = 2, **fields: object) -> WorkerProcess:
        number = len(self.started)
        tally, log = self.folder / f"tally-{number}", self.folder / f"log-{number}"
        settings = {
            "masters": [f"127.0.0.1:{port}" for port in ports],
            "slots": slots,
            "folder": str(self.folder / "files"),
            "name": f"w{number}",
            "backoff_s": [0.05, 0.2],
            **fields,
        }
        path = os.pathsep.join([str(SOURCE), str(HERE)])
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, str(HERE / "worker_process.py"), json.dumps(settings)],
                env={**os.environ, "TALLY": str(tally), "PYTHONPATH": path},
                stdout=out,
                stderr=out,
            )
        worker = WorkerProcess(process, tally, log)
        self.started.append(worker)
        return worker
