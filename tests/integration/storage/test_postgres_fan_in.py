"""Masters on one PostgreSQL store end the parents of one job at the same moment."""

from __future__ import annotations

import contextlib
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import pytest

from morphml.errors import IllegalTransition
from morphml.ids import ExecutionId, SessionId
from morphml.search.changes import ClaimedTask
from morphml.storage import SqlStore, open_store
from morphml.testing.store.job_script import job, job_end
from morphml.workflow import ExecutionState, JobState


@dataclass
class Master:
    """A master that ends jobs as a test tells it to, over connections of its own."""

    store: SqlStore
    session: SessionId

    def claim(self, limit: int) -> list[ClaimedTask]:
        return list(self.store.cluster.claim_jobs(self.session, limit))

    def end(self, execution: ExecutionId, tasks: Sequence[ClaimedTask], *, ok: bool = True) -> None:
        ends = [job_end(task, ok=ok, outputs={"by": self.session}) for task in tasks]
        assert self.store.workflows.running.end_attempts(execution, ends, self.session) == []


@pytest.fixture
def masters(postgres_url: str) -> Iterator[list[Master]]:
    with contextlib.ExitStack() as opened:
        made = []
        for name in ("one", "two"):
            store = opened.enter_context(contextlib.closing(open_store(postgres_url)))
            made.append(Master(store, store.open_session(name)))
        yield made


def at_once(calls: Sequence[Callable[[], object]]) -> None:
    """Run all calls, begun at the same moment; raises what one of them raises."""
    start = threading.Barrier(len(calls))
    errors: list[BaseException] = []

    def run(call: Callable[[], object]) -> None:
        start.wait()
        try:
            call()
        except BaseException as error:  # told below
            errors.append(error)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def fan_in(masters: list[Master], chance: random.Random) -> None:
    """2 to 100 parents, shared out at random and ended in random batches; the child runs once."""
    parents = [f"p{n}" for n in range(chance.choice([2, 2, 3, 5, 10, 30, 100]))]
    jobs = [*(job(name) for name in parents), job("child", *parents), job("last", "child")]
    execution = masters[0].store.workflows.running.start({"workflowId": "w", "jobs": jobs}, None)
    first = chance.randint(1, len(parents) - 1)
    shares = [masters[0].claim(first), masters[1].claim(len(parents))]
    assert [len(share) for share in shares] == [first, len(parents) - first]

    def end_all(master: Master, tasks: list[ClaimedTask], size: int) -> None:
        for place in range(0, len(tasks), size):
            master.end(execution, tasks[place : place + size])

    for share in shares:
        chance.shuffle(share)
    sizes = [chance.choice([1, 2, 100]) for _ in shares]
    at_once([partial(end_all, m, s, n) for m, s, n in zip(masters, shares, sizes, strict=True)])
    claimed = [(master, task) for master in masters for task in master.claim(10)]
    assert [task.number for _, task in claimed] == [len(parents)], "the child runs exactly once"
    claimed[0][0].end(execution, [claimed[0][1]])
    last = masters[0].claim(10)
    masters[0].end(execution, last)
    check_recorded_once(masters[0].store, execution)


def check_recorded_once(store: SqlStore, execution: ExecutionId) -> None:
    """The execution is completed, and each of its jobs began and ended once."""
    stored = store.workflows.reading
    assert stored.execution(execution).state is ExecutionState.COMPLETED
    events = stored.events(execution, 0, 100_000)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    counts = Counter((event.job, event.state) for event in events)
    assert set(counts.values()) == {1}
    for record in stored.jobs(execution):
        assert record.state is JobState.SUCCEEDED
        assert record.attempts is not None
        assert record.attempts.count == 1


def test_child_of_parents_that_end_together_runs_once(masters: list[Master]) -> None:
    chance = random.Random(1)
    for _ in range(60):
        fan_in(masters, chance)


@pytest.mark.soak
@pytest.mark.timeout(1_500)  # 0.2 s of one processor each, on a busy machine more
def test_child_of_parents_that_end_together_runs_once_a_thousand_times(
    masters: list[Master],
) -> None:
    chance = random.Random(2)
    for _ in range(1_000):
        fan_in(masters, chance)


def test_parts_that_end_together_end_their_job_once(masters: list[Master]) -> None:
    for _ in range(10):
        document = {"workflowId": "w", "jobs": [job("a", forEach=[1] * 40), job("b", "a")]}
        execution = masters[0].store.workflows.running.start(document, None)
        shares = [master.claim(20) for master in masters]
        at_once(
            [
                partial(m.end, execution, [t])
                for m, share in zip(masters, shares, strict=True)
                for t in share
            ]
        )
        claimed = [(master, task) for master in masters for task in master.claim(10)]
        assert [task.number for _, task in claimed] == [1]
        claimed[0][0].end(execution, [claimed[0][1]])
        outputs = masters[0].store.workflows.reading.jobs(execution)[0].outputs
        assert Counter(outputs["by"]) == {master.session: 20 for master in masters}


def test_cancel_and_ends_at_once_leave_nothing_between(masters: list[Master]) -> None:
    """Whoever commits first has it; nothing waits for ever, and no task is left behind."""
    chance = random.Random(3)
    for _ in range(20):
        parents = [f"p{n}" for n in range(8)]
        jobs = [*(job(name, maxRetries=0) for name in parents), job("child", *parents)]
        execution = masters[0].store.workflows.running.start(
            {"workflowId": "w", "jobs": jobs}, None
        )
        shares = [master.claim(4) for master in masters]
        calls = [
            partial(end_if_wanted, m, execution, t, ok=ok)
            for m, share in zip(masters, shares, strict=True)
            for t, ok in zip(share, [True, True, True, chance.random() < 0.5], strict=True)
        ]
        at_once([*calls, partial(cancel_if_it_goes_on, masters[0], execution)])
        stored = masters[1].store.workflows.reading
        assert stored.execution(execution).state.ended
        assert all(record.state.ended for record in stored.jobs(execution))
        assert all(record.task is None for record in stored.jobs(execution))


def end_if_wanted(master: Master, execution: ExecutionId, task: ClaimedTask, *, ok: bool) -> None:
    end = job_end(task, ok=ok)
    master.store.workflows.running.end_attempts(execution, [end], master.session)


def cancel_if_it_goes_on(master: Master, execution: ExecutionId) -> None:
    with contextlib.suppress(IllegalTransition):
        master.store.workflows.steering.act(execution, lambda machine: machine.cancel("no"))


def test_lock_is_held_by_one_of_many(masters: list[Master]) -> None:
    held: list[str] = []

    def try_often(master: Master) -> None:
        locks = master.store.workflows.locks
        for _ in range(40):
            if locks.acquire("lock", master.session, 30.0) is not None:
                held.append(master.session)
                assert locks.get("lock") is not None
                assert held[-1] == master.session, "another one got it meanwhile"
                assert locks.release("lock", master.session)

    at_once([partial(try_often, master) for master in masters])
    assert held
