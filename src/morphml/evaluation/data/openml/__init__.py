"""Tasks of OpenML by id: fetched once, checked by their digest, then read from the disk."""

from morphml.evaluation.data.openml.task import openml_task

__all__ = ["openml_task"]
