"""One execution of a workflow in memory: which jobs begin, and when it is over. No I/O.

Whoever drives it feeds it what happened and carries out the commands that come back. Retries of an
attempt are not seen here: a job fails when it is tried no more.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from morphml.errors import WorkflowError
from morphml.optimizers.events import JSON
from morphml.workflow import execution_life, job_life
from morphml.workflow.execution_life import ExecutionEvent, ExecutionLife, ExecutionState
from morphml.workflow.job import Job, Outputs
from morphml.workflow.job_life import JobEvent, JobState
from morphml.workflow.node import Node, count_part, divide, end_of_parts, new_node
from morphml.workflow.references import Reference, filled
from morphml.workflow.release import FailIt, Run, RunParts, SkipIt, Tally, decide, share_of
from morphml.workflow.workflow import Workflow


@dataclass(frozen=True, slots=True, kw_only=True)
class StartJob:
    """Make a task for the job."""

    #: The job, or a part of it such as ``train[3]``.
    id: str
    job: Job
    #: Its config with every reference replaced.
    config: Mapping[str, JSON]


@dataclass(frozen=True, slots=True, kw_only=True)
class StopJob:
    """Cancel the job's task; nothing is told of it any more."""

    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndExecution:
    """The execution is over."""

    state: ExecutionState
    #: Why it failed or was cancelled; empty otherwise.
    reason: str


Command: TypeAlias = StartJob | StopJob | EndExecution


