"""Where an experiment's files lie: checkpoints, captured output, an evaluator kept by value."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from morphml.ids import ExperimentId
from morphml.settings import read_settings
from morphml.storage.address import is_url


def experiment_folder(storage: str | Path | None, experiment: ExperimentId) -> Path:
    """The folder of an experiment's files.

    Beside a SQLite file; for a database server, below ``MORPHML_ARTIFACTS``; for a store in memory,
    a temporary one until this process exits.
    """
    if storage is None or str(storage) == ":memory:":
        folder = Path(tempfile.mkdtemp(prefix=f"morphml-{experiment}-"))
        atexit.register(_remove_own, folder, os.getpid())
        return folder
    return artifacts_folder(storage) / experiment


def artifacts_folder(storage: str | Path) -> Path:
    """The folder that holds the files of all experiments of a store."""
    if is_url(storage):
        return read_settings().store.artifacts
    return Path(storage).with_suffix(".artifacts").resolve()


def _remove_own(folder: Path, owner: int) -> None:
    """Remove a temporary folder, unless this is a fork of the process that made it."""
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)
