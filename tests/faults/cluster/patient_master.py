"""A master that shuts broken workers off for two seconds only, and bears fuller disks."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from morphml.cli import serving
from morphml.cli.doors import server_door
from morphml.master.cluster.settings import MasterSettings
from morphml.scheduling.breaker import BreakerRule
from morphml.scheduling.faults import WorkerFaultRule
from morphml.scheduling.health import Figure, HealthRule, Threshold

MIB = float(1 << 20)
#: For disks of 64 MiB.
SMALL_DISKS = Threshold(
    figure=Figure.DISK_FREE,
    sick=16 * MIB,
    well=32 * MIB,
    for_s=0.0,
    words="its disk is full: {:.0f} MiB left",
    unit=MIB,
)


def main() -> None:
    storage, listen, name, artifacts, tokens = sys.argv[1:]
    logging.basicConfig(level=logging.INFO)
    settings = MasterSettings(
        storage=storage,
        listen=listen,
        name=name,
        artifacts=Path(artifacts),
        faults=WorkerFaultRule(breaker=BreakerRule(cool_s=2.0, longest_s=4.0)),
        health=HealthRule(thresholds=(SMALL_DISKS,), sample_s=1.0),
    )
    access = server_door(listen, Path(tokens), None, None, None)
    serving.serve_master(settings, access, Path(tokens))


if __name__ == "__main__":
    main()
