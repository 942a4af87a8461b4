"""What ``mm.search`` may be told, and the spec that comes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict, cast

import numpy as np

from morphml.engines.devices import gpus as gpus
from morphml.errors import ExperimentError, SpaceError
from morphml.evaluation import EvaluatorSource
from morphml.evaluation.source_needs import data_sets_of
from morphml.master.evaluators import reference_to
from morphml.master.refusals import (
    refuse_no_list,
    refuse_other_than_space,
    refuse_strange_optimizer,
    refuse_uncounted_metrics,
    refuse_unknown_options,
)
from morphml.optimizers import Optimizer, create_optimizer
from morphml.optimizers.events import JSON
from morphml.scheduling.policies.contract import DEFAULT_PRIORITY
from morphml.search.constraints import parse_constraints
from morphml.search.experiment import (
    MAX_EPOCHS,
    AttemptLimits,
    Budget,
    ExperimentSpec,
    FidelityReference,
    OptimizerReference,
)
from morphml.search.fidelity import combined, create_fidelity
from morphml.search.objectives import COMPUTED_METRICS, parse_objectives
from morphml.space import Architecture, SearchSpace


class SearchOptions(TypedDict, total=False):
    """Everything that fixes a search beside the space and the evaluator. All are optional."""

    #: Metric name to ``"min"`` or ``"max"``, the first is the fitness. Default ``accuracy: max``.
    objectives: Mapping[str, str] | Sequence[str]
    #: Metric name to a bound such as ``"<= 500_000"``.
    constraints: Mapping[str, str]
    #: Registered name, ``"auto"``, or an optimizer as a pattern (a fresh one of it is made).
    optimizer: str | Optimizer
    #: Settings of the optimizer, where it is given by name.
    optimizer_settings: Mapping[str, JSON]
    #: Who gets more epochs: ``asha``, ``hyperband``, ``asha_stopping`` or ``median``, beside any
    #: optimizer. Default: every trial is a full one of ``max_epochs``.
    fidelity: str
    #: Its settings, such as ``{"min_epochs": 1, "eta": 3}``.
    fidelity_settings: Mapping[str, JSON]
    #: How many trials. Default 100.
    trials: int
    #: Total epochs over all trials.
    epochs: int
    #: Seconds of wall time over all runs. Trials are then ordered to stop, and cancelled when they
    #: have not after 30 s (``MORPHML_STOP_GRACE``).
    timeout: float
    #: Value of the first objective that is good enough.
    target: float
    #: Epochs of one full trial, for ``trial.epochs()``. Default 10.
    max_epochs: int
    #: How often each architecture is evaluated, with metrics averaged. Default 1.
    repeats: int
    #: Root of all randomness. Default 0.
    seed: int
    #: Name that people see. Default: the evaluator's name.
    name: str
    #: 1 to 10: among experiments on the same workers the higher goes first. Default 5.
    priority: int
    #: What an attempt needs, such as ``{"gpu": 0.5, "ssd": 1}``: shares of a GPU or whole ones,
    #: ``cpu``, bytes of ``memory``, ``disk`` and ``gpu-memory``, a model as ``gpu:h200``, labels;
    #: with ``workers`` each of so many workers at once, which run the trial together.
    resources: Mapping[str, float]
    #: Architectures, or mappings of decision path to value, to try first.
    start: Sequence[Architecture | Mapping[str, object]]
    #: Seconds that one attempt may take.
    time_limit: float
    #: Resident bytes that one attempt may use.
    memory_limit: int
    #: Same history for the same number of workers, at the cost of waiting for the slowest.
    deterministic: bool
    #: Whether results are shared with the other experiments of the store that say so: what one
    #: has evaluated answers the others at once and costs them no trial. Default False.
    reuse: bool


def make_spec(
    space: SearchSpace, source: EvaluatorSource, workers: int, options: SearchOptions
) -> ExperimentSpec:
    """The spec of a new experiment.

    Raises:
        ExperimentError: when an option is unknown, of another kind, or out of range.
        ConstraintError: when a constraint cannot be read.
        SpaceError: when the space is none, or a start point is not in it.
    """
    refuse_other_than_space(space)
    refuse_unknown_options(options, SearchOptions.__annotations__)
    options = _plain(options)
    objectives = options.get("objectives")
    options = _with_fidelity(options)
    spec = ExperimentSpec(
        name=options.get("name") or source.name.rpartition(":")[2],
        space=portable_text(space),
        space_digest=space.digest,
        objectives=parse_objectives({"accuracy": "max"} if objectives is None else objectives),
        constraints=parse_constraints(options.get("constraints")),
        optimizer=_optimizer(space, options),
        budget=Budget(
            trials=options.get("trials", 100),
            epochs=options.get("epochs"),
            timeout_s=options.get("timeout"),
            target=options.get("target"),
        ),
        evaluator=reference_to(source),
        seed=options.get("seed", 0),
        max_epochs=options.get("max_epochs", MAX_EPOCHS),
        fidelity=_fidelity(options),
        repeats=options.get("repeats", 1),
        limits=AttemptLimits(
            time_s=options.get("time_limit"), memory_bytes=options.get("memory_limit")
        ),
        workers=max(workers, 1),
        deterministic=options.get("deterministic", False),
        reuse=options.get("reuse", False),
        priority=options.get("priority", DEFAULT_PRIORITY),
        resources=options.get("resources") or {},
        data_sets=data_sets_of(source.load()),
        start=tuple(_start(space, point) for point in refuse_no_list(options.get("start", ()))),
    )
    refuse_uncounted_metrics(spec, space)
    return spec


def portable_text(space: SearchSpace) -> str | None:
    """The space's text form; None where it holds code, and so cannot be read back from text."""
    text = space.to_text()
    try:
        return text if SearchSpace.from_text(text) == space else None
    except SpaceError:
        return None


