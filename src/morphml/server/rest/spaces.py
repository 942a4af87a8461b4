"""Search spaces: is a text one, and what does it hold."""

from __future__ import annotations

from typing import Self

from pydantic import Field, JsonValue

from morphml.engines.remote.access import Scope
from morphml.errors import SpaceError
from morphml.server.rest.problems import Mistake, mistakes_of, pointer
from morphml.server.rest.routing import needs, resource
from morphml.server.rest.views import Body, View
from morphml.space import SearchSpace
from morphml.space.decisions import Decision
from morphml.space.plain_values import plain_value
from morphml.space.text import parse_space

router = resource("spaces")


class SpaceBody(Body):
    """A space as people write it."""

    space: str = Field(
        min_length=1, max_length=100_000, description="The text form; parsed and never executed."
    )


class DecisionView(View):
    """One open choice."""

    path: str
    kind: str
    #: Of categorical and ordinal decisions.
    options: list[JsonValue]
    #: Of integer and real ones, ends included.
    low: float
    high: float
    log: bool
    #: When it is active; empty for always.
    condition: str

    @classmethod
    def of(cls, decision: Decision) -> Self:
        """The view of a decision."""
        return cls(
            path=decision.path,
            kind=decision.kind.value,
            options=[plain_value(option) for option in decision.options],
            low=decision.low,
            high=decision.high,
            log=decision.log,
            condition=decision.condition,
        )


class SpaceView(View):
    """What a text says."""

    valid: bool
    errors: list[Mistake]
    #: How many members it has, in digits, or `infinite`; null where it is no space.
    size: str | None = None
    digest: str | None = None
    decisions: list[DecisionView] = Field(default=[])

    @classmethod
    def of(cls, space: SearchSpace) -> Self:
        """The view of a space."""
        return cls(
            valid=True,
            errors=[],
            size=str(space.size),
            digest=space.digest,
            decisions=[DecisionView.of(each) for each in space.decisions],
        )


@router.post("/api/v1/spaces/validate", openapi_extra=needs(Scope.SUBMIT))
def validate(body: SpaceBody) -> SpaceView:
    """Whether a text is a search space, with its decisions, or what is wrong and where."""
    try:
        return SpaceView.of(parse_space(body.space))
    except SpaceError as error:
        path = error.path.split("/") if error.path else ["space"]
        found = list(mistakes_of(error)) or [Mistake(pointer=pointer(path), detail=str(error))]
        return SpaceView(valid=False, errors=found)
