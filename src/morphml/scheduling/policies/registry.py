"""Every policy by name, how to make one, and those that installed packages add."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from morphml.errors import CallerError, SchedulingError
from morphml.hints import did_you_mean
from morphml.plugins import load_plugin, plugin_names
from morphml.scheduling.policies.adaptive import Adaptive
from morphml.scheduling.policies.batching import Batching
from morphml.scheduling.policies.contract import Policy
from morphml.scheduling.policies.fair_share import FairShare
from morphml.scheduling.policies.fifo import Fifo
from morphml.scheduling.policies.load_balancing import LoadBalancing
from morphml.scheduling.policies.priority import Priority
from morphml.scheduling.policies.round_robin import RoundRobin
from morphml.scheduling.policies.work_stealing import WorkStealing

#: Entry points of installed packages: name -> a class or function that makes a policy.
GROUP = "morphml.policies"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyEntry:
    """One line of the list that people choose from."""

    #: Makes one: ``factory(**settings)``.
    factory: Callable[..., Policy]
    #: When to use it, in one sentence.
    use: str


#: Every policy of MorphML by the name used in settings.
POLICIES: Mapping[str, PolicyEntry] = {
    "fifo": PolicyEntry(
        factory=Fifo,
        use="where order of arrival is all that counts; fills old workers first, so new ones empty",
    ),
    "priority": PolicyEntry(
        factory=Priority,
        use="where some experiments matter more; fills old workers first, so new ones empty",
    ),
    "round_robin": PolicyEntry(
        factory=RoundRobin,
        use="where each worker should see as many tasks as the others, whatever its size",
    ),
    "load_balancing": PolicyEntry(
        factory=LoadBalancing,
        use="where workers of different sizes should be used alike",
    ),
    "adaptive": PolicyEntry(
        factory=Adaptive,
        use="where workers or tasks differ much, and the end of the whole counts",
    ),
    "work_stealing": PolicyEntry(
        factory=WorkStealing,
        use="where tasks should run where their data lies, unless others have nothing to do",
    ),
    "batching": PolicyEntry(
        factory=Batching,
        use="where tasks take milliseconds, and messages cost more than they",
    ),
    "fair_share": PolicyEntry(
        factory=FairShare,
        use="where several experiments share the workers; else like load_balancing",
    ),
}

#: What a master does that is told nothing.
DEFAULT_POLICY = "fair_share"


def policy_names() -> tuple[str, ...]:
    """All names that ``create_policy`` takes; plug-ins come last."""
    return (*POLICIES, *sorted(set(plugin_names(GROUP)) - POLICIES.keys()))


def create_policy(name: str, **settings: float) -> Policy:
    """A fresh policy that has learned nothing.

    Args:
        name: a key of ``POLICIES``, or what an installed package offers in ``morphml.policies``.
        settings: its settings by name; the rest keep their defaults.

    Raises:
        SchedulingError: an unknown name or setting, with the nearest one; a value out of range.
    """
    factory = _factory(name)
    known = [p.name for p in inspect.signature(factory).parameters.values() if _is_named(p)]
    for setting in settings:
        if setting not in known:
            has = f"it has {', '.join(known)}" if known else "it has none"
            raise SchedulingError(
                f"policy {name!r} has no setting {setting!r}; {has}{did_you_mean(setting, known)}"
            )
    made = factory(**settings)
    missing = [part for part in _PARTS if not hasattr(made, part)]
    if missing:
        raise SchedulingError(
            f"policy {name!r} lacks {', '.join(missing)}: see the Policy contract"
        )
    return made


_PARTS = ("name", "weighs", "ahead", "rank", "key", "queue", "observe")


def _factory(name: str) -> Callable[..., Policy]:
    entry = POLICIES.get(name)
    if entry is not None:
        return entry.factory
    names = policy_names()
    if name not in names:
        raise SchedulingError(
            f"there is no policy {name!r}; there are {', '.join(names)}"
            f"{did_you_mean(name.lower().replace('-', '_'), names)}"
        )
    try:
        made = load_plugin(GROUP, name)
    except (CallerError, ImportError, AttributeError) as error:
        raise SchedulingError(f"policy {name!r}: its plug-in cannot be loaded: {error}") from error
    if not callable(made):
        raise SchedulingError(f"policy {name!r}: its plug-in is {made!r}, and makes no policy")
    return made


def _is_named(parameter: inspect.Parameter) -> bool:
    return parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
