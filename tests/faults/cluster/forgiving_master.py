"""A master that waits a minute for workers whose connection broke, and for them to take a task."""

from __future__ import annotations

import logging
import sys
from dataclasses import replace
from pathlib import Path

from morphml.cli import serving
from morphml.cli.doors import server_door
from morphml.engines.remote.hub import HubSettings
from morphml.master.cluster import master
from morphml.master.cluster.settings import MasterSettings

PATIENCE_S = 60.0


class ForgivingSettings:
    """Stands where a master looks for the settings of its hub."""

    @staticmethod
    def of_beat(beat_s: float, *, listen: str, ahead: float) -> HubSettings:
        usual = HubSettings.of_beat(beat_s, listen=listen, ahead=ahead)
        return replace(usual, announce_within_s=PATIENCE_S, accept_within_s=PATIENCE_S)


def main() -> None:
    storage, listen, name, artifacts, tokens = sys.argv[1:]
    logging.basicConfig(level=logging.INFO)
    master.HubSettings = ForgivingSettings
    settings = MasterSettings(storage=storage, listen=listen, name=name, artifacts=Path(artifacts))
    access = server_door(listen, Path(tokens), None, None, None)
    serving.serve_master(settings, access, Path(tokens))


if __name__ == "__main__":
    main()
