"""Placing tasks one after the other, with the choice among suitable workers left to the policy."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from morphml.scheduling.policies.contract import Placement, WaitingTask, WorkerOffer

#: The worker to take: (those with room, free slots left by name) -> one of them.
Choice = Callable[[Sequence[WorkerOffer], dict[str, int]], WorkerOffer]


def place_in_order(
    window: Sequence[WaitingTask], workers: Sequence[WorkerOffer], choose: Choice
) -> list[Placement]:
    """Placements by rising (rank, id) until no task fits a free slot; O(tasks x workers).

    A task that cannot be placed does not hold up those behind it. A worker that the task should
    avoid is taken only where no other live worker offers what it needs.
    """
    free = {worker.name: worker.free for worker in workers}
    placed = []
    for task in sorted(window, key=lambda task: (task.rank, task.id)):
        open_to_it = [w for w in suitable(task, workers) if free[w.name] > 0]
        if open_to_it:
            worker = choose(open_to_it, free)
            free[worker.name] -= 1
            placed.append(Placement(task=task.id, worker=worker.name))
    return placed


def suitable(task: WaitingTask, workers: Sequence[WorkerOffer]) -> list[WorkerOffer]:
    """The workers that may run the task, busy ones included; empty when no live one can."""
    able = [worker for worker in workers if worker.can_run(task)]
    return [worker for worker in able if worker.name not in task.avoid] or able


def first_with_room(workers: Sequence[WorkerOffer], free: dict[str, int]) -> WorkerOffer:
    """The first by name."""
    return min(workers, key=lambda worker: worker.name)
