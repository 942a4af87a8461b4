"""The experiment file that a command names."""

from __future__ import annotations

from pathlib import Path

from morphml.cli.written import text_of
from morphml.errors import ExperimentError
from morphml.search.experiment_file import ExperimentFile, parse_experiment


def read_experiment(path: Path) -> ExperimentFile:
    """The experiment in a file.

    Raises:
        DocumentError: with line and column, when it is wrong.
        ExperimentError: when the file cannot be read.
    """
    return parse_experiment(text_of(path, ExperimentError), str(path))
