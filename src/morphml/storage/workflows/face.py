"""Executions of workflows in a store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from morphml.ids import ExecutionId
from morphml.storage.classes import ClassNames
from morphml.storage.database import Database, Values, again
from morphml.storage.rows import OutputRow
from morphml.storage.statements import job_queries, job_rows
from morphml.storage.workflows.known import KnownWorkflows
from morphml.storage.workflows.locking import Locking
from morphml.storage.workflows.queueing import Queueing
from morphml.storage.workflows.reading import Reading
from morphml.storage.workflows.running import Running
from morphml.storage.workflows.steering import Steering

#: Characters of output that are stored of one job; what comes after is dropped.
MOST_OUTPUT = 1 << 20


class Workflows:
    """Executions of workflows; may be used from several threads.

    Args:
        database: has them.
        classes: requirement sets that are known.
        policy: name of the policy that ranks jobs.

    Attributes:
        running: executions begin, attempts end, masters ask what to run.
        steering: what people do to an execution.
        reading: what anybody may ask.
        queue: what holds for all claims of jobs.
        locks: locks with an owner and an end.
    """

    def __init__(self, database: Database, classes: ClassNames, policy: str) -> None:
        self._database = database
        known = KnownWorkflows()
        self.running = Running(database, classes, known, policy)
        self.steering = Steering(database, classes, known, policy)
        self.reading = Reading(database, known)
        self.queue = Queueing(database)
        self.locks = Locking(database)

    def write_output(
        self, execution: ExecutionId, pieces: Mapping[int, Sequence[tuple[str, str]]]
    ) -> None:
        """Keep what jobs of an execution wrote, of each up to a limit; one transaction for all.

        Args:
            execution: whose jobs.
            pieces: stream and text, in order, by the number of the job or part.
        """
        numbers = sorted(pieces)
        if numbers:
            again(lambda: self._write(execution, [(number, pieces[number]) for number in numbers]))

    def _write(
        self, execution: ExecutionId, pieces: Sequence[tuple[int, Sequence[tuple[str, str]]]]
    ) -> None:
        keys: list[Values] = [{"p_execution": execution, "p_number": each} for each, _ in pieces]
        rows: list[OutputRow] = []
        with self._database.writing() as run:
            sizes = run.each(job_queries.output_sizes, keys)
            for (number, written), row in zip(pieces, sizes, strict=True):
                assert row is not None, "max() returns a row"
                last, size, now = row
                for stream, text in written:
                    kept = text.replace("\x00", "\N{REPLACEMENT CHARACTER}")[: MOST_OUTPUT - size]
                    if kept:
                        last, size = last + 1, size + len(kept)
                        rows.append(OutputRow(execution, number, last, stream, kept, now))
            run.add(job_rows.add_output, rows)
