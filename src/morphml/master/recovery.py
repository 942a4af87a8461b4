"""Memory after a restart: a fresh machine that folds the log, and what attempts left behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from morphml.ids import ExperimentId, TaskId, task_id
from morphml.master.ports import Store
from morphml.master.retries import failure_of
from morphml.optimizers import Optimizer, create_optimizer
from morphml.optimizers.events import JSON
from morphml.scheduling.retry import ErrorSightings
from morphml.search.experiment import ExperimentSpec
from morphml.search.fidelity import OneLevel, create_fidelity
from morphml.search.machine import SearchMachine
from morphml.search.sharing import Sharing
from morphml.space import SearchSpace


def fresh_machine(
    spec: ExperimentSpec, space: SearchSpace, sharing: Sharing | None = None
) -> SearchMachine:
    """A machine that knows nothing yet, with the optimizer and the rule that the spec names."""

    def made() -> Optimizer:
        return create_optimizer(spec.optimizer.name, space, **spec.optimizer.settings)

    if spec.fidelity is None:
        return SearchMachine(spec, space, made(), sharing)
    rule = create_fidelity(spec.fidelity.name, spec.max_epochs, **spec.fidelity.settings)
    return SearchMachine(spec, space, OneLevel(made, rule.rungs), sharing, rule)


def waiting_tasks(experiment: ExperimentId, machine: SearchMachine) -> list[TaskId]:
    """Tasks of the trials that have not ended: after a restart, each waits in the store."""
    segments = machine.segments
    return [task_id(experiment, n, segments.stage(n).segment) for n in sorted(machine.pending)]


@dataclass(frozen=True, slots=True)
class EarlierFailures:
    """What the retry rule has to know of the attempts of earlier runs."""

    #: Failures of the trials that have not ended, by task, oldest first.
    by_task: Mapping[TaskId, tuple[Mapping[str, JSON], ...]]
    #: Which errors were seen on which workers, by any trial.
    sightings: ErrorSightings


def earlier_failures(
    store: Store, experiment: ExperimentId, machine: SearchMachine
) -> EarlierFailures:
    """Failures of the attempts that ended before a restart; O(attempts).

    Attempts that were lost count when their task is claimed: only then is the last one stored.
    """
    sightings = ErrorSightings()
    found: dict[TaskId, tuple[Mapping[str, JSON], ...]] = {}
    for attempt in store.attempts(experiment):
        if attempt.failure is None:
            continue
        sightings.add(failure_of(attempt.failure))
        if attempt.number in machine.pending:
            task = task_id(experiment, attempt.number, attempt.segment)
            found[task] = (*found.get(task, ()), attempt.failure)
    return EarlierFailures(found, sightings)
