"""``morphml workflow``: pipelines of jobs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from morphml.cli.completion import complete_store
from morphml.cli.docstrings import flowing
from morphml.cli.guard import guard
from morphml.cli.import_path import see_folder, see_this_folder
from morphml.cli.options import AsJson, Quiet
from morphml.cli.screen import results, table_of, write_json
from morphml.cli.written import text_of
from morphml.errors import WorkflowError

if TYPE_CHECKING:
    from morphml.workflow import Job, Workflow

File = Annotated[Path, typer.Argument(metavar="FILE", help="A workflow, as YAML or JSON.")]
Where = Annotated[
    str,
    typer.Argument(
        metavar="STORE",
        help="Where the execution is: a file such as pipeline.db, postgresql://USER@HOST/DATABASE, "
        "or a master's http://HOST:3000.",
        autocompletion=complete_store,
    ),
]
Execution = Annotated[
    str | None,
    typer.Argument(metavar="[EXECUTION]", help="Its id, or `newest`, which is the default."),
]
Kept = Annotated[
    str | None,
    typer.Option(
        "--storage",
        metavar="STORE",
        help="The store to keep it in; by default a file beside you, named as FILE with .db.",
        autocompletion=complete_store,
    ),
]
MasterUrl = Annotated[
    str | None,
    typer.Option("--master", metavar="URL", help="Hand it to this master: http://HOST:3000."),
]
Slots = Annotated[
    int | None,
    typer.Option(
        "--workers", min=1, help="Jobs at a time on this machine; by default half the cores."
    ),
]
Key = Annotated[
    str | None,
    typer.Option("--key", help="The same key gives the same execution again, not another one."),
]

HEADS = {"stage": True, "job": False, "type": False, "waits for": False, "only": False}

workflow = typer.Typer(
    help="Check and run pipelines of jobs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@workflow.callback()
def _workflow() -> None:
    """Check and run pipelines of jobs."""


Command = TypeVar("Command", bound=Callable[..., None])


def _command(name: str, *examples: str) -> Callable[[Command], Command]:
    """Makes a function a command, with what shows how it is used."""
    epilog = "\n\n".join(["Examples", *(f"$ morphml workflow {each}" for each in examples)])

    def made(function: Command) -> Command:
        workflow.command(name, help=flowing(function), epilog=epilog)(function)
        return function

    return made


@_command(
    "run",
    "run pipeline.yaml",
    "run pipeline.yaml --storage runs.db --workers 4",
    "run pipeline.yaml --master http://10.0.0.5:3000",
)
def run(  # noqa: PLR0913 one parameter per option
    context: typer.Context,
    file: File,
    storage: Kept = None,
    master: MasterUrl = None,
    workers: Slots = None,
    key: Key = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Execute a workflow and show how it goes.

    Without a master this process is one, with a worker on this machine: Ctrl-C stops it, and
    `morphml workflow resume` goes on. Functions that jobs name are looked for in this folder and
    beside FILE; their folder is sent along where the masters of a store run them.
    """
    kept = storage or master or str(file.with_suffix(".db").name)
    with guard(context, as_json=as_json, resume=f"morphml workflow resume {kept}"):
        # The master takes a second to import, and help and completion read this module.
        from morphml.cli import workflow_reach as reach  # noqa: PLC0415
        from morphml.documents import read_document  # noqa: PLC0415
        from morphml.workflow import read_workflow  # noqa: PLC0415

        text = text_of(file, WorkflowError)
        checked = read_workflow(text, str(file))
        see_this_folder()
        see_folder(file.parent)
        document = read_document(text, str(file)).data
        with reach.at(kept, create=True) as place:
            document = {**document, **place.code_for(checked)}  # type: ignore[dict-item]  # checked
            started = place.executions.start(document, key=key)
            place.carry_out(started.id, slots=workers, as_json=as_json, quiet=quiet)


@_command("status", "status pipeline.db", "status http://10.0.0.5:3000 3f2a")
def status(
    context: typer.Context, storage: Where, execution: Execution = None, as_json: AsJson = False
) -> None:
    """Show an execution and its jobs."""
    with guard(context, as_json=as_json):
        from morphml.cli import workflow_reach as reach  # noqa: PLC0415 see above
        from morphml.cli.workflow_views import document_of, execution_view  # noqa: PLC0415

        with reach.at(storage) as place:
            found = place.execution(execution)
            jobs = place.executions.jobs(found.id)
            if as_json:
                write_json(document_of(found, jobs))
            else:
                results().print(execution_view(found, jobs))


