"""A master that shuts broken workers off for two seconds only; run by ``test_faulty_workers``."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from morphml.cli import serving
from morphml.cli.doors import server_door
from morphml.master.cluster.settings import MasterSettings
from morphml.scheduling.breaker import BreakerRule
from morphml.scheduling.faults import WorkerFaultRule


def main() -> None:
    storage, listen, name, artifacts, tokens = sys.argv[1:]
    logging.basicConfig(level=logging.INFO)
    settings = MasterSettings(
        storage=storage,
        listen=listen,
        name=name,
        artifacts=Path(artifacts),
        faults=WorkerFaultRule(breaker=BreakerRule(cool_s=2.0, longest_s=4.0)),
    )
    access = server_door(listen, Path(tokens), None, None, None)
    serving.serve_master(settings, access, Path(tokens))


if __name__ == "__main__":
    main()
