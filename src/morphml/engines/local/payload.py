"""An experiment as bytes: the one pickle there is, made by a parent for its own children.

It goes over a private pipe between processes of the same user and is opened nowhere else. By value
travels what a child cannot import: functions of ``__main__`` and notebooks, lambdas, closures, and
modules that were loaded from a file outside of the import path. The rest goes by name.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import cast

import cloudpickle

from morphml.engines.port import Context
from morphml.errors import EvaluatorError
from morphml.evaluation.metrics import MetricRules
from morphml.evaluation.source import EvaluatorSource
from morphml.jobs import JOBS, NoMembers
from morphml.optimizers.events import JSON
from morphml.space import SearchSpace


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """An experiment as it came over the network; nobody but a child looks into it."""

    #: The space in its text form; empty where the pickle holds it, and for an execution.
    space: str
    #: Import path of the evaluator; empty where the pickle holds it.
    evaluator: str
    #: Pickle of (space or None, evaluator or None), where the operator allows such; else empty.
    pickle: bytes = b""
    rules: MetricRules
    scratch: Path
    #: Keyword arguments of the evaluator, where its path leads to a class.
    settings: Mapping[str, JSON]


def pack(context: Context) -> bytes:
    """The experiment as a pickle.

    Raises:
        EvaluatorError: when the space or the evaluator holds something that cannot travel.
    """
    source = context.evaluator
    parts = (context.space, source.path, source.live, dict(source.arguments))
    rest = (context.rules, context.scratch, dict(context.settings))
    try:
        with by_value(source.live):
            return cast("bytes", cloudpickle.dumps((*parts, *rest)))
    except Exception as error:
        raise EvaluatorError(
            f"evaluator {source.name}: it cannot be sent to a worker process: {error}. Make what "
            f"cannot travel (locks, open files, connections) in setup(context), or use workers=0"
        ) from error


def pack_sent(sent: Sent) -> bytes:
    """The experiment as a pickle, without a look into what was sent."""
    return cast("bytes", cloudpickle.dumps(sent))


def unpack(payload: bytes) -> Context:
    """The experiment that this process's parent packed.

    Raises:
        EvaluatorError: when what was sent over the network holds no space.
        Exception: whatever its pickle or the import of its code raises.
    """
    parts = cloudpickle.loads(payload)
    if isinstance(parts, Sent):
        return _opened(parts)
    space, path, live, arguments, rules, scratch, settings = parts
    source = EvaluatorSource(name=path or "", path=path, live=live, arguments=arguments)
    return Context(space=space, evaluator=source, rules=rules, scratch=scratch, settings=settings)


def _opened(sent: Sent) -> Context:
    space, live = cloudpickle.loads(sent.pickle) if sent.pickle else (None, None)
    if sent.space:
        space = SearchSpace.from_text(sent.space)
    path = sent.evaluator or None
    if path == JOBS:
        space = NoMembers()
    if space is None:
        raise EvaluatorError("the experiment was sent without a search space")
    source = EvaluatorSource(name=path or "", path=path, live=live, arguments=sent.settings)
    return Context(
        space=space,
        evaluator=source,
        rules=sent.rules,
        scratch=sent.scratch,
        settings=sent.settings,
    )


@contextmanager
def by_value(live: object) -> Iterator[None]:
    """Within it the evaluator's module goes by value, where other processes would not find it.

    Args:
        live: the evaluator; None where it goes by import path.
    """
    name = getattr(live, "__module__", None) or "__main__"
    module = sys.modules.get(name)
    if name == "__main__" or module is None or _importable(module):
        yield
        return
    cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        cloudpickle.unregister_pickle_by_value(module)


def _importable(module: ModuleType) -> bool:
    """Whether importing its name in a fresh process would find this very file."""
    spec = None
    path = None
    name = ""
    for part in module.__name__.split("."):
        name = f"{name}.{part}" if name else part
        finders = (finder for finder in sys.meta_path if hasattr(finder, "find_spec"))
        found = (finder.find_spec(name, path) for finder in finders)
        spec = next((candidate for candidate in found if candidate is not None), None)
        if spec is None:
            return False
        path = spec.submodule_search_locations
    return spec is not None and spec.origin == getattr(module, "__file__", spec.origin)
