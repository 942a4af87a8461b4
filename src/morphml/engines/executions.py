"""What all attempts of an execution share: nothing but a folder."""

from __future__ import annotations

from pathlib import Path

from morphml.engines.port import Context
from morphml.evaluation.metrics import MetricRules
from morphml.evaluation.source import EvaluatorSource
from morphml.jobs import JOBS, NoMembers


def execution_context(scratch: Path) -> Context:
    """The context to prepare an engine with for an execution, under the execution's id.

    Args:
        scratch: the execution's folder; files of its jobs lie below ``artifacts/`` in it.
    """
    return Context(
        space=NoMembers(),
        evaluator=EvaluatorSource(name=JOBS, path=JOBS),
        rules=MetricRules(required=()),
        scratch=scratch,
    )