@_command("list", "list pipeline.db")
def list_(context: typer.Context, storage: Where, as_json: AsJson = False) -> None:
    """List executions, newest first."""
    with guard(context, as_json=as_json):
        from morphml.cli import workflow_reach as reach  # noqa: PLC0415 see above
        from morphml.cli.workflow_views import document_of, executions_table  # noqa: PLC0415

        with reach.at(storage) as place:
            found = place.executions.list(limit=200).items
            if as_json:
                write_json([document_of(each) for each in found])
            else:
                results().print(executions_table(found))


@_command("pause", "pause pipeline.db")
def pause(
    context: typer.Context, storage: Where, execution: Execution = None, as_json: AsJson = False
) -> None:
    """Begin no job any more until `resume`; those that run may end."""
    _act(context, "pause", storage, execution, as_json=as_json)


@_command("cancel", "cancel pipeline.db")
def cancel(
    context: typer.Context, storage: Where, execution: Execution = None, as_json: AsJson = False
) -> None:
    """Give an execution up: what runs is stopped."""
    _act(context, "cancel", storage, execution, as_json=as_json)


@_command("resume", "resume pipeline.db", "resume pipeline.db 3f2a --workers 4")
def resume(
    context: typer.Context,
    storage: Where,
    execution: Execution = None,
    workers: Slots = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Go on with an execution that was paused, interrupted, cancelled, or has failed.

    What succeeded is kept. Where no master is there, this process runs it until it is over.
    """
    with guard(context, as_json=as_json, resume=f"morphml workflow resume {storage}"):
        from morphml.cli import workflow_reach as reach  # noqa: PLC0415 see above

        see_this_folder()
        with reach.at(storage) as place:
            found = place.execution(execution)
            place.take_up(found)
            place.carry_out(found.id, slots=workers, as_json=as_json, quiet=quiet)


@_command("retry", "retry pipeline.db newest train", "retry pipeline.db 3f2a")
def retry(  # noqa: PLR0913 one parameter per option
    context: typer.Context,
    storage: Where,
    execution: Execution = None,
    job: Annotated[
        str | None, typer.Argument(metavar="[JOB]", help="All that did not succeed by default.")
    ] = None,
    workers: Slots = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Run a job again, with all that depends on it.

    Where no master is there, this process runs it until the execution is over.
    """
    with guard(context, as_json=as_json, resume=f"morphml workflow resume {storage}"):
        from morphml.cli import workflow_reach as reach  # noqa: PLC0415 see above

        see_this_folder()
        with reach.at(storage) as place:
            found = place.executions.retry(place.execution(execution).id, job)
            place.carry_out(found.id, slots=workers, as_json=as_json, quiet=quiet)


@_command("logs", "logs pipeline.db newest train")
def logs(
    context: typer.Context,
    storage: Where,
    execution: Annotated[str, typer.Argument(metavar="EXECUTION", help="Its id, or `newest`.")],
    job: Annotated[str, typer.Argument(metavar="JOB", help="A job, or a part such as train[3].")],
    as_json: AsJson = False,
) -> None:
    """Print what a job wrote."""
    with guard(context, as_json=as_json):
        from morphml.cli import workflow_reach as reach  # noqa: PLC0415 see above

        with reach.at(storage) as place:
            found = place.execution(execution)
            reach.print_log(place.executions, found.id, job, as_json=as_json)


def _act(
    context: typer.Context, what: str, storage: str, execution: str | None, *, as_json: bool
) -> None:
    with guard(context, as_json=as_json):
        from morphml.cli import workflow_reach as reach  # noqa: PLC0415 see above
        from morphml.cli.workflow_views import document_of, headline  # noqa: PLC0415

        with reach.at(storage) as place:
            found = place.act(what, place.execution(execution).id)
            if as_json:
                write_json(document_of(found))
            else:
                results().print(headline(found), markup=False)


@_command("check", "check pipeline.yaml")
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
