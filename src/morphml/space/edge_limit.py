"""Cells with operations on edges and a limit on how many are not zero."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from math import comb

import numpy as np

from morphml.space.decisions import Code
from morphml.space.guards import Codes, Guard, active, reads


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeLimit:
    """The operations of all edges of one cell: at most ``most`` of them are not zero.

    Where there are too many, the last ones become zero.
    """

    #: The decisions, one for each edge, in order.
    indices: tuple[int, ...]
    guard: Guard
    #: Number of operations, and the code of zero among them.
    ops: int
    zero: int
    most: int

    @property
    def reads(self) -> frozenset[int]:
        """The decisions that say whether the cell is there."""
        return reads(self.guard)

    @property
    def operations(self) -> tuple[int, ...]:
        """The decisions of operations: all."""
        return self.indices

    def settle(self, codes: list[Code], draws: Sequence[float] | None) -> None:
        """Make the codes obey the limit; see `Single.settle`."""
        if not active(self.guard, codes):
            for index in self.indices:
                codes[index] = None
            return
        fresh = all(codes[index] is None for index in self.indices)
        for index in self.indices:
            if codes[index] is None:
                codes[index] = self.zero if draws is None else int(draws[index] * self.ops)
        order = list(self.indices)
        if fresh and draws is not None:
            order.sort(key=lambda index: draws[index] * self.ops % 1.0)
        self._thin(codes, order)

    def moved(self, codes: Codes, rng: np.random.Generator) -> list[Code] | None:
        """All codes with another operation on one edge; a surplus edge makes another one zero."""
        if self.ops < 2:
            return None
        made = list(codes)
        index = self.indices[int(rng.random() * len(self.indices))]
        other = int(rng.random() * (self.ops - 1))
        made[index] = other + 1 if other >= int(made[index] or 0) else other
        rest = [i for i in self.indices if i != index and made[i] != self.zero]
        if made[index] != self.zero and len(rest) >= self.most:
            made[rest[int(rng.random() * len(rest))]] = self.zero
        return made

    def moves(self, codes: Codes) -> Iterator[list[Code]]:
        """All codes with each other operation on each edge, within the limit."""
        if not active(self.guard, codes):
            return
        for index in self.indices:
            for op in range(self.ops):
                made = list(codes)
                made[index] = op
                if op != codes[index] and self._busy(made) <= self.most:
                    yield made

    def count(self, weight: int) -> int:
        """The number of settings, where all operations together count ``weight`` ways."""
        edges = len(self.indices)
        return sum(comb(edges, busy) * (weight - 1) ** busy for busy in range(self.most + 1))

    def settings(self, codes: Codes) -> Iterator[list[Code]]:
        """All codes with each setting within the limit."""
        made = list(codes)
        if not active(self.guard, codes):
            self.settle(made, None)
            yield made
            return
        others = [op for op in range(self.ops) if op != self.zero]
        for busy in range(min(self.most, len(self.indices)) + 1):
            for chosen in combinations(self.indices, busy):
                for ops in product(others, repeat=busy):
                    for index in self.indices:
                        made[index] = self.zero
                    for index, op in zip(chosen, ops, strict=True):
                        made[index] = op
                    yield list(made)

    def _busy(self, codes: Codes) -> int:
        return sum(1 for index in self.indices if codes[index] != self.zero)

    def _thin(self, codes: list[Code], order: list[int]) -> None:
        surplus = self._busy(codes) - self.most
        for index in reversed(order):
            if surplus <= 0:
                return
            if codes[index] != self.zero:
                codes[index] = self.zero
                surplus -= 1
