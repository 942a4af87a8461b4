"""Checks of executions: how they begin, how one end leads to the next, what people do to them."""

from __future__ import annotations

from typing import Any

from morphml.errors import KeyReused, QueueDrained, UnknownExecution, WorkflowError
from morphml.scheduling.resources import Requirements
from morphml.testing.store.case import Check, StoreCase, refused
from morphml.testing.store.job_script import JobScript, job
from morphml.testing.store.script import sample_spec
from morphml.workflow import ExecutionMachine, ExecutionState, JobState
from morphml.workflow.job_life import Cancel, Succeed


def jobs_run_after_those_that_they_wait_for(case: StoreCase) -> None:
    """And see what those put out; the execution is completed with the last one."""
    script = JobScript(
        case,
        [job("a"), job("b", "a", config={"n": "${a.rows}"}), job("c", "a"), job("d", "b", "c")],
    )
    tasks = script.claim()
    assert list(tasks) == ["a"]
    assert script.outputs("a") == {}, "not before its end is stored"
    assert script.end(tasks.values(), outputs={"rows": 7}) == []
    tasks = script.claim()
    assert sorted(tasks) == ["b", "c"]
    (call,) = script.stored.running.calls([tasks["b"]])
    assert call is not None
    assert call.config == {"n": 7}
    script.end(tasks.values())
    assert script.run() == ["d"]
    assert script.is_(ExecutionState.COMPLETED)
    assert script.outputs("a") == {"rows": 7}
    script.check_counters()


def child_of_many_runs_once(case: StoreCase) -> None:
    """Whether its parents end in one transaction or in several."""
    parents = [f"p{n}" for n in range(100)]
    script = JobScript(case, [*(job(name) for name in parents), job("child", *parents)])
    tasks = list(script.claim().values())
    for batch in (tasks[:60], tasks[60:61], tasks[61:]):
        assert script.claim() == {}
        assert script.end(batch) == []
    assert list(script.claim()) == ["child"]
    assert script.claim() == {}


def end_of_a_job_is_stored_once(case: StoreCase) -> None:
    """A result that is sent again, or by somebody who does not hold the job, changes nothing."""
    script = JobScript(case, [job("a"), job("b", "a")])
    (task,) = script.claim().values()
    other = case.store.open_session("other")
    assert script.end([task], session=other) == [task.token]
    assert script.end([task], outputs={"n": 1}) == []
    assert script.end([task], outputs={"n": 2}) == [task.token]
    assert script.outputs("a") == {"n": 1}
    assert script.run() == ["b"]
    assert [record.attempts.count for record in _jobs(script) if record.attempts] == [1, 1]


def job_that_fails_is_tried_again_later(case: StoreCase) -> None:
    """After 5, 10 and 20 s; then it and the execution fail, and nothing begins any more."""
    script = JobScript(case, [job("a"), job("b", "a"), job("c", requiredCapabilities=["none"])])
    for delay in (5.0, 10.0, 20.0):
        tasks = {name: task for name, task in script.claim().items() if name == "a"}
        script.end(tasks.values(), ok=False)
        case.let_pass(delay - 0.5)
        assert "a" not in script.claim()
        case.let_pass(1.0)
    script.end([script.claim()["a"]], ok=False)
    assert script.states()["a"] is JobState.FAILED
    assert script.states()["b"] is JobState.CANCELLED
    assert script.is_(ExecutionState.FAILING), "c was claimed, and may end"


def machine_that_fails_costs_no_retry(case: StoreCase) -> None:
    """A job without retries survives a lost worker, and begins again at once."""
    script = JobScript(case, [job("a", maxRetries=0)])
    script.end(script.claim().values(), ok=False, own=False)
    assert script.run() == ["a"]
    assert script.is_(ExecutionState.COMPLETED)


def failure_means_what_the_job_says(case: StoreCase) -> None:
    """``skip`` takes along what depends on it, ``continue`` nothing."""
    script = JobScript(
        case,
        [
            job("a", onFailure="skip", maxRetries=0),
            job("b", "a"),
            job("c", onFailure="continue", maxRetries=0),
            job("d", "c", config={"n": "${c.n}"}),
        ],
    )
    script.run(fail=["a", "c"])
    states = script.states()
    assert states["b"] is JobState.SKIPPED
    assert states["d"] is JobState.SUCCEEDED
    assert script.is_(ExecutionState.COMPLETED)
    script.check_counters()


