"""What the hub of an engine without a store may ask: everything is in memory."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import cloudpickle
import orjson

from morphml.engines.local.payload import by_value
from morphml.engines.port import Context, EngineEvent
from morphml.engines.remote.messages import AttemptName, ContextMessage
from morphml.errors import EvaluatorError
from morphml.evaluation.checkpoint import file_name
from morphml.ids import AttemptToken, ExperimentId, digest
from morphml.jobs import Artifact, ArtifactFolder
from morphml.optimizers.events import JSON


class MemoryRecords:
    """The contexts that the driver of this process has prepared. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._contexts: dict[ExperimentId, tuple[ContextMessage, Path]] = {}

    def keep(self, experiment: ExperimentId, context: Context) -> None:
        """Remember what attempts of the experiment share, in the form in which it travels.

        Raises:
            EvaluatorError: when it cannot be loaded, or holds something that cannot travel.
        """
        message = message_of(experiment, context)
        with self._lock:
            self._contexts[experiment] = message, context.scratch

    def context(self, experiment: ExperimentId) -> ContextMessage | None:
        """What was kept; None for an experiment that was not prepared."""
        with self._lock:
            found = self._contexts.get(experiment)
        return None if found is None else found[0]

    def checkpoint_path(self, attempt: AttemptName, step: int) -> Path:
        """Where a checkpoint goes that a worker uploads: named by us, by nothing that it says."""
        with self._lock:
            _, folder = self._contexts[attempt.owner]
        return (
            folder / "checkpoints" / file_name(attempt.number, step, digest(attempt.token.encode()))
        )

    def artifacts(self, execution: ExperimentId) -> ArtifactFolder:
        """The files that jobs of the execution put out."""
        with self._lock:
            return ArtifactFolder(self._contexts[execution][1])

    def share_artifact(self, execution: ExperimentId, artifact: Artifact) -> None:
        """Nothing: there is one master."""

    def fetch_artifact(self, execution: ExperimentId, artifact: Artifact) -> bool:
        """False: there is one master."""
        return False

    def adopt(self, attempts: Sequence[AttemptName]) -> Collection[AttemptToken]:
        """None: an attempt that this process does not know is nobody's any more."""
        return ()

    def ended(self, attempts: Sequence[AttemptName]) -> Collection[AttemptToken]:
        """None that the hub does not know by itself."""
        return ()

    def elsewhere(
        self, experiment: ExperimentId, events: Sequence[EngineEvent], attempt: AttemptName
    ) -> None:
        """Nobody is elsewhere."""

    def bundle(self, digest: str) -> Iterator[bytes] | None:
        """None: code goes by import path or by value."""
        return None


def message_of(experiment: ExperimentId, context: Context) -> ContextMessage:
    """An experiment as workers on a Ray cluster get it.

    The user's own code goes by value, as Ray itself sends it, from here to the nodes; what nodes
    send back is never unpickled.

    Raises:
        EvaluatorError: when it cannot be loaded, or holds something that cannot travel.
    """
    source = context.evaluator
    loaded = source.load()
    # A class with arguments is made on the node; whatever else is found by its name there.
    live, path = (None, source.path) if source.arguments else (loaded, None)
    settings: Mapping[str, JSON] = source.arguments or context.settings
    try:
        with by_value(live):
            pickled: bytes = cloudpickle.dumps((context.space, live))
    except Exception as error:
        raise EvaluatorError(
            f"evaluator {source.name}: it cannot be sent to another machine: {error}. Make what "
            "cannot travel (locks, open files, connections) in setup(context)"
        ) from error
    return ContextMessage(
        experiment=experiment,
        evaluator=path or "",
        pickle=pickled,
        required=context.rules.required,
        settings=orjson.dumps(dict(settings), option=orjson.OPT_SORT_KEYS),
    )
