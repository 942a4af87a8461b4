"""What one life of a master does for executions, beside its experiments."""

from __future__ import annotations

from morphml.master.workflows.claiming import JobClaiming
from morphml.master.workflows.desk import JobDesk
from morphml.master.workflows.housekeeping import Housekeeping
from morphml.scheduling.fair_share import Demand


class JobDuties:
    """Claims jobs, sees to searches, ends what nobody wants.

    Args:
        claiming: of this master.
        desk: of this master.
        housekeeping: what any master does.
    """

    def __init__(self, claiming: JobClaiming, desk: JobDesk, housekeeping: Housekeeping) -> None:
        self._claiming = claiming
        self._desk = desk
        self._housekeeping = housekeeping

    def demand(self) -> Demand:
        """Slots that jobs want here.

        Raises:
            StorageError: when the store cannot be asked.
        """
        return self._claiming.demand()

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
