"""Workers: those of masters and those that come over REST."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from fastapi import Response
from pydantic import Field, JsonValue

from morphml.engines.remote.access import Scope
from morphml.evaluation.orders import Order
from morphml.ids import AttemptToken
from morphml.master.cluster.outside import HEARTBEAT_TIMEOUT_S, MOST_SLOTS, TTL_TIMEOUTS, Newcomer
from morphml.scheduling.resources import Capacity
from morphml.scheduling.worker import WorkerState
from morphml.server.rest.routing import needs, resource
from morphml.server.rest.site import Here
from morphml.server.rest.views import AttemptId, Body, GivenId, Line, Name, View
from morphml.storage.cluster import RestWorker, WorkerRow

router = resource("workers")

#: Amounts that the documents' metadata tell, by what requirements call them, and their unit.
_AMOUNTS = {"cpuCores": ("cpu", 1.0), "memoryGB": ("memory", 2.0**30), "diskGB": ("disk", 2.0**30)}


class Registration(Body):
    """What a worker says when it joins."""

    worker_id: Name = Field(description="Chosen by the worker; its next life has the same.")
    hostname: Line = ""
    capabilities: list[Name] = Field(
        default=[], max_length=100, description="Labels that jobs may require."
    )
    max_concurrency: int = Field(default=1, ge=1, le=MOST_SLOTS, description="Tasks at a time.")
    metadata: dict[Name, JsonValue] = Field(
        default={},
        max_length=100,
        description="For people; cpuCores, memoryGB and diskGB are what resources are taken of.",
    )
    heartbeat_timeout: float = Field(
        default=HEARTBEAT_TIMEOUT_S,
        ge=1.0,
        le=3600.0,
        description="Seconds between two heartbeats at most; it lives twice as long without one.",
    )

    def newcomer(self) -> Newcomer:
        """The same as a value."""
        return Newcomer(
            id=self.worker_id,
            hostname=self.hostname or self.worker_id,
            offers={**dict.fromkeys(self.capabilities, 1.0), **_amounts(self.metadata)},
            slots=self.max_concurrency,
            metadata=self.metadata,
            heartbeat_timeout_s=self.heartbeat_timeout,
        )


class WorkerView(View):
    """A worker as it was last heard."""

    worker_id: str
    hostname: str
    status: WorkerState
    capabilities: list[str]
    max_concurrency: int
    current_load: int
    metadata: dict[str, JsonValue]
    #: Counts the lives of one id.
    incarnation: int
    #: Seconds since the Unix epoch.
    registered_at: float
    #: Seconds since it was last heard.
    silent_seconds: float
    #: Whether whoever speaks for it lives: its master, or its own session.
    alive: bool

    @classmethod
    def of(cls, row: WorkerRow) -> Self:
        """The view of a row."""
        metadata = row.figures.get("metadata")
        return cls(
            worker_id=row.id,
            hostname=row.name,
            status=row.state,
            capabilities=_labels(row.offers),
            max_concurrency=_whole(row.figures, "slots"),
            current_load=_whole(row.figures, "running"),
            metadata=metadata if isinstance(metadata, dict) else {},
            incarnation=row.incarnation,
            registered_at=row.joined_at,
            silent_seconds=max(0.0, row.silent_s),
            alive=row.live and row.state is not WorkerState.GONE,
        )


class RegisteredView(WorkerView):
    """A worker that has just joined, and how to stay."""

    #: Seconds between two heartbeats at most, and seconds that it lives without one.
    heartbeat_timeout: float
    ttl: float

    @classmethod
    def registered(cls, worker: RestWorker, timeout_s: float) -> Self:
        """The view of a new life."""
        seen = WorkerView.of(worker.row).model_dump()
        return cls(**seen, heartbeat_timeout=timeout_s, ttl=timeout_s * TTL_TIMEOUTS)


class WorkersView(View):
    """All workers."""

    workers: list[WorkerView]
    total: int


class Heartbeat(Body):
    """A sign of life."""

    current_load: int | None = Field(
        default=None, ge=0, le=MOST_SLOTS, description="Tasks that run there now."
    )
    incarnation: int | None = Field(
        default=None, ge=1, description="Which of the id's lives this is; the present one without."
    )
    attempts: list[AttemptId] = Field(
        default=[],
        max_length=MOST_SLOTS,
        description="Attempts that run there; those that are not the worker's any more it is told "
        "to cancel.",
    )


class DrainBody(Body):
    """How a worker is to leave."""

    grace_seconds: float | None = Field(
        default=None,
        ge=0.0,
        le=1e9,
        description="What runs there has so long to end, and is else run again elsewhere; the "
        "worker's own setting without. A worker over REST keeps to what it likes.",
    )


class HeardView(View):
    """The answer to a heartbeat."""

    worker_id: str
    #: `draining` once it was asked to leave: it gets nothing more, and goes when it has ended all.
    status: WorkerState
    incarnation: int
    #: By attempt: stop, pause or cancel; told until the attempt ends.
    orders: dict[str, Order]


@router.post(
    "/api/distributed/workers/register", openapi_extra=needs(Scope.WORKER), status_code=201
)
def register(body: Registration, here: Here) -> RegisteredView:
    """Join, or begin a new life under the same id: what the one before still says is refused."""
    worker = here.workers.register(body.newcomer())
    return RegisteredView.registered(worker, body.heartbeat_timeout)


@router.get("/api/distributed/workers", openapi_extra=needs(Scope.SUBMIT))
def list_workers(here: Here) -> WorkersView:
    """All workers of the last day by name, those of masters too."""
    rows = here.workers.all()
    return WorkersView(workers=[WorkerView.of(row) for row in rows], total=len(rows))


@router.post("/api/distributed/workers/{workerId}/heartbeat", openapi_extra=needs(Scope.WORKER))
def heartbeat(workerId: GivenId, body: Heartbeat, here: Here) -> HeardView:
    """Stay, and hear what the worker's attempts are to do."""
    running = [AttemptToken(each) for each in body.attempts]
    worker, orders = here.workers.heartbeat(workerId, body.current_load, body.incarnation, running)
    return HeardView(
        worker_id=workerId,
        status=worker.row.state,
        incarnation=worker.row.incarnation,
        orders={str(token): order for token, order in orders.items()},
    )


