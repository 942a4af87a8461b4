"""Workers whose node has left the cluster, and which may live on without it."""

from __future__ import annotations

from morphml.engines.remote.hub import Hub
from morphml.scheduling.worker import WorkerState

_AWAY = (WorkerState.LOST, WorkerState.GONE)


def release(hub: Hub, name: str) -> None:
    """End the worker of that name, if it is there: others may soon be given what it uses.

    What it runs is preempted, and runs again elsewhere. Cost: O(workers).
    """
    for view in hub.workers():
        if view.name == name and view.state not in _AWAY:
            hub.drain(view.id, 0.0)
