"""Jobs that wait for what no worker has: said, instead of left waiting in silence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from morphml.master.resources import missing_on
from morphml.storage import SqlStore, TaskState
from morphml.storage.workflows import JobRecord
from morphml.storage.workflows.enqueueing import requirements_of


def lacking(store: SqlStore, records: Sequence[JobRecord]) -> Mapping[int, str]:
    """What waiting jobs need and no worker has, for people, by number.

    One query, where some that wait need anything at all.

    Args:
        store: knows the workers.
        records: jobs of an execution.

    Raises:
        StorageError: when the store cannot be asked.
    """
    needs = {
        each.number: tuple(sorted(requirements_of(each.job).items()))
        for each in records
        if each.task is TaskState.PENDING
    }
    wanted = {each for each in needs.values() if each}
    if not wanted:
        return {}
    rows = store.cluster.workers.all()
    told = {each: "; ".join(map(str, missing_on(rows, dict(each)))) for each in wanted}
    return {number: told[each] for number, each in needs.items() if told.get(each)}
