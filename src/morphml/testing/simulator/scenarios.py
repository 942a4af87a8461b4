"""The scenarios that come with MorphML, by name, for any number of workers and tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from morphml.errors import CallerError
from morphml.hints import did_you_mean
from morphml.testing.simulator.durations import Durations, LogNormal, Pareto, Uniform
from morphml.testing.simulator.scenario import Load, Scenario, Troubles, WorkerKind

#: Scenarios have no more tasks than this of their own accord, so that large pools take seconds;
#: but always some for each slot.
MOST_TASKS = 100_000
_LEAST_PER_SLOT = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large a scenario is to be."""

    workers: int
    #: Of each worker.
    slots: int = 1
    #: Tasks in all; None for as many per slot as the scenario wants.
    tasks: int | None = None
    #: Mean seconds of a task on a worker of speed 1.
    mean_s: float = 60.0
    #: How long tasks take; None for what the scenario wants.
    durations: Durations | None = None
    #: Seconds that a slot stands still between two tasks.
    overhead_s: float = 0.0

    def __post_init__(self) -> None:
        if self.workers < 1 or self.slots < 1 or not self.mean_s > 0 or self.overhead_s < 0:
            raise CallerError(
                "a simulation needs workers and slots >= 1, a duration > 0 and an overhead >= 0, "
                f"got {self.workers}, {self.slots}, {self.mean_s} and {self.overhead_s}"
            )

    def count(self, per_slot: float) -> int:
        """Tasks in all, where the scenario wants so many per slot."""
        if self.tasks is not None:
            return max(1, self.tasks)
        slots = self.workers * self.slots
        most = max(MOST_TASKS, _LEAST_PER_SLOT * slots)
        return max(1, min(round(per_slot * slots), most))

    def alike(self) -> tuple[WorkerKind, ...]:
        """Workers of one kind."""
        return (WorkerKind(count=self.workers, slots=self.slots),)

    def parts(self, count: int) -> list[int]:
        """The workers in so many parts, as equal as can be."""
        each, rest = divmod(self.workers, count)
        return [each + (place < rest) for place in range(count)]

    def times(self, usual: Durations) -> Durations:
        """How long tasks take."""
        return usual if self.durations is None else self.durations


def homogeneous(size: Size) -> Scenario:
    """Workers that are alike; the standard deviation of durations is half their mean."""
    load = Load(count=size.count(20), durations=size.times(_usual(size)))
    return Scenario(name="homogeneous", workers=size.alike(), loads=(load,))


def heterogeneous(size: Size) -> Scenario:
    """Four kinds of workers whose speeds are as 1 to 4."""
    kinds = tuple(
        WorkerKind(count=count, slots=size.slots, speed=speed)
        for count, speed in zip(size.parts(4), (1.0, 2.0, 3.0, 4.0), strict=True)
    )
    load = Load(count=size.count(10), durations=size.times(_usual(size)))
    return Scenario(name="heterogeneous", workers=kinds, loads=(load,))


def heavy_tail(size: Size) -> Scenario:
    """A few tasks take most of the time (Pareto, index 1.5); 1 % of the workers die in a minute."""
    load = Load(count=size.count(20), durations=size.times(Pareto(mean_s=size.mean_s)))
    troubles = Troubles(churn_per_min=0.01)
    return Scenario(name="heavy-tail", workers=size.alike(), loads=(load,), troubles=troubles)


def stragglers(size: Size) -> Scenario:
    """One attempt in twenty takes five times as long, and nobody knows which."""
    load = Load(count=size.count(20), durations=size.times(_usual(size)))
    troubles = Troubles(stragglers=0.05)
    return Scenario(name="stragglers", workers=size.alike(), loads=(load,), troubles=troubles)


def churn(size: Size) -> Scenario:
    """5 % of the workers die in each minute; others come."""
    load = Load(count=size.count(20), durations=size.times(_usual(size)))
    troubles = Troubles(churn_per_min=0.05)
    return Scenario(name="churn", workers=size.alike(), loads=(load,), troubles=troubles)


def partitions(size: Size) -> Scenario:
    """10 % of the workers are cut off in each minute, compute on, and come back with results."""
    load = Load(count=size.count(20), durations=size.times(_usual(size)))
    troubles = Troubles(partitions_per_min=0.1)
    return Scenario(name="partitions", workers=size.alike(), loads=(load,), troubles=troubles)


