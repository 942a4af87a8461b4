"""The health of a hub's workers: who is drained for what was measured of it, and who is back."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import assert_never

from morphml.engines.remote.hub.attempt import Moment
from morphml.engines.remote.hub.roster import Member, Roster
from morphml.engines.remote.messages import Figures
from morphml.scheduling.health import Drain, Figure, HealthMonitor, HealthRule, Recover

_LOG = logging.getLogger(__name__)

#: What bars a worker from work; see ``Member.barred``.
CAUSE = "health"
#: So many more workers than there are may be remembered.
_TIDY_ABOVE = 64


class WorkerHealth:
    """Drains sick workers.

    Args:
        rule: thresholds, and how much of the past is kept.
        roster: has the workers.
    """

    def __init__(self, rule: HealthRule, roster: Roster) -> None:
        self._rule = rule
        self._roster = roster
        self._monitor = HealthMonitor(rule)

    def measured(self, member: Member, now: Moment) -> None:
        """A beat brought figures of the worker."""
        worker, name = member.worker.id, member.registration.name
        for command in self._monitor.measured(worker, named(member.figures), now.epoch):
            match command:
                case Drain():
                    _LOG.warning("worker %s is drained: %s", name, command.reason)
                    self._roster.bar(member, CAUSE, f"drained: {command.reason}")
                case Recover():
                    _LOG.warning("worker %s is well again", name)
                    self._roster.bar(member, CAUSE, "")
                case _:
                    assert_never(command)
        if self._monitor.known() > 2 * len(self._roster.members) + _TIDY_ABOVE:
            self._monitor.keep_only(self._roster.members.keys())

    def history(self, worker: str) -> Mapping[str, list[float | None]]:
        """The worker's last hour; times are seconds since the Unix epoch. See ``History``."""
        return self._monitor.history(worker)

    def clear(self) -> None:
        """Forget all."""
        self._monitor = HealthMonitor(self._rule)


def named(figures: Figures) -> dict[Figure, float]:
    """The figures by name; those that the worker's machine does not have are absent."""
    found = {
        Figure.CPU_PERCENT: figures.cpu_percent,
        Figure.MEMORY_PERCENT: figures.memory_percent,
        Figure.DISK_PERCENT: figures.disk_percent,
        Figure.DISK_RATE: figures.disk_rate,
        Figure.NETWORK_RATE: figures.network_rate,
    }
    if figures.disk_free is not None:
        found[Figure.DISK_FREE] = figures.disk_free
    if figures.gpus:
        found[Figure.GPU_PERCENT] = sum(g.percent for g in figures.gpus) / len(figures.gpus)
        found[Figure.GPU_MEMORY_PERCENT] = max(gpu.memory_percent for gpu in figures.gpus)
        found[Figure.GPU_TEMPERATURE] = max(gpu.temperature_c for gpu in figures.gpus)
        found[Figure.GPU_ERRORS] = float(sum(gpu.errors for gpu in figures.gpus))
    return found
