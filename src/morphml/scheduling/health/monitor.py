"""Which workers are too sick for more work: drained when a figure is bad for long, and back after.

A drained worker finishes what it runs and gets nothing more until its figures are good again; it
stays where it is, and nobody has to bring it back.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from morphml.scheduling.health.history import History
from morphml.scheduling.health.thresholds import Figure, Figures, HealthRule, Threshold


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """Send the worker nothing more, and tell people; also when only the reason has changed."""

    worker: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recover:
    """The worker may be sent work again."""

    worker: str


HealthCommand: TypeAlias = Drain | Recover


@dataclass(slots=True)
class _Patient:
    """One worker."""

    history: History
    #: Thresholds that it is past, and what people are told of each.
    sick: dict[Figure, str] = field(default_factory=dict)
    #: Since when a figure asks for a change of that, in seconds.
    since: dict[Figure, float] = field(default_factory=dict)


class HealthMonitor:
    """The health of all workers; without clock, thread or I/O.

    Args:
        rule: thresholds, and how much of the past is kept.

    Cost: O(thresholds) for each measurement.
    """

    def __init__(self, rule: HealthRule | None = None) -> None:
        self._rule = rule or HealthRule()
        self._patients: dict[str, _Patient] = {}

    def measured(self, worker: str, figures: Figures, at: float) -> list[HealthCommand]:
        """What follows from the figures of a worker.

        Args:
            worker: its id.
            figures: those that its machine has; what is absent changes nothing.
            at: seconds of any clock that does not go back.
        """
        patient = self._patients.get(worker)
        if patient is None:
            history = History(self._rule.samples, self._rule.sample_s)
            patient = self._patients[worker] = _Patient(history)
        patient.history.add(figures, at)
        before = dict(patient.sick)
        for threshold in self._rule.thresholds:
            if threshold.figure in figures:
                _judge(patient, threshold, figures[threshold.figure], at)
        if patient.sick.keys() == before.keys():
            return []
        if not patient.sick:
            return [Recover(worker=worker)]
        return [Drain(worker=worker, reason="; ".join(patient.sick.values()))]

    def keep_only(self, workers: Collection[str]) -> None:
        """Forget all other workers."""
        self._patients = {id_: each for id_, each in self._patients.items() if id_ in workers}

    def known(self) -> int:
        """Workers that are remembered."""
        return len(self._patients)

    def history(self, worker: str) -> Mapping[str, list[float | None]]:
        """The worker's last hour, oldest first; empty for an unknown one. See ``History``."""
        patient = self._patients.get(worker)
        return {} if patient is None else patient.history.series()


def _judge(patient: _Patient, threshold: Threshold, value: float, at: float) -> None:
    """Change what is known of one figure when it was past its other edge for long enough."""
    figure = threshold.figure
    is_sick = figure in patient.sick
    changes = threshold.is_well(value) if is_sick else threshold.is_sick(value)
    if not changes:
        patient.since.pop(figure, None)
        return
    since = patient.since.setdefault(figure, at)
    if at - since < threshold.for_s:
        return
    del patient.since[figure]
    if is_sick:
        del patient.sick[figure]
    else:
        patient.sick[figure] = threshold.shown(value)
