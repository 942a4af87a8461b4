"""What masters and workers tell each other beside tasks and results, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from morphml.ids import AttemptToken, ExperimentId

#: Number of the protocol; the two sides of a stream must have the same.
PROTOCOL = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptName:
    """An attempt and the task that it belongs to."""

    token: AttemptToken
    owner: ExperimentId
    #: The trial's number, and which of its segments this is.
    number: int
    segment: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointFile:
    """The bytes of a checkpoint, by what identifies them."""

    #: Epochs done.
    step: int
    #: blake2b, 16 bytes, in hexadecimal digits; "" where it is not known.
    digest: str
    #: Bytes.
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What a worker says when it joins or comes back."""

    #: Chosen at random by the worker process when it starts.
    worker: str
    #: For people: host and process, or what the operator chose.
    name: str
    morphml_version: str
    python_version: str
    protocol: int = PROTOCOL
    #: Attempts that it runs at the same time, 1 to 10,000.
    slots: int
    #: ``cpu``, ``gpu``, ``memory`` and ``disk`` (bytes), and 1 for each label such as ``ssd``.
    capabilities: Mapping[str, float] = field(default_factory=dict)
    #: Attempts that run or wait there from an earlier connection.
    attempts: tuple[AttemptName, ...] = ()
    #: Results that no master has acknowledged.
    results: tuple[AttemptName, ...] = ()
    #: Digests of bundles that it holds.
    bundles: tuple[str, ...] = ()
    #: Whether it says when it is ready for an experiment that it was told of.
    prepares: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuFigures:
    """How busy one GPU is."""

    index: int
    model: str
    #: 0 to 100.
    percent: float
    #: 0 to 100.
    memory_percent: float
    #: Degrees Celsius.
    temperature_c: float
    #: Errors that only a reset or a repair mends.
    errors: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How busy a worker's machine is, in percent of all that it has."""

    cpu_percent: float = 0.0
    memory_percent: float = 0.0
    disk_percent: float = 0.0
    #: Bytes on the disk of the worker's files; None where that is not known.
    disk_free: float | None = None
    #: Bytes a second that all disks read and wrote, and all networks received and sent.
    disk_rate: float = 0.0
    network_rate: float = 0.0
    gpus: tuple[GpuFigures, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ShutGpu:
    """A GPU that its worker gives to nobody: all failed there, or it is sick."""

    #: As in the capabilities.
    index: int
    #: For people.
    why: str

    def __str__(self) -> str:
        """What people are told."""
        return f"GPU {self.index} gets no work: {self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """A sign of life, with all that the worker holds."""

    #: Rises by one; comes back in ``BeatSeen``.
    index: int
    figures: Figures = Figures()
    #: Attempts that run, and those that were accepted and wait.
    running: tuple[AttemptToken, ...] = ()
    queued: tuple[AttemptToken, ...] = ()
    #: Results that were sent and not acknowledged.
    unacknowledged: tuple[AttemptToken, ...] = ()
    #: GPUs that it gives to nobody for now, and how many of its slots are not used for that.
    shut_gpus: tuple[ShutGpu, ...] = ()
    shut_slots: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextMessage:
    """What all attempts of one experiment share, in the form in which it travels."""

    experiment: ExperimentId
    #: The space in its text form; empty where it travels with the code.
    space: str = ""
    #: Import path ``package.module:attribute`` of the evaluator; empty for a pickle.
    evaluator: str = ""
    #: Digest of the source bundle to import from; empty for what is installed.
    bundle: str = ""
    #: Pickle of space and evaluator; empty unless both operators allow pickles.
    pickle: bytes = b""
    #: Metrics that a result must have.
    required: tuple[str, ...] = ()
    #: Settings of the evaluator as a JSON object.
    settings: bytes = b"{}"
    #: What is sent again under the same digest is the same.
    digest: str = ""
