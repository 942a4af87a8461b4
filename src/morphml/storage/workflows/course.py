"""What one transaction does to one execution: jobs end, others are counted down and begin.

Rows are locked in one order: tasks, jobs by number, the execution; whoever meets another the other
way round is undone and tried again. The execution's row is touched once for all, at the end; if its
state is not the one that was read at the beginning any more, all of it is done again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from morphml.ids import ExecutionId
from morphml.storage.database import Collision, Row, Transaction, Values
from morphml.storage.rows import EventRow, JobRow
from morphml.storage.statements import execution_rows, job_queries, job_rows
from morphml.storage.workflows.ends import End, Standing
from morphml.storage.workflows.enqueueing import SEARCH, Enqueuer, new_job
from morphml.storage.workflows.known import PARTS, KnownWorkflow, is_part, part_number
from morphml.storage.workflows.values import StoredValues
from morphml.workflow import ExecutionState, JobState, OnFailure
from morphml.workflow.job_life import Cancel, Fail, JobLife, Skip, Succeed
from morphml.workflow.node import Node, end_of_parts, share_of_part
from morphml.workflow.release import FailIt, Run, RunParts, SkipIt, Tally, decide, share_of

_GIVEN_UP = "another job failed"
_NOTHING = Tally(waiting_for=0)


@dataclass(slots=True)
class _Counts:
    """What the touch of the execution's row adds."""

    ended: int = 0
    active: int = 0
    succeeded: int = 0
    failed: int = 0


@dataclass(slots=True)
class _Plans:
    """What begins at the end of the transaction, unless a failure forbids it."""

    starts: list[int] = field(default_factory=list)
    fans: list[tuple[int, Sequence[object]]] = field(default_factory=list)


