"""What a search tells a running trial, and the exceptions that carry it through user code."""

from __future__ import annotations

from enum import StrEnum


class Order(StrEnum):
    """What a running attempt is to do; the last one given counts."""

    CONTINUE = "continue"
    #: End early; the metrics reported last are the result.
    STOP = "stop"
    #: Save a checkpoint and give the slot back; the trial may go on later.
    PAUSE = "pause"
    #: End at once; nothing of the attempt is kept.
    CANCEL = "cancel"


class TrialStopped(BaseException):
    """The search ended this trial early. Let it pass; a bare ``except Exception`` does."""


class TrialPaused(BaseException):
    """The search paused this trial; its checkpoint is saved. Let it pass."""


class TrialCancelled(BaseException):
    """The attempt was taken back; whatever it returns is dropped. Let it pass."""