def required_metrics(spec: ExperimentSpec) -> tuple[str, ...]:
    """Metrics that the evaluator must return: measured objectives, then constrained metrics."""
    names = [o.name for o in spec.objectives] + [c.metric for c in spec.constraints]
    return tuple(dict.fromkeys(name for name in names if name not in COMPUTED_METRICS))


def _plain(options: SearchOptions) -> SearchOptions:
    """The options with numbers of numpy as Python's, which is what the store can keep."""
    values: Mapping[str, object] = options
    plain = {k: v.item() if isinstance(v, np.generic) else v for k, v in values.items()}
    return cast("SearchOptions", plain)


def _optimizer(space: SearchSpace, options: SearchOptions) -> OptimizerReference:
    wanted = options.get("optimizer", "auto")
    if isinstance(wanted, str):
        made = create_optimizer(wanted, space, **options.get("optimizer_settings", {}))
    elif "optimizer_settings" in options:
        raise ExperimentError("optimizer_settings go with an optimizer given by name")
    else:
        made = refuse_strange_optimizer(wanted)
    return OptimizerReference(name=made.name, version=made.version, settings=dict(made.settings))


def _with_fidelity(options: SearchOptions) -> SearchOptions:
    """The options with an optimizer and a rule of fidelity where one name stood for both."""
    wanted = options.get("optimizer")
    if not isinstance(wanted, str):
        return options
    optimizer, fidelity = combined(wanted, options.get("fidelity"))
    given: SearchOptions = {**options, "optimizer": optimizer}
    return given if fidelity is None else {**given, "fidelity": fidelity}


def _fidelity(options: SearchOptions) -> FidelityReference | None:
    name = options.get("fidelity")
    if name is None:
        if "fidelity_settings" in options:
            raise ExperimentError("fidelity_settings go with a fidelity, such as fidelity='asha'")
        return None
    settings = options.get("fidelity_settings", {})
    made = create_fidelity(name, options.get("max_epochs", MAX_EPOCHS), **settings)
    return FidelityReference(name=made.name, settings=dict(made.settings))


def _start(space: SearchSpace, point: object) -> tuple[int | float | None, ...]:
    if isinstance(point, Architecture):
        return space.member(point.decisions).vector
    if isinstance(point, Mapping):
        return space.member(point).vector
    raise ExperimentError(
        f"start: architectures, or mappings of decision path to value, got {point!r}"
    )
