"""``python``: calls a function by its import path.

``function`` is ``package.module:name``; the rest of the config are its keyword arguments. Files of
earlier jobs arrive as ``Path``. A function that has a parameter ``run`` is handed the attempt.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import cast

from morphml.errors import WorkflowError
from morphml.jobs.artifacts import Artifact
from morphml.jobs.contract import JobRun
from morphml.optimizers.events import JSON


def run(config: Mapping[str, JSON], run: JobRun) -> Mapping[str, object] | None:
    """What the function returns.

    Raises:
        WorkflowError: when there is no such function, or the config does not fit its parameters.
        BaseException: whatever it raises.
    """
    function = loaded(config.get("function"), run)
    arguments = {
        name: _with_files(value, run) for name, value in config.items() if name != "function"
    }
    parameters = _fitting(function, arguments, run)
    if "run" in parameters and "run" not in arguments:
        arguments["run"] = run
    returned = function(**arguments)
    return cast("Mapping[str, object] | None", returned)


def loaded(path: JSON, run: JobRun) -> Callable[..., object]:
    """The function that an import path leads to.

    Raises:
        WorkflowError: when it leads nowhere, or to nothing that can be called.
        Exception: whatever the module raises while it is imported.
    """
    module, _, attribute = path.partition(":") if isinstance(path, str) else ("", "", "")
    if not module or not attribute:
        raise WorkflowError(
            f"job {run.job}: function: an import path has the form 'package.module:name', "
            f"got {path!r}"
        )
    try:
        found: object = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if not f"{module}.".startswith(f"{error.name}."):
            raise
        raise WorkflowError(
            f"job {run.job}: function {path!r}: there is no module {error.name!r} here; its folder "
            "must be on the import path of the worker (PYTHONPATH, or an installed package)"
        ) from None
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise WorkflowError(f"job {run.job}: function {path!r}: no {part!r} in {module!r}")
        found = getattr(found, part)
    if not callable(found):
        raise WorkflowError(
            f"job {run.job}: function {path!r}: {type(found).__name__} cannot be called"
        )
    return found


def _fitting(
    function: Callable[..., object], arguments: Mapping[str, object], run: JobRun
) -> Mapping[str, inspect.Parameter]:
    """The parameters of the function, which the arguments fit."""
    try:
        signature = inspect.signature(function)
    except ValueError:
        return {}  # a built-in without one; the call itself will tell
    wanted = dict(arguments)
    if "run" in signature.parameters:
        wanted.setdefault("run", run)
    try:
        signature.bind(**wanted)
    except TypeError as error:
        raise WorkflowError(
            f"job {run.job}: the config {sorted(arguments)} does not fit the function: {error}"
        ) from None
    return signature.parameters


def _with_files(value: JSON, run: JobRun) -> object:
    """The value with ``Path`` in the place of references to artifacts."""
    artifact = Artifact.of(value)
    if artifact is not None:
        return run.artifacts.path(artifact)
    if isinstance(value, Mapping):
        return {name: _with_files(each, run) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_with_files(each, run) for each in value]
    return value
