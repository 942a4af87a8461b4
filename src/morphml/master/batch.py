"""What the driver gathers for its next transaction, and what it does once that is committed."""

from __future__ import annotations

from dataclasses import dataclass, field

from morphml.engines.port import Assignment, Order
from morphml.ids import AttemptToken
from morphml.search.changes import (
    AttemptEnd,
    Changes,
    CheckpointPointer,
    ExperimentEnd,
    NewTask,
    ReturnedTask,
)
from morphml.search.machine import Draft


@dataclass(slots=True)
class Batch:
    """One transaction in the making."""

    tasks: list[NewTask] = field(default_factory=list)
    ended: list[AttemptEnd] = field(default_factory=list)
    returned: list[ReturnedTask] = field(default_factory=list)
    #: Ends of attempts that the store does not wait for: stored before, or taken over by others.
    stale: list[AttemptToken] = field(default_factory=list)
    checkpoints: list[CheckpointPointer] = field(default_factory=list)
    #: Started by the engine only after the commit, so that nothing runs that is not stored.
    assignments: list[Assignment] = field(default_factory=list)
    #: Ended trials that left checkpoints behind: number to the key of the newest, where that is
    #: known.
    closed: dict[int, str | None] = field(default_factory=dict)
    #: Trials that wait at a rung: number to the key of the checkpoint that they go on from.
    resting: dict[int, str] = field(default_factory=dict)
    #: Orders that follow from what is stored here.
    orders: list[tuple[AttemptToken, Order]] = field(default_factory=list)
    end: ExperimentEnd | None = None

    @property
    def over(self) -> list[AttemptToken]:
        """Tokens of the attempts whose end nobody needs to keep once this is stored."""
        ends = [end.token for end in self.ended] + [task.token for task in self.returned]
        return ends + self.stale

    def changes(self, draft: Draft) -> Changes:
        """The transaction, with what the search machine wants stored."""
        return Changes(
            entries=draft.entries,
            trials=draft.trials,
            updates=draft.updates,
            tasks=tuple(self.tasks),
            ended=tuple(self.ended),
            returned=tuple(self.returned),
            checkpoints=tuple(self.checkpoints),
            results=draft.results,
            end=self.end,
        )

    def changes_nothing(self, draft: Draft) -> bool:
        """Whether there is nothing to commit."""
        return not (
            draft.entries
            or self.tasks
            or self.ended
            or self.returned
            or self.checkpoints
            or self.end
        )
