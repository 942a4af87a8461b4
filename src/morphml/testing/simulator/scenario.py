"""What is simulated: the workers, the work, and what goes wrong. All of it is values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from morphml.errors import CallerError
from morphml.scheduling.policies import DEFAULT_PRIORITY
from morphml.testing.simulator.durations import Durations

_NOTHING: Mapping[str, float] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerKind:
    """Workers that are alike."""

    count: int
    #: Attempts that each runs at once; >= 1.
    slots: int = 1
    #: Work done per second on each slot; 1 is the speed that durations are stated for.
    speed: float = 1.0
    #: What each has, as workers announce it: numbers such as ``gpu``, labels such as ``ssd``.
    capabilities: Mapping[str, float] = field(default_factory=lambda: _NOTHING)

    def __post_init__(self) -> None:
        if self.count < 0 or self.slots < 1 or not self.speed > 0:
            raise CallerError(
                "workers: count >= 0, slots >= 1 and speed > 0, got "
                f"{self.count}, {self.slots} and {self.speed}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The tasks of one experiment."""

    count: int
    durations: Durations
    name: str = "search"
    #: 1 to 10.
    priority: int = DEFAULT_PRIORITY
    #: Seconds from the beginning until all of them are ready.
    arrives_s: float = 0.0
    #: What each task needs of its worker; ``workers`` makes it a gang.
    requirements: Mapping[str, float] = field(default_factory=lambda: _NOTHING)
    #: So many data sets are used, each task using one; 0 for none.
    data_sets: int = 0
    #: How unevenly: the k-th data set is used in proportion to k to the power of minus this.
    skew: float = 0.0

    def __post_init__(self) -> None:
        if self.count < 0 or not self.arrives_s >= 0:
            raise CallerError(
                f"tasks: count and arrives_s >= 0, got {self.count} and {self.arrives_s}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Troubles:
    """What goes wrong. Shares are from 0 to 1; 0 turns a trouble off."""

    #: Share of the workers that die in each minute, each independently.
    churn_per_min: float = 0.0
    #: Share of deaths that break no connection: the master sees silence only.
    silent_deaths: float = 0.2
    #: Mean seconds until another worker joins in the place of one that died.
    replaced_s: float = 60.0
    #: Share of the workers that are cut off from the master in each minute; they compute on.
    partitions_per_min: float = 0.0
    #: Mean seconds of a partition.
    partition_s: float = 20.0
    #: Seconds between two waves of preemption; 0 for none.
    wave_every_s: float = 0.0
    #: Share of the workers that a wave takes.
    wave_share: float = 0.3
    #: Seconds between the notice and the end of a preempted worker.
    notice_s: float = 30.0
    #: Share of attempts that take ``straggler_factor`` times as long.
    stragglers: float = 0.0
    straggler_factor: float = 5.0
    #: Share of attempts that fail by the machine's fault after a tenth of their time.
    failures: float = 0.0
    #: Share of the workers on which every attempt fails within a second.
    broken: float = 0.0
    #: Seconds by which the master's wall clock is wrong, anew each minute (one standard deviation).
    clock_skew_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One thing to simulate. The same scenario, policy and seed give the same course."""

    name: str
    #: What it shows, in one line.
    purpose: str = ""
    workers: tuple[WorkerKind, ...]
    loads: tuple[Load, ...]
    troubles: Troubles = Troubles()
    #: Seconds that a slot stands still between two tasks, on top of their durations.
    overhead_s: float = 0.0
    #: Seconds to fetch a data set to a worker that does not have it.
    fetch_s: float = 0.0
    #: How wrong expected costs are: standard deviation of their logarithm. Policies never see a
    #: duration before it is over.
    cost_error: float = 0.3
    #: Tasks that a master claims beyond the free slots, as a share of all slots.
    ahead: float = 0.1

    def __post_init__(self) -> None:
        if not self.slots or not self.tasks:
            raise CallerError(f"scenario {self.name}: it needs at least one worker and one task")

    @property
    def slots(self) -> int:
        """Slots of all workers at the beginning."""
        return sum(kind.count * kind.slots for kind in self.workers)

    @property
    def tasks(self) -> int:
        """Tasks of all experiments."""
        return sum(load.count for load in self.loads)
