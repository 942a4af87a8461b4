"""What the connection, operators and signals tell the worker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from morphml.engines.remote.messages import AttemptName, CheckpointFile
from morphml.engines.remote.proto import worker_pb2 as pb
from morphml.ids import AttemptToken
from morphml.jobs import Artifact


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """A master answers; it wants the registration, by ``Link.greet``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcomed:
    """A master took the worker."""

    #: Its address.
    target: str
    welcome: pb.Welcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A master said something."""

    events: Sequence[pb.MasterEvent]


@dataclass(frozen=True, slots=True, kw_only=True)
class Broke:
    """The connection that ``Welcomed`` told of is gone; the next one is being sought."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hopeless:
    """The worker cannot do its work as it was started."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointWanted:
    """A checkpoint that an attempt goes on from."""

    attempt: AttemptName
    file: CheckpointFile


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleWanted:
    """A bundle of code."""

    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactWanted:
    """A file of an earlier job that an attempt needs."""

    attempt: AttemptName
    file: Artifact


Wanted: TypeAlias = CheckpointWanted | BundleWanted | ArtifactWanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A file was fetched, or not."""

    wanted: Wanted
    #: Why not; "" when it is there.
    problem: str = ""
    #: Whether another connection may help.
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploaded:
    """A checkpoint, or a file that a job puts out, was taken by a master, or not."""

    attempt: AttemptName
    file: CheckpointFile | Artifact
    #: Session of the master.
    master: str
    #: Why not; "" when it was taken.
    problem: str = ""
    #: Whether another connection may help.
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainAsked:
    """Somebody wants the worker to leave."""

    reason: str
    #: Seconds that running attempts may still take.
    grace_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusAsked:
    """An operator wants to know what the worker does."""

    answer: Callable[[pb.GetStatusResponse], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAsked:
    """An operator wants an attempt to end; the answer is whether it is here."""

    token: AttemptToken
    answer: Callable[[bool], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateAsked:
    """An operator wants an attempt run that no master knows of.

    The answer is its end, or why it is not run.
    """

    request: pb.EvaluateRequest
    answer: Callable[[pb.Result | str], None]


Happening: TypeAlias = Greeting | Welcomed | Heard | Broke | Hopeless | Fetched | Uploaded
News: TypeAlias = Happening | DrainAsked | StatusAsked | CancelAsked | EvaluateAsked