@router.post("/api/distributed/workers/{workerId}/drain", openapi_extra=needs(Scope.ADMIN))
def drain(workerId: GivenId, here: Here, body: DrainBody | None = None) -> WorkerView:
    """Let a worker, by id or name, finish what it runs, take nothing more, and leave.

    The answer has it as it was; the word reaches it within a second or two, or with its heartbeat.
    """
    grace_s = None if body is None else body.grace_seconds
    return WorkerView.of(here.workers.drain(workerId, grace_s))


@router.delete(
    "/api/distributed/workers/{workerId}",
    openapi_extra=needs(Scope.WORKER),
    status_code=204,
    response_class=Response,
)
def leave(workerId: GivenId, here: Here) -> None:
    """Leave; what the worker leased waits for others."""
    here.workers.leave(workerId)


def _amounts(metadata: Mapping[str, JsonValue]) -> dict[str, float]:
    """What its metadata say of a worker's cores, memory and disk."""
    return {
        name: float(value) * unit
        for key, (name, unit) in _AMOUNTS.items()
        if isinstance(value := metadata.get(key), int | float) and 0 < value < 1e9
    }


def _labels(offers: Mapping[str, float]) -> list[str]:
    """Labels, and the kinds of devices, that a worker has."""
    capacity = Capacity.parse(offers)
    devices = ["gpu"] if capacity.gpus else []
    kinds = [name for name in ("cpu",) if capacity.amounts.get(name)]
    return sorted({*kinds, *devices, *capacity.labels})


def _whole(figures: Mapping[str, object], name: str) -> int:
    value = figures.get(name)
    return int(value) if isinstance(value, int | float) else 0
