"""Deletes an experiment: its rows, then its files."""

from __future__ import annotations

import shutil
from pathlib import Path

from morphml.ids import ExperimentId
from morphml.storage import SqlStore


def remove_experiment(store: SqlStore, experiment: ExperimentId, folder: Path) -> None:
    """Delete an experiment that nobody works on.

    Results that it shares with other experiments stay known to them.

    Args:
        store: where it is.
        experiment: its id.
        folder: of its files; they go last, so that what is stored never names a file that is gone.

    Raises:
        ExperimentError: when it waits or runs, or is a job of an execution.
        UnknownExperiment: when there is none of that id.
    """
    store.remove_experiment(experiment)
    shutil.rmtree(folder, ignore_errors=True)
