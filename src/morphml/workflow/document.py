"""The document of a workflow, with the names that the REST calls have; YAML files use them too."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue
from pydantic.alias_generators import to_camel

from morphml.documents.fields import AS_DURATION
from morphml.workflow.job import MAX_JOBS, PRIORITY, RETRIES, OnFailure

#: Whole numbers are kept in 64 bits.
_MOST_WHOLE = 2**63
#: Most jobs of an execution that may run at once.
_MOST_AT_ONCE = 1_000_000
_ID = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"
_SHA256 = r"^[0-9a-f]{64}$"


def _on_failure(value: object) -> object:
    known = [each.value for each in OnFailure]
    if value not in known:
        raise ValueError(f"expected one of {', '.join(known)}, got {value!r}")
    return OnFailure(value)


def _storable(value: JsonValue) -> JsonValue:
    """The value, where a store keeps all of it as JSON; YAML can write numbers that none does."""
    left: list[JsonValue] = [value]
    while left:
        match left.pop():
            case dict() as object_:
                left += object_.values()
            case list() as items:
                left += items
            case int() as whole if not -_MOST_WHOLE <= whole < _MOST_WHOLE:
                raise ValueError(f"a whole number of {len(str(abs(whole)))} digits, at most 2**63")
            case float() as real if not math.isfinite(real):
                raise ValueError(f"{real} is no number that can be stored")
            case _:
                pass
    return value


Id = Annotated[str, Field(min_length=1, max_length=128, pattern=_ID)]
Words = Annotated[list[Annotated[str, Field(min_length=1, max_length=128)]], Field(max_length=100)]
Seconds = Annotated[
    float,
    Field(gt=0, allow_inf_nan=False),
    AS_DURATION,
]


Data = Annotated[JsonValue, AfterValidator(_storable)]


class JobDocument(BaseModel):
    """One job as people write it."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, alias_generator=to_camel)

    id: Id = Field(description="Unique in its workflow: letters, digits, - and _.")
    name: str | None = Field(default=None, max_length=200, description="For people.")
    type: Annotated[str, Field(min_length=1, max_length=128)] = Field(
        description="Kind of job: python, shell, search, train, evaluate, export, preprocessing, "
        "or one that an installed package adds."
    )
    depends_on: list[str] = Field(default=[], description="Ids of jobs that end before it begins.")
    config: dict[str, Data] = Field(
        default={},
        description="What its type needs; ${job.output} stands for what another job put out.",
    )
    priority: Annotated[int, Field(ge=1, le=10)] = Field(
        default=PRIORITY, description="Higher goes first."
    )
    required_capabilities: Words = Field(
        default=[], description="Labels that its worker must have, such as high-memory."
    )
    resources: dict[str, Annotated[float, Field(ge=0)]] = Field(
        default={}, description="What it takes of its worker, such as gpu: 0.5."
    )
    timeout: Seconds | None = Field(
        default=None,
        description="Seconds that one attempt may take, or a text such as '10m'; 5 minutes without "
        "it, and no limit for search and train.",
    )
    max_retries: Annotated[int, Field(ge=0, le=100)] = Field(
        default=RETRIES, description="Further attempts after a failure, after 5, 10 and 20 s."
    )
    on_failure: Annotated[
        OnFailure, BeforeValidator(_on_failure, json_schema_input_type=OnFailure)
    ] = Field(
        default=OnFailure.FAIL,
        description="When it has failed for good: fail the execution, skip what depends on it, or "
        "continue without its outputs.",
    )
    for_each: list[Data] | str | None = Field(
        default=None,
        description="Run once for each of these, as ${item} and ${index}: a list, or a reference "
        "to one.",
    )
    when: str | None = Field(
        default=None, description="Run only where this holds, such as ${train.accuracy} >= 0.9."
    )


class WorkflowDocument(BaseModel):
    """A workflow as people write it, in a file or in the body of a call."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        alias_generator=to_camel,
        title="MorphML workflow",
    )

    workflow_id: Id = Field(description="The workflow's id, chosen by its author.")
    name: str | None = Field(default=None, max_length=200, description="For people.")
    jobs: Annotated[list[JobDocument], Field(min_length=1, max_length=MAX_JOBS)] = Field(
        description="The jobs, in any order."
    )
    parallelism: Annotated[int, Field(ge=1, le=_MOST_AT_ONCE)] | None = Field(
        default=None, description="Jobs that may run at once; as many as there are slots without."
    )
    source: Annotated[str, Field(pattern=_SHA256)] | None = Field(
        default=None,
        description="Digest of the bundle of source that functions of its jobs are imported from; "
        "`morphml workflow run` sends one and fills this in.",
    )
    metadata: dict[str, str] = Field(default={}, description="For people and programs.")
