"""Rungs: the epochs at which trials are compared, and the results that each has seen."""

from __future__ import annotations

from bisect import insort

from morphml.errors import ExperimentError
from morphml.optimizers.pareto import Result, best_first
from morphml.search.given import check_count


def rung_epochs(min_epochs: int, max_epochs: int, eta: int) -> tuple[int, ...]:
    """Epochs of all rungs: ``min_epochs`` times the powers of ``eta``, and last ``max_epochs``.

    Raises:
        ExperimentError: when an argument is out of range, or leaves nothing below a full trial.
    """
    check_count("fidelity: eta", eta, 2)
    check_count("fidelity: min_epochs", min_epochs, 1)
    if min_epochs >= max_epochs:
        raise ExperimentError(
            f"fidelity: min_epochs must be fewer than the max_epochs of a full trial, got "
            f"min_epochs={min_epochs} and max_epochs={max_epochs}"
        )
    epochs = []
    while min_epochs < max_epochs:
        epochs.append(min_epochs)
        min_epochs *= eta
    return (*epochs, max_epochs)


class Rung:
    """The results at one rung, best first; equal ones by number.

    Several objectives are ranked by front, then by how lonely a result is in it (NSGA-II).
    """

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs
        #: Result and number of each trial that was measured here; sorted for one objective.
        self._entries: list[tuple[Result, int]] = []
        self._numbers: set[int] = set()
        #: Those that went on from here.
        self.promoted = 0
        #: Those that may still go on.
        self.waiting: set[int] = set()

    def __len__(self) -> int:
        """How many trials were measured here."""
        return len(self._entries)

    def __contains__(self, number: int) -> bool:
        """Whether a trial was measured here."""
        return number in self._numbers

    def add(self, number: int, result: Result) -> None:
        """Take a result in; the first of a trial counts. O(log n) comparisons."""
        if number not in self._numbers:
            self._numbers.add(number)
            insort(self._entries, (result, number))

    def best(self, count: int) -> list[int]:
        """The numbers of the best ``count``; O(count), for several objectives O(n^2)."""
        entries = self._entries
        if entries and len(entries[0][0].values) > 1:
            order = best_first([result for result, _ in entries])
            return [entries[position][1] for position in order[:count]]
        return [number for _, number in entries[:count]]

    def place_of(self, result: Result) -> int:
        """How many results here are better than ``result``, which is not among them."""
        results = [held for held, _ in self._entries]
        return best_first([*results, result]).index(len(results))
