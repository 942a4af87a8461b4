"""Whose experiments get how many slots of which master: one fair share over all masters.

An experiment is driven by one master and may run on the workers of all. Every master computes the
same from what all of them tell of themselves, so nobody has to ask anybody: first the fair share
of each experiment of all slots together, then as much of it as there is at its own master, and the
rest out of what the others' own experiments leave of theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from morphml.scheduling.fair_share import Demand, fair_shares

Key = TypeVar("Key", bound=str)
Owner = TypeVar("Owner", bound=str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool(Generic[Key]):
    """The slots of one master, and what it wants for what it drives."""

    #: Slots of its workers, >= 0.
    slots: int
    #: By experiment that it drives.
    demands: Mapping[Key, Demand] = field(default_factory=dict)
    #: How many of its slots could run an experiment, its own or another's, where that is not all.
    able: Mapping[Key, int] = field(default_factory=dict)

    def fit(self, key: Key) -> int:
        """Slots that could run the experiment."""
        return min(self.slots, self.able.get(key, self.slots))


def lend(pools: Mapping[Owner, Pool[Key]]) -> dict[Owner, dict[Key, int]]:
    """The slots that each master keeps for experiments of the others, above 0.

    Whoever reads the same pools gets the same. An experiment that not all slots could run gets its
    share first, the pickiest before the others; then all get what they can at home; what they lack
    then comes from slots that are left elsewhere.

    Args:
        pools: by master; an experiment that two of them claim to drive is the first one's.

    Cost: O(masters x experiments).
    """
    deal = _Deal(pools)
    deal.give_the_picky()
    deal.give_at_home()
    return deal.give_what_is_left()


class _Deal(Generic[Owner, Key]):
    """Slots on their way from masters to experiments."""

    def __init__(self, pools: Mapping[Owner, Pool[Key]]) -> None:
        self._pools = pools
        self._owners = sorted(pools)
        self._left = {owner: pools[owner].slots for owner in self._owners}
        self._home = {
            key: owner for owner in reversed(self._owners) for key in pools[owner].demands
        }
        self._fits = {
            key: sum(pool.fit(key) for pool in pools.values()) for key in sorted(self._home)
        }
        #: What each experiment has a right to and has not got yet.
        self._lacking = fair_shares(
            sum(self._left.values()),
            {key: self._demand(key, most) for key, most in self._fits.items()},
        )
        #: What each master gives to each experiment.
        self._given: dict[Owner, dict[Key, int]] = {owner: {} for owner in self._owners}

    def give_the_picky(self) -> None:
        """Slots for experiments that could not run everywhere, at home first."""
        total = sum(pool.slots for pool in self._pools.values())
        picky = [key for key, fit in self._fits.items() if fit < total]
        for key in sorted(picky, key=lambda each: (self._fits[each], each)):
            home = self._home[key]
            others = (each for each in self._owners if key not in self._pools[each].demands)
            for owner in (home, *others):
                self._give(owner, key, min(self._left[owner], self._most(owner, key)))

    def give_at_home(self) -> None:
        """Slots of each master for what it drives."""
        for owner in self._owners:
            own = [key for key, home in self._home.items() if home == owner]
            self._share(owner, own)

    def give_what_is_left(self) -> dict[Owner, dict[Key, int]]:
        """Slots that are left, for what lacks some; all that is lent."""
        for owner in self._owners:
            self._share(owner, [key for key in self._home if key not in self._pools[owner].demands])
        return {
            owner: {key: part for key, part in given.items() if part and self._home[key] != owner}
            for owner, given in self._given.items()
        }

    def _share(self, owner: Owner, keys: list[Key]) -> None:
        wanted = {key: self._demand(key, self._most(owner, key)) for key in keys}
        for key, part in fair_shares(self._left[owner], wanted).items():
            self._give(owner, key, part)

    def _give(self, owner: Owner, key: Key, part: int) -> None:
        self._left[owner] -= part
        self._lacking[key] -= part
        self._given[owner][key] = self._given[owner].get(key, 0) + part

    def _most(self, owner: Owner, key: Key) -> int:
        """The slots that the experiment lacks and could still get of this master."""
        fit = self._pools[owner].fit(key) - self._given[owner].get(key, 0)
        return min(self._lacking[key], fit)

    def _demand(self, key: Key, most: int) -> Demand:
        """What the experiment wants, up to so many slots."""
        asked = self._pools[self._home[key]].demands[key]
        return Demand(weight=asked.weight, wanted=min(asked.wanted, most))
