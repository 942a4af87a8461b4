"""Whether the cluster works, as a whole and in its parts."""

from __future__ import annotations

import time
from enum import StrEnum

from fastapi import Response

from morphml.errors import StorageError, WorkflowError
from morphml.scheduling.worker import WorkerState
from morphml.server.rest.routing import needs, resource
from morphml.server.rest.site import Here, Site
from morphml.server.rest.views import View

router = resource("health")

_HERE = (WorkerState.IDLE, WorkerState.BUSY, WorkerState.DRAINING)


class Health(StrEnum):
    """How something is."""

    HEALTHY = "healthy"
    #: It works, and nothing will be done: no worker, no master, or the queue is paused.
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


class WorkersHealth(View):
    """Who works."""

    status: Health
    active: int
    slots: int
    busy: int


class MastersHealth(View):
    """Who drives."""

    status: Health
    active: int


class QueueHealth(View):
    """What waits."""

    status: Health
    waiting: int
    active: int
    paused: bool


class StoreHealth(View):
    """Whether the store answers, and how fast."""

    status: Health
    latency_ms: float


class HealthView(View):
    """All parts, and the worst of them."""

    status: Health
    workers: WorkersHealth
    masters: MastersHealth
    queue: QueueHealth
    store: StoreHealth


@router.get(
    "/api/distributed/health",
    openapi_extra=needs(None),
    responses={503: {"model": HealthView, "description": "The store does not answer."}},
)
def health(here: Here, response: Response) -> HealthView:
    """Whether the cluster works; 503 where the store does not answer. Needs no token."""
    store = _store(here)
    if store.status is Health.UNHEALTHY:
        response.status_code = 503
        return HealthView(
            status=Health.UNHEALTHY,
            workers=WorkersHealth(status=Health.UNHEALTHY, active=0, slots=0, busy=0),
            masters=MastersHealth(status=Health.UNHEALTHY, active=0),
            queue=QueueHealth(status=Health.UNHEALTHY, waiting=0, active=0, paused=False),
            store=store,
        )
    workers, masters, queue = _workers(here), _masters(here), _queue(here)
    parts = (workers.status, masters.status, queue.status, store.status)
    return HealthView(
        status=max(parts, key=list(Health).index),
        workers=workers,
        masters=masters,
        queue=queue,
        store=store,
    )


@router.get("/api/distributed/health/workers", openapi_extra=needs(None))
def workers_health(here: Here) -> WorkersHealth:
    """Whether workers are there."""
    return _workers(here)


@router.get("/api/distributed/health/queue", openapi_extra=needs(None))
def queue_health(here: Here) -> QueueHealth:
    """Whether the queue goes on."""
    return _queue(here)


@router.get(
    "/api/distributed/health/store",
    openapi_extra=needs(None),
    responses={503: {"model": StoreHealth, "description": "The store does not answer."}},
)
def store_health(here: Here, response: Response) -> StoreHealth:
    """Whether the store answers; 503 where it does not."""
    found = _store(here)
    if found.status is Health.UNHEALTHY:
        response.status_code = 503
    return found


def _workers(here: Site) -> WorkersHealth:
    there = [row for row in here.workers.all() if row.live and row.state in _HERE]
    return WorkersHealth(
        status=Health.HEALTHY if there else Health.DEGRADED,
        active=len(there),
        slots=sum(int(str(row.figures.get("slots", 0))) for row in there),
        busy=sum(int(str(row.figures.get("running", 0))) for row in there),
    )


def _masters(here: Site) -> MastersHealth:
    active = sum(master.lease_left_s > 0.0 for master in here.store.cluster.masters())
    return MastersHealth(status=Health.HEALTHY if active else Health.DEGRADED, active=active)


def _queue(here: Site) -> QueueHealth:
    stats = here.stats.now()
    return QueueHealth(
        status=Health.DEGRADED if stats.paused else Health.HEALTHY,
        waiting=stats.waiting,
        active=stats.active,
        paused=stats.paused,
    )


def _store(here: Site) -> StoreHealth:
    began = time.perf_counter()
    try:
        here.store.cluster.identity()
    except (StorageError, WorkflowError):
        return StoreHealth(status=Health.UNHEALTHY, latency_ms=0.0)
    spent = (time.perf_counter() - began) * 1000.0
    return StoreHealth(status=Health.HEALTHY, latency_ms=round(spent, 3))
