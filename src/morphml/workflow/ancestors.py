"""Who waits for whom over any number of steps, for workflows of thousands of jobs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


class Ancestors:
    """What each job waits for, directly or not.

    A set per job would take gigabytes for a chain of 10,000; a number with a bit for each job takes
    a kilobyte.

    Args:
        parents: direct dependencies of each job; without cycles, all of them known.

    Cost: O(dependencies x jobs / 64).
    """

    def __init__(self, parents: Mapping[str, Iterable[str]]) -> None:
        self._bit = {job: 1 << index for index, job in enumerate(parents)}
        self._above: dict[str, int] = {}
        for start in parents:
            self._walk(start, parents)

    def include(self, job: str, other: str) -> bool:
        """Whether ``job`` waits for ``other``; False for a name that is no job."""
        return bool(self._above[job] & self._bit.get(other, 0))

    def _walk(self, start: str, parents: Mapping[str, Iterable[str]]) -> None:
        stack = [start]
        while stack:
            job = stack[-1]
            if job in self._above:
                stack.pop()
                continue
            missing = [parent for parent in parents[job] if parent not in self._above]
            if missing:
                stack.extend(missing)
                continue
            stack.pop()
            bits = 0
            for parent in parents[job]:
                bits |= self._above[parent] | self._bit[parent]
            self._above[job] = bits
