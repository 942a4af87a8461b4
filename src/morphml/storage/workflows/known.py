"""Workflows as a store knows them: read once from their documents, jobs by their place in them."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson

from morphml.errors import StoreMismatch
from morphml.ids import digest
from morphml.storage.database import Transaction
from morphml.storage.statements import execution_rows
from morphml.workflow import Job, Workflow
from morphml.workflow.job import MAX_JOBS

#: Numbers of parts begin here: part k of job j is number ``(k + 1) * PARTS + j``.
PARTS = 16_384
assert PARTS >= MAX_JOBS, "each job has a number below those of parts"
#: Workflows that are kept.
_MOST_KNOWN = 64


def part_number(job: int, index: int) -> int:
    """The number of part ``index`` of job ``job``."""
    return (index + 1) * PARTS + job


def is_part(number: int) -> bool:
    """Whether a number is that of a part."""
    return number >= PARTS


@dataclass(frozen=True, kw_only=True)
class KnownWorkflow:
    """A workflow whose document is stored."""

    #: Digest of the document's text.
    id: str
    workflow: Workflow

    @property
    def jobs(self) -> Sequence[Job]:
        """The jobs by number."""
        return self.workflow.jobs

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """Number of each job by its id."""
        return {job.id: number for number, job in enumerate(self.jobs)}

    @cached_property
    def children(self) -> Sequence[Sequence[int]]:
        """Numbers of the jobs that wait for each job."""
        children = self.workflow.children
        return [[self.numbers[child] for child in children[job.id]] for job in self.jobs]

    def job(self, number: int) -> Job:
        """The job of a number, which may be that of a part."""
        return self.jobs[number % PARTS]

    def name(self, number: int) -> str:
        """The job or part as people call it, such as ``train[3]``."""
        job = self.job(number).id
        return f"{job}[{number // PARTS - 1}]" if is_part(number) else job

    def number(self, name: str) -> int | None:
        """The number of a job or part by its name; None where there is no such job."""
        job, bracket, rest = name.partition("[")
        number = self.numbers.get(job)
        index = rest.removesuffix("]")
        if number is None or not bracket:
            return number
        return part_number(number, int(index)) if index.isdigit() else None


def document_text(document: Mapping[str, Any]) -> tuple[str, str]:
    """The text of a document under which it is stored, and its digest."""
    text = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    return digest(text), text.decode()


class KnownWorkflows:
    """The workflows that this process has read; a document never changes. Thread-safe."""

    def __init__(self) -> None:
        self._known: dict[str, KnownWorkflow] = {}
        self._lock = threading.Lock()

    def add(self, known: KnownWorkflow) -> None:
        """Keep what was read anyhow."""
        with self._lock:
            self._known[known.id] = known
            while len(self._known) > _MOST_KNOWN:
                del self._known[next(iter(self._known))]

    def of(self, run: Transaction, id: str) -> KnownWorkflow:
        """The workflow whose document has this digest.

        Raises:
            StoreMismatch: when it is not stored.
        """
        with self._lock:
            found = self._known.get(id)
        if found is None:
            row = run.row(execution_rows.document_of, {"p_id": id})
            if row is None:
                raise StoreMismatch(f"workflow {id}: its document is not in this store")
            document = orjson.loads(row[0])
            # It was checked when it came; what installed packages added then may be missing here.
            types = sorted({job["type"] for job in document["jobs"]})
            from morphml.workflow import parse_workflow  # noqa: PLC0415  # see there

            found = KnownWorkflow(id=id, workflow=parse_workflow(document, types))
            self.add(found)
        return found
