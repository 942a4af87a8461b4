"""Events of attempts that one master runs for another, as they travel through the store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from morphml.engines.local.frames import ProtocolError
from morphml.engines.local.wire import event_from_json, outcome_from_json, outcome_to_json
from morphml.engines.port import Checkpointed, EngineEvent, Failed, Finished, Reported, Started
from morphml.engines.remote.messages import AttemptName
from morphml.ids import AttemptToken
from morphml.scheduling.failures import FailureKind
from morphml.storage.cluster import Mail, MailKind, StoredMail


def mail_of(attempt: AttemptName, event: EngineEvent, folder: Path) -> Mail | None:
    """What the driver is told of ``event``; None where it need not know.

    Args:
        attempt: whose event it is.
        event: of the hub.
        folder: of the experiment's files; checkpoints are named relative to it.
    """
    match event:
        case Started():
            kind, body = MailKind.STARTED, {"worker": event.worker, "at": event.at}
        case Reported():
            kind = MailKind.REPORTED
            body = {"is": "report", "step": event.step, "metrics": dict(event.metrics)}
        case Checkpointed():
            kind = MailKind.CHECKPOINTED
            key = event.path.relative_to(folder).as_posix()
            body = {"is": "saved", "step": event.step, "path": key, "digest": event.digest}
        case Finished():
            kind = MailKind.FINISHED
            body = {
                "worker": event.worker,
                "started_at": event.started_at,
                "duration_s": event.duration_s,
                **outcome_to_json(event.outcome),
            }
        case _:
            return None
    return Mail(
        experiment=attempt.owner,
        number=attempt.number,
        segment=attempt.segment,
        token=attempt.token,
        kind=kind,
        body=orjson.dumps(body),
    )


def unreadable_end(stored: StoredMail, error: Exception) -> Finished:
    """The end of an attempt whose mail nobody can read here; it runs again, as after any fault."""
    why = f"how it ended cannot be read, perhaps a master of another version wrote it: {error!r}"
    failed = Failed(kind=FailureKind.INFRASTRUCTURE, error_type=type(error).__name__, message=why)
    return Finished(
        token=stored.mail.token,
        outcome=failed,
        worker="",
        started_at=stored.posted_at,
        duration_s=0.0,
    )


def event_of(mail: Mail, folder: Path) -> EngineEvent:
    """The event that ``mail_of`` put into the mail.

    Raises:
        ProtocolError: when a field is missing or of another type.
    """
    body: dict[str, Any] = orjson.loads(mail.body)
    token = AttemptToken(mail.token)
    match mail.kind:
        case MailKind.STARTED:
            return Started(token=token, worker=body["worker"], at=body["at"])
        case MailKind.FINISHED:
            return Finished(
                token=token,
                outcome=outcome_from_json(body),
                worker=body["worker"],
                started_at=body["started_at"],
                duration_s=body["duration_s"],
            )
        case MailKind.CHECKPOINTED:
            body["path"] = str(folder / body["path"])
        case MailKind.REPORTED:
            pass
    event = event_from_json(token, body)
    if event is None:
        raise ProtocolError(f"mail of kind {mail.kind} says nothing that is known")
    return event
