"""The experiment file: one search as YAML, checked, with errors that point at the mistake."""

from __future__ import annotations

from morphml.search.experiment_file.model import (
    ExperimentFile,
    NamedSettings,
    is_import_path,
)
from morphml.search.experiment_file.reading import parse_experiment
from morphml.search.experiment_file.schema import experiment_schema

__all__ = [
    "ExperimentFile",
    "NamedSettings",
    "experiment_schema",
    "is_import_path",
    "parse_experiment",
]
