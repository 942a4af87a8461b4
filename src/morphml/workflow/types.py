"""The kinds of jobs, by the names that workflows call them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from morphml.plugins import plugin_names
from morphml.workflow.job import TIMEOUT_S

#: Entry-point group of job types that others add.
GROUP = "morphml.job_types"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobType:
    """What the machine has to know of a kind of job; who runs it stands elsewhere."""

    name: str
    #: For people: what such a job does.
    purpose: str
    #: Seconds that an attempt may take where the job says nothing; None for as long as it needs.
    timeout_s: float | None = TIMEOUT_S


JOB_TYPES: Mapping[str, JobType] = {
    each.name: each
    for each in (
        JobType(name="evaluate", purpose="Score an architecture on given data."),
        JobType(name="export", purpose="Write an architecture as code, ONNX or JSON."),
        JobType(name="preprocessing", purpose="Prepare data with a function; without one, nothing"),
        JobType(name="python", purpose="Call a function by its import path."),
        JobType(name="search", purpose="Run an experiment to its end.", timeout_s=None),
        JobType(name="shell", purpose="Run a program with a list of arguments, without a shell."),
        JobType(
            name="train", purpose="Train an architecture with the full budget.", timeout_s=None
        ),
    )
}


def known_types() -> tuple[str, ...]:
    """Names of all job types here, those of installed packages included; sorted."""
    return tuple(sorted({*JOB_TYPES, *plugin_names(GROUP)}))


def default_timeout_s(name: str) -> float | None:
    """Seconds that an attempt at a job of this type may take where the job says nothing."""
    return JOB_TYPES[name].timeout_s if name in JOB_TYPES else TIMEOUT_S
