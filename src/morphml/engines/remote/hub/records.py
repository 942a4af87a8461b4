"""What a hub asks of the master that it belongs to."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from morphml.engines.port import EngineEvent
from morphml.engines.remote.messages import AttemptName, ContextMessage
from morphml.ids import AttemptToken, ExperimentId
from morphml.jobs import Artifact, ArtifactFolder


class Records(Protocol):
    """The store, as far as workers are concerned. Calls may wait; they come from several threads.

    What raises is tried again a second later, for as long as the worker is there.
    """

    def adopt(self, attempts: Sequence[AttemptName]) -> Collection[AttemptToken]:
        """Make these attempts this master's own; those for which that worked."""
        ...

    def ended(self, attempts: Sequence[AttemptName]) -> Collection[AttemptToken]:
        """Those whose end is stored already: their worker may forget them."""
        ...

    def context(self, experiment: ExperimentId) -> ContextMessage | None:
        """What attempts of the experiment share; None where it is not known (any more).

        Raises:
            EvaluatorError: when its evaluator cannot travel.
        """
        ...

    def elsewhere(
        self, experiment: ExperimentId, events: Sequence[EngineEvent], attempt: AttemptName
    ) -> None:
        """Pass on what happened to an attempt whose experiment has no lane here.

        An end is kept until ``Hub.acknowledge`` or ``Hub.kill`` is called for it. It may be told
        again, after a lane came and went.
        """
        ...

    def checkpoint_path(self, attempt: AttemptName, step: int) -> Path:
        """Where the uploaded checkpoint of this attempt goes. Its folder is made by the hub."""
        ...

    def artifacts(self, execution: ExperimentId) -> ArtifactFolder:
        """The files that jobs of the execution put out, as far as they lie here."""
        ...

    def share_artifact(self, execution: ExperimentId, artifact: Artifact) -> None:
        """A file of a job lies here: let masters have it that do not see this folder.

        Raises:
            StoreUnavailable: when the store cannot be asked; the file is offered again.
        """
        ...

    def fetch_artifact(self, execution: ExperimentId, artifact: Artifact) -> bool:
        """Bring a file here that a job at another master put out; False where there is none.

        Raises:
            StoreUnavailable: when the store cannot be asked.
            OSError: when it cannot be written.
        """
        ...

    def bundle(self, digest: str) -> Iterator[bytes] | None:
        """The source bundle of that digest in pieces, or None."""
        ...
