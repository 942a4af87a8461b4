"""What people do to an execution: rare, so all its rows are locked and the whole machine is asked.

Rows are locked in the order of every other transaction: tasks, jobs by number, the execution.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import orjson

from morphml.errors import UnknownExecution
from morphml.ids import ExecutionId, ExperimentId
from morphml.storage.classes import ClassNames
from morphml.storage.database import Database, Row, Transaction, Value, Values, again
from morphml.storage.rows import EventRow
from morphml.storage.sessions import database_time
from morphml.storage.statements import execution_rows, job_queries, job_rows
from morphml.storage.workflows.enqueueing import SEARCH, Enqueuer, new_job
from morphml.storage.workflows.known import PARTS, KnownWorkflow, KnownWorkflows, is_part
from morphml.workflow import ExecutionMachine, ExecutionState, JobState, StartJob, StopJob
from morphml.workflow.execution_life import ExecutionLife
from morphml.workflow.job_life import JobLife
from morphml.workflow.machine import Command
from morphml.workflow.node import Node
from morphml.workflow.release import Tally

#: What is done to a machine; its commands are carried out.
Action: TypeAlias = Callable[[ExecutionMachine], Sequence[Command]]


class Steering:
    """Changes whole executions; may be used from several threads.

    Args:
        database: has them.
        classes: requirement sets that are known.
        known: workflows that are known.
        policy: name of the policy that ranks jobs.
    """

    def __init__(
        self, database: Database, classes: ClassNames, known: KnownWorkflows, policy: str
    ) -> None:
        self._database = database
        self._classes = classes
        self._known = known
        self._policy = policy

    def act(self, execution: ExecutionId, action: Action) -> list[ExperimentId]:
        """Do something to an execution as a whole.

        Returns:
            Experiments of search jobs that were active and are not any more: nobody wants them.

        Raises:
            WorkflowError, IllegalTransition: when there is none, or its state does not allow it.
        """
        return again(lambda: self._act(execution, action))

    def _act(self, execution: ExecutionId, action: Action) -> list[ExperimentId]:
        classes = self._classes.for_transaction()
        with self._database.writing() as run:
            row = run.row(execution_rows.standing_of, {"p_execution": execution})
            if row is None:
                raise unknown_execution(execution)
            known = self._known.of(run, row[0])
            change = _Change(run, execution, known, Enqueuer(classes, self._policy))
            unwanted = change.make(action)
        classes.stored()
        return unwanted


def unknown_execution(execution: str) -> UnknownExecution:
    """The error for an id that the store does not have."""
    return UnknownExecution(f"execution {execution!r}: there is none of that id; list them first")


class _Change:
    """One change of one execution.

    Args:
        run: the transaction.
        execution: which.
        known: its workflow.
        enqueuer: makes tasks.
    """

    def __init__(
        self, run: Transaction, execution: ExecutionId, known: KnownWorkflow, enqueuer: Enqueuer
    ) -> None:
        self._run = run
        self._execution = execution
        self._known = known
        self._enqueuer = enqueuer
        self._now = database_time(run)
        self._key: Values = {"p_execution": execution}
        #: Whether jobs that had ended wait again.
        self._again = False
        #: Columns of each stored job by number, and its experiment.
        self._before: dict[int, Mapping[str, Value]] = {}
        self._experiments: dict[int, str | None] = {}

    def make(self, action: Action) -> list[ExperimentId]:
        """Read, act and write."""
        machine = self._read()
        before = machine.life
        commands = action(machine)
        starts = [self._number(each.id) for each in commands if isinstance(each, StartJob)]
        stops = [self._number(each.id) for each in commands if isinstance(each, StopJob)]
        unwanted = [
            ExperimentId(name) for number in stops if (name := self._experiments.get(number))
        ]
        for number in stops:
            self._run.rows(job_rows.drop_task, {**self._key, "p_number": number})
        events = self._write_jobs(machine, set(starts))
        self._enqueue(starts)
        if machine.life.state is not before.state:
            events.append(("", machine.life.state.value, machine.life.reason))
        self._write_execution(machine, events)
        return unwanted

    # --- reading ---------------------------------------------------------------------------------

    def _read(self) -> ExecutionMachine:
        self._run.rows(job_rows.lock_tasks, self._key)
        rows = self._run.rows(job_rows.lock_jobs, self._key)
        locked = self._run.row(execution_rows.lock_execution, self._key)
        assert locked is not None, "it was read a statement ago, and rows leave after it ended"
        nodes: dict[int, Node] = {}
        ranks: dict[int, float] = {}
        for row in rows:
            number, rank = row[0], row[7]
            nodes[number] = self._node(row)
            self._experiments[number] = row[10]
            if rank is not None:
                ranks[number] = rank
        for number in sorted(number for number in nodes if is_part(number)):
            whole, part = nodes[number % PARTS], nodes[number]
            part.whole, part.index = whole, number // PARTS - 1
            whole.parts = (*whole.parts, part)
        life = ExecutionLife(id=self._execution, state=ExecutionState(locked[0]), reason=locked[1])
        wholes = {node.life.id: node for n, node in sorted(nodes.items()) if not is_part(n)}
        self._before = {number: self._columns(node) for number, node in nodes.items()}
        return ExecutionMachine.restored(self._known.workflow, life, wholes)

    def _node(self, row: Row) -> Node:
        number, state, reason, waiting_for, passed, barred, kept, _, item, outputs, _ = row
        return Node(
            job=self._known.job(number),
            life=JobLife(id=self._known.name(number), state=JobState(state), reason=reason),
            tally=Tally(waiting_for=waiting_for, passed=passed, barred=barred),
            outputs={} if outputs is None else orjson.loads(outputs),
            barred=bool(kept),
            item=None if item is None else orjson.loads(item),
        )

    # --- writing ---------------------------------------------------------------------------------

    def _columns(self, node: Node) -> Mapping[str, Value]:
        ended = node.life.state is JobState.SUCCEEDED
        return {
            "p_state": node.life.state.value,
            "p_reason": node.life.reason,
            "p_waiting_for": node.tally.waiting_for,
            "p_passed": node.tally.passed,
            "p_barred": node.tally.barred,
            "p_kept": int(node.barred),
            "p_outputs": orjson.dumps(dict(node.outputs)).decode() if ended else None,
        }

    def _write_jobs(
        self, machine: ExecutionMachine, starts: set[int]
    ) -> list[tuple[str, str, str]]:
        """Write what has changed; what happened, for people."""
        nodes = {
            self._number(each.life.id): each
            for node in machine.nodes.values()
            for each in (node, *node.parts)
        }
        for number in self._before.keys() - nodes.keys():
            self._run.rows(job_rows.drop_part, {**self._key, "p_number": number})
        changed, events = [], []
        for number, node in sorted(nodes.items()):
            columns, before = self._columns(node), self._before.get(number)
            if columns == before and number not in starts:
                continue
            if before is None:
                self._add_part(number, node)
            elif JobState(str(before["p_state"])).ended and not node.life.state.ended:
                self._again = True
            changed.append({**self._key, "p_number": number, **self._rest(number, node, columns)})
            if before is None or columns["p_state"] != before["p_state"] or number in starts:
                events.append((node.life.id, node.life.state.value, node.life.reason))
        if changed:
            self._run.tell(job_rows.set_job, changed)
        return events

    def _add_part(self, number: int, node: Node) -> None:
        row = new_job(self._execution, number, self._known)
        self._run.add(job_rows.add_job, [row._replace(item=orjson.dumps(node.item).decode())])

    def _rest(self, number: int, node: Node, columns: Mapping[str, Value]) -> Mapping[str, Value]:
        """All columns that are set, those included that only the row has."""
        state, search = node.life.state, node.job.type == SEARCH
        experiment = self._experiments.get(number)
        if state is JobState.ACTIVE and search and not experiment:
            experiment = ""
        elif state is JobState.WAITING:
            experiment = None
        rank = self._enqueuer.rank(node.job, self._now) if state is JobState.READY else None
        begins = state in (JobState.READY, JobState.ACTIVE)
        return {
            **columns,
            "p_experiment": experiment,
            "p_ready_at": self._now if begins else None,
            "p_rank": rank,
            "p_ended_at": self._now if state.ended else None,
        }

    def _enqueue(self, starts: Sequence[int]) -> None:
        numbers = [n for n in starts if self._known.job(n).type != SEARCH]
        if numbers:
            rows = self._run.rows(job_queries.attempts_so_far, self._key)
            ended: dict[int, int] = {number: count for number, count in rows}
            attempts = {number: ended.get(number, 0) for number in numbers}
            self._enqueuer.add(self._run, self._execution, self._known, attempts, self._now)

    def _write_execution(
        self, machine: ExecutionMachine, events: Sequence[tuple[str, str, str]]
    ) -> None:
        states = [node.life.state for node in machine.nodes.values()]
        life = machine.life
        row = self._run.row(
            execution_rows.set_execution,
            {
                **self._key,
                "p_state": life.state.value,
                "p_reason": life.reason,
                "p_unfinished": machine.unfinished,
                "p_active": machine.active,
                "p_succeeded": states.count(JobState.SUCCEEDED),
                "p_failed": states.count(JobState.FAILED),
                "p_events": len(events),
                "p_again": int(self._again),
                "p_ended_at": self._now if life.state.ended else None,
            },
        )
        assert row is not None, "the row is locked by this transaction"
        first = row[0] - len(events) + 1
        rows = [
            EventRow(self._execution, seq, job, state, reason, self._now)
            for seq, (job, state, reason) in enumerate(events, start=first)
        ]
        self._run.add(execution_rows.add_event, rows)

    def _number(self, name: str) -> int:
        number = self._known.number(name)
        assert number is not None, f"{name} is a job of this workflow"
        return number
