"""What all views and bodies have in common: the documents' names, and nothing unknown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, cast

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints
from pydantic.alias_generators import to_camel

from morphml.engines.remote.messages import AttemptName
from morphml.ids import AttemptToken, ExperimentId
from morphml.optimizers.events import JSON

#: No control characters: a text that people see and that any database takes.
Line = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=256)]
Name = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$", min_length=1, max_length=128)
]
#: Ids as the store makes them.
Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]+$", min_length=1, max_length=64)]
#: Ids as people choose them.
GivenId = Annotated[
    str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$", min_length=1, max_length=128)
]
#: A task as it was leased: owner, number and segment.
TaskId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}-[0-9]{1,15}-[0-9]{1,9}$")]
#: Secret name of an attempt.
AttemptId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
#: Most of one page.
Limit = Annotated[int, Query(ge=1, le=1000, description="How many at most.")]
#: Where the page before ended.
After = Annotated[
    str | None,
    Query(
        pattern=r"^[A-Za-z0-9_.:-]*$",
        max_length=128,
        description="`next` of the page before; without it the first page.",
    ),
]


def attempt_name(task: TaskId, attempt: AttemptId) -> AttemptName:
    """An attempt, named as it was leased, as a value."""
    owner, number, segment = task.rsplit("-", 2)
    return AttemptName(
        token=AttemptToken(attempt),
        owner=ExperimentId(owner),
        number=int(number),
        segment=int(segment),
    )


def json_of(values: Mapping[str, JSON]) -> dict[str, JsonValue]:
    """The same values under the name that views have for them; not copied deeper than the top."""
    return cast("dict[str, JsonValue]", dict(values))


class View(BaseModel):
    """Something that is answered."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, from_attributes=True, frozen=True
    )


class Body(BaseModel):
    """Something that is asked; a key that nobody knows is a mistake."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True, strict=True
    )


class PageView(View):
    """Where a list goes on."""

    #: `after` of the request for the next page; null at the end.
    next: str | None = Field(default=None, description="`after` for the next page; null at the end")
