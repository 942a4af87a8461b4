"""The functions and classes that jobs name by import path: what their workers must have."""

from __future__ import annotations

import re
from collections.abc import Iterator

from morphml.optimizers.events import JSON
from morphml.workflow.job import Job
from morphml.workflow.workflow import Workflow

_PATH = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
#: Keys of configs that name code.
_KEYS = ("function", "evaluator")
#: Types of jobs that have such keys.
_TYPES = frozenset({"python", "preprocessing", "search", "train", "evaluate"})


def functions_of(workflow: Workflow) -> list[str]:
    """Import paths ``package.module:name`` that jobs name, each once; no references among them."""
    return list(dict.fromkeys(path for job in workflow.jobs for path in _named(job)))


def _named(job: Job) -> Iterator[str]:
    if job.type in _TYPES:
        for key in _KEYS:
            yield from _paths(job.config.get(key))


def _paths(value: JSON) -> Iterator[str]:
    """A path, or the one that settings stand under."""
    if isinstance(value, dict):
        value = next(iter(value), None)
    if isinstance(value, str) and _PATH.fullmatch(value):
        yield value
