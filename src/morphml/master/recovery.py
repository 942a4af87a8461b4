"""Memory after a restart: a fresh machine that folds the log, and what attempts left behind."""

from __future__ import annotations

from collections.abc import Mapping

from morphml.ids import ExperimentId, TaskId, task_id
from morphml.master.ports import Store
from morphml.optimizers import create_optimizer
from morphml.optimizers.events import JSON
from morphml.search.changes import Driver
from morphml.search.experiment import ExperimentSpec
from morphml.search.machine import SearchMachine
from morphml.space import SearchSpace


def fresh_machine(spec: ExperimentSpec, space: SearchSpace) -> SearchMachine:
    """A machine that knows nothing yet, with the optimizer that the spec names."""
    optimizer = create_optimizer(spec.optimizer.name, space, **spec.optimizer.settings)
    return SearchMachine(spec, space, optimizer)


def waiting_tasks(experiment: ExperimentId, machine: SearchMachine) -> list[TaskId]:
    """Tasks of the trials that have not ended: after a restart, each waits in the store."""
    return [task_id(experiment, number, 0) for number in sorted(machine.pending)]


def earlier_failures(
    store: Store, right: Driver, machine: SearchMachine
) -> dict[TaskId, tuple[Mapping[str, JSON], ...]]:
    """Failures of trials that have not ended, by task, for the retry rule."""
    found: dict[TaskId, tuple[Mapping[str, JSON], ...]] = {}
    if not machine.pending:
        return found
    for attempt in store.attempts(right.experiment):
        if attempt.number in machine.pending and attempt.failure is not None:
            task = task_id(right.experiment, attempt.number, attempt.segment)
            found[task] = (*found.get(task, ()), attempt.failure)
    return found
