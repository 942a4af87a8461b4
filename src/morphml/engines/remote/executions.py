"""What workers are told of an execution: nothing but how its jobs are run."""

from __future__ import annotations

from morphml.engines.remote.messages import ContextMessage
from morphml.ids import ExperimentId, digest
from morphml.jobs import JOBS


def execution_message(execution: ExperimentId, bundle: str = "") -> ContextMessage:
    """The context of an execution; the same for all but for the source bundle.

    Args:
        execution: its id, under which its tasks are claimed.
        bundle: digest of the source bundle that functions of its jobs are imported from; "" for
            what is installed at the workers.
    """
    return ContextMessage(
        experiment=execution,
        evaluator=JOBS,
        bundle=bundle,
        digest=digest(f"{JOBS}/{bundle}".encode()),
    )
