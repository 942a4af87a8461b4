"""Attempts at jobs: what an engine is handed for one, and what its end means for the store."""

from __future__ import annotations

import zlib
from pathlib import Path

import orjson

from morphml.engines.port import Assignment, Failed, Finished, JobCall, Succeeded
from morphml.optimizers.events import JSON
from morphml.scheduling.failures import ANSWERS, FailureKind, RetryBudget
from morphml.search.changes import AttemptResult, ClaimedTask
from morphml.storage.workflows import CallRecord, JobEnd

#: Whom the other ends of an attempt are to be blamed on: nobody wanted them.
_UNWANTED = FailureKind.PREEMPTED


def assignment_of(
    call: CallRecord, task: ClaimedTask, newest: tuple[int, Path] | None
) -> Assignment:
    """One attempt at a claimed job.

    Args:
        call: what is called.
        task: as it was claimed.
        newest: epochs done and the file of the checkpoint to go on from, or None.
    """
    step, checkpoint = newest or (0, None)
    return Assignment(
        token=task.token,
        experiment=task.experiment,
        number=task.number,
        segment=task.segment,
        vector=(),
        from_epoch=step,
        checkpoint=checkpoint,
        # The same for all attempts at a job, and in every execution of the workflow.
        seed=zlib.crc32(call.name.encode()) & 0x7FFFFFFF,
        time_limit_s=call.job.timeout_s,
        # What it takes of its worker's memory is also the most that it gets.
        memory_limit_bytes=int(task.requirements.get("memory", 0)) or None,
        requirements=task.requirements,
        rank=task.rank,
        job=JobCall(job=call.name, type=call.job.type, config=call.config),
    )


def job_end(number: int, finished: Finished) -> JobEnd:
    """What is stored of the end of an attempt that was not given back.

    Args:
        number: of the job or part.
        finished: how it ended.
    """
    outcome = finished.outcome
    if isinstance(outcome, Succeeded):
        result, outputs, failure = AttemptResult.SUCCEEDED, dict(outcome.outputs), None
    else:
        result, outputs, failure = AttemptResult.FAILED, {}, _failure(finished)
    return JobEnd(
        number=number,
        token=finished.token,
        result=result,
        worker=finished.worker,
        started_at=finished.started_at,
        duration_s=finished.duration_s,
        outputs=orjson.dumps(outputs),
        failure=None if failure is None else orjson.dumps(failure),
        reason="" if failure is None else _reason(failure),
        own=failure is not None and _is_own(FailureKind(str(failure["kind"]))),
    )


def _failure(finished: Finished) -> dict[str, JSON]:
    outcome = finished.outcome
    if not isinstance(outcome, Failed):
        kind, what = _UNWANTED, f"the attempt was {type(outcome).__name__.lower()}"
        outcome = Failed(kind=kind, error_type="", message=what)
    return {
        "kind": outcome.kind.value,
        "error_type": outcome.error_type,
        "message": outcome.message,
        "traceback": outcome.traceback,
        "digest": outcome.digest,
        "alone": outcome.alone,
        "gpus": outcome.gpus,
        "worker": finished.worker,
        "at": finished.started_at + finished.duration_s,
    }


def _reason(failure: dict[str, JSON]) -> str:
    kind, name = str(failure["kind"]).replace("_", " "), failure["error_type"]
    return f"{kind}: {name}: {failure['message']}" if name else f"{kind}: {failure['message']}"


def _is_own(kind: FailureKind) -> bool:
    """Whether the failure costs the job one of its own retries."""
    return ANSWERS[kind].budget in (RetryBudget.OWN, RetryBudget.NONE)
