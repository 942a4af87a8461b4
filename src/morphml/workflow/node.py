"""A job in an execution, with its parts where it runs once for each item of a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from morphml.optimizers.events import JSON
from morphml.workflow import job_life
from morphml.workflow.job import Job, OnFailure, Outputs
from morphml.workflow.job_life import JobEvent, JobLife, JobState
from morphml.workflow.release import Tally


@dataclass(slots=True, kw_only=True)
class Node:
    """A job, or a part of one, in an execution."""

    job: Job
    life: JobLife
    #: How its parents ended; once it has parts, how those did.
    tally: Tally
    #: What it put out; empty until it has succeeded.
    outputs: Outputs = field(default_factory=dict)
    #: Its parts, in the order of their items.
    parts: tuple[Node, ...] = ()
    #: Parents kept it from running.
    barred: bool = False
    #: Of a part: the job that it belongs to, its position, and what it was made for.
    whole: Node | None = None
    index: int = 0
    item: JSON = None

    def apply(self, event: JobEvent) -> None:
        """Go on to the state that follows ``event``.

        Raises:
            IllegalTransition: the table does not know the event in this state.
        """
        self.life = job_life.step(self.life, event)

    @property
    def must_not_fail(self) -> bool:
        """Whether its failure is that of the execution."""
        return self.job.on_failure is OnFailure.FAIL


def new_node(job: Job) -> Node:
    """``job`` as it stands before anything has happened."""
    return Node(job=job, life=JobLife(id=job.id), tally=Tally(waiting_for=len(job.depends_on)))


def divide(whole: Node, items: Sequence[JSON]) -> None:
    """Give ``whole`` a part for each item; the parts wait for nothing."""
    whole.apply(job_life.FanOut())
    whole.tally = Tally(waiting_for=len(items))
    whole.parts = tuple(
        Node(
            job=whole.job,
            life=JobLife(id=f"{whole.job.id}[{index}]"),
            tally=Tally(waiting_for=0),
            whole=whole,
            index=index,
            item=item,
        )
        for index, item in enumerate(items)
    )


def share_of_part(job: Job, state: JobState) -> Tally:
    """What the end of a part adds to the tally of its whole."""
    lost = state is JobState.FAILED
    survived = lost and job.on_failure is OnFailure.CONTINUE
    good = state is JobState.SUCCEEDED or survived
    return Tally(waiting_for=-1, passed=int(good), barred=int(lost and not survived))


def count_part(part: Node) -> JobEvent | None:
    """Add the end of ``part`` to its whole; what that means for the whole, if it was the last."""
    whole = part.whole
    assert whole is not None
    whole.tally += share_of_part(part.job, part.life.state)
    return None if whole.tally.waiting_for else end_of_parts(whole)


def end_of_parts(whole: Node) -> JobEvent:
    """How a job ends whose parts have all ended; its outputs are lists then, in order."""
    if whole.tally.barred:
        reason = f"{whole.tally.barred} of its {len(whole.parts)} parts failed"
        return job_life.Fail(reason=reason)
    if whole.tally.passed < len(whole.parts):
        return job_life.Cancel(reason="parts of it were cancelled")
    whole.outputs = _joined([part.outputs for part in whole.parts])
    return job_life.Succeed()


def _joined(outputs: Sequence[Outputs]) -> Mapping[str, JSON]:
    """Lists by name, with None for parts that have no such output."""
    names = dict.fromkeys(name for each in outputs for name in each)
    return {name: [each.get(name) for each in outputs] for name in names}
