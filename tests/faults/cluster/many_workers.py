"""Forks many workers of one slot from a process that has imported what they need.

Arguments: token file, folder, number of workers, masters. Says the process ids on standard output,
one a line.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from morphml.clock import SystemClock
from morphml.engines.remote.access import Scope, client_access
from morphml.engines.remote.worker import RemoteWorker, WorkerSettings


def work(name: str, tokens: Path, folder: Path, masters: tuple[str, ...]) -> int:
    os.environ["COUNTED_WORKER"] = name
    clock = SystemClock()
    access = client_access(token_file=tokens, scope=Scope.WORKER, tls=None, clock=clock)
    settings = WorkerSettings(masters=masters, slots=1, folder=folder, name=name)
    return RemoteWorker(settings, access, clock).run()


def main() -> None:
    tokens, folder, count = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pids = []
    for number in range(count):
        pid = os.fork()
        if pid == 0:
            os._exit(work(f"w{number}", tokens, folder, tuple(sys.argv[4:])))
        pids.append(pid)
        print(pid, flush=True)
    for pid in pids:
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main()
