"""Which attempts fit this machine side by side, and which of its GPUs each of them sees.

A process cannot be shown other GPUs once it has used one. So a child sees the same ones for all its
life, attempts go to children that see what they are to get, and where there is none a free child
makes room for a fresh one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from morphml.engines import devices
from morphml.engines.local.gpu_care import GpuCare
from morphml.engines.port import Assignment, Failed, Outcome
from morphml.ids import AttemptToken
from morphml.scheduling.resources import NOTHING, Capacity, Holdings, Requirements, missing

#: Different needs whose readings are kept.
_MOST_KINDS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What a child sees of the machine's devices."""

    #: Devices of the capacity, by index.
    indexes: tuple[int, ...] = ()
    #: Device of models, such as ``cpu`` or ``cuda:0``, as the child counts them.
    device: str = "cpu"
    #: Value of ``CUDA_VISIBLE_DEVICES``; None leaves what the parent has.
    visible: str | None = None

    @property
    def env(self) -> dict[str, str]:
        """The child's own environment."""
        return {} if self.visible is None else devices.showing(self.visible)


class Binding:
    """The resources of the machine while attempts come and go.

    Args:
        slots: children.
        names: devices such as ``cuda:0``; the n-th is the n-th GPU of the capacity.
        capacity: what attempts may take in all.

    Raises:
        WorkerError: when one of the devices is hidden from this process.
    """

    def __init__(self, slots: int, names: Sequence[str], capacity: Capacity) -> None:
        self._visible = devices.visible(names)
        self._own = [self._own_sight(i, names) for i in range(slots)]
        self._holdings = Holdings(capacity)
        #: Which GPUs are given nothing.
        self.care = GpuCare(self._visible)
        self._known: dict[tuple[tuple[str, float], ...], Requirements] = {}
        #: What the attempts see that run.
        self._sights: dict[AttemptToken, Sight] = {}

    @property
    def shut_slots(self) -> int:
        """Slots that are not used since the GPU that each would see is broken."""
        return sum(not self.care.shut.isdisjoint(sight.indexes) for sight in self._own)

    def own(self, slot: int) -> Sight:
        """What the slot's child sees when nobody asks for GPUs: the slots take turns on them."""
        return self._own[slot]

    def refusal(self, assignment: Assignment) -> str:
        """Why an attempt could never run here; "" when it could.

        Raises:
            RequirementsError: when its requirements make no sense.
        """
        needs = self._needs(assignment)
        if self._holdings.could(needs):
            return ""
        lacks = missing(needs.one_at_a_time, [self._holdings.capacity])
        return "; ".join(each.here() for each in lacks)

    def tick(self, now: float) -> float:
        """Time went by; when it may matter next, in monotonic seconds; infinity for never."""
        if not self._visible:
            return math.inf
        due = self.care.tick(now)
        self._holdings.shut(self.care.shut, self.care.doubted)
        return due

    def has_room(self, assignment: Assignment) -> bool:
        """Whether an attempt fits beside what runs.

        A retry is kept from GPUs whose last attempt failed, as long as others could run it.
        """
        needs = self._needs(assignment)
        careful = bool(assignment.avoid and self.care.doubted) and self._holdings.could_now(needs)
        return self._holdings.fits(needs, careful=careful)

    def keeps_off(self, assignment: Assignment, slot: int) -> bool:
        """Whether the slot is not for the attempt, since the GPU that it would see is broken."""
        care = self.care
        if not (care.shut or care.doubted) or self._needs(assignment).gpu is not None:
            return False
        bad = care.shut | care.doubted if assignment.avoid else care.shut
        if all(not bad.isdisjoint(each.indexes) for each in self._own):
            bad = care.shut
        return not bad.isdisjoint(self._own[slot].indexes)

    def suits(self, assignment: Assignment, slot: int, sight: Sight) -> bool:
        """Whether an attempt that fits can run in the slot's child, which sees this, as it is."""
        needs = self._needs(assignment)
        if needs.gpu is None:
            return sight == self._own[slot]
        if needs.gpu.count == 0 or not self._visible:
            return sight == self._without(slot)
        return sight.indexes == self._holdings.choice(needs)

    def take(self, assignment: Assignment, slot: int, now: float) -> Sight:
        """The attempt runs from now on in that slot; what its child must see."""
        sight = self._take(assignment, slot)
        if sight.indexes:
            self._sights[assignment.token] = sight
            self.care.sent(assignment.token, sight.indexes, self._able(assignment), now)
            self._holdings.shut(self.care.shut, self.care.doubted)
        return sight

    def _take(self, assignment: Assignment, slot: int) -> Sight:
        needs = self._needs(assignment)
        given = self._holdings.take(assignment.token, needs).indexes
        if needs.gpu is None:
            return self._own[slot]
        if not given or given[-1] >= len(self._visible):
            return self._without(slot)
        names = ",".join(self._visible[index] for index in given)
        return Sight(indexes=given, device="cuda:0", visible=names)

    def release(self, token: AttemptToken, now: float) -> None:
        """The attempt did not begin after all."""
        self._holdings.release(token)
        self._sights.pop(token, None)
        self.care.withdrew(token, now)
        self._holdings.shut(self.care.shut, self.care.doubted)

    def ended(
        self, assignment: Assignment, outcome: Outcome, duration_s: float, now: float
    ) -> Outcome:
        """The attempt is over; its outcome with the GPUs that it saw, where that matters."""
        self._holdings.release(assignment.token)
        sight = self._sights.pop(assignment.token, None)
        if sight is None:
            return outcome
        self.care.ended(assignment, outcome, duration_s, now)
        self._holdings.shut(self.care.shut, self.care.doubted)
        if isinstance(outcome, Failed):
            return replace(outcome, gpus=sight.visible or "")
        return outcome

    def _able(self, assignment: Assignment) -> list[int]:
        """The GPUs that the attempt could have got, were all of them free."""
        need, known = self._needs(assignment).gpu, range(len(self._visible))
        if need is None:
            return list({index for sight in self._own for index in sight.indexes})
        gpus = self._holdings.capacity.gpus
        return [gpu.index for gpu in gpus if gpu.index in known and gpu.could(need)]

    def _needs(self, assignment: Assignment) -> Requirements:
        """The requirements, read once for all that are alike."""
        if not assignment.requirements:
            return NOTHING
        key = tuple(assignment.requirements.items())
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= _MOST_KINDS:
                self._known.clear()
            known = self._known[key] = Requirements.parse(assignment.requirements)
        return known

    def _own_sight(self, slot: int, names: Sequence[str]) -> Sight:
        if not names:
            return Sight()
        if not self._visible:
            device = names[slot % len(names)]
            return Sight(device=device, visible="" if device == "cpu" else None)
        index = slot % len(self._visible)
        return Sight(indexes=(index,), device="cuda:0", visible=self._visible[index])

    def _without(self, slot: int) -> Sight:
        """No GPU at all; where this machine has none that could be hidden, what there is."""
        return Sight(visible="") if self._visible else self._own[slot]
