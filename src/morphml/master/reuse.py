"""Whether an experiment shares results with others of its store, and under which name."""

from __future__ import annotations

import warnings

from morphml.errors import ExperimentError
from morphml.evaluation import EvaluatorSource
from morphml.master.options import required_metrics
from morphml.search.experiment import ExperimentSpec
from morphml.search.sharing import Sharing, scope_of
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
    # Code by value is the code of the beginning: its file is checked when it is recalled.
    now = source.resolved().digest if spec.evaluator.kind == "path" else source.digest
    if now not in (None, spec.evaluator.digest):
        warnings.warn(
            f"the evaluator {source.name} is not the one that experiment {spec.name!r} began with; "
            "results are not shared with other experiments in this run",
            stacklevel=2,
        )
        return None
    return Sharing(scope=scope, known=knowledge.result)
