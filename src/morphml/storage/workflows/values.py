"""What references of a job stand for, read from the store when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from morphml.ids import ExecutionId
from morphml.optimizers.events import JSON
from morphml.storage.database import Transaction, Values
from morphml.storage.statements import job_queries
from morphml.storage.workflows.known import PARTS, KnownWorkflow, is_part
from morphml.workflow.references import Reference


class StoredValues:
    """Outputs of the jobs of one execution, each read once in a transaction.

    Args:
        run: the transaction.
        execution: whose.
        known: its workflow.
    """

    def __init__(self, run: Transaction, execution: ExecutionId, known: KnownWorkflow) -> None:
        self._run = run
        self._execution = execution
        self._known = known
        self._outputs: dict[str, Mapping[str, Any]] = {}

    def of(self, number: int, item: str | None = None) -> Callable[[Reference], JSON]:
        """Looks references of a job or part up.

        Args:
            number: of the job or part.
            item: what a part was made for, as JSON.
        """

        def look_up(reference: Reference) -> JSON:
            match reference.source:
                case "execution":
                    return self._execution
                case "item":
                    return reference.within(None if item is None else orjson.loads(item))
                case "index":
                    return number // PARTS - 1 if is_part(number) else None
                case source:
                    return reference.within(self._of_job(source))

        return look_up

    def _of_job(self, job: str) -> Mapping[str, Any]:
        found = self._outputs.get(job)
        if found is None:
            values: Values = {"p_execution": self._execution, "p_number": self._known.numbers[job]}
            row = self._run.row(job_queries.outputs_of, values)
            found = {} if row is None or row[0] is None else orjson.loads(row[0])
            self._outputs[job] = found
        return found
