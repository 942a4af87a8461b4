"""What no worker has: why a request can run nowhere, said so that a person can act on it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from morphml.scheduling.resources.capacity import Capacity
from morphml.scheduling.resources.requirements import AMOUNTS, MODEL_PREFIX, SLACK, Requirements


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """One reason why a request fits no worker."""

    #: What is missing, such as ``gpu`` or a label; ``workers`` where a gang is too large.
    name: str
    #: How much of it was asked for.
    asked: float
    #: The most of it that any one worker has; for ``workers`` how many could take part.
    most: float
    #: Names of things that exist, each on some worker, and never all on one; else empty.
    together: tuple[str, ...] = ()

    def __str__(self) -> str:
        """For people."""
        if self.together:
            return f"no worker has {' and '.join(self.together)} together"
        if self.name == "workers":
            if self.most <= 0:
                return "there is no worker"
            return f"{self.asked:g} workers at once, and {self.most:g} could take part"
        asked = _thing(self.name, self.asked)
        if self.most <= 0:
            return f"{asked}, which no worker has"
        return f"{asked}, and the most that any worker has is {_amount(self.name, self.most)}"

    def here(self) -> str:
        """For people, where there is one machine only."""
        if self.together:
            return f"this machine does not have {' and '.join(self.together)} together"
        if self.name == "workers":
            return f"{self.asked:g} workers at once, and this machine is one"
        asked = _thing(self.name, self.asked)
        if self.most <= 0:
            return f"{asked}, which this machine does not have"
        return f"{asked}, and this machine has {_amount(self.name, self.most)}"


def missing(needs: Requirements, workers: Iterable[Capacity]) -> tuple[Missing, ...]:
    """What keeps a request from ever running on these workers; empty when it can.

    Args:
        needs: of one attempt.
        workers: each one that lives, busy or not.

    Cost: O(workers x (names + devices)), and O(names) of that where things exist, never together.
    """
    there = list(workers)
    if not there:
        return (Missing(name="workers", asked=needs.workers, most=0),)
    able = sum(worker.could(needs) for worker in there)
    if able >= needs.workers:
        return ()
    if able:
        return (Missing(name="workers", asked=needs.workers, most=able),)
    parts = dict(_parts(needs.one_at_a_time))
    alone = [
        Missing(name=name, asked=asked, most=max((_has(each, name) for each in there), default=0))
        for name, (asked, part) in parts.items()
        if not any(worker.could(part) for worker in there)
    ]
    if alone:
        return tuple(alone)
    return (Missing(name="", asked=0.0, most=0.0, together=_conflict(parts, there)),)


def words(needs: Requirements) -> str:
    """The request for people, such as ``gpu 0.5, ssd``; ``a slot`` where it needs nothing."""
    return ", ".join(_thing(*each) for each in sorted(needs.mapping().items())) or "a slot"


_Parts = dict[str, tuple[float, Requirements]]


def _parts(needs: Requirements) -> Iterator[tuple[str, tuple[float, Requirements]]]:
    """Each thing that is needed, as a request of its own."""
    whole = needs.mapping()
    for name, much in whole.items():
        if name == "gpu-memory" or name.startswith(MODEL_PREFIX):
            yield name, (much, Requirements.parse({"gpu": SLACK, name: much}))
        elif name != "gpu" or much:
            yield name, (much, Requirements.parse({name: much}))


def _conflict(parts: _Parts, workers: Collection[Capacity]) -> tuple[str, ...]:
    """A smallest set of things that no worker has together: none of them can be left out."""
    names = list(parts)
    for name in tuple(names):
        fewer = [other for other in names if other != name]
        needs = Requirements.parse({other: parts[other][0] for other in _with_gpu(fewer, parts)})
        if not any(worker.could(needs) for worker in workers):
            names = fewer
    return tuple(names)


def _with_gpu(names: list[str], parts: _Parts) -> list[str]:
    """The names that make a request: what is said of a GPU goes with ``gpu``."""
    if "gpu" in names:
        return names
    return [name for name in names if name != "gpu-memory" and not name.startswith(MODEL_PREFIX)]


def _has(worker: Capacity, name: str) -> float:
    """How much of one thing a worker has."""
    match name:
        case "gpu":
            return sum(gpu.share for gpu in worker.gpus)
        case "gpu-memory":
            return max((gpu.memory for gpu in worker.gpus), default=0.0)
        case _ if name.startswith(MODEL_PREFIX):
            return 0.0  # it is only asked when nobody has it
        case _:
            return worker.amounts.get(name, worker.labels.get(name, 0.0))


def _thing(name: str, much: float) -> str:
    """A name and how much of it, or a label alone."""
    if much == 1.0 and name not in (*AMOUNTS, "gpu"):
        return name
    return f"{name} {_amount(name, much)}"


def _amount(name: str, much: float) -> str:
    """Bytes in GB, everything else as it is."""
    if name in ("memory", "disk", "gpu-memory"):
        return f"{much / 1e9:.4g} GB"
    return f"{much:g}"
