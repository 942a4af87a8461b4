"""Whole rows of the tables that every transaction adds to, in the order of their columns.

Values by place cost a third less than values by name; the names here keep the two in step, and a
test compares them with the tables.
"""

from __future__ import annotations

from typing import NamedTuple


class TrialRow(NamedTuple):
    """A row of ``trials``."""

    experiment: str
    number: int
    state: str
    vector: str
    graph_id: str | None
    point_id: str
    computed: str
    metrics: str | None
    duration_s: float
    epochs: int
    created_at: float
    ended_at: float | None


class EntryRow(NamedTuple):
    """A row of ``log``."""

    experiment: str
    seq: int
    kind: str
    number: int
    body: str
    at: float


class TaskRow(NamedTuple):
    """A row of ``tasks``."""

    owner: str
    number: int
    segment: int
    id: str
    kind: str
    from_epoch: int
    to_epoch: int
    class_id: int
    rank: float
    state: str
    due_at: float | None
    attempts: int
    holder: str | None
    token: str | None
    lost_token: str | None
    lost_holder: str | None
    leased_at: float | None


class AttemptRow(NamedTuple):
    """A row of ``attempts``."""

    owner: str
    number: int
    segment: int
    idx: int
    token: str
    result: str
    worker: str
    session: str | None
    started_at: float
    duration_s: float
    failure: str | None
    ended_at: float


class ArtifactRow(NamedTuple):
    """A row of ``artifacts``."""

    key: str
    experiment: str | None
    number: int | None
    step: int | None
    kind: str
    token: str | None
    digest: str
    size: int
    created_at: float


class WorkerTableRow(NamedTuple):
    """A row of ``workers``."""

    id: str
    incarnation: int
    session: str | None
    name: str
    state: str
    offers: str
    figures: str | None
    joined_at: float
    seen_at: float
    drain_asked_at: float | None = None
    drain_grace_s: float | None = None


class ChunkRow(NamedTuple):
    """A row of ``bundle_chunks``."""

    digest: str
    idx: int
    data: str


class JobRow(NamedTuple):
    """A row of ``jobs``."""

    execution: str
    number: int
    name: str
    state: str
    reason: str
    waiting_for: int
    passed: int
    barred: int
    kept: int
    failures: int
    losses: int
    priority: int
    ready_at: float | None
    rank: float | None
    item: str | None
    outputs: str | None
    experiment: str | None
    ended_at: float | None


class EventRow(NamedTuple):
    """A row of ``execution_events``."""

    execution: str
    seq: int
    job: str
    state: str
    reason: str
    at: float


class OutputRow(NamedTuple):
    """A row of ``job_output``."""

    execution: str
    number: int
    seq: int
    stream: str
    text: str
    at: float
