"""One node of a workflow, as it is described; its life stands in ``life``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from morphml.optimizers.events import JSON

#: What a job hands to those that depend on it, by name.
Outputs: TypeAlias = Mapping[str, JSON]

#: Most jobs of a workflow, and most parts of one fan-out.
MAX_JOBS = 10_000
#: Seconds that an attempt at a job may take where nothing else is said.
TIMEOUT_S = 300.0
#: Retries of a job where nothing else is said; they come after 5, 10 and 20 s.
RETRIES = 3
#: Priority where nothing else is said; 1 to 10, higher goes first.
PRIORITY = 5


class OnFailure(StrEnum):
    """What follows for the others when a job has failed and is not tried again."""

    #: The execution fails: no job begins any more, those that run may end.
    FAIL = "fail"
    #: Whatever depends on the job is skipped; the rest goes on.
    SKIP = "skip"
    #: Those that depend on the job run, and see null for each of its outputs.
    CONTINUE = "continue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job of a workflow; made by ``parse_workflow``, which checks."""

    #: Unique in its workflow: letters, digits, ``-`` and ``_``.
    id: str
    #: For people.
    name: str
    #: Name of a job type, such as ``python``.
    type: str
    #: Jobs that end before this one begins.
    depends_on: tuple[str, ...] = ()
    #: What its type needs; texts in it may refer to outputs, as in ``${prepare.rows}``.
    config: Mapping[str, JSON] = field(default_factory=dict)
    #: 1 to 10, higher goes first.
    priority: int = PRIORITY
    #: Labels that its worker must have.
    capabilities: tuple[str, ...] = ()
    #: What it takes of its worker, such as ``{"gpu": 0.5}``.
    resources: Mapping[str, float] = field(default_factory=dict)
    #: Seconds that one attempt may take; None for as long as it needs.
    timeout_s: float | None = TIMEOUT_S
    #: Further attempts after the first one that failed.
    max_retries: int = RETRIES
    #: What its failure means for the others.
    on_failure: OnFailure = OnFailure.FAIL
    #: It runs once for each of these: a list, or a reference to one, known when it may begin.
    for_each: Sequence[JSON] | str | None = None
    #: It runs only where this holds, such as ``${train.accuracy} >= 0.9``; None for always.
    when: str | None = None
