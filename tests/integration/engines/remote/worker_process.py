"""A worker process of the tests: ``python worker_process.py '<JSON of settings>'``."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

from morphml.clock import SystemClock
from morphml.engines.remote.access import ClientAccess
from morphml.engines.remote.worker import RemoteWorker, WorkerSettings


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    fields = json.loads(sys.argv[1])
    fields["folder"] = Path(fields["folder"])
    for name in ("masters", "labels", "devices", "backoff_s"):
        if name in fields:
            fields[name] = tuple(fields[name])
    fields["refuse_jobs"] = frozenset(fields.get("refuse_jobs", ()))
    return RemoteWorker(WorkerSettings(**fields), ClientAccess(), SystemClock()).run()


if __name__ == "__main__":
    sys.exit(main())
