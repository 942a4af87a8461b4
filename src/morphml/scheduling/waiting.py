"""A task as the scheduler sees it between its claim and its place."""

from __future__ import annotations

from dataclasses import dataclass

from morphml.ids import AttemptToken, ExperimentId
from morphml.scheduling.resources import NOTHING, Requirements


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingTask:
    """A task that was claimed, under the name of its attempt."""

    token: AttemptToken
    experiment: ExperimentId
    #: From ``Policy.rank``; smaller goes first.
    rank: float = 0.0
    needs: Requirements = NOTHING
    #: Names of workers, or of slots, that should not run it as long as another one can.
    avoid: tuple[str, ...] = ()
    #: Names of data and checkpoints that it reads: a worker that has one is preferred when free.
    affinity: tuple[str, ...] = ()
    #: What it takes relative to other tasks of its experiment, such as FLOPs x epochs; > 0.
    #: None where nobody knows.
    cost: float | None = None
