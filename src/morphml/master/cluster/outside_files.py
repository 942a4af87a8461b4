"""Files and output of attempts that workers run over REST, as masters keep those of their own.

What a job puts out lies under the digest of its bytes, and nobody is told of it before the result
that names it is stored. A checkpoint is told to the driver, which commits it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Final

from morphml.engines.port import Checkpointed
from morphml.engines.remote.hub.files import Arriving
from morphml.engines.remote.messages import AttemptName
from morphml.errors import CallerError
from morphml.evaluation.checkpoint import file_name, step_of
from morphml.ids import ExecutionId, ExperimentId, SessionId, TaskId, digest, is_execution
from morphml.jobs import Artifact, ArtifactFolder, artifacts_in
from morphml.master.artifacts import RunArtifacts, find_checkpoint, refusals_told
from morphml.master.cluster.exchange import CheckpointExchange, folder_name
from morphml.master.cluster.fence import Fence
from morphml.master.cluster.mails import mail_of
from morphml.master.flights import Flight
from morphml.optimizers.events import JSON
from morphml.search.changes import CheckpointPointer
from morphml.storage import SqlStore
from morphml.storage.hints import HintTopic

#: Experiments whose output is written at the same time, as far as their sizes are kept in mind.
MOST_KNOWN = 100
#: Checkpoints of one attempt that are kept, as a child process of ours keeps them.
KEPT: Final = 2
_NO_TASK = TaskId("")


class OutsideFiles:
    """Serves attempts of workers that come over REST; may be used from several threads.

    Every method that takes a worker's id raises ``UnknownWorker`` when it is not there, and
    ``TokenRefused`` when the attempt is not its any more; all raise ``StoreUnavailable`` when the
    store cannot be asked or the disk refuses.

    Args:
        store: the truth.
        fence: knows whose an attempt is.
        folder: of the files of all experiments and executions that lie here.
    """

    def __init__(self, store: SqlStore, fence: Fence, folder: Path) -> None:
        self._store = store
        self._fence = fence
        self._folder = folder
        self._outputs: dict[ExperimentId, RunArtifacts] = {}

    @cached_property
    def _exchange(self) -> CheckpointExchange:
        """The store as a place for files; the folder is named when the first file comes or goes."""
        # This process is no master: every one that shares its folder is none of the others.
        return CheckpointExchange(self._store, SessionId(""), folder_name(self._folder))

    def log(
        self,
        id_: str,
        attempt: AttemptName,
        pieces: Sequence[tuple[str, str]],
        incarnation: int | None = None,
    ) -> None:
        """Keep what an attempt wrote, up to the limit of its job or trial.

        Args:
            id_: of the worker.
            attempt: that wrote it.
            pieces: stream and text, in order.
            incarnation: of the worker.
        """
        self._fence.check(id_, attempt, incarnation)
        if is_execution(attempt.owner):
            execution = ExecutionId(attempt.owner)
            self._store.workflows.write_output(execution, {attempt.number: pieces})
            return
        flight = Flight(attempt.token, _NO_TASK, attempt.number, attempt.segment, 0)
        artifacts = self._output_of(attempt.owner)
        for stream, text in pieces:
            artifacts.append_output(flight, stream, text)

    def ended(self, attempt: AttemptName) -> None:
        """Nothing more is written for it."""
        if (artifacts := self._outputs.get(attempt.owner)) is not None:
            artifacts.forget_output(attempt.number)

    # --- files of jobs ---------------------------------------------------------------------------

    def input(self, id_: str, attempt: AttemptName, name: str) -> tuple[Artifact, Path] | None:
        """A file of an earlier job, and where it lies.

        Args:
            id_: of the worker.
            attempt: whose config refers to it.
            name: digest of its bytes.

        Returns:
            None where the config refers to no such file, or it is not to be had.
        """
        self._fence.check(id_, attempt)
        if not is_execution(attempt.owner):
            return None
        call = self._store.workflows.running.call(ExecutionId(attempt.owner), attempt.number)
        meant = () if call is None else artifacts_in(call.config)
        artifact = next((each for each in meant if each.digest == name), None)
        if artifact is None:
            return None
        folder = self._artifacts(attempt.owner)
        path = folder.path(artifact)
        with refusals_told(path):
            return (
                (artifact, path) if folder.has(artifact) or self._fetched(artifact, path) else None
            )

    def arriving(self, id_: str, attempt: AttemptName, most: int) -> Arriving:
        """A file of an attempt that begins to come; whoever asked for it drops or keeps it."""
        self._fence.check(id_, attempt)
        folder = self._folder / attempt.owner
        with refusals_told(folder):
            return Arriving(folder, most)

    def keep_output(self, attempt: AttemptName, name: str, file: Arriving) -> Artifact:
        """Put what a job puts out in its place; the reference for the job's outputs.

        Raises:
            CallerError: when the attempt is at no job.
            WorkflowError: when the name has another form.
        """
        if not is_execution(attempt.owner):
            raise CallerError("a trial puts out no files: send a checkpoint, or metrics")
        artifact = Artifact(digest=file.digest, name=name, size=file.size)
        path = self._artifacts(attempt.owner).path(artifact)
        with refusals_told(path):
            file.put(path)
        self._exchange.put(artifact.digest, path)
        return artifact

    def check_outputs(self, attempt: AttemptName, outputs: JSON) -> None:
        """Let outputs pass that name only files that are to be had.

        Raises:
            CallerError: when one is not.
            WorkflowError: when a reference has another form.
        """
        folder = self._artifacts(attempt.owner)
        for artifact in artifacts_in(outputs):
            if not folder.has(artifact) and not self._store.bundles.has(artifact.digest):
                raise CallerError(
                    f"the outputs name the file {artifact.name} ({artifact.digest}, "
                    f"{artifact.size} bytes), which is not here: put it first, and use the "
                    "reference that is answered"
                )

    # --- checkpoints of trials -------------------------------------------------------------------

    def keep_checkpoint(
        self, id_: str, attempt: AttemptName, step: int, file: Arriving
    ) -> CheckpointPointer:
        """Put a checkpoint in its place, and tell the driver.

        Args:
            id_: of the worker.
            attempt: that made it.
            step: epochs done.
            file: complete.

        Raises:
            CallerError: when the attempt is at no trial.
        """
        if is_execution(attempt.owner):
            raise CallerError("a job has no checkpoints: put files out")
        session = self._fence.check(id_, attempt)
        home = self._folder / attempt.owner
        path = (
            home / "checkpoints" / file_name(attempt.number, step, digest(attempt.token.encode()))
        )
        with refusals_told(path):
            file.put(path)
        self._exchange.put(file.digest, path)
        event = Checkpointed(token=attempt.token, step=step, path=path, digest=file.digest)
        mail = mail_of(attempt, event, home)
        assert mail is not None, "a driver is told of checkpoints"
        self._fence.judge(id_, attempt, self._store.cluster.mail.post(session, [mail]))
        self._store.hints.send(HintTopic.MAIL)
        _drop_older(path)
        key = path.relative_to(home).as_posix()
        return CheckpointPointer(
            token=attempt.token,
            number=attempt.number,
            step=step,
            key=key,
            digest=file.digest,
            size=file.size,
        )

    def checkpoint(self, id_: str, attempt: AttemptName) -> tuple[CheckpointPointer, Path] | None:
        """The newest checkpoint of an attempt's trial, and where it lies; None without one."""
        self._fence.check(id_, attempt)
        if is_execution(attempt.owner):
            return None
        pointer = self._store.leases.checkpoint(attempt.owner, attempt.number)
        path = None if pointer is None else self.find(attempt.owner, pointer)
        return None if pointer is None or path is None else (pointer, path)

    def find(self, experiment: ExperimentId, pointer: CheckpointPointer) -> Path | None:
        """Where a checkpoint lies, fetched if need be; None where it is lost."""
        return find_checkpoint(self._folder / experiment, self._exchange, pointer)

    # --- places ----------------------------------------------------------------------------------

    def _artifacts(self, execution: ExperimentId) -> ArtifactFolder:
        return ArtifactFolder(self._folder / execution)

    def _fetched(self, artifact: Artifact, path: Path) -> bool:
        return self._exchange.get(artifact.digest, path)

    def _output_of(self, experiment: ExperimentId) -> RunArtifacts:
        found = self._outputs.get(experiment)
        if found is None:
            found = self._outputs[experiment] = RunArtifacts(self._folder / experiment)
            for known in list(self._outputs)[:-MOST_KNOWN]:
                self._outputs.pop(known, None)
        return found


def _drop_older(path: Path) -> None:
    """Keep the newest checkpoints of one attempt: a trial goes on from the last."""
    number, _, attempt = path.stem.split("-")
    own = sorted(path.parent.glob(f"{number}-*-{attempt}.pt"), key=step_of)
    for old in own[:-KEPT]:
        old.unlink(missing_ok=True)
