"""What one worker has, read from the mapping that it offers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from morphml.scheduling.resources.requirements import (
    AMOUNTS,
    MODEL_PREFIX,
    SLACK,
    GpuNeed,
    Requirements,
    model_words,
)

#: Devices of one worker that are counted.
MOST_GPUS = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """One device."""

    #: Its place among the worker's devices, from 0.
    index: int
    #: Words of its name, joined by ``-``, such as ``nvidia-h200``; "" where it is not known.
    model: str = ""
    #: Bytes; 0 where it is not known.
    memory: float = 0.0
    #: How much of it is offered, above 0, at most 1.
    share: float = 1.0
    words: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Split the model's name."""
        object.__setattr__(self, "words", model_words(self.model))

    @property
    def offer(self) -> str:
        """Its name among the things that a worker offers, such as ``gpu:0:nvidia-h200``."""
        return f"{MODEL_PREFIX}{self.index}:{self.model}"

    def could(self, need: GpuNeed) -> bool:
        """Whether it is of the kind that is needed, and large enough."""
        return (
            self.share + SLACK >= need.share
            and self.memory + SLACK >= need.memory
            and need.model <= self.words
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """All that one worker has, whether or not something uses it."""

    #: ``cpu`` in cores, ``memory`` and ``disk`` in bytes.
    amounts: Mapping[str, float] = field(default_factory=dict)
    #: By index.
    gpus: tuple[Gpu, ...] = ()
    #: Labels such as ``ssd``, and how much of each, mostly 1.
    labels: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def parse(cls, offers: Mapping[str, float]) -> Capacity:
        """The capacity that a worker's offers state.

        Devices are told as ``gpu:<index>:<model>`` with their bytes of memory. ``gpu`` alone counts
        devices of an unknown model, of ``gpu-memory`` bytes each; beside devices it says how many
        of them are offered.
        """
        return cls(
            amounts={name: offers[name] for name in AMOUNTS if name in offers},
            gpus=_gpus(offers),
            labels={
                name: amount
                for name, amount in offers.items()
                if name not in (*AMOUNTS, "gpu", "gpu-memory") and not _is_device(name)
            },
        )

    def offers(self) -> dict[str, float]:
        """A mapping that ``parse`` turns into an equal value."""
        found = dict(self.amounts) | dict(self.labels)
        if self.gpus:
            found["gpu"] = sum(gpu.share for gpu in self.gpus)
            found |= {gpu.offer: gpu.memory for gpu in self.gpus}
        return found

    def could(self, needs: Requirements) -> bool:
        """Whether one attempt could run here if nothing else did. Cost: O(names + devices)."""
        return (
            all(self.amounts.get(name, 0.0) + SLACK >= much for name, much in needs.amounts)
            and all(self.labels.get(name, 0.0) + SLACK >= much for name, much in needs.labels)
            and (needs.gpu is None or could_bind(self.gpus, needs.gpu))
        )


def could_bind(gpus: Iterable[Gpu], need: GpuNeed) -> bool:
    """Whether enough of the devices are of the kind that is needed."""
    return need.count == 0 or sum(gpu.could(need) for gpu in gpus) >= need.count


def _is_device(name: str) -> bool:
    head, _, rest = name.partition(":")
    return head == "gpu" and rest.partition(":")[0].isdigit()


def _gpus(offers: Mapping[str, float]) -> tuple[Gpu, ...]:
    told: list[Gpu] = []
    for name, memory in sorted(offers.items()):
        if _is_device(name):
            _, index, model = (*name.split(":", 2), "")[:3]
            told.append(Gpu(index=int(index), model=model, memory=memory))
    told.sort(key=lambda gpu: gpu.index)
    amount = min(offers.get("gpu", float(len(told))), MOST_GPUS)
    count = math.ceil(amount - SLACK)
    after = told[-1].index + 1 if told else 0
    unknown = [
        Gpu(index=after + i, memory=offers.get("gpu-memory", 0.0)) for i in range(count - len(told))
    ]
    found = [*told, *unknown][:count]
    if found and amount < count - SLACK:
        last = found[-1]
        share = amount - (count - 1)
        found[-1] = Gpu(index=last.index, model=last.model, memory=last.memory, share=share)
    return tuple(found)
