"""Looking a store over: gaps, orphans, files that are gone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from morphml.storage.database import Database, Transaction
from morphml.storage.statements import check_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that should not be."""

    #: The check that found it: a name for programs.
    check: str
    #: Or the execution.
    experiment: str
    #: The trial or job it is about, if it is about one.
    number: int | None
    text: str


def check_store(database: Database, files: Path | None) -> list[Finding]:
    """What is wrong with a store; reads only, and sees one state of the database.

    Cost: a few walks over all tables, about a second for 100,000 trials.

    Args:
        database: any; others may go on writing.
        files: folder that holds a folder of files for each experiment; None leaves files out.
    """
    with database.reading() as run:
        return [
            *_counters(run),
            *_orphans(run),
            *_executions(run),
            *([] if files is None else _missing_files(run, files)),
        ]


def _counters(run: Transaction) -> Iterator[Finding]:
    for experiment, taken, rows in run.rows(check_rows.numbers_with_gaps, {}):
        text = f"numbers 0 to {taken - 1} were taken, and there are {rows} trials"
        yield Finding(check="numbers", experiment=experiment, number=None, text=text)
    for experiment, seq, rows in run.rows(check_rows.logs_with_gaps, {}):
        text = f"the log goes to entry {seq}, and there are {rows} entries"
        yield Finding(check="log", experiment=experiment, number=None, text=text)
    for experiment, taken, budget in run.rows(check_rows.budgets_exceeded, {}):
        text = f"{taken} numbers are taken of a budget of {budget}"
        yield Finding(check="budget", experiment=experiment, number=None, text=text)


def _orphans(run: Transaction) -> Iterator[Finding]:
    for owner, number, segment in run.rows(check_rows.tasks_without_a_trial, {}):
        text = f"segment {segment} is to be run, but the trial has ended or is not there"
        yield Finding(check="task", experiment=owner, number=number, text=text)
    for owner, number, segment in run.rows(check_rows.tasks_of_dead_sessions, {}):
        text = f"segment {segment} is held by a session that has ended: nobody puts it back"
        yield Finding(check="holder", experiment=owner, number=number, text=text)
    for experiment, number in run.rows(check_rows.trials_without_a_task, {}):
        text = "has not ended, and no task of it is left: nobody will run it"
        yield Finding(check="trial", experiment=experiment, number=number, text=text)
    for owner, number, segment in run.rows(check_rows.attempts_without_a_trial, {}):
        text = f"an attempt at segment {segment} ended, but the trial is not there"
        yield Finding(check="attempt", experiment=owner, number=number, text=text)


def _executions(run: Transaction) -> Iterator[Finding]:
    for execution, unfinished, rows in run.rows(check_rows.executions_miscounted, {}):
        text = f"{unfinished} jobs are said to be unfinished, and {rows} are"
        yield Finding(check="jobs", experiment=execution, number=None, text=text)
    for execution, seq, rows in run.rows(check_rows.events_with_gaps, {}):
        text = f"the events go to {seq}, and there are {rows}"
        yield Finding(check="events", experiment=execution, number=None, text=text)
    for execution, number in run.rows(check_rows.jobs_without_a_task, {}):
        text = "the job is to be run, and no task of it is left: nobody will run it"
        yield Finding(check="job", experiment=execution, number=number, text=text)
    for execution, number in run.rows(check_rows.tasks_without_a_job, {}):
        text = "the job is to be run, but it has ended or is not there"
        yield Finding(check="task", experiment=execution, number=number, text=text)


def _missing_files(run: Transaction, files: Path) -> Iterator[Finding]:
    for experiment, number, key, size in run.rows(check_rows.artifacts_needed, {}):
        path = files / experiment / key
        if not path.is_file():
            text = f"its checkpoint {path} is not there: the trial begins anew"
        elif path.stat().st_size != size:
            text = f"its checkpoint {path} has {path.stat().st_size} bytes instead of {size}"
        else:
            continue
        yield Finding(check="file", experiment=experiment, number=number, text=text)
