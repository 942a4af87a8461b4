"""Takes an experiment out of the store, with everything that belongs to it."""

from __future__ import annotations

from morphml.errors import ExperimentError
from morphml.ids import ExperimentId
from morphml.search.experiment import ExperimentState
from morphml.storage.database import Database, Values, again
from morphml.storage.driving import unknown_experiment
from morphml.storage.statements import experiment_rows, removal_rows

#: States in which somebody works on it, or soon will.
_OPEN = (ExperimentState.RUNNING, ExperimentState.QUEUED)


def remove(database: Database, experiment: ExperimentId) -> None:
    """See ``Store.remove_experiment``. Cost: O(rows of the experiment)."""
    values: Values = {"p_id": experiment}

    def transaction() -> None:
        with database.writing() as run:
            row = run.row(experiment_rows.driver_of, values)
            if row is None:
                raise unknown_experiment(experiment)
            if row[0] in _OPEN:
                raise ExperimentError(
                    f"experiment {experiment}: is {row[0]}; pause it before it is deleted"
                )
            job = run.row(removal_rows.job_of_experiment, values)
            if job is not None:
                raise ExperimentError(
                    f"experiment {experiment}: is a job of execution {job[0]} and goes with it"
                )
            for statement in removal_rows.EVERYTHING:
                run.run(statement, values)

    again(transaction)
