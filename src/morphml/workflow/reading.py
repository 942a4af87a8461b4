"""From a document to a checked workflow; all mistakes are told at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from pydantic import ValidationError

from morphml.documents import MAX_TOLD, Mistake, mistakes_of, read_document, refusal
from morphml.errors import WorkflowError
from morphml.workflow.checking import check_jobs
from morphml.workflow.document import JobDocument, WorkflowDocument
from morphml.workflow.job import Job
from morphml.workflow.types import default_timeout_s, known_types
from morphml.workflow.workflow import Workflow


def parse_workflow(data: object, types: Sequence[str] | None = None) -> Workflow:
    """The workflow that the body of a call describes.

    Args:
        data: mappings, lists and scalars, as JSON gives them.
        types: names of the job types there are; those installed here without it.

    Raises:
        WorkflowError: with every mistake and its path: keys and types, unknown or repeated ids,
            jobs that depend on themselves, cycles, unknown job types, requirements that make no
            sense, references to what is no ancestor, conditions that cannot be read.

    Cost: O(jobs + dependencies).
    """
    workflow, mistakes = _read(data, types)
    if workflow is None:
        told = [f"{'.'.join(map(str, m.path)) or 'workflow'}: {m.what}" for m in mistakes]
        raise WorkflowError(
            "; ".join(told), mistakes=tuple((each.path, each.what) for each in mistakes)
        )
    return workflow


def read_workflow(text: str, source: str, types: Sequence[str] | None = None) -> Workflow:
    """The workflow that a YAML (or JSON) text describes.

    Args:
        text: the file's content.
        source: the file's name, for messages.
        types: names of the job types there are; those installed here without it.

    Raises:
        DocumentError: with the line and column of the first mistake, and all in its message.
    """
    document = read_document(text, source)
    workflow, mistakes = _read(document.data, types)
    if workflow is None:
        raise refusal(mistakes, document)
    return workflow


def _read(data: object, types: Sequence[str] | None) -> tuple[Workflow | None, list[Mistake]]:
    """The workflow, or None and what is wrong with it."""
    try:
        document = WorkflowDocument.model_validate(data)
    except ValidationError as error:
        return None, mistakes_of(error, WorkflowDocument, data)
    found = check_jobs(document.jobs, known_types() if types is None else types)
    mistakes = list(islice(found, MAX_TOLD))
    return (None, mistakes) if mistakes else (_workflow(document), [])


def _workflow(document: WorkflowDocument) -> Workflow:
    return Workflow(
        id=document.workflow_id,
        name=document.name or document.workflow_id,
        jobs=tuple(_jobs(document.jobs)),
        parallelism=document.parallelism,
        source=document.source or "",
        metadata=document.metadata,
    )


def _jobs(written: Iterable[JobDocument]) -> Iterator[Job]:
    for each in written:
        yield Job(
            id=each.id,
            name=each.name or each.id,
            type=each.type,
            depends_on=tuple(each.depends_on),
            config=each.config,
            priority=each.priority,
            capabilities=tuple(sorted(set(each.required_capabilities))),
            resources=each.resources,
            timeout_s=default_timeout_s(each.type) if each.timeout is None else each.timeout,
            max_retries=each.max_retries,
            on_failure=each.on_failure,
            for_each=each.for_each,
            when=each.when,
        )
