"""Children that get ready for an experiment before there is an attempt of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from morphml.engines.local.code import Code
from morphml.engines.local.handle import ChildHandle
from morphml.engines.local.pool import Pool
from morphml.ids import ExperimentId


class Warming:
    """Turns free children to the code that is wanted next.

    Args:
        pool: the children.
        idle: those without an attempt, by slot; who is replaced is taken out.
        codes: which code each prepared experiment is of.
    """

    def __init__(
        self, pool: Pool, idle: dict[int, ChildHandle], codes: Mapping[ExperimentId, Code]
    ) -> None:
        self._pool = pool
        self._idle = idle
        self._codes = codes
        self._awaited: set[ExperimentId] = set()

    def renew(self, children: Iterable[ChildHandle], code: Code | None = None) -> None:
        """Put fresh children in the place of free ones, by default for the code that each has."""
        for child in list(children):
            self._idle.pop(child.slot, None)
            self._pool.replace(child, code or child.code)

    def turn_to(self, experiment: ExperimentId) -> None:
        """Let free children hold the code of a prepared experiment, and load it.

        Not those whose own code has an attempt running here. The engine's ``events`` returns early
        when ``is_warm`` may have another answer.
        """
        code = self._codes[experiment]
        self._awaited.add(experiment)
        children = list(self._pool.children)
        used = {child.code for child in children if child.attempt is not None} | {code}
        self.renew(
            (child for child in children if child.code not in used and self._is_free(child)), code
        )

    def is_warm(self, experiment: ExperimentId) -> bool:
        """Whether no free child has yet to load the experiment, as far as one will at all."""
        code = self._codes.get(experiment)
        warm = not any(
            child.code == code and child.attempt is None and not _has_loaded(child, experiment)
            for child in self._pool.children
        )
        if warm:
            self._awaited.discard(experiment)
        return warm

    def are_all_warm(self) -> bool:
        """Whether there is a child for each slot, and none is loading anything."""
        warm = (child.ready and not child.loading for child in self._pool.children)
        return sum(warm) == len(self._pool.plans)

    def look(self) -> None:
        """A child has loaded something: whoever waits for that is to ask."""
        if self._awaited:
            self._pool.wake()

    def _is_free(self, child: ChildHandle) -> bool:
        return child.slot in self._idle or not (child.ready or child.condemned)


def _has_loaded(child: ChildHandle, experiment: ExperimentId) -> bool:
    return bool(child.condemned) or (child.ready and experiment not in child.loading)
