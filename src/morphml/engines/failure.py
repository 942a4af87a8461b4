"""Failures as values: what went wrong in an attempt, without anything that cannot travel."""

from __future__ import annotations

import re
import traceback
from collections.abc import Sequence
from pathlib import Path

from morphml.engines.port import Failed
from morphml.errors import EvaluatorError, WorkerError
from morphml.ids import digest
from morphml.scheduling.failures import FailureKind

_MESSAGE_LIMIT = 4_000
#: Characters of a message that name the rule; numbers in them are the trial's own.
_RULE_LENGTH = 60
_NUMBERS = re.compile(r"\d+")
_TRACEBACK_LIMIT = 20_000
#: Characters of an error that people are shown beside a worker.
_SHOWN = 200
#: Frames of these folders are the machinery around the user's code.
_OWN_FOLDERS = tuple(
    str(Path(__file__).resolve().parents[1] / room) for room in ("engines", "evaluation", "jobs")
)


def failure_of(error: BaseException, kind: FailureKind | None = None) -> Failed:
    """The failure that an exception means.

    Args:
        error: what was raised.
        kind: the cause where the place tells it; without it, the exception's type does.
    """
    frames = _user_frames(error)
    places = "\n".join(f"{Path(f.filename).name}:{f.name}:{f.line}" for f in frames)
    name = type(error).__qualname__
    message = _message(error)
    # A broken contract has no line of the user's: what tells two of them apart is the rule broken.
    places = places or _NUMBERS.sub("#", message)[:_RULE_LENGTH]
    return Failed(
        kind=kind or _kind_of(error),
        error_type=name,
        message=message,
        traceback=_traceback(error, frames),
        digest=digest(f"{name}\n{places}".encode("utf-8", "replace")),
    )


def failure(kind: FailureKind, error_type: str, message: str, trace: str = "") -> Failed:
    """A failure without an exception, such as a crash; its digest is that of kind and type."""
    return Failed(
        kind=kind,
        error_type=error_type,
        message=message,
        traceback=trace,
        digest=digest(f"{kind}\n{error_type}".encode()),
    )


def blame_of(failed: Failed, number: int) -> tuple[str, str]:
    """What is equal for failures that may have the same cause, and what a person reads of them.

    Args:
        failed: how an attempt failed.
        number: of its trial: of children that died all are alike, so each trial is its own case.
    """
    evidence = failed.digest if failed.traceback else f"{failed.kind} of {number}"
    return evidence, f"{failed.error_type}: {failed.message}".splitlines()[0][:_SHOWN]


def _kind_of(error: BaseException) -> FailureKind:
    if isinstance(error, MemoryError) or _ran_out_on_device(error):
        return FailureKind.OUT_OF_MEMORY
    if isinstance(error, WorkerError):
        return FailureKind.INFRASTRUCTURE
    return FailureKind.USER_ERROR


def _ran_out_on_device(error: BaseException) -> bool:
    """Whether torch says so; by name, since torch is not imported for the sake of a question."""
    names = {kind.__name__ for kind in type(error).__mro__}
    if "OutOfMemoryError" in names:
        return True
    return isinstance(error, RuntimeError) and "DefaultCPUAllocator: can't allocate" in str(error)


def _message(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"the evaluator ended its process: sys.exit({error.code!r})"
    try:
        text = str(error)
    except Exception as broken:  # noqa: BLE001  # an exception's own text may raise anything
        text = f"(its text cannot be made: {type(broken).__qualname__})"
    return text[:_MESSAGE_LIMIT]


def _user_frames(error: BaseException) -> Sequence[traceback.FrameSummary]:
    try:
        found = traceback.extract_tb(error.__traceback__)
    except Exception:  # noqa: BLE001  # a source file that vanished or is binary
        return ()
    return [frame for frame in found if not frame.filename.startswith(_OWN_FOLDERS)]


def _traceback(error: BaseException, frames: Sequence[traceback.FrameSummary]) -> str:
    """Python's own rendering, chained causes included, without the machinery's outer frames.

    A broken rule of ours, such as a wrong result, is no line's fault: its text says all.
    """
    try:
        rendered = traceback.TracebackException.from_exception(error)
        if frames:
            rendered.stack = traceback.StackSummary.from_list(list(frames))
        told = not frames and isinstance(error, EvaluatorError)
        text = "".join(rendered.format_exception_only() if told else rendered.format())
    except Exception as broken:  # noqa: BLE001  # an exception's own text may raise anything
        text = f"(the traceback cannot be made: {type(broken).__qualname__})"
    if len(text) <= _TRACEBACK_LIMIT:
        return text
    half = _TRACEBACK_LIMIT // 2
    return f"{text[:half]}\n... {len(text) - 2 * half} characters left out ...\n{text[-half:]}"