def job_runs_once_for_each_item(case: StoreCase) -> None:
    """In parts, whose outputs become lists; an empty list is no work."""
    script = JobScript(
        case,
        [
            job("a"),
            job("b", "a", forEach="${a.sizes}", config={"size": "${item}", "at": "${index}"}),
            job("none", forEach=[]),
            job("c", "b", "none", when="${b.n.1} > 2"),
        ],
    )
    script.end(script.claim().values(), outputs={"sizes": [10, 20, 30]})
    tasks = script.claim()
    assert sorted(tasks) == ["b[0]", "b[1]", "b[2]"]
    calls = script.stored.running.calls([tasks["b[1]"]])
    assert [call.config for call in calls if call] == [{"size": 20, "at": 1}]
    for n, name in enumerate(("b[2]", "b[0]", "b[1]"), start=1):
        script.end([tasks[name]], outputs={"n": n})
    assert script.outputs("b") == {"n": [2, 3, 1]}
    assert script.run() == ["c"]
    assert script.is_(ExecutionState.COMPLETED)
    script.check_counters()


def no_more_jobs_run_than_allowed(case: StoreCase) -> None:
    """With ``parallelism`` the next begins when one has ended, by priority."""
    jobs = [*(job(f"j{n}") for n in range(4)), job("urgent", priority=9)]
    script = JobScript(case, jobs, parallelism=2)
    ran: list[str] = []
    while tasks := script.claim():
        assert len(tasks) <= 2
        ran += tasks
        script.end([next(iter(tasks.values()))])
        if len(tasks) == 2:
            more = script.claim()
            assert len(more) <= 1, "one still runs"
            ran += more
            script.end([*list(tasks.values())[1:], *more.values()])
    assert sorted(ran) == ["j0", "j1", "j2", "j3", "urgent"]
    assert "urgent" in ran[:2]
    assert script.is_(ExecutionState.COMPLETED)
    script.check_counters()


def paused_execution_begins_nothing(case: StoreCase) -> None:
    """What runs may end, what follows waits for ``resume``."""
    script = JobScript(case, [job("a"), job("b", "a"), job("c")])
    task = script.claim(1)
    script.stored.steering.act(script.id, ExecutionMachine.pause)
    assert script.end(task.values()) == []
    assert script.claim() == {}
    script.stored.steering.act(script.id, ExecutionMachine.resume)
    assert sorted([*task, *script.run()]) == ["a", "b", "c"]
    assert script.is_(ExecutionState.COMPLETED)
    script.check_counters()


def cancelled_execution_is_taken_up_where_it_was(case: StoreCase) -> None:
    """Results that come after the cancel count no more, those before are kept."""
    script = JobScript(case, [job("a"), job("b", "a"), job("c", "b"), job("d", "a")])
    script.end(script.claim().values(), outputs={"n": 1})
    tasks = script.claim()
    script.end([tasks["d"]])
    script.stored.steering.act(script.id, lambda machine: machine.cancel("enough"))
    assert script.end([tasks["b"]]) == [tasks["b"].token]
    assert script.claim() == {}
    assert script.is_(ExecutionState.CANCELLED)
    script.check_counters()
    script.stored.steering.act(script.id, lambda machine: machine.run_again())
    assert script.run() == ["b", "c"]
    assert script.outputs("a") == {"n": 1}
    assert script.is_(ExecutionState.COMPLETED)
    script.check_counters()


def failed_execution_goes_on_from_where_it_stopped(case: StoreCase) -> None:
    """Of a job in parts only those that did not succeed run again; attempts are counted on."""
    script = JobScript(
        case, [job("a", forEach=[1, 2, 3], maxRetries=0), job("b", "a"), job("c", maxRetries=0)]
    )
    script.run(fail=["a[1]"])
    assert script.is_(ExecutionState.FAILED)
    script.check_counters()
    script.stored.steering.act(script.id, lambda machine: machine.run_again())
    assert all(each.ready_at > 0.0 for each in script.stored.queue.task_counts())
    assert sorted(script.run()) == ["a[1]", "b"]
    assert script.is_(ExecutionState.COMPLETED)
    counts = {r.name: r.attempts.count for r in _jobs(script) if r.attempts}
    assert counts == {"a[0]": 1, "a[1]": 2, "a[2]": 1, "b": 1, "c": 1}
    script.check_counters()


