"""Who runs jobs of which type."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import cast

from morphml.errors import WorkflowError
from morphml.jobs.contract import JobType
from morphml.optimizers.events import JSON
from morphml.plugins import load_plugin
from morphml.workflow.types import GROUP, known_types

#: Import path by name. ``search`` is missing: the masters drive it, no worker runs it.
JOB_TYPES: Mapping[str, str] = {
    "evaluate": "morphml.jobs.evaluate:run",
    "export": "morphml.jobs.export:run",
    "preprocessing": "morphml.jobs.preprocessing:run",
    "python": "morphml.jobs.python:run",
    "shell": "morphml.jobs.shell:run",
    "train": "morphml.jobs.train:run",
}


def runs_as(name: str, config: Mapping[str, JSON]) -> str:
    """The type whose rights a job needs.

    What calls a function or class that the config names counts as ``python``, and so does what
    writes a file wherever the config says.
    """
    match name:
        case "preprocessing":
            calls = "function" in config
        case "train" | "evaluate":
            calls = "function" in config or not _is_built_in(config)
        case "export":
            calls = "/" in str(config.get("to", ""))
        case _:
            calls = False
    return "python" if calls else name


def _is_built_in(config: Mapping[str, JSON]) -> bool:
    """Whether the evaluator is one of MorphML's own."""
    search = config.get("search")
    given = search.get("evaluator") if isinstance(search, Mapping) else None
    evaluator = config.get("evaluator", given)
    if isinstance(evaluator, Mapping):
        return evaluator.keys() <= {"classification", "regression"}
    return str(evaluator).startswith("morphml.evaluation.training")


def job_type(name: str) -> JobType:
    """What runs jobs of that type; its module is imported.

    Raises:
        WorkflowError: when there is none here, or it is none.
        Exception: whatever the import of a package's own type raises.
    """
    path = JOB_TYPES.get(name)
    if path is not None:
        module, _, attribute = path.partition(":")
        return cast("JobType", getattr(import_module(module), attribute))
    if name not in known_types() or name == "search":
        raise WorkflowError(
            f"no job of type {name!r} can run at this worker; it knows "
            f"{', '.join(sorted({*JOB_TYPES, *known_types()} - {'search'}))}; own types come with "
            f"a package that offers them as entry points of {GROUP}"
        )
    found = load_plugin(GROUP, name)
    if not callable(found):
        raise WorkflowError(
            f"job type {name!r}: expected a function (config, run), got {type(found).__name__}"
        )
    return cast("JobType", found)
