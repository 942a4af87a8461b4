"""What a trial is handed of its search: the part that is to be run, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from morphml.evaluation.orders import Order
from morphml.evaluation.place import ALONE, Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """The part of a trial that one attempt runs."""

    #: The trial's number.
    number: int
    #: Seed of the training, the same for every attempt of the trial.
    seed: int
    #: Where the model goes, such as ``cpu`` or ``cuda``.
    device: str
    #: Names the attempt to outside systems; unlike the token it is no secret.
    attempt_id: str
    #: Epochs that earlier segments did, and the epoch at which this one ends (0: the user's own).
    from_epoch: int = 0
    to_epoch: int = 0
    #: Epochs of a full trial; where the segment ends before, the trial pauses there. 0: no more.
    max_epochs: int = 0
    #: The highest step that an earlier attempt reported, or None.
    reported_step: int | None = None
    #: The checkpoint to go on from, or None.
    checkpoint: Path | None = None
    #: Where checkpoints are written.
    checkpoint_folder: Path = Path()
    #: Save one when ``epochs`` ends, since the trial may go on later.
    checkpoint_at_end: bool = False
    #: What the training is of; written into its checkpoints.
    label: str = ""
    #: Seconds between checkpoints against loss; never less.
    checkpoint_every_s: float = 10.0
    #: Where this process stands among those that run the attempt at once.
    place: Place = ALONE
    #: Id of the experiment; data sets without a name are its own.
    experiment: str = ""


class TrialChannel(Protocol):
    """How a trial talks with its search; no call waits for the search."""

    def report(self, step: int, metrics: Mapping[str, float]) -> Order:
        """Hand over what was reported; returns the last known order at once."""
        ...

    def order(self) -> Order:
        """The last known order."""
        ...

    def checkpointed(self, step: int, path: Path, digest: str) -> None:
        """Say that a checkpoint lies complete on disk."""
        ...

    def log(self, text: str) -> None:
        """Hand over a line for people."""
        ...
