"""The contract between an execution and its job types.

A job type is a function ``(config, run)`` that does the work and returns its outputs by name, or
None for none. It is found by the job's ``type``: the built-in ones by ``registry``, those of other
packages by the entry-point group ``morphml.job_types``. An exception fails the attempt. A job runs
at least once and is recorded once: what it does outside is to be told apart by ``run.attempt_id``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from morphml.errors import WorkflowError
from morphml.evaluation.orders import Order, TrialCancelled
from morphml.evaluation.segment import TrialChannel
from morphml.jobs.artifacts import Artifact, ArtifactFolder
from morphml.jobs.workplace import Workplace
from morphml.optimizers.events import JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRun:
    """One attempt at a job, as its type sees it."""

    #: The execution, and the job in it, such as ``train`` or ``train[3]``; both are the same in
    #: every attempt.
    execution: str
    job: str
    #: Names this attempt to outside systems, 32 hexadecimal digits.
    attempt_id: str
    #: In [0, 2**31); the same in every attempt.
    seed: int
    #: Where models go, such as ``cpu`` or ``cuda:0``.
    device: str
    #: Name of the slot.
    worker: str
    #: Has the attempt's folder.
    workplace: Workplace
    #: The files of the execution, on this machine.
    artifacts: ArtifactFolder
    #: The way to whoever runs it.
    channel: TrialChannel
    #: The newest checkpoint that an attempt at the job saved which was lost, or None.
    checkpoint: Path | None = None

    @property
    def folder(self) -> Path:
        """A folder of this attempt, empty at first and removed at its end.

        Raises:
            WorkerError: when the disk refuses.
        """
        return self.workplace.folder

    def log(self, text: object) -> None:
        """Write a line to the job's log."""
        self.channel.log(str(text))

    def check(self) -> None:
        """Give a cancelled attempt the chance to end between two steps of its work.

        Raises:
            TrialCancelled: when the attempt was taken back; let it pass.
        """
        if self.channel.order() is Order.CANCEL:
            raise TrialCancelled

    def keep(self, file: str | Path, name: str | None = None) -> dict[str, JSON]:
        """Make a file an artifact; returns the reference to be put out.

        Args:
            file: the file; it is copied. Relative to ``folder``.
            name: by which later jobs see it; by default its own.

        Raises:
            WorkflowError: when the name has another form than letters, digits, ``-_.``.
            WorkerError: when it cannot be read, or the disk refuses.
        """
        path = Path(file)
        if not path.is_absolute():
            path = self.folder / path
        return self.artifacts.keep(path, name or path.name).to_json()

    def file(self, value: JSON, name: str) -> Path:
        """The file that a config names: an artifact of an earlier job, or a path.

        Args:
            value: the reference, or the path as text.
            name: of the value in the config, for the error.

        Raises:
            WorkflowError: when it is neither, or there is no such file here.
        """
        artifact = Artifact.of(value)
        if artifact is None and not isinstance(value, str):
            raise WorkflowError(
                f"job {self.job}: {name}: expected a file, as an artifact that an earlier job put "
                f"out or as a path, got {type(value).__name__}"
            )
        path = Path(str(value)) if artifact is None else self.artifacts.path(artifact)
        if not path.is_file():
            raise WorkflowError(f"job {self.job}: {name}: there is no file {path} on this machine")
        return path


class JobType(Protocol):
    """What runs jobs of one kind."""

    def __call__(self, config: Mapping[str, JSON], run: JobRun, /) -> Mapping[str, object] | None:
        """Do the work; the outputs by name, each a JSON value or a ``Path`` to be kept as artifact.

        Args:
            config: the job's own, with every reference replaced.
            run: what is known of the attempt.
        """
        ...