def clock_skew(size: Size) -> Scenario:
    """The master's wall clock jumps by minutes while two experiments run."""
    times = size.times(_usual(size))
    half = max(1, size.count(20) // 2)
    loads = (
        Load(name="first", count=half, durations=times),
        Load(name="second", count=half, durations=times, arrives_s=2 * size.mean_s),
    )
    troubles = Troubles(clock_skew_s=300.0)
    return Scenario(name="clock-skew", workers=size.alike(), loads=loads, troubles=troubles)


def preemption(size: Size) -> Scenario:
    """Every five minutes 30 % of the workers are taken away, with half a minute's notice."""
    load = Load(count=size.count(20), durations=size.times(_usual(size)))
    troubles = Troubles(wave_every_s=300.0)
    return Scenario(name="preemption", workers=size.alike(), loads=(load,), troubles=troubles)


def skewed_queues(size: Size) -> Scenario:
    """Tasks read one data set each, some of them often; to fetch one takes a second."""
    load = Load(
        count=size.count(100),
        durations=size.times(Uniform(low_s=0.5 * size.mean_s, high_s=1.5 * size.mean_s)),
        data_sets=max(2, size.workers),
        skew=1.0,
    )
    return Scenario(name="skewed-queues", workers=size.alike(), loads=(load,), fetch_s=1.0)


def labels(size: Size) -> Scenario:
    """A third of the workers has GPUs; some tasks need half of one, some a label, some nothing."""
    plain, gpus, disks = size.parts(3)
    gpu = {"gpu": 2.0, "cpu": 16.0}
    kinds: tuple[WorkerKind, ...] = (
        WorkerKind(count=plain, slots=size.slots, capabilities={"cpu": 16.0}),
        WorkerKind(count=gpus, slots=4 * size.slots, speed=2.0, capabilities=gpu),
        WorkerKind(count=disks, slots=size.slots, capabilities={"cpu": 16.0, "ssd": 1.0}),
    )
    kinds = tuple(kind for kind in kinds if kind.count)
    count, times = max(4, size.count(20)), size.times(_usual(size))
    loads = [Load(name="anywhere", count=count // 2, durations=times)]
    if gpus:
        loads.append(
            Load(name="half-gpu", count=count // 4, durations=times, requirements={"gpu": 0.5})
        )
    if disks:
        loads.append(Load(name="ssd", count=count // 4, durations=times, requirements={"ssd": 1.0}))
    return Scenario(name="labels", workers=kinds, loads=tuple(loads))


def gangs(size: Size) -> Scenario:
    """One task in ten runs on four workers at once; the others on one."""
    times = size.times(_usual(size))
    count = max(10, size.count(10))
    loads = [Load(name="single", count=count - count // 10, durations=times)]
    if size.workers >= 4:
        together = {"workers": 4.0}
        loads.append(Load(name="gang", count=count // 10, durations=times, requirements=together))
    return Scenario(name="gangs", workers=size.alike(), loads=tuple(loads))


def priorities(size: Size) -> Scenario:
    """Three experiments of priority 2, 5 and 8; the more important one is, the later it comes."""
    times = size.times(_usual(size))
    each = max(1, size.count(20) // 3)
    loads = tuple(
        Load(
            name=name, count=each, durations=times, priority=priority, arrives_s=when * size.mean_s
        )
        for name, priority, when in (("low", 2, 0.0), ("middle", 5, 1.0), ("high", 8, 2.0))
    )
    return Scenario(name="priorities", workers=size.alike(), loads=loads)


def broken_nodes(size: Size) -> Scenario:
    """On 5 % of the workers everything fails within a second, so that they always look free."""
    load = Load(count=size.count(20), durations=size.times(_usual(size)))
    broken = max(0.05, 1.0 / size.workers)
    troubles = Troubles(broken=broken, failures=0.005)
    return Scenario(name="broken-nodes", workers=size.alike(), loads=(load,), troubles=troubles)


#: Every scenario by the name used on the command line.
SCENARIOS: Mapping[str, Callable[[Size], Scenario]] = {
    "homogeneous": homogeneous,
    "heterogeneous": heterogeneous,
    "heavy-tail": heavy_tail,
    "stragglers": stragglers,
    "churn": churn,
    "partitions": partitions,
    "clock-skew": clock_skew,
    "preemption": preemption,
    "skewed-queues": skewed_queues,
    "labels": labels,
    "gangs": gangs,
    "priorities": priorities,
    "broken-nodes": broken_nodes,
}


def create_scenario(name: str, size: Size) -> Scenario:
    """The scenario of that name, in that size.

    Raises:
        CallerError: there is none; says what there is.
    """
    make = SCENARIOS.get(name.lower().replace("_", "-"))
    if make is None:
        hint = did_you_mean(name, SCENARIOS)
        raise CallerError(f"no scenario {name!r}; there are {', '.join(SCENARIOS)}{hint}")
    return make(size)


def _usual(size: Size) -> Durations:
    """Durations as searches have them: by factors apart, the standard deviation half the mean."""
    return LogNormal(mean_s=size.mean_s, spread=0.5)