class Course:
    """One execution in one transaction.

    Args:
        run: the transaction.
        execution: whose jobs.
        known: its workflow.
        standing: how it stands.
        enqueuer: makes tasks.
    """

    def __init__(
        self,
        run: Transaction,
        execution: ExecutionId,
        known: KnownWorkflow,
        standing: Standing,
        enqueuer: Enqueuer,
    ) -> None:
        self._run = run
        self.execution = execution
        self.known = known
        self.standing = standing
        self._enqueuer = enqueuer
        self._values = StoredValues(run, execution, known)
        self._counts = _Counts()
        self._plans = _Plans()
        self._events: list[tuple[str, str, str]] = []
        #: Why the execution fails, once a job has failed that must not.
        self._broke = standing.reason

    def tell(self, number: int, state: str, reason: str) -> None:
        """Add an event about a job."""
        self._events.append((self.known.name(number), state, reason))

    def rank(self, number: int) -> float:
        """Where a job stands among what waits, if it may run from now on."""
        return self._enqueuer.rank(self.known.job(number), self.standing.now)

    def settle(self, numbers: Iterable[int]) -> None:
        """Decide about jobs that wait for nothing, when an execution begins."""
        ends = [self._verdict(number, _NOTHING) for number in numbers]
        self.end([end for end in ends if end is not None])

    def end(self, ends: Sequence[End]) -> None:
        """End jobs, and whatever ends by that. Those that had ended already count for nothing."""
        while ends:
            in_order = sorted(ends, key=lambda end: end.number)
            rows = self._run.each(job_rows.end_job, [self._end_values(end) for end in in_order])
            changed = [end for end, row in zip(in_order, rows, strict=True) if row is not None]
            for end in changed:
                self._count(end)
            ends = self._count_down(self._shares(changed))

    def finish(self) -> None:
        """Begin what may begin, and touch the execution's row.

        Raises:
            Collision: when others changed its state meanwhile.
        """
        state = self.standing.state
        if self._broke and state in (ExecutionState.RUNNING, ExecutionState.PAUSED):
            self._give_up()
            state = ExecutionState.FAILING
            self._events.append(("", state.value, self._broke))
        else:
            self._begin_planned()
        if not self._events:
            return
        unfinished, active, failed = self._touch(state)
        if unfinished == 0:
            self._end_execution(state, failed)
        elif self.standing.parallelism is not None and state is ExecutionState.RUNNING:
            self._fill(self.standing.parallelism - active)

    # --- one end leads to the next ---------------------------------------------------------------

    def _end_values(self, end: End) -> Values:
        return {
            **self._key(end.number),
            "p_state": end.state.value,
            "p_reason": end.reason,
            "p_outputs": end.outputs,
            "p_kept": int(end.kept),
        }

    def _count(self, end: End) -> None:
        counts, job = self._counts, self.known.job(end.number)
        counts.active -= end.active
        if not is_part(end.number):
            counts.ended += 1
            counts.succeeded += end.state is JobState.SUCCEEDED
            counts.failed += end.state is JobState.FAILED
        self.tell(end.number, end.state.value, end.reason)
        if end.state is JobState.FAILED and job.on_failure is OnFailure.FAIL and not self._broke:
            self._broke = f"job {self.known.name(end.number)} failed: {end.reason}"

    def _shares(self, ends: Sequence[End]) -> dict[int, Tally]:
        """What the ends add to each job that waits for one of them: summed before it is written."""
        shares: dict[int, Tally] = {}
        for end in ends:
            job = self.known.job(end.number)
            if is_part(end.number):
                children: Sequence[int] = (end.number % PARTS,)
                share = share_of_part(job, end.state)
            else:
                children = self.known.children[end.number]
                share = share_of(job, end.state, barred=end.kept) if children else _NOTHING
            for child in children:
                shares[child] = shares.get(child, _NOTHING) + share
        return shares

    def _count_down(self, shares: Mapping[int, Tally]) -> list[End]:
        numbers = sorted(shares)
        values: list[Values] = [
            {
                **self._key(number),
                "p_ended": -shares[number].waiting_for,
                "p_passed": shares[number].passed,
                "p_barred": shares[number].barred,
            }
            for number in numbers
        ]
        rows = self._run.each(job_rows.count_ends, values)
        ends = [
            self._after_count(number, row)
            for number, row in zip(numbers, rows, strict=True)
            if row is not None and row[1] == 0
        ]
        return [end for end in ends if end is not None]

    def _after_count(self, number: int, row: Row) -> End | None:
        state, waiting_for, passed, barred = row
        tally = Tally(waiting_for=waiting_for, passed=passed, barred=barred)
        if state == JobState.WAITING and not self._broke:
            return self._verdict(number, tally)
        if state == JobState.FANNED_OUT:
            return self._end_of_parts(number, tally)
        return None  # cancelled while others before it ran on, or about to be

    def _verdict(self, number: int, tally: Tally) -> End | None:
        """Let a job begin, or say how it ends at once."""
        job, kept = self.known.job(number), tally.barred > 0
        match decide(job, tally, self._values.of(number)):
            case Run():
                self._plans.starts.append(number)
            case RunParts(items=items) if items:
                self._plans.fans.append((number, items))
            case RunParts():
                return End(number=number, event=Succeed(), outputs="{}")
            case SkipIt(reason=reason):
                return End(number=number, event=Skip(reason=reason), kept=kept)
            case FailIt(reason=reason):
                return End(number=number, event=Fail(reason=reason), kept=kept)
        return None

    def _end_of_parts(self, number: int, tally: Tally) -> End:
        job = self.known.job(number)
        whole = Node(job=job, life=JobLife(id=job.id), tally=tally)
        whole.parts = tuple(
            Node(
                job=job,
                life=JobLife(id=job.id, state=JobState(state)),
                tally=_NOTHING,
                outputs={} if outputs is None else orjson.loads(outputs),
            )
            for _, state, outputs in self._run.rows(job_queries.parts_of, self._key(number))
        )
        event = end_of_parts(whole)
        return End(number=number, event=event, outputs=orjson.dumps(dict(whole.outputs)).decode())

    # --- what begins, and what never will --------------------------------------------------------

    def _give_up(self) -> None:
        """Nothing begins any more: what waits is cancelled, what runs may end."""
        unclaimed = self._run.rows(job_rows.give_up_unclaimed, {"p_execution": self.execution})
        values: Values = {"p_execution": self.execution, "p_reason": _GIVEN_UP}
        cancelled = [row[0] for row in self._run.rows(job_rows.give_up_waiting, values)]
        for number in sorted(cancelled):
            self._counts.ended += not is_part(number)
            self.tell(number, JobState.CANCELLED.value, _GIVEN_UP)
        self._plans = _Plans()
        parts = [
            End(number=number, event=Cancel(reason=_GIVEN_UP))
            for number in cancelled
            if is_part(number)
        ]
        ends = self._count_down(self._shares(parts))
        ends += [
            End(number=number, event=Cancel(reason=_GIVEN_UP), active=True)
            for (number,) in unclaimed
        ]
        self.end(ends)

    @property
    def _must_wait_for_room(self) -> bool:
        standing = self.standing
        return standing.parallelism is not None or standing.state is not ExecutionState.RUNNING

    def _begin_planned(self) -> None:
        wait = self._must_wait_for_room
        starts = sorted(self._plans.starts)
        parts = [row for number, items in self._plans.fans for row in self._fan(number, items)]
        self._run.add(job_rows.add_job, parts)
        if wait:
            values: list[Values] = [
                {**self._key(number), "p_rank": self.rank(number)} for number in starts
            ]
            if values:
                self._run.tell(job_rows.make_ready, values)
            for number in starts:
                self.tell(number, JobState.READY.value, "")
        else:
            self._start(starts)
            self._enqueue([row.number for row in parts])
        for row in parts:
            self._events.append((row.name, row.state, ""))
        if not wait:
            self._counts.active += len(starts) + len(parts)

    def _fan(self, number: int, items: Sequence[object]) -> list[JobRow]:
        key = self._key(number)
        self._run.tell(job_rows.fan_out, ({**key, "p_parts": len(items)},))
        self.tell(number, JobState.FANNED_OUT.value, "")
        state = JobState.READY if self._must_wait_for_room else JobState.ACTIVE
        now = self.standing.now
        rank = self.rank(number) if state is JobState.READY else None
        return [
            new_job(self.execution, part_number(number, index), self.known)._replace(
                state=state.value,
                ready_at=now,
                rank=rank,
                item=orjson.dumps(item).decode(),
                experiment="" if self._is_search(number) and rank is None else None,
            )
            for index, item in enumerate(items)
        ]

    def _start(self, numbers: Sequence[int]) -> None:
        """Let jobs begin: with a task, or with an experiment that is to be made."""
        values: list[Values] = [
            {**self._key(number), "p_experiment": "" if self._is_search(number) else None}
            for number in numbers
        ]
        if values:
            self._run.tell(job_rows.start_job, values)
        for number in numbers:
            self.tell(number, JobState.ACTIVE.value, "")
        self._enqueue(numbers)

    def _enqueue(self, numbers: Sequence[int]) -> None:
        tasks = {number for number in numbers if not self._is_search(number)}
        key: Values = {"p_execution": self.execution}
        before = self._run.rows(job_queries.attempts_so_far, key) if self.standing.taken_up else ()
        self._enqueuer.add(
            self._run,
            self.execution,
            self.known,
            {**dict.fromkeys(tasks, 0), **{n: count for n, count in before if n in tasks}},
            self.standing.now,
        )

    def _fill(self, room: int) -> None:
        """Let those begin that waited for room; the execution's row is locked."""
        if room <= 0:
            return
        values: Values = {"p_execution": self.execution, "p_limit": room}
        numbers = [row[0] for row in self._run.rows(job_rows.first_ready, values)]
        if numbers:
            self._counts, self._events = _Counts(active=len(numbers)), []
            self._start(sorted(numbers))
            self._touch(self.standing.state)

    # --- the execution's row ---------------------------------------------------------------------

    def _touch(self, state: ExecutionState) -> tuple[int, int, int]:
        """Add up what happened; unfinished, active and failed jobs from then on."""
        counts = self._counts
        values: Values = {
            "p_execution": self.execution,
            "p_state": self.standing.state.value,
            "p_next_state": state.value,
            "p_reason": self._broke,
            "p_ended": counts.ended,
            "p_active": counts.active,
            "p_succeeded": counts.succeeded,
            "p_failed": counts.failed,
            "p_events": len(self._events),
        }
        row = self._run.row(execution_rows.touch, values)
        if row is None:
            raise Collision(f"execution {self.execution}: others changed its state meanwhile")
        unfinished, active, failed, seq = row
        self._add_events(seq)
        return unfinished, active, failed

    def _end_execution(self, state: ExecutionState, failed: int) -> None:
        reason = self._broke
        if state is not ExecutionState.FAILING and failed:
            # Others were run again after one failed, and not this one.
            reason = self._why_failed()
        failing = state is ExecutionState.FAILING
        end = ExecutionState.FAILED if reason or failing else ExecutionState.COMPLETED
        values: Values = {
            "p_execution": self.execution,
            "p_state": end.value,
            "p_reason": reason,
        }
        row = self._run.row(execution_rows.end_execution, values)
        assert row is not None, "the row is locked by this transaction"
        self._events = [("", end.value, reason)]
        self._add_events(row[0])

    def _why_failed(self) -> str:
        for number, reason in self._run.rows(
            job_queries.failed_jobs, {"p_execution": self.execution}
        ):
            if self.known.job(number).on_failure is OnFailure.FAIL:
                return f"job {self.known.name(number)} failed: {reason}"
        return ""

    def _add_events(self, last: int) -> None:
        first, now = last - len(self._events) + 1, self.standing.now
        rows = [
            EventRow(self.execution, seq, job, state, reason, now)
            for seq, (job, state, reason) in enumerate(self._events, start=first)
        ]
        self._run.add(execution_rows.add_event, rows)

    # --- small things ----------------------------------------------------------------------------

    def _key(self, number: int) -> dict[str, str | int | float | None]:
        return {"p_execution": self.execution, "p_number": number}

    def _is_search(self, number: int) -> bool:
        return self.known.job(number).type == SEARCH
