"""What lies on one worker, and what is left of it; chooses the devices of each attempt."""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable
from dataclasses import dataclass

from morphml.scheduling.resources.capacity import Capacity, Gpu, could_bind
from morphml.scheduling.resources.requirements import NOTHING, SLACK, GpuNeed, Requirements


@dataclass(frozen=True, slots=True)
class Allocation:
    """What an attempt was given."""

    #: Index and share of each device; empty where it was given none.
    devices: tuple[tuple[int, float], ...] = ()

    @property
    def indexes(self) -> tuple[int, ...]:
        """The devices by index, rising."""
        return tuple(index for index, _ in self.devices)


_NO_DEVICES = Allocation()


@dataclass(slots=True)
class _Device:
    """What is left of one GPU."""

    gpu: Gpu
    share: float
    memory: float
    users: int = 0
    #: It is given to nobody, or rather to nobody.
    shut: bool = False
    doubted: bool = False

    def fits(self, need: GpuNeed) -> bool:
        return (
            not self.shut
            and self.share + SLACK >= need.share
            and self.memory + SLACK >= need.memory
            and need.model <= self.gpu.words
            and (need.share < 1.0 or self.users == 0)
        )

    def take(self, need: GpuNeed) -> None:
        self.users += 1
        self.share -= need.share
        self.memory -= need.memory

    def give_back(self, need: GpuNeed) -> None:
        self.users -= 1
        self.share += need.share
        self.memory += need.memory
        if self.users == 0:  # so that sums of fractions leave no crumbs
            self.share, self.memory = self.gpu.share, self.gpu.memory


class Holdings:
    """The resources of one worker while attempts come and go.

    Shares of a device are packed: an attempt that needs 0.5 goes to a device that is used already
    where it fits, so that whole devices stay for those who need them. An attempt that needs whole
    devices shares them with nobody.

    Args:
        capacity: what the worker has.

    Cost: O(1) for attempts that need no GPU, else O(devices).
    """

    __slots__ = ("_devices", "_held", "_left", "capacity")

    def __init__(self, capacity: Capacity) -> None:
        self.capacity = capacity
        self._left = dict(capacity.amounts)
        self._devices = [_Device(gpu, gpu.share, gpu.memory) for gpu in capacity.gpus]
        self._held: dict[Hashable, tuple[Requirements, Allocation]] = {}

    @property
    def held(self) -> Collection[Hashable]:
        """The tokens of what lies here."""
        return self._held.keys()

    def shut(self, indexes: Collection[int], doubted: Collection[int] = ()) -> None:
        """These devices, and no others, are given to nobody from now on.

        Args:
            indexes: what runs there goes on.
            doubted: these are given away last, and to ``careful`` attempts not at all.
        """
        for device in self._devices:
            device.shut = device.gpu.index in indexes
            device.doubted = device.gpu.index in doubted

    def could(self, needs: Requirements) -> bool:
        """Whether an attempt could run here if nothing else did, and all devices worked."""
        return self.capacity.could(needs)

    def could_now(self, needs: Requirements) -> bool:
        """The same for the devices that are neither shut nor doubted."""
        if needs.gpu is None:
            return self.capacity.could(needs)
        sound = [each.gpu for each in self._devices if not (each.shut or each.doubted)]
        return self.capacity.could(needs) and could_bind(sound, needs.gpu)

    def fits(self, needs: Requirements, *, careful: bool = False) -> bool:
        """Whether what is left, of doubted devices too unless ``careful``, is enough for one more.

        Args:
            needs: of the attempt.
            careful: whether it is to get no doubted device.
        """
        if needs is NOTHING:
            return True
        left, labels = self._left, self.capacity.labels
        for name, much in needs.amounts:
            if left.get(name, 0.0) + SLACK < much:
                return False
        for name, much in needs.labels:
            if labels.get(name, 0.0) + SLACK < much:
                return False
        return needs.gpu is None or self._fits_devices(needs.gpu, careful)

    def choice(self, needs: Requirements) -> tuple[int, ...]:
        """The devices by index that the next attempt with these needs gets; () where it has none.

        The same on both sides of a connection, as long as the same attempts lie there.
        """
        need = needs.gpu
        if need is None or need.count == 0:
            return ()
        return tuple(sorted(device.gpu.index for device in self._choose(need)))

    def take(self, token: Hashable, needs: Requirements) -> Allocation:
        """The attempt lies here from now on, whether or not it fits; a known one changes nothing.

        Args:
            token: names it.
            needs: what it takes.

        Returns:
            What it was given. Where it does not fit, the devices that have most left.
        """
        known = self._held.get(token)
        if known is not None:
            return known[1]
        for name, much in needs.amounts:
            self._left[name] = self._left.get(name, 0.0) - much
        given = _NO_DEVICES
        if needs.gpu is not None and needs.gpu.count:
            given = self._bind(needs.gpu)
        self._held[token] = (needs, given)
        return given

    def release(self, token: Hashable) -> None:
        """The attempt left; nothing when it was not here."""
        needs, given = self._held.pop(token, (NOTHING, _NO_DEVICES))
        for name, much in needs.amounts:
            self._left[name] += much
        if needs.gpu is not None:
            taken = given.indexes
            for device in self._devices:
                if device.gpu.index in taken:
                    device.give_back(needs.gpu)
        if not self._held:  # so that sums of fractions leave no crumbs
            self._left = dict(self.capacity.amounts)

    def of(self, token: Hashable) -> Allocation:
        """What the attempt was given; nothing for an unknown one."""
        return self._held.get(token, (NOTHING, _NO_DEVICES))[1]

    def room(self, needs: Requirements, most: int) -> int:
        """How many such attempts fit side by side now, at most ``most``."""
        if most <= 0 or not self.fits(needs):
            return 0
        room = float(most)
        for name, much in needs.amounts:
            room = min(room, (self._left.get(name, 0.0) + SLACK) // much)
        if needs.gpu is not None and needs.gpu.count:
            room = min(room, self._room_on_devices(needs.gpu))
        return int(room)

    # --- devices ---------------------------------------------------------------------------------

    def _fits_devices(self, need: GpuNeed, careful: bool) -> bool:
        count = need.count
        for device in self._devices:
            if count == 0:
                break
            count -= device.fits(need) and not (careful and device.doubted)
        return count == 0

    def _bind(self, need: GpuNeed) -> Allocation:
        chosen = self._choose(need)
        for device in chosen:
            device.take(need)
        return Allocation(tuple(sorted((device.gpu.index, need.share) for device in chosen)))

    def _choose(self, need: GpuNeed) -> list[_Device]:
        fitting = [device for device in self._devices if device.fits(need)]
        chosen = sorted(fitting, key=_tightest)[: need.count]
        if len(chosen) < need.count:
            rest = [device for device in self._devices if device not in chosen]
            rest.sort(key=lambda device: -device.share)
            chosen += rest[: need.count - len(chosen)]
        return chosen

    def _room_on_devices(self, need: GpuNeed) -> int:
        fitting = [device for device in self._devices if device.fits(need)]
        if need.share >= 1.0:
            return len(fitting) // need.count
        return sum(_room(device, need) for device in fitting)


def _tightest(device: _Device) -> tuple[bool, float, float, int]:
    """Used devices before free ones, small before large: what is left stays most useful."""
    return (device.doubted, device.share, device.memory, device.gpu.index)


def _room(device: _Device, need: GpuNeed) -> int:
    room = (device.share + SLACK) // need.share
    if need.memory:
        room = min(room, (device.memory + SLACK) // need.memory)
    return math.floor(room)
