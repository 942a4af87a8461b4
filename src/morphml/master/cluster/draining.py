"""Workers that are to leave: which of them people mean, and word of it for their masters."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from morphml.errors import CallerError, UnknownWorker, WorkerError
from morphml.scheduling.worker import AWAY, WorkerState
from morphml.storage import SqlStore
from morphml.storage.cluster import WorkerRow

#: Names that an error lists at most.
_LISTED = 20
#: Seconds after which a worker has found another master, or never will.
_ORPHANED_S = 15.0


def ask_to_drain(
    store: SqlStore, wanted: Sequence[str], grace_s: float | None = None
) -> list[WorkerRow]:
    """Leave word that workers are to leave; their masters pass it on within a second or two.

    Args:
        store: of their masters.
        wanted: names or ids; either all of them are asked, or none.
        grace_s: seconds for what runs there; None for the worker's own. Asked twice, the last word
            counts; a worker that leaves already can only be given less.

    Returns:
        The workers as they were, each once.

    Raises:
        UnknownWorker: when one is not there (any more).
        CallerError: when a name is that of several, or the time is none.
    """
    if grace_s is not None and not (math.isfinite(grace_s) and grace_s >= 0.0):
        raise CallerError(f"grace: seconds, at least 0, got {grace_s!r}")
    workers = chosen(store.cluster.workers.all(), wanted)
    store.cluster.workers.drain([worker.id for worker in workers], grace_s)
    return workers


def chosen(workers: Sequence[WorkerRow], wanted: Sequence[str]) -> list[WorkerRow]:
    """The workers that people mean, each once; those that are away have no names any more.

    Raises:
        UnknownWorker: when one is not there (any more).
        CallerError: when a name is that of several.
    """
    found = (_one(workers, word) for word in wanted)
    return list({worker.id: worker for worker in found}.values())


def still_there(workers: Sequence[WorkerRow], ids: Collection[str]) -> list[WorkerRow]:
    """Those of the workers that have not left; who just lost a master may be on the way to one."""
    return [
        each for each in workers if each.id in ids and (is_there(each) or _finds_a_master(each))
    ]


def check_left(workers: Sequence[WorkerRow], ids: Collection[str]) -> None:
    """See to it that those of the workers that are away have left by themselves.

    Raises:
        WorkerError: when one was lost, or lost its master, before it had left.
    """
    lost = [each for each in workers if each.id in ids and each.state is not WorkerState.GONE]
    if lost:
        names = ", ".join(f"{each.name} ({each.id})" for each in lost[:_LISTED])
        raise WorkerError(f"lost before it had left: {names}; what it ran runs again elsewhere")


def is_there(worker: WorkerRow) -> bool:
    """Whether somebody who lives speaks for it, and does not say that it is away."""
    return worker.live and worker.state not in AWAY


def _finds_a_master(worker: WorkerRow) -> bool:
    return not worker.live and worker.state not in AWAY and worker.silent_s < _ORPHANED_S


def _one(workers: Sequence[WorkerRow], word: str) -> WorkerRow:
    named = [each for each in workers if word in (each.id, each.name)]
    there = [each for each in named if is_there(each)]
    by_id = [each for each in there if each.id == word]
    if len(there) > 1 and not by_id:
        ids = ", ".join(each.id for each in there[:_LISTED])
        raise CallerError(f"worker {word}: {len(there)} have this name; say one by its id: {ids}")
    if not there:
        raise UnknownWorker(_missing(workers, named, word))
    return (by_id or there)[0]


def _missing(workers: Sequence[WorkerRow], named: Sequence[WorkerRow], word: str) -> str:
    if named:
        last = min(named, key=lambda each: each.silent_s)
        state = last.state.value if last.state in AWAY else "without a live master"
        return f"worker {word}: is {state}, last heard {last.silent_s:.0f} s ago; nothing to drain"
    names = sorted({each.name for each in workers if is_there(each)})
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    there = ", ".join(names[:_LISTED]) + more if names else "none"
    return f"worker {word}: there is none of this name or id; there are: {there}"
