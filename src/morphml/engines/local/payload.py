"""An experiment as bytes: the one pickle there is, made by a parent for its own children.

It goes over a private pipe between processes of the same user and is opened nowhere else. By value
travel functions of ``__main__`` and notebooks, lambdas and closures; what can be imported goes by
name.
"""

from __future__ import annotations

from typing import cast

import cloudpickle

from morphml.engines.port import Context
from morphml.errors import EvaluatorError
from morphml.evaluation.source import EvaluatorSource


def pack(context: Context) -> bytes:
    """The experiment as a pickle.

    Raises:
        EvaluatorError: when the space or the evaluator holds something that cannot travel.
    """
    source = context.evaluator
    parts = (context.space, source.path, source.live)
    rest = (context.rules, context.scratch, dict(context.settings))
    try:
        return cast("bytes", cloudpickle.dumps((*parts, *rest)))
    except Exception as error:
        raise EvaluatorError(
            f"evaluator {source.name}: it cannot be sent to a worker process: {error}. Make what "
            f"cannot travel (locks, open files, connections) in setup(context), or use workers=0"
        ) from error


def unpack(payload: bytes) -> Context:
    """The experiment that this process's parent packed."""
    space, path, live, rules, scratch, settings = cloudpickle.loads(payload)
    source = EvaluatorSource(name=path or "", path=path, live=live)
    return Context(space=space, evaluator=source, rules=rules, scratch=scratch, settings=settings)
