"""An attempt as a hub knows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from morphml.engines.port import Assignment, Finished, Order
from morphml.engines.remote.messages import AttemptName, CheckpointFile
from morphml.ids import AttemptToken

if TYPE_CHECKING:
    from morphml.engines.remote.hub.gang import Gang


class Moment(NamedTuple):
    """One moment by two clocks."""

    #: Seconds of a clock that never goes back.
    monotonic: float
    #: Seconds since the Unix epoch.
    epoch: float


class AttemptState(StrEnum):
    """Where an attempt stands."""

    #: In a queue of this master.
    WAITING = "waiting"
    #: On its way to a worker that has not confirmed it.
    SENT = "sent"
    #: In the worker's memory, or announced by it; it may run already.
    ACCEPTED = "accepted"
    #: User code runs.
    STARTED = "started"
    #: Nobody wants it any more; it holds its slot until the worker has let it go.
    KILLED = "killed"
    #: Over; kept until its end is stored.
    ENDED = "ended"


#: States in which a worker has it, as far as is known.
AT_WORKER = frozenset(
    {AttemptState.SENT, AttemptState.ACCEPTED, AttemptState.STARTED, AttemptState.KILLED}
)
#: States in which it goes on.
LIVE = frozenset({AttemptState.SENT, AttemptState.ACCEPTED, AttemptState.STARTED})


@dataclass(slots=True)
class Attempt:
    """An attempt between two events."""

    name: AttemptName
    #: None for one that was adopted: the worker has it.
    assignment: Assignment | None
    state: AttemptState
    #: What identifies the checkpoint to go on from.
    checkpoint: CheckpointFile | None = None
    #: Id of its worker; "" while it waits.
    worker: str = ""
    #: Name of the slot, once it started.
    slot: str = ""
    #: When it started, by the worker's clock, in seconds since the Unix epoch.
    began_at: float | None = None
    #: Monotonic seconds when it was sent.
    sent_at: float = 0.0
    #: The last order given.
    order: Order | None = None
    #: How it ended.
    end: Finished | None = None
    #: The end was made here, since its worker was lost; the worker may know better.
    given_up: bool = False
    #: The end is its worker's own, which keeps it until it is acknowledged.
    reported: bool = False
    #: Whoever drives the experiment has got the end.
    taken: bool = False
    #: Checkpoints that were uploaded, by step.
    uploads: dict[int, Upload] = field(default_factory=dict)
    #: The gang that it is the head or a member of; None for one that runs at one worker.
    gang: Gang | None = field(default=None, compare=False, repr=False)

    @property
    def token(self) -> AttemptToken:
        """Its secret name."""
        return self.name.token

    @property
    def head(self) -> Attempt:
        """What drivers and the store know of it: itself, or the head of its gang."""
        return self if self.gang is None else self.gang.head

    @property
    def requirements(self) -> Mapping[str, float]:
        """What it takes of its worker."""
        return {} if self.assignment is None else self.assignment.requirements

    @property
    def avoid(self) -> tuple[str, ...]:
        """Names of workers and slots that come last."""
        return () if self.assignment is None else self.assignment.avoid


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A checkpoint that lies complete on disk."""

    path: Path
    digest: str
