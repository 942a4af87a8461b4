"""States that only the store's own tables know; the others are in ``morphml.search``."""

from __future__ import annotations

from enum import StrEnum


class TaskState(StrEnum):
    """A row of ``tasks``. There is none for ``running``: its start is never written."""

    #: May be claimed, at once or when its due time comes.
    PENDING = "pending"
    #: Held by a session under a token; running or queued at a worker.
    LEASED = "leased"
    #: Waits for a promotion.
    PAUSED = "paused"
    #: Its attempt is over and the result waits as mail for the driver; nobody holds it.
    ENDED = "ended"


class SessionState(StrEnum):
    """A row of ``sessions``."""

    #: Renewed in time, or not yet judged.
    LIVE = "live"
    #: Ended by its owner.
    CLOSED = "closed"
    #: Ended by others, because its lease ran out.
    EXPIRED = "expired"


class SessionKind(StrEnum):
    """Whose life a session is."""

    MASTER = "master"
    #: A worker that speaks REST and renews its session with its heartbeat at any master.
    WORKER = "worker"


class TaskKind(StrEnum):
    """What a task's owner is."""

    #: A segment of a trial; the owner is an experiment.
    TRIAL = "trial"
    #: A job; the owner is an execution of a workflow.
    JOB = "job"


class ArtifactKind(StrEnum):
    """What a stored file is for."""

    #: Where a trial goes on.
    CHECKPOINT = "checkpoint"
    #: Any other file that belongs to an experiment.
    FILE = "file"


class RequestVerb(StrEnum):
    """What another process asks of an experiment's driver."""

    CANCEL_TRIAL = "cancel_trial"


class MailKind(StrEnum):
    """What a master tells the driver about an attempt that it holds."""

    STARTED = "started"
    REPORTED = "reported"
    CHECKPOINTED = "checkpointed"
    #: The attempt is over; nothing about it follows.
    FINISHED = "finished"


class Topic(StrEnum):
    """What a row of ``knowledge`` is about."""

    #: What an evaluator returned for a point, for other experiments.
    RESULT = "result"
    #: The store itself.
    STORE = "store"
    #: What was answered to a request under its key.
    ANSWER = "answer"
