"""Which workers a cluster should have, decided from its nodes. No Ray, thread or clock in here."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

#: Sums of shares such as 0.1 do not come out even.
_SLACK = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotShape:
    """What one slot takes of a node."""

    #: Cores, > 0.
    cpu: float = 1.0
    #: GPUs, >= 0; None: a whole one where a node has GPUs, and none where it has not.
    gpu: float | None = None
    #: Bytes of memory, >= 0.
    memory: float = 0.0

    def gpu_of(self, node: Node) -> float:
        """GPUs that a slot takes on that node."""
        if self.gpu is None:
            return 1.0 if node.total.get("GPU", 0.0) >= 1.0 else 0.0
        return self.gpu


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A live node of the cluster."""

    id: str
    #: For people: the host's name or address.
    name: str
    #: Resources by Ray's names, in all and free: ``CPU``, ``GPU``, ``memory`` (bytes) and others.
    total: Mapping[str, float]
    free: Mapping[str, float]
    #: Ray's labels of the node.
    labels: Mapping[str, str] = field(default_factory=dict)
    #: Seconds until it goes, where Ray drains it; infinite where nobody said when, None: it stays.
    leaves_in_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """A worker on a node: how many slots it has, and what it takes for them."""

    node: str
    slots: int
    cpu: float
    #: Whole GPUs.
    gpu: float = 0.0
    memory: float = 0.0


def plan(
    nodes: Iterable[Node], posted: Sequence[Posting], shape: SlotShape, wanted: float
) -> list[Posting]:
    """The workers to start now, at most one for each node.

    Args:
        nodes: live ones that may get a worker.
        posted: workers that are there or on their way. What they take counts as taken, whether or
            not the cluster has booked it yet.
        shape: of a slot.
        wanted: slots in all, those of ``posted`` among them; may be infinite.

    Cost: O(nodes log nodes + posted).
    """
    missing = wanted - sum(each.slots for each in posted)
    rooms = [(_room(node, posted, shape), node) for node in nodes if node.leaves_in_s is None]
    found: list[Posting] = []
    for room, node in sorted(rooms, key=lambda pair: (-pair[0], pair[1].id)):
        slots = int(min(room, missing))
        if slots < 1:
            break
        missing -= slots
        found.append(_posting(node, slots, shape))
    return found


def _room(node: Node, posted: Sequence[Posting], shape: SlotShape) -> int:
    here = [each for each in posted if each.node == node.id]
    free = {
        "CPU": _left(node, "CPU", sum(each.cpu for each in here)),
        "GPU": _left(node, "GPU", sum(each.gpu for each in here)),
        "memory": _left(node, "memory", sum(each.memory for each in here)),
    }
    return _fit(free, shape, shape.gpu_of(node))


def _left(node: Node, name: str, taken: float) -> float:
    return min(node.free.get(name, 0.0), node.total.get(name, 0.0) - taken)


def _fit(free: Mapping[str, float], shape: SlotShape, gpu: float) -> int:
    room = free.get("CPU", 0.0) / shape.cpu
    if gpu > 0:
        room = min(room, _slots_on_gpus(free.get("GPU", 0.0), gpu))
    if shape.memory > 0:
        room = min(room, free.get("memory", 0.0) / shape.memory)
    return max(0, math.floor(room + _SLACK))


def _slots_on_gpus(free: float, each: float) -> float:
    """Slots on the whole ones of so many free GPUs; a share lies on one device."""
    whole = math.floor(free + _SLACK)
    return whole / each if each >= 1 else float(whole * _to_a_gpu(each))


def _to_a_gpu(share: float) -> int:
    return math.floor(1 / share + _SLACK)


def _posting(node: Node, slots: int, shape: SlotShape) -> Posting:
    gpu = shape.gpu_of(node)
    takes = math.ceil(slots / _to_a_gpu(gpu) - _SLACK) if 0 < gpu < 1 else slots * gpu
    return Posting(
        node=node.id,
        slots=slots,
        cpu=slots * shape.cpu,
        gpu=float(takes),
        memory=slots * shape.memory,
    )
