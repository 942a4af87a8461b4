"""The experiment file's fields; they mirror the arguments of ``mm.search``."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    WithJsonSchema,
)

from morphml.documents.fields import AS_DURATION
from morphml.documents.quantities import parse_size
from morphml.errors import MorphError
from morphml.search.constraints import parse_constraints
from morphml.search.objectives import parse_objectives

_IMPORT_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")

#: Evaluators that need no code of the user.
BUILT_IN_EVALUATORS = ("classification", "regression")


def is_import_path(text: str) -> bool:
    """Whether ``text`` has the form ``package.module:attribute``."""
    return _IMPORT_PATH.fullmatch(text) is not None


class NamedSettings(BaseModel):
    """A name with settings; in the file ``name`` alone, or ``name: {key: value}``."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: str
    settings: dict[str, JsonValue] = {}


def _named(value: object) -> object:
    if isinstance(value, str):
        return {"name": value}
    if isinstance(value, dict) and len(value) == 1:
        ((name, settings),) = value.items()
        if settings is None:
            return {"name": name}
        if isinstance(settings, dict):
            return {"name": name, "settings": settings}
    raise ValueError("expected a name, or one name with its settings such as `name: {key: value}`")


def _evaluator(value: NamedSettings) -> NamedSettings:
    if value.name in BUILT_IN_EVALUATORS:
        if "data" not in value.settings:
            raise ValueError(f"{value.name} needs data, such as `{value.name}: {{data: digits}}`")
        return value
    if not is_import_path(value.name):
        known = " or ".join(BUILT_IN_EVALUATORS)
        raise ValueError(f"expected `package.module:function`, or {known}, got {value.name!r}")
    if value.settings:
        raise ValueError("only built-in evaluators take settings here")
    return value


def _constraint(value: str) -> str:
    try:
        parse_constraints({"metric": value})
    except MorphError:
        raise ValueError(
            f"expected a relation and a number such as '<= 500_000', got {value!r}"
        ) from None
    return value


def _goal(value: str) -> str:
    try:
        parse_objectives({"metric": value})
    except MorphError:
        raise ValueError(
            f"expected 'min' or 'max', or one of them with a unit such as 'min ms', got {value!r}"
        ) from None
    return value


def _size(value: object) -> object:
    return parse_size(value) if isinstance(value, str) else value


_Named = dict[str, dict[str, JsonValue] | None]
Named = Annotated[NamedSettings, BeforeValidator(_named, json_schema_input_type=str | _Named)]
Evaluator = Annotated[
    NamedSettings,
    BeforeValidator(_named, json_schema_input_type=str | _Named),
    AfterValidator(_evaluator),
]
Constraint = Annotated[str, AfterValidator(_constraint)]
Goal = Annotated[
    str,
    AfterValidator(_goal),
    WithJsonSchema({"type": "string", "pattern": r"^(min|max)( +\S{1,16})?$"}),
]
Seconds = Annotated[float, Field(gt=0), AS_DURATION]
Bytes = Annotated[int, Field(gt=0), BeforeValidator(_size, json_schema_input_type=int | str)]
Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0)]


class ExperimentFile(BaseModel):
    """One search, as a file: what to search, how to score it, and when to stop.

    Fields that are None were not written; ``mm.search`` then takes its own default.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, title="MorphML experiment file"
    )

    name: str | None = Field(
        default=None, min_length=1, description="Name shown in lists and reports."
    )
    space: str = Field(
        min_length=1,
        description="The search space: its text form (the Python form, parsed and never executed), "
        "a ready-made one such as spaces.nasbench201(), or an import path package.module:name.",
    )
    evaluator: Evaluator = Field(
        description="What scores an architecture: an import path package.module:function, or a "
        "built-in one with its settings, such as `classification: {data: digits}`."
    )
    objectives: dict[str, Goal] | None = Field(
        default=None,
        min_length=1,
        description="Metrics and the better direction, with a unit where there is one, such as "
        "`latency: min ms`; the first is the fitness. "
        "Without it, accuracy is maximised.",
    )
    constraints: dict[str, Constraint] = Field(
        default={},
        description="Bounds on metrics, such as `params: <= 500_000`.",
    )
    optimizer: Named = Field(
        default=NamedSettings(name="auto"),
        description="Who proposes: a name such as `auto`, or one name with its settings such as "
        "`evolution: {population_size: 50}`.",
    )
    fidelity: Named | None = Field(
        default=None,
        description="Who gets more epochs: a name such as `asha`, or one name with its settings "
        "such as `asha: {min_epochs: 1, eta: 3}`; without it every trial is a full one.",
    )
    trials: Count | None = Field(
        default=None, description="How many trials may be started; 100 without it."
    )
    epochs: Count | None = Field(
        default=None, description="Stop after this many epochs over all trials."
    )
    timeout: Seconds | None = Field(
        default=None, description="Stop after this wall time: seconds, or a text such as '1h 30m'."
    )
    target: float | None = Field(
        default=None,
        allow_inf_nan=False,
        description="Stop when the first objective is at least this good.",
    )
    max_epochs: Count | None = Field(default=None, description="Epochs of one full trial.")
    repeats: Count | None = Field(
        default=None, description="Evaluations of each architecture, with different seeds."
    )
    workers: Annotated[int, Field(ge=0)] | None = Field(
        default=None,
        description="Trials at a time; 0 runs them inside the main process, for debugging.",
    )
    engine: Literal["local", "remote", "ray"] | None = Field(
        default=None, description="How trials reach machines."
    )
    storage: str | None = Field(
        default=None,
        min_length=1,
        description="Where the experiment is kept: a file's name, a database URL, or `memory`.",
    )
    seed: int | None = Field(default=None, description="Root of all randomness.")
    deterministic: bool | None = Field(
        default=None, description="Same history with several workers, at the price of idle slots."
    )
    reuse: bool | None = Field(
        default=None,
        description="Share results with the other experiments of the store that say so: what one "
        "has evaluated costs the others no trial.",
    )
    priority: int | None = Field(
        default=None,
        ge=1,
        le=10,
        description="Among experiments on the same workers the higher goes first; 5 by default.",
    )
    resources: dict[str, Share] = Field(
        default={},
        description="What one trial needs of a worker, such as `gpu: 0.5`.",
    )
    time_limit: Seconds | None = Field(
        default=None,
        description="Wall time of one attempt at a trial: seconds, or a text such as '10m'.",
    )
    memory_limit: Bytes | None = Field(
        default=None,
        description="Resident memory of one attempt at a trial: bytes, or a text such as '4 GiB'.",
    )
    start: list[dict[str, JsonValue]] = Field(
        default=[],
        description="Architectures to try first, each as decisions by path.",
    )

    def options(self) -> dict[str, object]:
        """What was written, as keyword arguments of ``mm.search``; a fresh dict.

        Without space, evaluator, workers, engine and storage, which need their own treatment.
        """
        apart = {"space", "evaluator", "optimizer", "fidelity", "workers", "engine", "storage"}
        written = self.model_dump(exclude=apart, exclude_unset=True, exclude_none=True)
        if "optimizer" in self.model_fields_set:
            written["optimizer"] = self.optimizer.name
            if self.optimizer.settings:
                written["optimizer_settings"] = dict(self.optimizer.settings)
        if self.fidelity is not None:
            written["fidelity"] = self.fidelity.name
            if self.fidelity.settings:
                written["fidelity_settings"] = dict(self.fidelity.settings)
        return written
