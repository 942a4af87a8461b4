"""Search jobs: each is an experiment, which the masters drive as any other; it holds no slot."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import cast

import orjson

from morphml.errors import CallerError, ExperimentError
from morphml.ids import ExperimentId
from morphml.jobs.train import described
from morphml.master.result import Result
from morphml.optimizers.events import JSON
from morphml.search.experiment import ExperimentState
from morphml.space.text import parse_space
from morphml.storage import SqlStore
from morphml.storage.hints import HintTopic
from morphml.storage.workflows import SearchRecord
from morphml.workflow.job_life import Fail, Succeed

log = logging.getLogger(__name__)


class Searches:
    """Makes the experiments of search jobs, and ends the jobs when those have ended.

    Any master may do so, several at once: what is done already changes nothing.

    Args:
        store: the truth.
    """

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self._running = store.workflows.running

    def step(self) -> bool:
        """Look once; whether something was done.

        Raises:
            StorageError: when the store cannot be asked.
        """
        done = [self._see_to(search) for search in self._running.searches()]
        if any(done):
            self._store.hints.send(HintTopic.WORK)
        return any(done)

    def _see_to(self, search: SearchRecord) -> bool:
        try:
            if search.experiment is None:
                return self._begin(search)
            if search.state == ExperimentState.COMPLETED:
                outputs = orjson.dumps(search_outputs(self._store, search.experiment))
                self._running.end_job(search.execution, search.number, Succeed(), outputs)
                return True
            if search.state is None:
                raise ExperimentError(f"experiment {search.experiment} was deleted")
            if search.state == ExperimentState.FAILED:
                raise ExperimentError(f"experiment {search.experiment} failed: {search.reason}")
        except CallerError as error:
            self._running.end_job(search.execution, search.number, Fail(reason=str(error)))
            return True
        return False

    def _begin(self, search: SearchRecord) -> bool:
        call = self._running.call(search.execution, search.number)
        if call is None:
            return False
        # Reads a document, for which a master without such jobs needs nothing.
        from morphml.master.workflows.search_spec import search_spec  # noqa: PLC0415

        spec = search_spec(self._store, call)
        experiment = self._running.make_experiment(search, spec)
        if experiment is not None:
            log.info("execution %s: job %s is experiment %s", call.execution, call.name, experiment)
        return experiment is not None


def search_outputs(store: SqlStore, experiment: ExperimentId) -> dict[str, JSON]:
    """What a search puts out: the best trial, and what is needed to train it again.

    Raises:
        ExperimentError: when no trial was evaluated within the constraints.
    """
    record = store.experiment(experiment)
    spec = record.current_spec
    if spec.space is None:
        raise ExperimentError(f"experiment {experiment}: its space holds code")
    result = Result(
        record,
        spec,
        parse_space(spec.space),
        records=list(store.trials(experiment)),
        folder=Path(),
    )
    best = result.best
    evaluator = spec.evaluator
    return {
        "experiment": experiment,
        "trial": best.number,
        "architecture": cast("JSON", described(best.architecture)),
        "metrics": dict(best.metrics),
        "evaluator": evaluator.reference,
        "arguments": dict(evaluator.arguments),
        "maxEpochs": spec.max_epochs,
        "objectives": {each.name: each.direction.value for each in spec.objectives},
    }
