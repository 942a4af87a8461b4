"""An experiment as a value: all that fixes a search, apart from what happens in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from morphml.errors import ExperimentError
from morphml.optimizers.events import JSON
from morphml.scheduling.experiment import ExperimentState
from morphml.scheduling.policies.contract import DEFAULT_PRIORITY, PRIORITIES
from morphml.scheduling.resources import Requirements
from morphml.search.constraints import Constraint, parse_constraints
from morphml.search.given import (
    check_count,
    check_finite,
    check_flag,
    check_name,
    check_positive,
    check_whole,
)
from morphml.search.objectives import Objective

#: Epochs of a full trial, where nobody says.
MAX_EPOCHS = 10
#: Bytes below which a memory limit is a slip of the unit: an idle child takes about 20 MiB.
SMALLEST_MEMORY = 2**24


class TrialState(StrEnum):
    """Where a trial stands in the store; all but ``pending`` and ``paused`` are final."""

    PENDING = "pending"
    PAUSED = "paused"
    COMPLETED = "completed"
    #: Ended early by the search; its last report is its result.
    PRUNED = "pruned"
    #: The evaluator is at fault; the trial ranks worst.
    FAILED = "failed"
    #: The machines are at fault, more often than the retry rule allows.
    DEAD = "dead"
    CANCELLED = "cancelled"


__all__ = [
    "MAX_EPOCHS",
    "AttemptLimits",
    "Budget",
    "EvaluatorReference",
    "ExperimentSpec",
    "ExperimentState",
    "FidelityReference",
    "OptimizerReference",
    "TrialState",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """When a search ends; the first rule that is met ends it."""

    #: How many numbers may be taken; every trial takes one, whatever becomes of it.
    trials: int
    #: Total epochs over all trials, or None; the trial that reaches it is run to its end.
    epochs: int | None = None
    #: Seconds of wall time over all runs, or None.
    timeout_s: float | None = None
    #: Value of the first objective that is good enough, or None.
    target: float | None = None

    def __post_init__(self) -> None:
        """Refuse budgets that no search can keep."""
        check_count("trials", self.trials, 1)
        if self.epochs is not None:
            check_count("epochs", self.epochs, 1)
        if self.timeout_s is not None:
            check_positive("timeout", "seconds", self.timeout_s)
        if self.target is not None:
            check_finite("target", self.target)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptLimits:
    """What one attempt may use."""

    #: Seconds, or None for no limit.
    time_s: float | None = None
    #: Resident bytes of the child and all that it started, or None for no limit.
    memory_bytes: int | None = None

    def __post_init__(self) -> None:
        """Refuse limits under which no evaluator could even begin."""
        if self.time_s is not None:
            check_positive("time_limit", "seconds", self.time_s)
        if self.memory_bytes is not None:
            check_count("memory_limit (bytes)", self.memory_bytes, SMALLEST_MEMORY)


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizerReference:
    """Which optimizer, so that a restart makes the same one."""

    #: Registered name, such as ``regularized_evolution``.
    name: str
    #: Version of its rule; a newer one may fold an old log but says so in ``replay --check``.
    version: int
    #: All settings, defaults filled in.
    settings: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FidelityReference:
    """Which rule decides who gets more epochs, so that a restart makes the same one."""

    #: Registered name, such as ``asha``.
    name: str
    #: All settings, defaults filled in.
    settings: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluatorReference:
    """Which evaluator; the code itself is an artifact or is imported."""

    #: ``path`` (import path), ``value`` (by value, an artifact that this user wrote).
    kind: str
    #: Import path ``package.module:attribute``, or the artifact's key.
    reference: str
    #: Digest of the code, or None when unknown: results are then shared with no other experiment.
    digest: str | None = None
    #: For a path: sha256 of the source bundle that holds the module; None where it is installed.
    bundle: str | None = None
    #: For a path that leads to a class: its keyword arguments.
    arguments: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentSpec:
    """Everything that fixes a search: the same spec and seed give the same proposals."""

    #: Name that people see.
    name: str
    #: The space in its text form; None when it holds code and travels with the evaluator.
    space: str | None
    #: Digest of the space; a resume with another space is refused.
    space_digest: str
    #: What is optimised; the first is the fitness.
    objectives: tuple[Objective, ...]
    #: Bounds on metrics.
    constraints: tuple[Constraint, ...] = ()
    #: Who proposes.
    optimizer: OptimizerReference
    #: When it ends.
    budget: Budget
    #: Who scores.
    evaluator: EvaluatorReference
    #: Root of all randomness.
    seed: int
    #: Epochs of one full trial.
    max_epochs: int = MAX_EPOCHS
    #: Who gets more epochs; None: every trial is a full one.
    fidelity: FidelityReference | None = None
    #: How often each architecture is evaluated, with different seeds; metrics are averaged, at each
    #: rung too.
    repeats: int = 1
    #: Limits of one attempt.
    limits: AttemptLimits = AttemptLimits()
    #: Slots the search was started with; it enters proposals only where ``deterministic``.
    workers: int = 1
    #: Ask n sees exactly the tells 0..n - workers, whatever the timing.
    deterministic: bool = False
    #: Whether results are shared with other experiments of the store that do so.
    reuse: bool = False
    #: 1 to 10; among experiments on the same workers the higher goes first.
    priority: int = DEFAULT_PRIORITY
    #: What an attempt needs of a worker, such as ``{"gpu": 0.5}``.
    resources: Mapping[str, float] = field(default_factory=dict)
    #: Names of data sets that the evaluator reads; who read one before is preferred.
    data_sets: tuple[str, ...] = ()
    #: Decision vectors to try first.
    start: tuple[tuple[int | float | None, ...], ...] = ()

    def __post_init__(self) -> None:
        """Check kinds and ranges, and what no single field can see."""
        check_name("name", self.name)
        check_count("max_epochs", self.max_epochs, 1)
        check_count("repeats", self.repeats, 1)
        check_whole("seed", self.seed)
        check_flag("deterministic", self.deterministic)
        check_flag("reuse", self.reuse)
        Requirements.parse(self.resources)
        check_count("priority", self.priority, PRIORITIES[0])
        if self.priority > PRIORITIES[1]:
            raise ExperimentError(f"priority: at most {PRIORITIES[1]}, got {self.priority}")
        names = [objective.name for objective in self.objectives]
        if len(set(names)) != len(names):
            raise ExperimentError(f"objectives: each metric once, got {names}")

    def to_json(self) -> dict[str, JSON]:
        """A JSON object that ``from_json`` turns back into an equal value."""
        document: dict[str, Any] = asdict(self)
        document["constraints"] = {c.metric: c.text for c in self.constraints}
        document["objectives"] = {o.name: o.text for o in self.objectives}
        document["start"] = [list(vector) for vector in self.start]
        return document

    @classmethod
    def from_json(cls, document: Mapping[str, object]) -> ExperimentSpec:
        """The spec that ``to_json`` wrote.

        Raises:
            ExperimentError: when a field is missing, unknown, or out of range.
        """
        fields = _mapping(document)
        try:
            fields["objectives"] = tuple(
                Objective.parse(name, text) for name, text in _mapping(fields["objectives"]).items()
            )
            fields["constraints"] = parse_constraints(_mapping(fields["constraints"]))
            fields["optimizer"] = OptimizerReference(**_mapping(fields["optimizer"]))
            fields["budget"] = Budget(**_mapping(fields["budget"]))
            fields["evaluator"] = EvaluatorReference(**_mapping(fields["evaluator"]))
            fidelity = fields.get("fidelity")
            fields["fidelity"] = fidelity and FidelityReference(**_mapping(fidelity))
            fields["limits"] = AttemptLimits(**_mapping(fields["limits"]))
            fields["data_sets"] = tuple(fields.get("data_sets") or ())
            fields["start"] = tuple(tuple(vector) for vector in fields.get("start") or ())
            return cls(**fields)
        except (KeyError, TypeError, ValueError) as error:
            raise ExperimentError(f"experiment document is not readable: {error!r}") from error


def _mapping(value: object) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError(f"expected an object, got {value!r}")
    return dict(value)
