"""The best results so far, taken in one by one: whether each is a new best."""

from __future__ import annotations

from morphml.optimizers.pareto import Result, better


class Front:
    """Results that no other one is better than; of equal ones the first."""

    def __init__(self) -> None:
        self._results: list[Result] = []

    def add(self, result: Result) -> bool:
        """Take a result in; whether none so far is as good, which makes it a new best; O(front)."""
        if any(known == result or better(known, result) for known in self._results):
            return False
        self._results = [known for known in self._results if not better(result, known)]
        self._results.append(result)
        return True
