"""The worker: a process that dials a master, and runs attempts in children of its own."""

from __future__ import annotations

from morphml.engines.remote.worker.settings import WorkerSettings
from morphml.engines.remote.worker.worker import RemoteWorker

__all__ = ["RemoteWorker", "WorkerSettings"]
