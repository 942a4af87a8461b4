"""What is wrong with the jobs of a document, beyond the form of each field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from morphml.documents import Mistake, Path, nearest
from morphml.errors import MorphError, WorkflowError
from morphml.scheduling.resources import Requirements
from morphml.workflow.ancestors import Ancestors
from morphml.workflow.conditions import parse_condition
from morphml.workflow.document import JobDocument
from morphml.workflow.references import RESERVED, Reference, references_in
from morphml.workflow.workflow import find_cycle


def check_jobs(jobs: Sequence[JobDocument], types: Sequence[str]) -> Iterator[Mistake]:
    """Every mistake, in no order; none where the jobs make a workflow.

    Args:
        jobs: as they were written.
        types: names of the job types there are.
    """
    first: dict[str, int] = {}
    for index, job in enumerate(jobs):
        where: Path = ("jobs", index)
        yield from _check_id(job, first, index)
        yield from _check_type(job, types, where)
        yield from _check_resources(job, where)
    parents = {job.id: job.depends_on for job in jobs}
    sound = True
    for index, job in enumerate(jobs):
        for mistake in _check_dependencies(job, parents, ("jobs", index, "dependsOn")):
            sound = False
            yield mistake
    cycle = find_cycle(parents) if sound else ()
    if cycle:
        path: Path = ("jobs", first[cycle[0]], "dependsOn")
        around = " waits for ".join(cycle)
        yield Mistake(path=path, what=f"the jobs wait for each other: {around}")
    elif sound:
        yield from _check_references(jobs, parents)


def _check_id(job: JobDocument, first: dict[str, int], index: int) -> Iterator[Mistake]:
    path: Path = ("jobs", index, "id")
    if job.id in RESERVED:
        yield Mistake(path=path, what=f"{job.id!r} has a meaning of its own in references")
    if first.setdefault(job.id, index) != index:
        yield Mistake(
            path=path, what=f"the id {job.id!r} is that of job {first[job.id] + 1} of the list too"
        )


def _check_type(job: JobDocument, types: Sequence[str], where: Path) -> Iterator[Mistake]:
    if job.type not in types:
        hint, near = nearest(job.type, types)
        what = f"unknown job type {job.type!r}{hint}"
        yield Mistake(path=(*where, "type"), what=what, suggestion=near)


def _check_resources(job: JobDocument, where: Path) -> Iterator[Mistake]:
    try:
        Requirements.parse({**job.resources, **dict.fromkeys(job.required_capabilities, 1.0)})
    except MorphError as error:
        key = "resources" if job.resources else "requiredCapabilities"
        yield Mistake(path=(*where, key), what=str(error))


def _check_dependencies(
    job: JobDocument, known: Mapping[str, object], where: Path
) -> Iterator[Mistake]:
    before: set[str] = set()
    for index, parent in enumerate(job.depends_on):
        path = (*where, index)
        if parent == job.id:
            yield Mistake(path=path, what=f"job {job.id!r} depends on itself")
        elif parent not in known:
            hint, near = nearest(parent, tuple(known))
            what = f"job {job.id!r} depends on {parent!r}, which is no job here{hint}"
            yield Mistake(path=path, what=what, suggestion=near)
        elif parent in before:
            yield Mistake(path=path, what=f"job {job.id!r} depends on {parent!r} twice")
        before.add(parent)


def _check_references(
    jobs: Sequence[JobDocument], parents: Mapping[str, Sequence[str]]
) -> Iterator[Mistake]:
    ancestors = Ancestors(parents)
    for index, job in enumerate(jobs):
        for field, value in (("config", job.config), ("forEach", job.for_each)):
            path: Path = ("jobs", index, field)
            inside = field == "config" and job.for_each is not None
            try:
                found = list(references_in(value))
            except WorkflowError as error:
                yield Mistake(path=path, what=str(error))
                continue
            if field == "forEach" and isinstance(value, str) and not _is_one(value, found):
                yield Mistake(path=path, what=f"forEach is a list or one reference, got {value!r}")
            yield from _unreachable(job, found, ancestors, path, inside=inside)
        if job.when is not None:
            yield from _check_condition(job, ancestors, ("jobs", index, "when"))


def _check_condition(job: JobDocument, ancestors: Ancestors, path: Path) -> Iterator[Mistake]:
    assert job.when is not None
    try:
        condition = parse_condition(job.when)
    except WorkflowError as error:
        yield Mistake(path=path, what=str(error))
        return
    yield from _unreachable(job, condition.references, ancestors, path, inside=False)


def _unreachable(
    job: JobDocument,
    found: Sequence[Reference],
    ancestors: Ancestors,
    path: Path,
    *,
    inside: bool,
) -> Iterator[Mistake]:
    for each in found:
        if each.source == "execution":
            if each.path != ("id",):
                yield Mistake(path=path, what=f"{each}: an execution has ${{execution.id}} only")
        elif each.source in RESERVED:
            if not inside:
                what = f"{each} stands for a part of forEach, and may stand in its config only"
                yield Mistake(path=path, what=what)
        elif not ancestors.include(job.id, each.source):
            what = f"{each}: job {job.id!r} does not wait for {each.source!r}; add it to dependsOn"
            yield Mistake(path=path, what=what)


def _is_one(text: str, found: Sequence[Reference]) -> bool:
    return len(found) == 1 and str(found[0]) == text
