"""What the figures of one worker were over the last hour, in a bounded number of bytes."""

from __future__ import annotations

from array import array
from collections.abc import Mapping

from morphml.scheduling.health.thresholds import Figure, Figures

_FIGURES = tuple(Figure)
_NONE = float("nan")


class History:
    """A ring of samples; the oldest goes when a new one comes.

    Args:
        samples: the most that are kept.
        every_s: samples that come sooner after the last one are left out.

    A sample takes 4 bytes a figure and 8 for its time; before the first there are two empty arrays,
    since there may be thousands of workers.
    """

    __slots__ = ("_every_s", "_next", "_samples", "_times", "_values")

    def __init__(self, samples: int, every_s: float) -> None:
        self._every_s = every_s
        self._samples = samples
        self._times = array("d")
        #: All figures of the first sample, then all of the second.
        self._values = array("f")
        self._next = 0

    def __len__(self) -> int:
        """Samples that are there."""
        return len(self._times)

    def add(self, figures: Figures, at: float) -> None:
        """Take a sample in, unless the last one is too young. ``at`` in seconds."""
        if self._times and at - self._times[self._next - 1] < self._every_s:
            return
        values = array("f", [figures.get(figure, _NONE) for figure in _FIGURES])
        if len(self._times) < self._samples:
            self._times.append(at)
            self._values.extend(values)
        else:
            self._times[self._next] = at
            start = self._next * len(_FIGURES)
            self._values[start : start + len(_FIGURES)] = values
        self._next = (self._next + 1) % self._samples

    def series(self) -> Mapping[str, list[float | None]]:
        """Times under ``at`` and figures under their names, oldest first; None for what is absent.

        Figures that were never there are left out.
        """
        first = self._next if len(self._times) == self._samples else 0
        order = [(first + i) % len(self._times) for i in range(len(self._times))]
        found: dict[str, list[float | None]] = {"at": [self._times[i] for i in order]}
        for place, figure in enumerate(_FIGURES):
            column = self._values[place :: len(_FIGURES)]
            values = [None if column[i] != column[i] else column[i] for i in order]
            if any(value is not None for value in values):
                found[figure.value] = values
        return found
