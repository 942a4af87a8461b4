"""What the hub asks of this master: who holds an attempt, what an experiment is, where files go."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

from morphml.engines.port import EngineEvent
from morphml.engines.remote.executions import execution_message
from morphml.engines.remote.messages import AttemptName, ContextMessage
from morphml.errors import MorphError, StoreUnavailable
from morphml.evaluation.checkpoint import file_name
from morphml.ids import AttemptToken, ExecutionId, ExperimentId, digest, is_execution
from morphml.jobs import Artifact, ArtifactFolder
from morphml.master.cluster.contexts import Contexts
from morphml.master.cluster.post import OutgoingMail
from morphml.master.session import MasterLife
from morphml.master.workflows.desk import JobDesk
from morphml.storage import SqlStore

log = logging.getLogger(__name__)


class StoreRecords:
    """Answers from the store. Each call may take as long as the store does.

    Args:
        store: the truth.
        life: of this master; adopted attempts are held by its session.
        contexts: of the experiments.
        mail: takes events of attempts that are driven elsewhere.
        desk: takes events of attempts at jobs.
    """

    def __init__(
        self,
        store: SqlStore,
        life: MasterLife,
        contexts: Contexts,
        mail: OutgoingMail,
        desk: JobDesk,
    ) -> None:
        self._store = store
        self._life = life
        self._contexts = contexts
        self._mail = mail
        self._desk = desk

    def adopt(self, attempts: Sequence[AttemptName]) -> list[AttemptToken]:
        """The attempts that this master holds from now on; the others are to be killed.

        Raises:
            StorageError: when the store cannot be asked; nobody is to be killed for that.
        """
        return self._store.leases.adopt_all(self._life.session, attempts)

    def ended(self, attempts: Sequence[AttemptName]) -> list[AttemptToken]:
        """The attempts whose end is stored already.

        Raises:
            StorageError: when the store cannot be asked.
        """
        return self._store.leases.ended(attempts)

    def context(self, experiment: ExperimentId) -> ContextMessage | None:
        """What attempts of the experiment share; None where there is none that can travel."""
        try:
            if is_execution(experiment):
                found = self._store.workflows.reading.execution(ExecutionId(experiment))
                return execution_message(experiment, found.workflow.source)
            return self._contexts.of(experiment).message
        except StoreUnavailable:
            raise
        except MorphError as error:
            log.warning("%s: workers cannot be told of it: %s", experiment, error)
            return None

    def elsewhere(
        self, experiment: ExperimentId, events: Sequence[EngineEvent], attempt: AttemptName
    ) -> None:
        """Tell the driver of the experiment, wherever it is, what happened to an attempt."""
        if is_execution(experiment):
            self._desk.put(attempt, events)
        else:
            self._mail.put(attempt, events)

    def checkpoint_path(self, attempt: AttemptName, step: int) -> Path:
        """Where a checkpoint goes that a worker uploads: named by us, by nothing that it says."""
        folder = self._contexts.folder(attempt.owner) / "checkpoints"
        return folder / file_name(attempt.number, step, digest(attempt.token.encode()))

    def artifacts(self, execution: ExperimentId) -> ArtifactFolder:
        """The files that jobs of the execution put out."""
        return ArtifactFolder(self._contexts.folder(execution))

    def share_artifact(self, execution: ExperimentId, artifact: Artifact) -> None:
        """Put a file into the store where another master has another folder.

        Raises:
            StoreUnavailable: when the store cannot be asked.
        """
        exchange = self._contexts.exchange
        if exchange is not None:
            exchange.put(artifact.digest, self.artifacts(execution).path(artifact))

    def fetch_artifact(self, execution: ExperimentId, artifact: Artifact) -> bool:
        """Bring a file here that another master has put into the store.

        Raises:
            StoreUnavailable: when the store cannot be asked.
            OSError: when it cannot be written.
        """
        exchange = self._contexts.exchange
        place = self.artifacts(execution).path(artifact)
        return exchange is not None and exchange.get(artifact.digest, place)

    def bundle(self, name: str) -> Iterator[bytes] | None:
        """The bytes of a source bundle; None where the store has none of that digest."""
        return self._store.bundles.chunks(name)
