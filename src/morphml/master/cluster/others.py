"""The other masters, as one driven experiment sees them."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from morphml.clock import Clock
from morphml.ids import AttemptToken, ExperimentId, SessionId
from morphml.search.changes import TaskRecord
from morphml.storage import SqlStore
from morphml.storage.hints import HintTopic

#: Seconds between two looks at the task rows.
LOOK_EVERY_S = 1.0
#: Seconds between two looks at those that wait, too, although nothing calls for one.
LOOK_AT_ALL_EVERY_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a master sees beyond one experiment."""

    store: SqlStore
    session: SessionId
    clock: Clock
    #: Attempts of an experiment that this master's workers have, or whose end waits here.
    running: Callable[[ExperimentId], Collection[AttemptToken]]
    #: How many of them wait or run, those included that a worker has brought from another master.
    busy: Callable[[ExperimentId], int]
    #: Slots that other masters lend to an experiment.
    spare: Callable[[ExperimentId], int]


class Others:
    """Counts on other masters' slots, and looks once a second at what they do.

    Args:
        view: of the master.
        experiment: which is driven here.
    """

    def __init__(self, view: View, experiment: ExperimentId) -> None:
        self._view = view
        self._experiment = experiment
        self._looked: float | None = None
        self._looked_at_all = -math.inf
        #: Since when each attempt is missing, in monotonic seconds.
        self._missing: dict[AttemptToken, float] = {}

    def slots(self) -> int:
        """Slots of other masters that the experiment may count on now."""
        return self._view.spare(self._experiment)

    def busy(self) -> int:
        """Attempts that wait or run at this master's workers, however they came there."""
        return self._view.busy(self._experiment)

    def look(
        self, known: Collection[AttemptToken], *, at_once: bool = False
    ) -> Sequence[TaskRecord] | None:
        """Unfinished tasks; None when they were looked at less than a second ago.

        Those that wait cost 2 us each, and may be many: they are read when an attempt that is known
        is not under way any more, and now and then.

        Args:
            known: attempts in the air.
            at_once: look even then, since something came of an attempt that is not known yet.
        """
        now = self._view.clock.monotonic()
        if not at_once and self._looked is not None and now - self._looked < LOOK_EVERY_S:
            return None
        self._looked = now
        tasks = self._view.store.cluster.tasks
        rows = tasks(self._experiment, under_way=True)
        gave_back = self._give_back_what_nobody_runs(rows, now)
        missed = gave_back or not {row.token for row in rows}.issuperset(known)
        if missed or now - self._looked_at_all >= LOOK_AT_ALL_EVERY_S:
            self._looked_at_all = now
            rows = tasks(self._experiment)
        return rows

    def offered(self) -> None:
        """Tell the other masters that there are tasks to claim."""
        self._view.store.hints.send(HintTopic.WORK)

    def _give_back_what_nobody_runs(self, rows: Sequence[TaskRecord], now: float) -> bool:
        """Put back tasks that were leased for this master and never handed to a worker.

        That is what a commit leaves behind whose answer was lost. It is judged after a second: an
        adoption may be stored and its worker not yet known.
        """
        here = self._view.running(self._experiment)
        missing = {
            row.token: row.number
            for row in rows
            if row.token is not None and row.holder == self._view.session and row.token not in here
        }
        self._missing = {token: self._missing.get(token, now) for token in missing}
        gone = [
            (missing[token], token)
            for token, since in self._missing.items()
            if now - since >= LOOK_EVERY_S
        ]
        return bool(gone) and self._view.store.leases.give_back(self._experiment, gone) > 0
