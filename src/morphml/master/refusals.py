"""What cannot be searched or run, refused by name before anything is stored or started."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterable, Mapping, Sequence

from morphml.errors import ExperimentError, RequirementsError, SpaceError
from morphml.hints import did_you_mean
from morphml.optimizers import OPTIMIZERS, Optimizer
from morphml.scheduling.resources import Requirements
from morphml.search.experiment import AttemptLimits, ExperimentSpec
from morphml.search.given import check_count
from morphml.search.objectives import COMPUTED_METRICS
from morphml.space import SearchSpace

#: Child processes of one machine; more are a slip of the finger, and would bring it down.
MOST_WORKERS = 512


def refuse_other_than_space(space: object) -> None:
    """Refuse what is not a search space.

    Raises:
        SpaceError: with what was given, and how a space is made of it.
    """
    if isinstance(space, SearchSpace):
        return
    advice = "SearchSpace(input=..., layers=[...])"
    if isinstance(space, str):
        advice = "SearchSpace.from_text(text)"
    elif isinstance(space, Mapping):
        advice = "SearchSpace(decisions={...})"
    shown = repr(space)
    shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
    raise SpaceError(f"a search needs a SearchSpace, got {shown}; make one with {advice}")


def refuse_unknown_options(options: Iterable[str], known: Collection[str]) -> None:
    """Refuse names that are no options.

    Raises:
        ExperimentError: with the nearest known name, and all of them.
    """
    for name in options:
        if name not in known:
            hint = did_you_mean(name, known) or ";"
            raise ExperimentError(
                f"unknown option {name!r}{hint} known: {', '.join(sorted(known))}"
            )


def refuse_no_list(start: object) -> Sequence[object]:
    """``start``, where it is a list.

    Raises:
        ExperimentError: where it is a single point or something else.
    """
    if isinstance(start, Sequence) and not isinstance(start, str):
        return start
    raise ExperimentError(f"start: a list of points to try first, got {start!r}")


def refuse_strange_optimizer(optimizer: Optimizer) -> Optimizer:
    """The optimizer, where a restart could make it again.

    Raises:
        ExperimentError: where it is not one of the registry.
    """
    if getattr(optimizer, "name", None) in OPTIMIZERS and hasattr(optimizer, "ask"):
        return optimizer
    raise ExperimentError(
        f"optimizer: 'auto', one of {', '.join(sorted(OPTIMIZERS))}, or an optimizer made by "
        f"create_optimizer, got {optimizer!r}"
    )


def refuse_uncounted_metrics(spec: ExperimentSpec, space: SearchSpace) -> None:
    """Refuse what is to be counted on a graph where the space has none.

    Raises:
        ExperimentError: with the metric and what to return instead.
    """
    names = [o.name for o in spec.objectives] + [c.metric for c in spec.constraints]
    counted = [name for name in names if name in COMPUTED_METRICS]
    if counted and not space.has_graph:
        raise ExperimentError(
            f"{counted[0]!r} is counted on the model graph, and this space has no layers to count; "
            f"return it from the evaluator under another name, such as 'measured_{counted[0]}'"
        )


def refuse_impossible_workers(workers: object) -> None:
    """Refuse a number of workers that no machine can have.

    Raises:
        ExperimentError: with the range and the value.
    """
    check_count("workers", workers, 0, MOST_WORKERS)


def warn_of_idle_limits(limits: AttemptLimits, workers: int) -> None:
    """Warn where limits were asked for and nobody can keep them."""
    given = {"time_limit": limits.time_s, "memory_limit": limits.memory_bytes}
    names = [name for name, value in given.items() if value is not None]
    if workers == 0 and names:
        warnings.warn(
            f"{' and '.join(names)}: not kept with workers=0, where trials run in this very "
            "process; give workers=1 or more",
            stacklevel=4,
        )


def refuse_gangs(resources: Mapping[str, float]) -> None:
    """Refuse, for a search that this process drives, trials that run on several workers at once.

    Raises:
        RequirementsError: where they do, or the needs make no sense.
    """
    if (count := Requirements.parse(resources).workers) > 1:
        raise RequirementsError(
            f"{count} workers at once are for masters to find: submit it to them "
            "(engine='remote'); for several GPUs of one machine ask for them, such as gpu: 4",
            name="workers",
        )
