"""The experiment file's JSON schema, for editors and other programs."""

from __future__ import annotations

from morphml.documents.fields import schema_text
from morphml.search.experiment_file.model import ExperimentFile


def experiment_schema() -> str:
    """The JSON schema (draft 2020-12) of an experiment file, as the text of docs/schema."""
    return schema_text(ExperimentFile)
