"""A DAG of jobs as a value, and the questions that it answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from morphml.workflow.job import Job


@dataclass(frozen=True, kw_only=True)
class Workflow:
    """Jobs and what they wait for; made by ``parse_workflow``, which checks."""

    #: Chosen by its author.
    id: str
    #: For people.
    name: str
    #: In the order in which they were written.
    jobs: tuple[Job, ...]
    #: Jobs of one execution that may run at once; None for as many as there are slots.
    parallelism: int | None = None
    #: Digest of the bundle of source that functions of its jobs are imported from; "" for what is
    #: installed where they run.
    source: str = ""
    #: For people and programs; MorphML does not read it.
    metadata: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def by_id(self) -> Mapping[str, Job]:
        """The jobs by their ids."""
        return {job.id: job for job in self.jobs}

    @cached_property
    def children(self) -> Mapping[str, tuple[str, ...]]:
        """Who waits directly for each job, in the order of the workflow."""
        found: dict[str, list[str]] = {job.id: [] for job in self.jobs}
        for job in self.jobs:
            for parent in job.depends_on:
                found[parent].append(job.id)
        return {job: tuple(waiting) for job, waiting in found.items()}

    def stages(self) -> Mapping[str, int]:
        """How many jobs stand in the longest chain that ends with each job, itself included."""
        stage: dict[str, int] = {}
        waiting = {job.id: len(job.depends_on) for job in self.jobs}
        ready = [id for id, parents in waiting.items() if not parents]
        for id in ready:  # grows while it is walked
            stage[id] = 1 + max((stage[parent] for parent in self.by_id[id].depends_on), default=0)
            for child in self.children[id]:
                waiting[child] -= 1
                if not waiting[child]:
                    ready.append(child)
        return stage

    def descendants(self, roots: Iterable[str]) -> frozenset[str]:
        """All that wait for one of ``roots``, directly or not, without the roots themselves."""
        found: set[str] = set()
        open_ends = list(roots)
        while open_ends:
            new = set(self.children[open_ends.pop()]) - found
            found |= new
            open_ends.extend(new)
        return frozenset(found)


def find_cycle(parents: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """The jobs of one cycle, the first one repeated at the end; empty where there is none.

    Cost: O(jobs + dependencies), without recursion.
    """
    finished: set[str] = set()
    for start in parents:
        if start in finished:
            continue
        path = [start]
        on_path = {start}
        open_ends = [iter(parents[start])]
        while path:
            parent = next(open_ends[-1], None)
            if parent is None:
                finished.add(path[-1])
                on_path.discard(path.pop())
                open_ends.pop()
            elif parent in on_path:
                cycle = path[path.index(parent) :]
                return (*cycle, parent)
            elif parent in parents and parent not in finished:
                path.append(parent)
                on_path.add(parent)
                open_ends.append(iter(parents[parent]))
    return ()
