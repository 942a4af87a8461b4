"""What one attempt needs of a worker, read from a mapping such as ``{"gpu": 0.5, "ssd": 1}``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from morphml.errors import RequirementsError

#: What an attempt uses up beside GPUs: cores, and bytes of memory and disk.
AMOUNTS = ("cpu", "disk", "memory")
#: Comes before words of a GPU's model, as in ``gpu:h200``.
MODEL_PREFIX = "gpu:"
#: All names that are no labels.
_KNOWN = (*AMOUNTS, "gpu", "gpu-memory", "workers")
#: So much more than there is may be asked for, for sums of fractions such as three times 1/3.
SLACK = 1e-9


@dataclass(frozen=True, slots=True)
class GpuNeed:
    """GPUs of one attempt: a share of one device, or whole devices."""

    #: Devices; 0 hides those that there are.
    count: int
    #: Of each device, above 0, at most 1; below 1 only where ``count`` is 1.
    share: float = 1.0
    #: Bytes of each device's memory.
    memory: float = 0.0
    #: Words that the model's name must have, such as ``h200``.
    model: frozenset[str] = frozenset()

    @property
    def amount(self) -> float:
        """As it was asked for: 0.5 of one, or a whole number."""
        return self.count * self.share


@dataclass(frozen=True, slots=True)
class Requirements:
    """What one attempt needs; equal needs are equal values, and can be keys.

    Made by ``parse``, which checks; ``mapping`` turns it back.
    """

    #: Cores, and bytes of memory and disk, by name; without those of which nothing is needed.
    amounts: tuple[tuple[str, float], ...] = ()
    #: None where nothing was said of GPUs.
    gpu: GpuNeed | None = None
    #: Whatever else a worker must have, and how much of it; any number of attempts may rely on it.
    labels: tuple[tuple[str, float], ...] = ()
    #: Workers at once, each with all of the above; 1 for all but gangs.
    workers: int = 1

    @classmethod
    def parse(cls, needs: Mapping[str, float]) -> Requirements:
        """The requirements that a mapping states. Cost: a few microseconds; keep the result.

        Raises:
            RequirementsError: when a name or an amount makes no sense; says what would.
        """
        if not isinstance(needs, Mapping):
            raise RequirementsError(f"a mapping such as {{'gpu': 0.5}}, got {needs!r}")
        if not needs:
            return NOTHING
        for name, amount in needs.items():
            _check(name, amount)
        return cls(
            amounts=tuple((name, float(needs[name])) for name in AMOUNTS if needs.get(name)),
            gpu=_gpu(needs),
            labels=tuple(
                (name, float(needs[name]))
                for name in sorted(needs)
                if name not in _KNOWN and not name.startswith(MODEL_PREFIX) and needs[name]
            ),
            workers=_workers(needs.get("workers", 1)),
        )

    @property
    def one_at_a_time(self) -> Requirements:
        """What each worker of a gang needs; the same where there is no gang."""
        if self.workers == 1:
            return self
        return Requirements(amounts=self.amounts, gpu=self.gpu, labels=self.labels)

    def mapping(self) -> dict[str, float]:
        """A mapping that ``parse`` turns into an equal value."""
        found = dict(self.amounts) | dict(self.labels)
        if self.gpu is not None:
            found["gpu"] = self.gpu.amount
            if self.gpu.memory:
                found["gpu-memory"] = self.gpu.memory
            found |= {f"{MODEL_PREFIX}{word}": 1.0 for word in self.gpu.model}
        return found if self.workers == 1 else found | {"workers": float(self.workers)}


#: A slot, and nothing else.
NOTHING = Requirements()


def model_words(model: str) -> frozenset[str]:
    """The words of a GPU's model: ``NVIDIA H200`` has ``nvidia`` and ``h200``."""
    return frozenset(model.lower().replace("-", " ").split())


def _check(name: object, amount: object) -> None:
    if not (isinstance(name, str) and name):
        raise RequirementsError(f"names are texts, got {name!r}", name=str(name))
    if (
        not isinstance(amount, int | float)
        or isinstance(amount, bool)
        or not math.isfinite(amount)
        or amount < 0
    ):
        raise RequirementsError(f"a number from 0, got {amount!r}", name=name)
    plain = name.lower().replace("_", "-").removesuffix("s")
    meant = next((known for known in _KNOWN if known.removesuffix("s") == plain), name)
    if meant != name:
        raise RequirementsError(
            f"there is no such resource; did you mean {meant!r}? (a label of your own needs "
            "another name)",
            name=name,
        )


def _gpu(needs: Mapping[str, float]) -> GpuNeed | None:
    memory = float(needs.get("gpu-memory", 0.0))
    models = [name for name in needs if name.startswith(MODEL_PREFIX) and needs[name]]
    amount = needs.get("gpu")
    if amount is None:
        if memory or models:
            name = models[0] if models else "gpu-memory"
            raise RequirementsError("say how much of a GPU too, such as gpu: 0.5", name=name)
        return None
    if amount > 1 and amount != int(amount):
        raise RequirementsError(
            f"a share of one device (up to 1) or whole devices (2, 3, ...), got {amount:g}",
            name="gpu",
        )
    model = frozenset[str]().union(*(model_words(name[len(MODEL_PREFIX) :]) for name in models))
    if amount == 0:
        return GpuNeed(0)
    return GpuNeed(max(1, int(amount)), min(1.0, float(amount)), memory, model)


def _workers(number: float) -> int:
    if number < 1 or number != int(number):
        raise RequirementsError(f"a whole number from 1, got {number:g}", name="workers")
    return int(number)
