"""Results shared with other experiments of a store: who may, under which name, what came."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator

from morphml.errors import EvaluatorError, ExperimentError
from morphml.evaluation import EvaluatorSource
from morphml.master.options import required_metrics
from morphml.search.changes import TrialRecord
from morphml.search.experiment import ExperimentSpec, TrialState
from morphml.search.log import LogEntry, reused_bodies
from morphml.search.machine import encode_vector
from morphml.search.sharing import Sharing, TrialSource, scope_of
from morphml.storage.knowledge import Knowledge


def named_by_digest(source: EvaluatorSource, *, by_hand: bool) -> EvaluatorSource:
    """The source with its digest, without which it cannot share results.

    Args:
        source: the evaluator; one given by its path is imported.
        by_hand: whether people evaluate, so that there is no code to name.

    Raises:
        ExperimentError: with how to declare it, where there is none.
    """
    if by_hand:
        raise ExperimentError("reuse: what people tell by hand is not shared; leave reuse out")
    named = source.resolved()
    if named.digest is None:
        raise ExperimentError(
            f"reuse: nobody can tell when the evaluator {source.name} gives the same results "
            "again: its source file cannot be read, or it carries values that are not plain. "
            'Declare it: an attribute version = "1", raised whenever results would change; and '
            "where it holds data, an attribute data_digest, a text that names the data"
        )
    return named


def sharing_of(
    spec: ExperimentSpec, source: EvaluatorSource, device_class: str, knowledge: Knowledge
) -> Sharing | None:
    """How the experiment shares results in this run; None where it does not.

    Args:
        spec: what fixes the experiment.
        source: the evaluator as it is now; with other code than at the beginning nothing is shared.
        device_class: what measures, such as ``cpu`` or ``cuda``.
        knowledge: of the store.
    """
    scope = scope_of(spec, required_metrics(spec), device_class)
    if scope is None:
        return None
    if _digest_now(spec, source) != spec.evaluator.digest:
        warnings.warn(
            f"the evaluator {source.name} is not the one that experiment {spec.name!r} began with; "
            "results are not shared with other experiments in this run",
            stacklevel=2,
        )
        return None
    return Sharing(scope=scope, known=knowledge.result)


def _digest_now(spec: ExperimentSpec, source: EvaluatorSource) -> str | None:
    if spec.evaluator.bundle is not None:
        return spec.evaluator.digest  # a bundle holds the code of the beginning
    # By path, the module may have changed since; by value, somebody may have given another object.
    try:
        return source.resolved().digest
    except EvaluatorError:
        return None  # it is only on the workers' machines


def reused_trials(entries: Iterable[LogEntry]) -> Iterator[TrialRecord]:
    """The results of other experiments that a log holds, as trials numbered -1, -2, ...

    They cost nothing here: seconds and epochs are 0, and they have no hour.
    """
    for body in reused_bodies(entries):
        yield TrialRecord(
            number=body["reused"],
            state=TrialState.COMPLETED,
            vector=encode_vector(tuple(body["vector"])),
            graph_id=None,
            point_id=body["point"],
            computed=body["computed"],
            metrics=body["metrics"],
            duration_s=0.0,
            epochs=0,
            created_at=0.0,
            ended_at=None,
            reused_from=TrialSource(**body["from"]),
        )
