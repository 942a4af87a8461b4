"""The rungs of one bracket, and who goes on from each."""

from __future__ import annotations

from collections.abc import Sequence

from morphml.optimizers.pareto import Result
from morphml.search.fidelity.contract import Promotion, RungCount
from morphml.search.fidelity.rungs import Rung


class Ladder:
    """Successive halving without waiting: the best ``1/eta`` of each rung go on.

    Args:
        epochs: of its rungs, rising; from the last one nobody goes on.
        eta: one of so many goes on.
    """

    def __init__(self, epochs: Sequence[int], eta: int) -> None:
        self._eta = eta
        self._rungs = [Rung(each) for each in epochs]
        self._by_epochs = {rung.epochs: rung for rung in self._rungs}

    def measured(self, number: int, epoch: int, result: Result) -> None:
        """A trial waits at the rung of that epoch; at the last one it is over."""
        rung = self._by_epochs[epoch]
        rung.add(number, result)
        if rung is not self._rungs[-1]:
            rung.waiting.add(number)

    def promoted(self, number: int) -> None:
        """A trial has left the rung where it waited."""
        for rung in self._rungs:
            if number in rung.waiting:
                rung.waiting.discard(number)
                rung.promoted += 1

    def ended(self, number: int) -> None:
        """A trial waits no more; what it reached still counts for the others."""
        for rung in self._rungs:
            rung.waiting.discard(number)

    def due(self) -> Promotion | None:
        """The best promotable trial of the highest rung that has one, or None."""
        for position in range(len(self._rungs) - 2, -1, -1):
            rung = self._rungs[position]
            if not rung.waiting:
                continue
            for number in rung.best(len(rung) // self._eta):
                if number in rung.waiting:
                    return Promotion(number, rung.epochs, self._rungs[position + 1].epochs)
        return None

    def counts(self) -> tuple[RungCount, ...]:
        """The rungs, lowest first."""
        return tuple(
            RungCount(
                epochs=rung.epochs,
                reached=len(rung),
                promoted=rung.promoted,
                waiting=len(rung.waiting),
            )
            for rung in self._rungs
        )
