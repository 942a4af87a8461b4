"""Fills a store's queue before any master looks at it."""

from __future__ import annotations

import time

from morphml.ids import ExperimentId, task_id
from morphml.master import Experiment
from morphml.master.ranking import Ranking
from morphml.master.recovery import fresh_machine
from morphml.search.changes import Changes, ExperimentEnd, NewTask
from morphml.search.experiment import ExperimentState
from morphml.search.machine import SearchMachine, Taken

#: Trials of one transaction.
BATCH = 500


def queue_all(experiment: Experiment) -> None:
    """Ask for all trials of an experiment; their tasks wait until it is submitted."""
    store, name, spec = experiment.store, experiment.id, experiment.spec
    machine = fresh_machine(spec, experiment.space)
    session = store.open_session("filler")
    try:
        right = store.acquire_driver(name, session)
        rank = Ranking(name, spec.priority)
        while tasks := _tasks(machine, name, rank):
            draft = machine.drain()
            changes = Changes(entries=draft.entries, trials=draft.trials, tasks=tuple(tasks))
            store.commit(right, changes)
        end = ExperimentEnd(state=ExperimentState.PAUSED, reason="all is queued")
        store.commit(right, Changes(end=end))
    finally:
        store.close_session(session)


def _tasks(machine: SearchMachine, experiment: ExperimentId, rank: Ranking) -> list[NewTask]:
    tasks: list[NewTask] = []
    now = time.time()
    while len(tasks) < BATCH and isinstance(taken := machine.ask(), Taken):
        tasks.append(
            NewTask(
                id=task_id(experiment, taken.number, 0),
                number=taken.number,
                to_epoch=machine.spec.max_epochs,
                rank=rank(now),
                ready_at=now,
            )
        )
    return tasks
