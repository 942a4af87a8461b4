"""One trial of a result by its number, whatever became of it."""

from __future__ import annotations

import orjson

from morphml.errors import ExperimentError
from morphml.master import Result
from morphml.master.evaluated import EvaluatedTrial
from morphml.search.changes import TrialRecord


def record_of(result: Result, number: int) -> TrialRecord:
    """The trial of that number as the store has it.

    Raises:
        ExperimentError: when there is none.
    """
    for record in result.records:
        if record.number == number:
            return record
    raise ExperimentError(
        f"experiment {result.record.name!r} has no trial {number}; it has {len(result.records)}, "
        "counted from 0"
    )


def evaluated(result: Result, record: TrialRecord) -> EvaluatedTrial:
    """The trial with its architecture."""
    return EvaluatedTrial(
        number=record.number,
        state=record.state,
        architecture=result.space.architecture(tuple(orjson.loads(record.vector))),
        metrics={**record.computed, **record.metrics},
        duration_s=record.duration_s,
        epochs=record.epochs,
        folder=result.folder,
    )
