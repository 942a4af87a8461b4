"""The code that functions of a workflow's jobs are imported from, to be sent along."""

from __future__ import annotations

from importlib.util import find_spec

from morphml.errors import WorkflowError
from morphml.evaluation.bundle import Bundle, bundle_root, pack
from morphml.workflow import Workflow
from morphml.workflow.functions import functions_of


def code_of(workflow: Workflow) -> Bundle | None:
    """The folder of the modules that jobs name, packed; None where they name none of this machine.

    What is installed does not travel, and what is not found here is taken to be installed where
    the jobs run.

    Raises:
        WorkflowError: when they lie in several folders.
        EvaluatorError: when a module cannot be looked for, or its folder cannot be sent.
        BundleError: when the folder is too large.
    """
    found = {path: bundle_root(path).folder for path in functions_of(workflow) if _is_here(path)}
    folders = {folder: path for path, folder in found.items() if folder is not None}
    if len(folders) > 1:
        told = ", ".join(f"{path!r} in {folder}" for folder, path in folders.items())
        raise WorkflowError(
            f"functions of its jobs lie in several folders: {told}; put them into one folder, "
            "which is sent to the workers"
        )
    return pack(next(iter(folders))) if folders else None


def _is_here(path: str) -> bool:
    try:
        return find_spec(path.partition(":")[0]) is not None
    except ModuleNotFoundError:
        return False
