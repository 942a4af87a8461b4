"""Calls of jobs and what they put out, as messages of the protocol and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import orjson

from morphml.engines.port import OUTPUTS_LIMIT, Assignment, JobCall
from morphml.engines.remote import checking
from morphml.engines.remote.checking import ProtocolError
from morphml.engines.remote.proto import worker_pb2 as pb
from morphml.errors import WorkflowError
from morphml.jobs import Artifact, artifacts_in
from morphml.optimizers.events import JSON

#: The largest config of a job that is sent, in bytes of JSON.
CONFIG_LIMIT = 1 << 20
_NAME_LIMIT = 512


def refusal(assignment: Assignment) -> str:
    """Why the attempt's job cannot be sent to a worker; "" when it can."""
    size = 0 if assignment.job is None else len(orjson.dumps(assignment.job.config))
    if size <= CONFIG_LIMIT:
        return ""
    return (
        f"the job's config takes {size} bytes with what others put out, and {CONFIG_LIMIT} are "
        "sent; let them write files, which travel as artifacts"
    )


def job_to_proto(call: JobCall | None) -> pb.Job | None:
    """The call as a message; None for a trial."""
    if call is None:
        return None
    return pb.Job(job=call.job, type=call.type, config=orjson.dumps(call.config))


def job_of(task: pb.Task) -> JobCall | None:
    """The job that a task calls; None for a trial.

    Raises:
        ProtocolError: when a field has another form.
    """
    if not task.HasField("job"):
        return None
    message = task.job
    if not message.job or len(message.job) > _NAME_LIMIT:
        raise ProtocolError(f"job={message.job[:64]!r} is no name of a job")
    config = _object(message.config, "a job's config", CONFIG_LIMIT)
    return JobCall(job=message.job, type=checking.identifier(message.type, "type"), config=config)


def outputs_to_proto(outputs: Mapping[str, JSON]) -> bytes:
    """Outputs as a field; empty for none."""
    return orjson.dumps(outputs) if outputs else b""


def outputs_from_proto(data: bytes) -> Mapping[str, JSON]:
    """The outputs that a field holds.

    Raises:
        ProtocolError: when they are no JSON object, too large, or name a file in another form.
    """
    return _object(data, "outputs", OUTPUTS_LIMIT) if data else {}


def files_of(assignment: Assignment) -> tuple[Artifact, ...]:
    """The files of earlier jobs that the attempt needs, each once.

    Raises:
        ProtocolError: when the config names one in another form.
    """
    if assignment.job is None:
        return ()
    return tuple(dict.fromkeys(artifacts_in(assignment.job.config)))


def _object(data: bytes, what: str, limit: int) -> Mapping[str, JSON]:
    if len(data) > limit:
        raise ProtocolError(f"{what}: {len(data)} bytes, at most {limit} are taken")
    try:
        found = orjson.loads(data or b"{}")
    except orjson.JSONDecodeError as error:
        raise ProtocolError(f"{what}: no JSON: {error}") from None
    if not isinstance(found, dict):
        raise ProtocolError(f"{what}: no JSON object")
    try:
        for _ in artifacts_in(cast("JSON", found)):
            pass
    except WorkflowError as error:
        raise ProtocolError(f"{what}: {error}") from None
    return found
