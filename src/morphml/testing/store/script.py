"""Driver transactions written by hand, for tests of stores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from morphml.ids import (
    AttemptToken,
    ExperimentId,
    GraphId,
    PointId,
    SessionId,
    TaskId,
    new_token,
    task_id,
)
from morphml.search.changes import (
    AttemptEnd,
    AttemptResult,
    Changes,
    CheckpointPointer,
    Driver,
    ExperimentEnd,
    Lease,
    NewTask,
    NewTrial,
    TaskThen,
    TrialUpdate,
)
from morphml.search.experiment import (
    Budget,
    EvaluatorReference,
    ExperimentSpec,
    ExperimentState,
    OptimizerReference,
    TrialState,
)
from morphml.search.log import EntryKind, LogEntry, encode_body
from morphml.search.objectives import Direction, Objective
from morphml.storage import SqlStore


def sample_spec(*, name: str = "sample", trials: int = 1_000_000) -> ExperimentSpec:
    """A spec that says nothing of interest but its name and how many numbers may be taken."""
    return ExperimentSpec(
        name=name,
        space="choice(1, 2)",
        space_digest="0" * 32,
        objectives=(Objective(name="accuracy", direction=Direction.MAX),),
        optimizer=OptimizerReference(name="random", version=1, settings={"size": 3}),
        budget=Budget(trials=trials),
        evaluator=EvaluatorReference(kind="path", reference="package.module:evaluate"),
        seed=7,
        resources={"gpu": 0.5},
        start=((1, 0.5, None),),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """A trial's task, as the script stored it."""

    number: int
    task: TaskId
    #: Meaningless where the task was stored pending.
    token: AttemptToken


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """How new trials are to be stored."""

    #: Leased to the script's session in the same transaction, or pending.
    leased: bool = True
    rank: float = 0.0
    ready_at: float = 0.0
    requirements: Mapping[str, float] = field(default_factory=dict)
    to_epoch: int = 3


