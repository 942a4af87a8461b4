"""A time that no policy can beat, for the machines that really were there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from morphml.scheduling.resources import Capacity, Holdings, Requirements
from morphml.testing.simulator.scenario import WorkerKind
from morphml.testing.simulator.work import Work

#: (seconds, kind of a machine, 1 where it came and -1 where it went), in order of time.
Changes = Sequence[tuple[float, WorkerKind, int]]
_Times = npt.NDArray[np.float64]


def lower_bound(work: Work, finished: Sequence[int], changes: Changes) -> float:
    """Seconds from the beginning before which the finished tasks cannot all have ended.

    The largest of: for each experiment, and for all together, the time at which machines that can
    run it have had the capacity for its work since it was submitted, each working without a pause
    (machines that died count as long as they lived); and for each task, its submission and its
    time on the fastest machine that can run it. Lost and failed attempts cost nothing here.

    Args:
        work: all tasks.
        finished: numbers of the tasks that have a result.
        changes: the machines that came and went.
    """
    kinds = list({id(kind): kind for _, kind, _ in changes}.values())
    seconds, load_of = np.asarray(work.seconds), np.asarray(work.load_of)
    done = np.zeros(len(seconds), dtype=bool)
    done[np.asarray(finished, dtype=int)] = True
    bound = 0.0
    for number, load in enumerate(work.loads):
        mine = seconds[done & (load_of == number)]
        if not len(mine):
            continue
        needs = Requirements.parse(load.requirements)
        rates = [_rate(kind, needs) for kind in kinds]
        able = [kind.speed for kind, rate in zip(kinds, rates, strict=True) if rate]
        bound = max(bound, load.arrives_s + float(mine.max()) / max(able, default=1.0))
        amount = float(mine.sum()) * needs.workers
        capacity = _capacity(changes, dict(zip(map(id, kinds), rates, strict=True)))
        bound = max(bound, _when(capacity, load.arrives_s, amount))
    return max(bound, _all_together(work, done, changes))


def _all_together(work: Work, done: npt.NDArray[np.bool_], changes: Changes) -> float:
    """When there was capacity for everything that was submitted from some moment on."""
    rates = {id(kind): kind.slots * kind.speed for _, kind, _ in changes}
    capacity = _capacity(changes, rates)
    gangs = np.array([Requirements.parse(load.requirements).workers for load in work.loads])
    arrivals = np.array([load.arrives_s for load in work.loads])
    load_of = np.asarray(work.load_of)
    amounts = np.asarray(work.seconds) * gangs[load_of] * done
    bound = 0.0
    for since in sorted(set(arrivals.tolist())):
        amount = float(amounts[arrivals[load_of] >= since].sum())
        bound = max(bound, _when(capacity, since, amount))
    return bound


def _rate(kind: WorkerKind, needs: Requirements) -> float:
    """Work per second that a machine can do on such tasks."""
    alone = needs.one_at_a_time
    room = Holdings(Capacity.parse(kind.capabilities)).room(alone, kind.slots)
    return room * kind.speed


def _capacity(changes: Changes, rates: dict[int, float]) -> tuple[_Times, _Times, _Times]:
    """Times at which it changed, the work possible until each, and per second from then on."""
    times = np.array([at for at, _, _ in changes])
    rate = np.cumsum([sign * rates[id(kind)] for _, kind, sign in changes])
    until = np.concatenate([[0.0], np.cumsum(rate[:-1] * np.diff(times))])
    return times, until, rate


def _when(capacity: tuple[_Times, _Times, _Times], since: float, amount: float) -> float:
    """When ``amount`` of work is possible since ``since``; ``since`` where it never is."""
    times, until, rate = capacity
    place = max(int(np.searchsorted(times, since, side="right")) - 1, 0)
    aim = until[place] + max(0.0, since - times[place]) * rate[place] + amount
    place = max(int(np.searchsorted(until, aim, side="left")) - 1, 0)
    if rate[place] <= 0:
        return since
    return float(times[place] + (aim - until[place]) / rate[place])