def one_job_runs_again_with_what_depends_on_it(case: StoreCase) -> None:
    """And nothing else does."""
    script = JobScript(case, [job("a"), job("b", "a"), job("c", "b"), job("d")])
    script.run()
    script.stored.steering.act(script.id, lambda machine: machine.run_again(["b"]))
    assert script.run() == ["b", "c"]
    assert script.is_(ExecutionState.COMPLETED)
    script.check_counters()


def cancelled_job_keeps_its_dependants_from_running(case: StoreCase) -> None:
    """And the late result of its attempt is refused; the rest goes on."""
    script = JobScript(case, [job("a"), job("b", "a"), job("c")])
    tasks = script.claim()
    script.stored.running.end_job(script.id, tasks["a"].number, Cancel(reason="no"))
    assert script.end([tasks["a"]]) == [tasks["a"].token]
    script.end([tasks["c"]])
    assert script.states() == {
        "a": JobState.CANCELLED,
        "b": JobState.SKIPPED,
        "c": JobState.SUCCEEDED,
    }
    assert script.is_(ExecutionState.COMPLETED)
    script.check_counters()


def job_of_a_dead_master_is_run_by_another(case: StoreCase) -> None:
    """Its result comes too late then; a worker that came back in time may still bring it."""
    script = JobScript(case, [job("a"), job("b")])
    tasks = script.claim()
    other = case.store.open_session("other")
    case.let_pass(case.lease_s * 0.9)
    assert case.store.renew_session(other)
    case.let_pass(case.lease_s * 0.3)
    assert case.store.leases.reap([case.session]) == [case.session]
    a, b = tasks["a"], tasks["b"]
    assert case.store.leases.adopt(other, a.experiment, a.number, a.token)
    again = script.claim(session=other)
    assert list(again) == ["b"]
    assert script.end([b], session=other) == [b.token]
    assert script.end([a, again["b"]], session=other) == []
    assert script.is_(ExecutionState.COMPLETED)
    counts = {r.name: r.attempts.count for r in _jobs(script) if r.attempts}
    assert counts == {"a": 1, "b": 2}, "the lost attempt is counted"


def search_job_holds_no_slot(case: StoreCase) -> None:
    """It has one experiment, whoever makes it, and ends with that."""
    script = JobScript(case, [{**job("a"), "type": "search"}, job("b", "a")])
    assert script.claim() == {}
    (search,) = script.stored.running.searches()
    assert search.experiment is None
    experiment = script.stored.running.make_experiment(search, sample_spec())
    assert experiment is not None
    assert script.stored.running.make_experiment(search, sample_spec()) is None
    (search,) = script.stored.running.searches()
    assert (search.experiment, search.state) == (experiment, "queued")
    assert experiment in case.store.cluster.drivable()
    script.stored.running.end_job(script.id, search.number, Succeed(), b'{"best": 3}')
    assert script.stored.running.searches() == []
    assert script.run() == ["b"]
    assert script.outputs("a") == {"best": 3}
    script.check_counters()


def same_key_is_the_same_execution(case: StoreCase) -> None:
    """And another document under it is refused."""
    start = case.store.workflows.running.start
    document = {"workflowId": "tested", "jobs": [job("a")]}
    first = start(document, "key")
    assert start(document, "key") == first
    assert start(document, None) != first
    refused(KeyReused, lambda: start({**document, "name": "other"}, "key"))
    refused(WorkflowError, lambda: start({"workflowId": "tested", "jobs": []}, None))
    assert len(case.store.workflows.reading.executions(None, (1e15, ""), 10)) == 2


def queue_is_held_for_all_masters(case: StoreCase) -> None:
    """Paused, drained, limited, counted."""
    script = JobScript(case, [job("a"), job("b", "a"), job("c", priority=9)])
    queue = script.stored.queue
    queue.pause(on=True)
    assert script.claim() == {}
    queue.pause(on=False)
    queue.drain(on=True)
    refused(QueueDrained, lambda: script.stored.running.start(script.document, None))
    queue.drain(on=False)
    waiting = {(each.priority, each.count) for each in queue.task_counts()}
    assert waiting == {(5, 1), (9, 1)}
    queue.limit(0.5)
    assert script.claim() == {}
    case.let_pass(2.5)
    assert list(script.claim()) == ["c"]
    assert script.claim() == {}
    queue.limit(None)
    refused(WorkflowError, lambda: queue.limit(0.0))
    assert list(script.claim()) == ["a"]


