"""The experiment that a search job describes."""

from __future__ import annotations

from dataclasses import replace
from typing import NoReturn

import orjson

from morphml.errors import EvaluatorError
from morphml.evaluation import EvaluatorSource
from morphml.evaluation.trial import Trial
from morphml.master.described import BUILT_IN, evaluator_of, options_of, space_of
from morphml.master.options import make_spec
from morphml.master.sending import reference_for_others
from morphml.search.experiment import ExperimentSpec
from morphml.search.experiment_file import ExperimentFile, parse_experiment
from morphml.space import Architecture
from morphml.storage import SqlStore
from morphml.storage.workflows import CallRecord


def search_file(call: CallRecord) -> ExperimentFile:
    """The experiment file that the config of a search job is.

    Raises:
        DocumentError: when it is none.
    """
    return parse_experiment(orjson.dumps(dict(call.config)).decode(), f"job {call.name}")


def search_spec(store: SqlStore, call: CallRecord) -> ExperimentSpec:
    """The experiment that a search job describes, named by execution and job.

    Where the workflow came with its code, an evaluator of the user's own is imported from that, at
    the workers and nowhere else.

    Args:
        store: takes what workers need of the evaluator's code.
        call: whose config has the keys of an experiment file.

    Raises:
        CallerError: when the config describes no experiment, or one that cannot travel.
    """
    file = search_file(call)
    options = options_of(file, {"name": f"{call.execution}/{call.name}"})
    bundle = store.workflows.reading.execution(call.execution).workflow.source
    name = file.evaluator.name
    if bundle and name not in BUILT_IN:
        there = EvaluatorSource(name=name, path=name, live=_elsewhere)
        spec = make_spec(space_of(file), there, 1, options)
        return replace(spec, evaluator=replace(spec.evaluator, bundle=bundle))
    source = EvaluatorSource.of(evaluator_of(file))
    spec = make_spec(space_of(file), source, 1, options)
    return replace(spec, evaluator=reference_for_others(spec, source, store))


def _elsewhere(architecture: Architecture, trial: Trial, /) -> NoReturn:
    """Stands for an evaluator whose code masters do not import."""
    raise EvaluatorError("the evaluator is at the workers")
