"""What one life of a master does for executions, beside its experiments."""

from __future__ import annotations

from morphml.clock import Clock
from morphml.master.workflows.claiming import JobClaiming
from morphml.master.workflows.desk import JobDesk
from morphml.master.workflows.housekeeping import Housekeeping
from morphml.scheduling.fair_share import Demand
from morphml.storage import SqlStore


class JobDuties:
    """Claims jobs, sees to searches, ends what nobody wants.

    Args:
        store: the truth.
        clock: monotonic time.
        claiming: of this master.
        desk: of this master.
    """

    def __init__(self, store: SqlStore, clock: Clock, claiming: JobClaiming, desk: JobDesk) -> None:
        self._claiming = claiming
        self._desk = desk
        self._housekeeping = Housekeeping(store, clock)

    def demand(self) -> Demand:
        """Slots that jobs want here.

        Raises:
            StorageError: when the store cannot be asked.
        """
        return self._desk.demand()

    def tick(self) -> None:
        """Do what is due about once a second.

        Raises:
            StorageError: when the store cannot be asked.
        """
        self._desk.kill_unwanted()
        self._housekeeping.step()

    def claim(self) -> None:
        """Fill the slots that jobs have a right to.

        Raises:
            StorageError: when the store cannot be asked.
        """
        while self._claiming.claim():
            pass
