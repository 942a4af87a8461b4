"""What other processes ask of an experiment's driver, through rows that it reads.

Only the driver writes an experiment's log, so a second process cannot cancel a trial by itself: it
leaves a request, the driver commits the cancellation first come against completion, and takes the
request away. Answering twice after a crash does no harm: a trial that ended cannot be cancelled.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from morphml.ids import ExperimentId
from morphml.storage.database import Database, Values
from morphml.storage.driving import unknown_experiment
from morphml.storage.statements import request_rows
from morphml.storage.states import RequestVerb


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One thing asked for."""

    id: int
    verb: RequestVerb
    #: The trial it is about.
    number: int


class Requests:
    """Leaves, reads and takes away requests."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def cancel_trial(self, experiment: ExperimentId, number: int) -> None:
        """Ask the driver, now or when one comes, to cancel a trial.

        Raises:
            ExperimentError: when there is no such experiment.
        """
        values: Values = {
            "p_experiment": experiment,
            "p_verb": RequestVerb.CANCEL_TRIAL,
            "p_number": number,
        }
        with self._database.writing() as run:
            if not run.run(request_rows.add_request, values):
                raise unknown_experiment(experiment)

    def waiting(self, experiment: ExperimentId) -> list[Request]:
        """Requests that were not answered, oldest first; about 15 us when there is none."""
        with self._database.reading() as run:
            rows = run.rows(request_rows.requests_of, {"p_experiment": experiment})
        return [
            Request(id=id_, verb=RequestVerb(verb), number=number) for id_, verb, number in rows
        ]

    def answered(self, requests: Iterable[Request]) -> None:
        """Take requests away that the driver has acted on."""
        with self._database.writing() as run:
            for request in requests:
                run.run(request_rows.drop_request, {"p_id": request.id})
