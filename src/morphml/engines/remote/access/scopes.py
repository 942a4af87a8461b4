"""Who may call what: scopes of tokens, and the scope that each method of the protocol needs."""

from __future__ import annotations

from enum import StrEnum


class Scope(StrEnum):
    """What a token is good for."""

    #: Everything, and what only an operator does: stop workers, cancel anybody's tasks.
    ADMIN = "admin"
    #: Hand in experiments and user code, and look at what runs.
    SUBMIT = "submit"
    #: Take tasks, report, and post results of the own attempts.
    WORKER = "worker"


_MASTER = "/morphml.worker.v1.MasterService/"
_WORKER = "/morphml.worker.v1.WorkerService/"
_HEALTH = "/grpc.health.v1.Health/"

#: Full method name to the scope that it needs; None is free for everybody. What does not stand here
#: needs `admin`.
METHOD_SCOPES: dict[str, Scope | None] = {
    f"{_MASTER}Work": Scope.WORKER,
    f"{_MASTER}RegisterWorker": Scope.WORKER,
    f"{_MASTER}Heartbeat": Scope.WORKER,
    f"{_MASTER}RequestTask": Scope.WORKER,
    f"{_MASTER}SubmitResult": Scope.WORKER,
    f"{_MASTER}UploadFile": Scope.WORKER,
    f"{_MASTER}DownloadFile": Scope.WORKER,
    f"{_WORKER}Evaluate": Scope.SUBMIT,
    f"{_WORKER}GetStatus": Scope.SUBMIT,
    f"{_WORKER}CancelTask": Scope.ADMIN,
    f"{_WORKER}Shutdown": Scope.ADMIN,
    f"{_HEALTH}Check": None,
    f"{_HEALTH}Watch": None,
}


def scope_needed(method: str) -> Scope | None:
    """The scope that a call of ``method`` needs; None when it is free.

    A method that the table does not name needs `admin`: a new one is closed until somebody decides.
    """
    return METHOD_SCOPES.get(method, Scope.ADMIN)


def allows(held: Scope, needed: Scope) -> bool:
    """Whether a token of scope ``held`` may do what ``needed`` stands for; `admin` may do all."""
    return held is needed or held is Scope.ADMIN
