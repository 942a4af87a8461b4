"""The queue of all jobs: what is set here holds for all masters."""

from __future__ import annotations

from typing import Self

from pydantic import Field

from morphml.engines.remote.access import Scope
from morphml.master.workflows import QueueStats
from morphml.server.rest.routing import needs, resource
from morphml.server.rest.site import Here, Site
from morphml.server.rest.views import Body, View

router = resource("queue")


class StatsView(View):
    """The queue at one moment, a second old at most."""

    waiting: int
    active: int
    delayed: int
    completed: int
    failed: int
    #: Waiting tasks by priority, and by capability; those that need none count under `any`.
    by_priority: dict[str, int]
    by_capability: dict[str, int]
    #: Jobs that ended in the last minute, a second.
    throughput: float
    #: Seconds for which the oldest waiting task has waited.
    oldest_seconds: float
    paused: bool
    draining: bool
    #: Jobs a second that may begin; null without a limit.
    rate: float | None

    @classmethod
    def of(cls, stats: QueueStats) -> Self:
        """The view of the figures."""
        return cls(
            waiting=stats.waiting,
            active=stats.active,
            delayed=stats.delayed,
            completed=stats.completed,
            failed=stats.failed,
            by_priority={str(priority): n for priority, n in stats.by_priority.items()},
            by_capability=dict(stats.by_capability),
            throughput=stats.throughput,
            oldest_seconds=stats.oldest_s,
            paused=stats.paused,
            draining=stats.draining,
            rate=stats.rate,
        )


class CleanBody(Body):
    """What is to be forgotten."""

    older_than: float = Field(
        default=7 * 86_400.0, ge=0.0, le=1e9, description="Seconds since the execution's end."
    )


class CleanedView(View):
    """What was forgotten."""

    #: Executions.
    removed: int


class LimitBody(Body):
    """How fast jobs may begin."""

    rate: float | None = Field(
        gt=0.0, le=1e6, allow_inf_nan=False, description="Jobs a second; null for any number."
    )


@router.get("/api/distributed/queue/stats", openapi_extra=needs(Scope.SUBMIT))
def stats(here: Here) -> StatsView:
    """How much waits, runs and has ended, and how fast it goes."""
    return StatsView.of(here.stats.now())


@router.post("/api/distributed/queue/pause", openapi_extra=needs(Scope.ADMIN))
def pause(here: Here) -> StatsView:
    """Let no master begin a job any more; those that run may end."""
    here.executions.queue.pause()
    return _changed(here)


@router.post("/api/distributed/queue/resume", openapi_extra=needs(Scope.ADMIN))
def resume(here: Here) -> StatsView:
    """Go on after a pause or a drain."""
    here.executions.queue.resume()
    return _changed(here)


@router.post("/api/distributed/queue/drain", openapi_extra=needs(Scope.ADMIN))
def drain(here: Here) -> StatsView:
    """Accept no execution any more; what there is goes on."""
    here.executions.queue.drain()
    return _changed(here)


@router.post("/api/distributed/queue/clean", openapi_extra=needs(Scope.ADMIN))
def clean(body: CleanBody, here: Here) -> CleanedView:
    """Forget executions that ended long ago."""
    removed = here.executions.queue.clean(body.older_than)
    here.stats.forget()
    return CleanedView(removed=removed)


@router.post("/api/distributed/queue/limit", openapi_extra=needs(Scope.ADMIN))
def limit(body: LimitBody, here: Here) -> StatsView:
    """Let at most so many jobs a second begin, all masters together."""
    here.executions.queue.limit(body.rate)
    return _changed(here)


def _changed(here: Site) -> StatsView:
    here.stats.forget()
    return StatsView.of(here.stats.now())