def job_is_ready_for_who_could_run_it(case: StoreCase) -> None:
    """Others keep no slot for it; nobody does while the queue is paused, or once it is claimed."""
    script = JobScript(case, [job("a", requiredCapabilities=["gpu"])])
    running, queue = script.stored.running, script.stored.queue
    asked: list[object] = []

    def none_here(needs: Requirements) -> bool:
        asked.append(needs.mapping())
        return False

    assert running.is_ready()
    assert not running.is_ready(none_here)
    assert asked == [{"gpu": 1.0}]
    queue.pause(on=True)
    assert not running.is_ready()
    queue.pause(on=False)
    assert list(script.claim()) == ["a"]
    assert not running.is_ready()


def old_executions_are_forgotten(case: StoreCase) -> None:
    """Those that ended long ago, with all that belongs to them."""
    over = JobScript(case, [job("a")])
    over.run(outputs={"n": 1})
    over.stored.write_output(over.id, {0: [("stdout", "said")]})
    assert over.stored.queue.totals()[:2] == (1, 0)
    case.let_pass(3.0)
    goes_on = JobScript(case, [job("a")])
    assert over.stored.queue.clean(100.0) == []
    assert over.stored.queue.clean(2.0) == [over.id]
    refused(UnknownExecution, lambda: over.stored.reading.execution(over.id))
    assert over.stored.reading.output(over.id, 0, 0, 10) == []
    assert goes_on.run() == ["a"]


def output_of_a_job_is_kept(case: StoreCase) -> None:
    """In order, up to a limit."""
    script = JobScript(case, [job("a")])
    script.stored.write_output(script.id, {0: [("stdout", "one"), ("stderr", "t\x00wo")]})
    script.stored.write_output(script.id, {0: [("stdout", "x" * 2_000_000)]})
    script.stored.write_output(script.id, {0: [("stdout", "late")]})
    pieces = script.stored.reading.output(script.id, 0, 0, 10)
    assert [(p.seq, p.stream, len(p.text)) for p in pieces] == [
        (1, "stdout", 3),
        (2, "stderr", 4),
        (3, "stdout", (1 << 20) - 7),
    ]
    assert [p.seq for p in script.stored.reading.output(script.id, 0, 2, 10)] == [3]


def lock_has_one_owner_until_its_end(case: StoreCase) -> None:
    """Then anybody may take it."""
    locks = case.store.workflows.locks
    until = locks.acquire("l", "me", 2.0)
    assert until is not None
    assert locks.acquire("l", "you", 2.0) is None
    assert locks.get("l") == ("me", until)
    assert not locks.release("l", "you")
    assert locks.extend("l", "you", 9.0) is None
    later = locks.extend("l", "me", 4.0)
    assert later is not None
    assert later > until
    case.let_pass(5.0)
    assert locks.get("l") is None
    assert locks.extend("l", "me", 4.0) is None
    assert locks.acquire("l", "you", 2.0) is not None
    assert locks.release("l", "you")
    assert locks.get("l") is None
    refused(WorkflowError, lambda: locks.acquire("l", "me", 0.0))


def _jobs(script: JobScript) -> list[Any]:
    return list(script.stored.reading.jobs(script.id))


CHECKS: tuple[Check, ...] = (
    jobs_run_after_those_that_they_wait_for,
    child_of_many_runs_once,
    end_of_a_job_is_stored_once,
    job_that_fails_is_tried_again_later,
    machine_that_fails_costs_no_retry,
    failure_means_what_the_job_says,
    job_runs_once_for_each_item,
    no_more_jobs_run_than_allowed,
    paused_execution_begins_nothing,
    cancelled_execution_is_taken_up_where_it_was,
    failed_execution_goes_on_from_where_it_stopped,
    one_job_runs_again_with_what_depends_on_it,
    cancelled_job_keeps_its_dependants_from_running,
    job_of_a_dead_master_is_run_by_another,
    search_job_holds_no_slot,
    same_key_is_the_same_execution,
    queue_is_held_for_all_masters,
    job_is_ready_for_who_could_run_it,
    old_executions_are_forgotten,
    output_of_a_job_is_kept,
    lock_has_one_owner_until_its_end,
)
