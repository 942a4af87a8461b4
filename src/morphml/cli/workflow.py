"""``morphml workflow``: pipelines of jobs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from morphml.cli.guard import guard
from morphml.cli.options import AsJson
from morphml.cli.screen import results, table_of, write_json
from morphml.cli.written import text_of
from morphml.errors import WorkflowError

if TYPE_CHECKING:
    from morphml.workflow import Job, Workflow

File = Annotated[Path, typer.Argument(metavar="FILE", help="A workflow, as YAML or JSON.")]

HEADS = {"stage": True, "job": False, "type": False, "waits for": False, "only": False}

workflow = typer.Typer(
    help="Check pipelines of jobs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@workflow.callback()
def _workflow() -> None:
    """Check pipelines of jobs."""


@workflow.command(epilog="Examples\n\n$ morphml workflow check pipeline.yaml")
def check(context: typer.Context, file: File, as_json: AsJson = False) -> None:
    """Say what is wrong with a workflow, line by line, or in which order its jobs run.

    Jobs of one stage may run at once; each waits for jobs of the stages before it.
    """
    with guard(context, as_json=as_json):
        # pydantic takes a while, and help and completion read this module.
        from morphml.workflow import read_workflow  # noqa: PLC0415

        found = read_workflow(text_of(file, WorkflowError), str(file))
        stages = found.stages()
        if as_json:
            write_json(
                {
                    "workflow": found.id,
                    "name": found.name,
                    "parallelism": found.parallelism,
                    "jobs": [_job(job, stages[job.id]) for job in found.jobs],
                }
            )
            return
        rows = [
            (str(stages[job.id]), job.id, job.type, ", ".join(job.depends_on), _only(job))
            for job in sorted(found.jobs, key=lambda each: stages[each.id])
        ]
        results().print(table_of(found.name, HEADS, rows))
        results().print(_summary(found, max(stages.values())), markup=False)


def _only(job: Job) -> str:
    """Under which condition, and how often."""
    often = "" if job.for_each is None else f"for each of {_items(job)}"
    return "; ".join(part for part in (job.when and f"when {job.when}", often) if part)


def _items(job: Job) -> str:
    return job.for_each if isinstance(job.for_each, str) else f"{len(job.for_each or ())} items"


def _summary(found: Workflow, stages: int) -> str:
    at_once = found.parallelism or "as many as there are slots"
    return f"{found.id}: {len(found.jobs)} jobs in {stages} stages, at once: {at_once}"


def _job(job: Job, stage: int) -> dict[str, object]:
    return {
        "id": job.id,
        "name": job.name,
        "type": job.type,
        "stage": stage,
        "dependsOn": list(job.depends_on),
        "priority": job.priority,
        "requiredCapabilities": list(job.capabilities),
        "resources": dict(job.resources),
        "timeout": job.timeout_s,
        "maxRetries": job.max_retries,
        "onFailure": job.on_failure.value,
    }