class ExecutionMachine:
    """An execution.

    Args:
        workflow: what is executed.
        id: name of the execution.
    """

    def __init__(self, workflow: Workflow, id: str) -> None:
        self.workflow = workflow
        self.life = ExecutionLife(id=id)
        #: The jobs by id, in the order of the workflow; parts of fan-outs are below theirs.
        self.nodes = {job.id: new_node(job) for job in workflow.jobs}
        self._active: dict[str, Node] = {}
        #: (-priority, when it became ready, node) of those that may begin; ended ones among them.
        self._ready: list[tuple[int, int, Node]] = []
        self._turn = 0
        self._unended = len(self.nodes)
        self._commands: list[Command] = []

    @classmethod
    def restored(
        cls, workflow: Workflow, life: ExecutionLife, nodes: Mapping[str, Node]
    ) -> ExecutionMachine:
        """An execution as it was stored.

        Args:
            workflow: what is executed.
            life: of the execution.
            nodes: by id, in the order of the workflow; those that are ready begin in the order of
                their priority, then of the workflow.
        """
        machine = cls(workflow, life.id)
        machine.life = life
        machine.nodes = dict(nodes)
        machine._unended = sum(not node.life.state.ended for node in nodes.values())
        for node in nodes.values():
            for each in (node, *node.parts):
                if each.life.state is JobState.ACTIVE:
                    machine._active[each.life.id] = each
                elif each.life.state is JobState.READY:
                    machine._queue(each)
        return machine

    @property
    def unfinished(self) -> int:
        """Jobs that have not ended, parts not counted."""
        return self._unended

    @property
    def active(self) -> int:
        """Jobs and parts that have a task."""
        return len(self._active)

    # --- what the driver calls -------------------------------------------------------------------

    def begin(self) -> tuple[Command, ...]:
        """Start what waits for nothing. Called once, first."""
        self._settle([node for node in self.nodes.values() if not node.job.depends_on])
        return self._drained()

    def succeeded(self, id: str, outputs: Outputs) -> tuple[Command, ...]:
        """The task of job ``id`` succeeded; its outputs can be seen from now on.

        Raises:
            WorkflowError: when no such job has a task.
        """
        node = self._taken(id)
        node.outputs = outputs
        self._end([(node, job_life.Succeed())])
        return self._drained()

    def failed(self, id: str, reason: str) -> tuple[Command, ...]:
        """The task of job ``id`` failed and is not tried again.

        Raises:
            WorkflowError: when no such job has a task.
        """
        self._end([(self._taken(id), job_life.Fail(reason=reason))])
        return self._drained()

    def pause(self) -> tuple[Command, ...]:
        """Begin no job any more until ``resume``; those that run may end."""
        self._live(execution_life.PauseExecution())
        return self._drained()

    def resume(self) -> tuple[Command, ...]:
        """Go on after ``pause``."""
        self._live(execution_life.ResumeExecution())
        return self._drained()

    def cancel(self, reason: str) -> tuple[Command, ...]:
        """Stop what runs and begin nothing any more."""
        self._live(execution_life.CancelExecution(reason=reason))
        self._commands += [StopJob(id=id) for id in self._active]
        self._give_up(reason, {JobState.WAITING, JobState.READY, JobState.ACTIVE})
        self._commands.append(EndExecution(state=self.life.state, reason=reason))
        return self._drained()

    def run_again(self, jobs: Iterable[str] = ()) -> tuple[Command, ...]:
        """Run these jobs again, all that depends on them, and whatever was cancelled.

        Of a job in parts only those run again that did not succeed, as long as nothing before it
        does; without any job named, all that failed run again. Whatever else succeeded is kept.

        Raises:
            WorkflowError: when a job is not known, has not ended, or there is nothing to run.
            IllegalTransition: while the execution fails.
        """
        roots = self._roots_of_another_run(tuple(jobs))
        later = self.workflow.descendants(roots)
        again = [node for id, node in self.nodes.items() if id in later or id in roots]
        busy = [n.life.id for n in again if n.life.state in _UNDER_WAY or _waits(n, roots - later)]
        if busy:
            raise WorkflowError(
                f"execution {self.life.id}: {', '.join(busy)} must end first; wait, or cancel it"
            )
        self._live(execution_life.TakeUp())
        resumed = [n for n in again if n.life.id not in later and _has_good_parts(n)]
        for node in again:
            self._reset(node, keep_parts=node in resumed)
        for node in again:
            node.tally = self._count_parents(node)
        settled = [n for n in again if not n.tally.waiting_for and n not in resumed]
        self._settle(settled)
        for node in resumed:
            self._resume_parts(node)
        return self._drained()

    # --- how one end leads to the next -----------------------------------------------------------

    def _settle(self, nodes: Iterable[Node]) -> None:
        """Decide about jobs that wait for nothing."""
        for node in nodes:
            given_up = node.life.state is not JobState.WAITING  # as one before it failed
            event = None if given_up else self._verdict(node)
            if event is not None:
                self._end([(node, event)])

    def _verdict(self, node: Node) -> JobEvent | None:
        """Let the job begin, or return how it ends at once."""
        node.barred = node.tally.barred > 0
        match decide(node.job, node.tally, lambda each: self._value(each, node)):
            case Run():
                self._make_ready(node)
                return None
            case RunParts(items=items):
                divide(node, items)
                for part in node.parts:
                    self._make_ready(part)
                return None if items else end_of_parts(node)
            case SkipIt(reason=reason):
                return job_life.Skip(reason=reason)
            case FailIt(reason=reason):
                return job_life.Fail(reason=reason)

    def _end(self, ends: list[tuple[Node, JobEvent]]) -> None:
        """End jobs and all that ends by that; by a list, so that a long chain needs no stack."""
        while ends:
            node, event = ends.pop()
            if node.life.state.ended:
                continue  # given up meanwhile, as another one failed
            self._active.pop(node.life.id, None)
            node.apply(event)
            if node.life.state is JobState.FAILED and node.must_not_fail:
                reason = f"job {node.life.id} failed: {node.life.reason}"
                self._live(execution_life.JobBroke(reason=reason))
                self._give_up("another job failed", {JobState.WAITING, JobState.READY})
            if node.whole is None:
                self._unended -= 1
                ends += self._count_down(node)
            elif (following := count_part(node)) is not None:
                ends.append((node.whole, following))

    def _count_down(self, parent: Node) -> list[tuple[Node, JobEvent]]:
        """Tell those that wait for ``parent``; which of them end at once."""
        share = share_of(parent.job, parent.life.state, barred=parent.barred)
        ends = []
        for id in self.workflow.children[parent.life.id]:
            child = self.nodes[id]
            child.tally += share
            if child.life.state is JobState.WAITING and not child.tally.waiting_for:
                event = self._verdict(child)
                if event is not None:
                    ends.append((child, event))
        return ends

    def _give_up(self, reason: str, states: set[JobState]) -> None:
        """Cancel all jobs and parts that are in one of ``states``."""
        for node in self.nodes.values():
            for each in (*node.parts, node):
                if each.life.state not in states:
                    continue
                self._active.pop(each.life.id, None)
                each.apply(job_life.Cancel(reason=reason))
                if each.whole is None:
                    self._unended -= 1
                elif (following := count_part(each)) is not None:
                    node.apply(following)
                    self._unended -= 1
        self._ready.clear()

    # --- running again ---------------------------------------------------------------------------

    def _roots_of_another_run(self, named: Sequence[str]) -> set[str]:
        unknown = [id for id in named if id not in self.nodes]
        if unknown:
            raise WorkflowError(
                f"execution {self.life.id} has no job {unknown[0]!r}; "
                f"it has {', '.join(list(self.nodes)[:30])}"
            )
        wanted = {JobState.CANCELLED} if named else {JobState.CANCELLED, JobState.FAILED}
        roots = {id for id, node in self.nodes.items() if node.life.state in wanted}
        if not roots.union(named):
            raise WorkflowError(
                f"execution {self.life.id} is {self.life.state} and none of its jobs failed; "
                "name the job to run again"
            )
        return roots.union(named)

    def _reset(self, node: Node, *, keep_parts: bool) -> None:
        if node.life.state.ended:
            node.apply(job_life.RunAgain())
            self._unended += 1
        node.outputs = {}
        node.barred = False
        if not keep_parts:
            node.parts = ()

    def _count_parents(self, node: Node) -> Tally:
        tally = Tally(waiting_for=len(node.job.depends_on))
        for id in node.job.depends_on:
            parent = self.nodes[id]
            if parent.life.state.ended:
                tally += share_of(parent.job, parent.life.state, barred=parent.barred)
        return tally

    def _resume_parts(self, node: Node) -> None:
        """Go on with a job in parts: those that succeeded are kept."""
        node.apply(job_life.FanOut())
        open_parts = [part for part in node.parts if part.life.state is not JobState.SUCCEEDED]
        node.tally = Tally(waiting_for=len(open_parts), passed=len(node.parts) - len(open_parts))
        for part in open_parts:
            part.apply(job_life.RunAgain())
            self._make_ready(part)

    # --- small things ----------------------------------------------------------------------------

    def _live(self, event: ExecutionEvent) -> None:
        self.life = execution_life.step(self.life, event)

    def _taken(self, id: str) -> Node:
        node = self._active.get(id)
        if node is None:
            raise WorkflowError(f"execution {self.life.id}: job {id!r} has no task")
        return node

    def _make_ready(self, node: Node) -> None:
        node.apply(job_life.Release())
        self._queue(node)

    def _queue(self, node: Node) -> None:
        self._turn += 1
        heapq.heappush(self._ready, (-node.job.priority, self._turn, node))

    def _drained(self) -> tuple[Command, ...]:
        """Start what has room, end what is over, and hand out the commands."""
        room = self.workflow.parallelism or len(self._ready) + len(self._active)
        running = self.life.state is ExecutionState.RUNNING
        while running and self._ready and len(self._active) < room:
            _, _, node = heapq.heappop(self._ready)
            node.apply(job_life.Enqueue())
            self._active[node.life.id] = node
            self._commands.append(self._start(node))
        if not self._unended and not self.life.state.ended:
            self._finish()
        commands, self._commands = tuple(self._commands), []
        return commands

    def _start(self, node: Node) -> StartJob:
        config = {
            name: filled(value, lambda each: self._value(each, node))
            for name, value in node.job.config.items()
        }
        return StartJob(id=node.life.id, job=node.job, config=config)

    def _finish(self) -> None:
        for node in self.nodes.values():
            if node.life.state is JobState.FAILED and node.must_not_fail:
                # Others were run again after it failed, and not this one.
                reason = f"job {node.life.id} failed: {node.life.reason}"
                self._live(execution_life.JobBroke(reason=reason))
                break
        self._live(execution_life.AllEnded())
        self._commands.append(EndExecution(state=self.life.state, reason=self.life.reason))

    def _value(self, reference: Reference, node: Node) -> JSON:
        """What a reference in the config or condition of ``node`` stands for."""
        match reference.source:
            case "execution":
                return self.life.id
            case "item":
                return reference.within(node.item)
            case "index":
                return node.index
            case source:
                return reference.within(dict(self.nodes[source].outputs))


_UNDER_WAY = (JobState.READY, JobState.ACTIVE, JobState.FANNED_OUT)


def _waits(node: Node, named: set[str]) -> bool:
    """Whether it was asked for by name and has not begun yet."""
    return node.life.state is JobState.WAITING and node.life.id in named


def _has_good_parts(node: Node) -> bool:
    """Whether some of its parts succeeded and some did not."""
    states = {part.life.state for part in node.parts}
    return JobState.SUCCEEDED in states and len(states) > 1
