"""``preprocessing``: prepares data with a function, as ``python`` does; without one, nothing."""

from __future__ import annotations

from collections.abc import Mapping

from morphml.errors import WorkflowError
from morphml.jobs import python
from morphml.jobs.contract import JobRun
from morphml.optimizers.events import JSON


def run(config: Mapping[str, JSON], run: JobRun) -> Mapping[str, object] | None:
    """What the function returns; nothing, and a line that says so, where none is named.

    Raises:
        WorkflowError: as ``python``; or when settings are given and no function.
        BaseException: whatever the function raises.
    """
    if config.get("function") is not None:
        return python.run(config, run)
    if config:
        raise WorkflowError(
            f"job {run.job}: the config has {sorted(config)} and no 'function' to hand them to"
        )
    run.log("nothing to do: the config names no function")
    return None
