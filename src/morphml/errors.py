"""Errors of MorphML, one tree split by fault: caller, worker, storage.

Every message says which rule was broken, the value got, where (space path, node, task, line and
column) and what to do. Attributes carry the same facts for programs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # pure rooms use this module
    from pathlib import Path


class MorphError(Exception):
    """The root of every error that MorphML raises on purpose."""

    #: True when the same call may succeed later without a change by the caller.
    retryable: bool = False


# --- the caller's fault --------------------------------------------------------------------------


class CallerError(MorphError):
    """The call, the space, the file or the evaluator given is wrong; repeating it will not help."""


class SpaceError(CallerError):
    """A search space breaks a rule.

    Attributes:
        path: where in the space, such as ``body/2/conv/filters``; empty when it is the whole space.
    """

    def __init__(self, message: str, *, path: str = "") -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.path = path


class TextFormError(SpaceError):
    """The text form of a space or a constraint cannot be read.

    Attributes:
        line: 1-based line in the text given.
        column: 1-based column in that line.
        suggestion: the nearest allowed name, or None.
    """

    def __init__(
        self, message: str, *, line: int, column: int, suggestion: str | None = None
    ) -> None:
        hint = f"; did you mean {suggestion!r}?" if suggestion else ""
        super().__init__(f"line {line}, column {column}: {message}{hint}")
        self.line = line
        self.column = column
        self.suggestion = suggestion


class ShapeError(SpaceError):
    """Shapes do not fit at an operation.

    Attributes:
        shapes: the shapes that meet there, without the batch axis.
    """

    def __init__(
        self, message: str, *, path: str = "", shapes: tuple[tuple[int, ...], ...] = ()
    ) -> None:
        super().__init__(message, path=path)
        self.shapes = shapes


class ConstraintError(CallerError):
    """A constraint cannot be read, or rejected too many draws in a row.

    Attributes:
        constraint: the constraint as the caller wrote it.
    """

    def __init__(self, message: str, *, constraint: str) -> None:
        super().__init__(message)
        self.constraint = constraint


class ExperimentError(CallerError):
    """An experiment is described wrongly, or is not in the state that the call needs."""


class UnknownExperiment(ExperimentError):
    """There is no experiment of that id in the store."""


class RequirementsError(ExperimentError):
    """What a trial needs of a worker is said wrongly, or no worker can ever give it.

    Attributes:
        name: of the resource or label at fault; empty when it is the whole request.
    """

    def __init__(self, message: str, *, name: str = "") -> None:
        super().__init__(f"resources: {name}: {message}" if name else f"resources: {message}")
        self.name = name


class SchedulingError(CallerError):
    """A policy does not exist or is set wrongly, or a task is scheduled that must not be."""


class DocumentError(CallerError):
    """A file that a person wrote, such as an experiment's, breaks its schema.

    Attributes:
        source: the file's name, as it was given.
        line: 1-based line of the first mistake.
        column: 1-based column of the first mistake.
        suggestion: the nearest allowed word for the first mistake, or None.
    """

    def __init__(
        self,
        message: str,
        *,
        source: str,
        line: int,
        column: int,
        suggestion: str | None = None,
    ) -> None:
        super().__init__(message)
        self.source = source
        self.line = line
        self.column = column
        self.suggestion = suggestion


class WorkflowError(CallerError):
    """A workflow is described wrongly, or an execution is not in the state that the call needs.

    Attributes:
        mistakes: what is wrong, each with its path in the document and a clause for people; one
            mistake without a path where the whole is meant.
    """

    def __init__(
        self, message: str, *, mistakes: tuple[tuple[tuple[str | int, ...], str], ...] = ()
    ) -> None:
        super().__init__(message)
        self.mistakes = mistakes or (((), message),)


class UnknownExecution(WorkflowError):
    """There is no execution of that id in the store, or no job of that id in it."""


class QueueDrained(WorkflowError):
    """No execution begins until somebody resumes the queue."""


class KeyReused(WorkflowError):
    """The idempotency key was used for another workflow."""


class EvaluatorError(CallerError):
    """The evaluator breaks its contract: its form, what it returned, or what it reported."""


class BundleError(EvaluatorError):
    """A source bundle cannot be made, or is damaged, too large, or holds what no bundle may."""


class OptimizerError(CallerError):
    """An optimizer was named or set up wrongly.

    Attributes:
        optimizer: the name given.
        setting: the setting at fault; empty when it is the name itself.
    """

    def __init__(self, message: str, *, optimizer: str, setting: str = "") -> None:
        where = f"{optimizer}.{setting}" if setting else optimizer
        super().__init__(f"optimizer {where}: {message}")
        self.optimizer = optimizer
        self.setting = setting


class AccessError(CallerError):
    """A token or a certificate is missing, unsafe, out of date, or not accepted.

    Attributes:
        file: the file at fault, or None.
    """

    def __init__(self, message: str, *, file: Path | None = None) -> None:
        super().__init__(message)
        self.file = file


class MissingExtraError(CallerError):
    """A feature needs an optional package that is not installed.

    Attributes:
        extra: the name for ``pip install morphml[extra]``.
    """

    def __init__(self, feature: str, *, extra: str) -> None:
        super().__init__(f"{feature} needs an optional package; pip install 'morphml[{extra}]'")
        self.extra = extra


class IllegalTransition(CallerError):
    """An event reached a machine in a state that does not know it; the state is unchanged.

    Attributes:
        subject: id of the task, worker, breaker, experiment or lease.
        state: the state it is in.
        event: the event refused.
        story: what happened to it before, oldest first; empty when the machine keeps no record.
    """

    def __init__(
        self, subject: str, *, state: str, event: object, story: tuple[str, ...] = ()
    ) -> None:
        past = f"; before: {', '.join(story)}" if story else ""
        super().__init__(f"{subject} is {state} and cannot take {event!r}{past}")
        self.subject = subject
        self.state = state
        self.event = event
        self.story = story


class RequestError(CallerError):
    """A server refused a request, or could not be reached.

    Attributes:
        status: of the HTTP answer; 0 where there was none.
        kind: of the problem, such as ``invalid-workflow``.
        mistakes: what is wrong, each as JSON pointer and clause.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        kind: str,
        retryable: bool = False,
        mistakes: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.retryable = retryable
        self.mistakes = mistakes


# --- the worker's fault --------------------------------------------------------------------------


class WorkerError(MorphError):
    """A worker, or a child process that runs attempts, could not do its part."""

    retryable = True


class UnknownWorker(WorkerError):
    """No worker of that id lives: it never registered, was silent for too long, or was replaced."""

    retryable = False


# --- storage -------------------------------------------------------------------------------------


class StorageError(MorphError):
    """The store could not do what was asked; nothing acknowledged before is lost."""


class StoreUnavailable(StorageError):
    """The store is busy, full, or out of reach at the moment."""

    retryable = True


class StoreInUse(StorageError):
    """Another process claims tasks on this store, and this kind of store allows one."""


class StoreMismatch(StorageError):
    """The file or database is not a MorphML store, or has a schema of another version."""


class DriverLost(StorageError):
    """The driver's fence refused a transaction: another driver took over, or the run was ended.

    Whoever gets this drops what it holds in memory of the experiment; the store is the truth.
    """


class TokenRefused(StorageError):
    """An attempt's token is not the live one; its result was not stored.

    Attributes:
        stored: True when the end of this very attempt is stored already: the sender may forget it.
    """

    def __init__(self, message: str, *, stored: bool = False) -> None:
        super().__init__(message)
        self.stored = stored
