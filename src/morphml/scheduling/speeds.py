"""What workers and tasks are like, learned from what ended: speed, success, and cost.

The time of a task is modelled as cost x rate of its experiment / speed of its worker x noise. On
the logarithms that is a sum, learned by turns: the rate from times freed of the known speeds, each
speed from times freed of the known rate. Speeds are shrunk towards 1 by how much of the spread is
noise (empirical Bayes; Efron and Morris, 1975), so a pool of equal workers looks like one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from morphml.ids import ExperimentId

#: Weight of the newest observation, once there are more than its inverse.
_NEWEST = 0.05
#: Observations of noise and spread that count.
_MANY = 1000.0
#: Workers and experiments that are remembered; those heard of first go when there are more.
_MOST = 50_000
#: Successes that are taken for granted of everybody.
_PRIOR = 4.0
#: Variance of the logarithm of times, where costs are known and where not, before much was seen,
#: and how many observations that is worth.
_USUAL_NOISE = (0.1, 1.0)
_USUAL_COUNT = 4.0
_LEAST_NOISE = 1e-3
#: Standard deviations by which one worker lies outside of what noise does.
_FAR = 3.0
#: Part of all workers that may lie so far outside by chance.
_BY_CHANCE = 0.02
#: Standard errors by which spread must exceed noise before workers count as different.
_SURE = 1.0
#: A worker is given tasks up to so many times as long as those that it has done.
_TRUST = 8.0
#: Observations after which workers that do not differ count as alike.
_ENOUGH = 16.0
#: Least and largest factor between two workers that is believed.
_EXTREME = math.log(64.0)


@dataclass(slots=True)
class _Mean:
    """A mean in which old observations fade."""

    value: float = 0.0
    count: float = 0.0

    def add(self, observed: float, most: float = 1.0 / _NEWEST) -> None:
        self.count = min(self.count + 1.0, most)
        self.value += (observed - self.value) / self.count


@dataclass(slots=True)
class _Record:
    """What is known of one worker."""

    #: Logarithm of its speed, before it is shrunk.
    log_speed: _Mean
    succeeded: float = 0.0
    failed: float = 0.0
    #: The longest task that it has done, in seconds at speed 1.
    longest: float = 0.0
    #: How much of what was seen is believed because it lies far outside of what noise does.
    apart: float = 0.0

    @property
    def success(self) -> float:
        return (self.succeeded + _PRIOR) / (self.succeeded + self.failed + _PRIOR)


@dataclass(slots=True)
class _Nature:
    """What is known of the tasks of one experiment."""

    cost: _Mean
    #: Logarithm of the seconds that a unit of cost takes at speed 1.
    log_rate: _Mean
    #: The same without logarithm: what a unit takes on average.
    rate: _Mean


class Speeds:
    """Learns from the ends of tasks. Cost of each method: O(1)."""

    def __init__(self) -> None:
        self._workers: dict[str, _Record] = {}
        self._natures: dict[ExperimentId, _Nature] = {}
        #: Variance of times at one worker about what it usually takes.
        self._noise = _Mean()
        #: Variance of times about what all workers take.
        self._spread = _Mean()
        #: The variance that differences between workers explain, when that is sure.
        self._between = 0.0
        #: Workers that lie far outside of what noise does.
        self._apart = 0

    # --- learning --------------------------------------------------------------------------------

    def succeeded(
        self, worker: str, experiment: ExperimentId, cost: float | None, seconds: float
    ) -> None:
        """A task gave a result after so many seconds."""
        record = self._record(worker)
        record.succeeded = (1.0 - _NEWEST) * record.succeeded + 1.0
        record.failed *= 1.0 - _NEWEST
        if seconds <= 0.0:
            return
        nature = self._nature(experiment)
        if not self._noise.count:
            self._noise = _Mean(_USUAL_NOISE[cost is None], _USUAL_COUNT)
        if cost is None:
            cost = nature.cost.value or 1.0
        else:
            nature.cost.add(cost)
        log_time = math.log(seconds / cost)
        known = self._log_speed(record)
        nature.log_rate.add(log_time + known)
        nature.rate.add(seconds / cost * math.exp(known))
        record.longest = max(record.longest, cost * nature.rate.value)
        self._learn(record, nature.log_rate.value - log_time)

    def failed(self, worker: str) -> None:
        """A task failed there, which says nothing about speed."""
        record = self._record(worker)
        record.failed = (1.0 - _NEWEST) * record.failed + 1.0
        record.succeeded *= 1.0 - _NEWEST

    def _learn(self, record: _Record, log_speed: float) -> None:
        """Take an observed speed in, and what it says about noise and spread."""
        mean = record.log_speed
        self._spread.add(log_speed**2, most=_MANY)
        if mean.count:
            off = (log_speed - mean.value) ** 2 * mean.count / (mean.count + 1.0)
            self._noise.add(off, most=_MANY)
        mean.add(log_speed)
        self._apart -= record.apart > 0.0
        deviation = mean.count * mean.value**2 / max(self._noise.value, _LEAST_NOISE)
        # Only slowness is believed of one alone: of thousands some look fast by chance, and all
        # others would leave their work to those.
        far = mean.value < 0.0 and deviation > _FAR**2
        record.apart = 1.0 - 1.0 / deviation if far else 0.0
        self._apart += record.apart > 0.0
        error = _SURE * math.sqrt(2.0 / self._spread.count) * self._spread.value
        self._between = max(0.0, self._spread.value - self._noise.value - error)

    # --- what is known ---------------------------------------------------------------------------

    def trusted(self, worker: str) -> float:
        """The longest task that it should get, in seconds at speed 1: some times what it has done.

        One of which nothing is known shows itself with a short one, so that the longest of all do
        not go to a worker that turns out to be slow. Where enough was seen, and all are alike, any
        that is known gets any.
        """
        record = self._workers.get(worker)
        if record is None:
            return 0.0
        alike = self._spread.count >= _ENOUGH and not self.differ()
        return math.inf if alike else _TRUST * record.longest

    def differ(self) -> bool:
        """Whether workers are known to differ: all of them, or more than chance lets look so."""
        return self._between > 0.0 or self._apart > _BY_CHANCE * len(self._workers)

    def speed(self, worker: str) -> float:
        """How fast results come from there, where 1 is usual: its speed times its success."""
        record = self._workers.get(worker)
        if record is None:
            return 1.0
        return math.exp(self._log_speed(record)) * record.success

    def rate(self, experiment: ExperimentId) -> float:
        """Seconds that a unit of cost takes at speed 1; 1 before anything ended."""
        nature = self._natures.get(experiment)
        return nature.rate.value if nature is not None and nature.rate.count else 1.0

    def usual_cost(self, experiment: ExperimentId) -> float:
        """The mean cost of its tasks; 1 before anything ended whose cost was known."""
        nature = self._natures.get(experiment)
        return nature.cost.value if nature is not None and nature.cost.count else 1.0

    def _log_speed(self, record: _Record) -> float:
        mean, believed = record.log_speed, record.apart
        if self._between > 0.0 and mean.count:
            pooled = mean.count / (mean.count + self._noise.value / self._between)
            believed = pooled if pooled > believed else believed
        log_speed = believed * mean.value
        return max(-_EXTREME, min(_EXTREME, log_speed)) if abs(log_speed) > _EXTREME else log_speed

    # --- memory ----------------------------------------------------------------------------------

    def _record(self, worker: str) -> _Record:
        found = self._workers.get(worker)
        if found is None:
            if len(self._workers) >= _MOST:
                del self._workers[next(iter(self._workers))]
            found = self._workers[worker] = _Record(_Mean())
        return found

    def _nature(self, experiment: ExperimentId) -> _Nature:
        found = self._natures.get(experiment)
        if found is None:
            if len(self._natures) >= _MOST:
                del self._natures[next(iter(self._natures))]
            found = self._natures[experiment] = _Nature(_Mean(), _Mean(), _Mean())
        return found
