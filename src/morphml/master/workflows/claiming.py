"""Slots that jobs have a right to at one master are filled with jobs that wait."""

from __future__ import annotations

from morphml.engines.remote.hub import Hub
from morphml.master.cluster.shares import Shares
from morphml.master.session import MasterLife
from morphml.master.workflows.desk import JOBS, JobDesk
from morphml.scheduling.fair_share import Demand
from morphml.scheduling.policies.contract import DEFAULT_PRIORITY
from morphml.scheduling.resources import Requirements
from morphml.storage import SqlStore

#: Jobs of one claim at most.
LIMIT = 256


class JobClaiming:
    """Claims jobs of executions for the workers of one master.

    Args:
        store: has the jobs.
        life: of the master; its session holds what is claimed.
        hub: knows what its workers could run.
        shares: who has a right to how many slots here.
        desk: takes what was claimed.
    """

    def __init__(
        self, store: SqlStore, life: MasterLife, hub: Hub, shares: Shares, desk: JobDesk
    ) -> None:
        self._store = store
        self._life = life
        self._hub = hub
        self._shares = shares
        self._desk = desk

    def demand(self) -> Demand:
        """Slots that jobs want here; none for those that nobody may claim, or no worker here runs.

        Together they weigh as much as one experiment of the usual priority.

        Raises:
            StorageError: when the store cannot be asked.
        """
        ready = self._store.workflows.running.is_ready(self._could)
        wanted = self._hub.slots() if ready else 0
        return Demand(weight=float(DEFAULT_PRIORITY), wanted=max(wanted, self._desk.running))

    def claim(self) -> int:
        """Claim as many jobs as they may use slots, and hand them to workers; how many it was."""
        slots = self._shares.of(JOBS) + self._shares.left()
        ahead = self._hub.fitting.ahead(self._desk.here)
        room = min(int(slots * (1.0 + ahead)) - self._desk.running, LIMIT)
        claimed = self._store.cluster.claim_jobs(self._life.session, room, self._could)
        self._desk.place(claimed)
        return len(claimed)

    def _could(self, needs: Requirements) -> bool:
        """Whether a worker here could run jobs with these needs."""
        return self._hub.fitting.could_run(needs.mapping())
