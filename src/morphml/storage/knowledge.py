"""What finished experiments taught, for later ones: a value under a topic and a key.

The topic ``result`` holds what evaluators returned, for the experiments that share results; the
keys are those of ``search.sharing``. Rows are written in the transaction of the result itself.
"""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from morphml.ids import ExperimentId
from morphml.search.changes import NewResult
from morphml.search.sharing import KnownResult, TrialSource
from morphml.storage.database import Database, Transaction, Values
from morphml.storage.statements import knowledge_rows
from morphml.storage.states import Topic


class Knowledge:
    """Looks up what is known; may be used from several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def result(self, key: str) -> KnownResult | None:
        """The result under a key, or None; about 15 us."""
        values: Values = {"p_topic": Topic.RESULT, "p_key": key}
        with self._database.reading() as run:
            row = run.row(knowledge_rows.knowledge_of, values)
        if row is None:
            return None
        document = orjson.loads(row[0])
        source = TrialSource(experiment=document["experiment"], number=document["number"])
        return KnownResult(metrics=document["metrics"], source=source)


def add_results(
    run: Transaction, experiment: ExperimentId, results: Iterable[NewResult], now: float
) -> None:
    """Write results of an experiment; the first result under a key stays."""
    for result in results:
        document = {
            "metrics": dict(result.metrics),
            "experiment": experiment,
            "number": result.number,
        }
        values: Values = {
            "p_topic": Topic.RESULT,
            "p_key": result.key,
            "p_value": orjson.dumps(document).decode(),
            "p_now": now,
        }
        run.run(knowledge_rows.add_knowledge, values)