class DriverScript:
    """A driver without a search: takes an experiment over and writes what a test wants.

    Args:
        store: where the experiment is.
        experiment: is taken over at once.
        session: who drives.
    """

    def __init__(self, store: SqlStore, experiment: ExperimentId, session: SessionId) -> None:
        self.store = store
        self.right: Driver = store.acquire_driver(experiment, session)
        self.number = self.right.next_number
        self.seq = self.right.seq

    def ask(self, count: int = 1, how: Ask | None = None) -> list[Handed]:
        """Store so many new trials in one transaction."""
        changes, handed = self.asking(count, how or Ask())
        self.commit(changes)
        return handed

    def asking(self, count: int, how: Ask) -> tuple[Changes, list[Handed]]:
        """The transaction that ``ask`` would write; nothing is stored or counted."""
        experiment = self.right.experiment
        handed = [
            Handed(number=n, task=task_id(experiment, n, 0), token=new_token())
            for n in range(self.number, self.number + count)
        ]
        changes = Changes(
            trials=tuple(sample_trial(one.number) for one in handed),
            tasks=tuple(self._task(one, how) for one in handed),
            entries=tuple(
                LogEntry(seq, EntryKind.ASKED, one.number, encode_body({"vector": [one.number]}))
                for seq, one in enumerate(handed, start=self.seq + 1)
            ),
        )
        return changes, handed

    def tell(self, handed: Handed, accuracy: float = 0.5) -> None:
        """Store a trial's success."""
        self.commit(self.telling(handed, accuracy))

    def telling(self, handed: Handed, accuracy: float = 0.5) -> Changes:
        """The transaction that ``tell`` would write."""
        metrics = encode_body({"accuracy": accuracy})
        return Changes(
            ended=(ended(handed),),
            updates=(
                TrialUpdate(
                    number=handed.number,
                    state=TrialState.COMPLETED,
                    metrics=metrics,
                    duration_s=1.5,
                    epochs=3,
                ),
            ),
            entries=(self.entry(EntryKind.TOLD, handed.number),),
        )

    def retry(self, handed: Handed, ready_at: float = 0.0) -> None:
        """Store a failed attempt whose task is to be tried again."""
        failure = encode_body({"kind": "crash", "message": "gone"})
        end = replace(
            ended(handed, AttemptResult.FAILED, TaskThen.RETRY), failure=failure, ready_at=ready_at
        )
        self.commit(Changes(ended=(end,)))

    def pause(self, handed: Handed) -> None:
        """Store a paused attempt."""
        self.commit(
            Changes(
                ended=(ended(handed, AttemptResult.PAUSED, TaskThen.PAUSED),),
                updates=(TrialUpdate(number=handed.number, state=TrialState.PAUSED, epochs=1),),
                entries=(self.entry(EntryKind.PAUSED, handed.number),),
            )
        )

    def promote(self, handed: Handed, segment: int) -> None:
        """Store the next segment of a paused trial, pending."""
        task = NewTask(
            id=task_id(self.right.experiment, handed.number, segment),
            number=handed.number,
            segment=segment,
            from_epoch=1,
            to_epoch=9,
            rank=0.0,
            ready_at=0.0,
        )
        self.commit(
            Changes(
                tasks=(task,),
                updates=(TrialUpdate(number=handed.number, state=TrialState.PENDING, epochs=1),),
                entries=(self.entry(EntryKind.PROMOTED, handed.number),),
            )
        )

    def cancel(self, handed: Handed) -> None:
        """Store that a trial was taken back, whatever its attempt does."""
        self.commit(
            Changes(
                updates=(TrialUpdate(number=handed.number, state=TrialState.CANCELLED),),
                entries=(self.entry(EntryKind.CANCELLED, handed.number),),
            )
        )

    def checkpoint(self, handed: Handed, step: int) -> CheckpointPointer:
        """Store the pointer to a checkpoint."""
        pointer = CheckpointPointer(
            token=handed.token,
            number=handed.number,
            step=step,
            key=f"checkpoints/{handed.number}-{step}.pt",
            digest="d" * 32,
            size=1_000 + step,
        )
        self.commit(Changes(checkpoints=(pointer,)))
        return pointer

    def finish(self, state: ExperimentState, reason: str = "") -> None:
        """Store the end of the experiment, or of this run."""
        self.commit(Changes(end=ExperimentEnd(state=state, reason=reason)))

    def entry(self, kind: EntryKind, number: int) -> LogEntry:
        """The next log entry."""
        return LogEntry(self.seq + 1, kind, number, encode_body({"number": number}))

    def commit(self, changes: Changes) -> None:
        """Store ``changes`` and count what they took."""
        self.store.commit(self.right, changes)
        self.number += changes.taken
        self.seq += len(changes.entries)

    def _task(self, handed: Handed, how: Ask) -> NewTask:
        lease = Lease(token=handed.token, session=self.right.session) if how.leased else None
        return NewTask(
            id=handed.task,
            number=handed.number,
            to_epoch=how.to_epoch,
            requirements=how.requirements,
            rank=how.rank,
            ready_at=how.ready_at,
            lease=lease,
        )


def sample_trial(number: int) -> NewTrial:
    """A trial whose point is its number."""
    return NewTrial(
        number=number,
        vector=encode_vector(number),
        graph_id=GraphId(f"graph-{number % 10}"),
        point_id=PointId(f"point-{number}"),
        computed=encode_body({"params": 100 + number}),
    )


def encode_vector(number: int) -> bytes:
    """The decisions of ``sample_trial``."""
    return f"[{number},0.5,null]".encode()


def ended(
    handed: Handed,
    result: AttemptResult = AttemptResult.SUCCEEDED,
    then: TaskThen = TaskThen.GONE,
) -> AttemptEnd:
    """The end of a trial's live attempt."""
    return AttemptEnd(
        token=handed.token,
        task=handed.task,
        number=handed.number,
        result=result,
        then=then,
        worker="worker-1",
        started_at=1_000.0,
        duration_s=1.5,
    )
