"""Which jobs begin, and how an execution ends."""

from __future__ import annotations

import pytest
from tests.unit.workflow.building import job, machine, started, states

from morphml.errors import IllegalTransition, WorkflowError
from morphml.workflow import EndExecution, ExecutionState, StartJob, StopJob

DIAMOND = (job("a"), job("b", "a"), job("c", "a"), job("d", "b", "c"))


def test_a_job_begins_when_the_last_of_its_parents_has_succeeded() -> None:
    run = machine(*DIAMOND)
    assert started(run.begin()) == ["a"]
    assert started(run.succeeded("a", {})) == ["b", "c"]
    assert started(run.succeeded("b", {})) == []
    assert started(run.succeeded("c", {})) == ["d"]
    assert run.succeeded("d", {}) == (EndExecution(state=ExecutionState.COMPLETED, reason=""),)


def test_outputs_reach_the_configs_of_those_that_wait() -> None:
    run = machine(
        job("prepare"),
        job("train", "prepare", config={"rows": "${prepare.rows}", "note": "${prepare.rows} rows"}),
    )
    run.begin()
    (start,) = run.succeeded("prepare", {"rows": 1797})
    assert isinstance(start, StartJob)
    assert start.config == {"rows": 1797, "note": "1797 rows"}


def test_ready_jobs_begin_by_priority_within_the_parallelism() -> None:
    run = machine(job("low", priority=1), job("mid"), job("high", priority=10), parallelism=2)
    assert started(run.begin()) == ["high", "mid"]
    assert started(run.succeeded("mid", {})) == ["low"]


def test_a_failure_ends_the_execution_once_what_runs_has_ended() -> None:
    run = machine(job("a"), job("b"), job("after-a", "a"), job("after-b", "b"))
    run.begin()
    assert run.failed("a", "boom") == ()
    assert run.life.state is ExecutionState.FAILING
    assert states(run)["after-b"] == "cancelled"
    assert run.succeeded("b", {}) == (
        EndExecution(state=ExecutionState.FAILED, reason="job a failed: boom"),
    )
    assert states(run) == {
        "a": "failed",
        "b": "succeeded",
        "after-a": "cancelled",
        "after-b": "cancelled",
    }


def test_a_failure_that_skips_takes_its_descendants_along_and_no_others() -> None:
    run = machine(
        job("a", onFailure="skip"), job("b"), job("c", "a"), job("d", "c", "b"), job("e", "b")
    )
    run.begin()
    run.failed("a", "boom")
    assert started(run.succeeded("b", {})) == ["e"]
    (end,) = run.succeeded("e", {})
    assert end == EndExecution(state=ExecutionState.COMPLETED, reason="")
    assert states(run) == {
        "a": "failed",
        "b": "succeeded",
        "c": "skipped",
        "d": "skipped",
        "e": "succeeded",
    }


def test_a_failure_that_continues_leaves_null_for_its_outputs() -> None:
    run = machine(job("a", onFailure="continue"), job("b", "a", config={"x": "${a.x}"}))
    run.begin()
    (start,) = run.failed("a", "boom")
    assert isinstance(start, StartJob)
    assert start.config == {"x": None}


def test_the_job_after_two_branches_runs_when_one_of_them_was_taken() -> None:
    run = machine(
        job("test"),
        job("good", "test", when="${test.accuracy} >= 0.9"),
        job("bad", "test", when="${test.accuracy} < 0.9"),
        job("report", "good", "bad"),
    )
    run.begin()
    assert started(run.succeeded("test", {"accuracy": 0.5})) == ["bad"]
    assert states(run)["good"] == "skipped"
    assert run.nodes["good"].life.reason == "${test.accuracy} >= 0.9 does not hold"
    assert started(run.succeeded("bad", {})) == ["report"]


def test_a_job_all_of_whose_parents_were_skipped_is_skipped_as_well() -> None:
    run = machine(job("a", when="1 > 2"), job("b", "a"), job("c", "b"))
    assert run.begin() == (EndExecution(state=ExecutionState.COMPLETED, reason=""),)
    assert states(run) == dict.fromkeys("abc", "skipped")


def test_a_condition_that_cannot_be_judged_fails_its_job() -> None:
    run = machine(job("a"), job("b", "a", when="${a.x} > 1"))
    run.begin()
    (end,) = run.succeeded("a", {"x": "many"})
    assert isinstance(end, EndExecution)
    assert end.state is ExecutionState.FAILED
    assert "'>' not supported" in end.reason


def test_a_chain_of_two_thousand_skipped_jobs_needs_no_stack() -> None:
    count = 2_000
    chain = [job("j0", onFailure="skip"), *(job(f"j{n}", f"j{n - 1}") for n in range(1, count))]
    run = machine(*chain)
    run.begin()
    (end,) = run.failed("j0", "boom")
    assert end == EndExecution(state=ExecutionState.COMPLETED, reason="")
    assert list(states(run).values()).count("skipped") == count - 1


# --- fan-out -------------------------------------------------------------------------------------


def test_a_fan_out_runs_once_for_each_item_and_hands_lists_on() -> None:
    run = machine(
        job("list"),
        job("train", "list", forEach="${list.sizes}", config={"n": "${item}", "at": "${index}"}),
        job("pick", "train", config={"all": "${train.accuracy}"}),
    )
    run.begin()
    starts = run.succeeded("list", {"sizes": [8, 16]})
    assert [(s.id, s.config) for s in starts if isinstance(s, StartJob)] == [
        ("train[0]", {"n": 8, "at": 0}),
        ("train[1]", {"n": 16, "at": 1}),
    ]
    assert run.succeeded("train[1]", {"accuracy": 0.9}) == ()
    (pick,) = run.succeeded("train[0]", {"accuracy": 0.8})
    assert isinstance(pick, StartJob)
    assert pick.config == {"all": [0.8, 0.9]}


def test_a_fan_out_over_nothing_succeeds_at_once() -> None:
    run = machine(job("a", forEach=[]), job("b", "a"))
    assert started(run.begin()) == ["b"]
    assert states(run)["a"] == "succeeded"


def test_a_fan_out_over_what_is_no_list_fails() -> None:
    run = machine(job("a"), job("b", "a", forEach="${a.items}"))
    run.begin()
    (end,) = run.succeeded("a", {"items": 3})
    assert isinstance(end, EndExecution)
    assert end.reason == "job b failed: forEach: ${a.items} gives no list but 3"


def test_a_part_that_may_fail_leaves_null_in_the_lists() -> None:
    run = machine(job("a", forEach=[1, 2], onFailure="continue"), job("b", "a"))
    run.begin()
    run.failed("a[0]", "boom")
    assert started(run.succeeded("a[1]", {"x": 5})) == ["b"]
    assert run.nodes["a"].outputs == {"x": [None, 5]}


def test_a_part_that_must_not_fail_cancels_those_that_have_not_begun() -> None:
    run = machine(job("a", forEach=[1, 2, 3]), parallelism=2)
    assert started(run.begin()) == ["a[0]", "a[1]"]
    assert run.failed("a[0]", "boom") == ()
    (end,) = run.succeeded("a[1]", {})
    assert end == EndExecution(state=ExecutionState.FAILED, reason="job a[0] failed: boom")
    assert [part.life.state.value for part in run.nodes["a"].parts] == [
        "failed",
        "succeeded",
        "cancelled",
    ]


# --- a person intervenes -------------------------------------------------------------------------


def test_a_paused_execution_begins_nothing_until_it_goes_on() -> None:
    run = machine(*DIAMOND)
    run.begin()
    assert run.pause() == ()
    assert run.succeeded("a", {}) == ()
    assert started(run.resume()) == ["b", "c"]


def test_a_cancelled_execution_stops_what_runs_and_is_over_at_once() -> None:
    run = machine(*DIAMOND, job("x", forEach=[1, 2]))
    run.begin()
    run.succeeded("a", {})
    assert run.cancel("enough") == (
        StopJob(id="x[0]"),
        StopJob(id="x[1]"),
        StopJob(id="b"),
        StopJob(id="c"),
        EndExecution(state=ExecutionState.CANCELLED, reason="enough"),
    )
    assert states(run) == {"a": "succeeded"} | dict.fromkeys("bcdx", "cancelled")
    with pytest.raises(WorkflowError, match="'b' has no task"):
        run.succeeded("b", {})
    with pytest.raises(IllegalTransition):
        run.pause()


def test_a_failed_execution_is_taken_up_where_it_stopped() -> None:
    run = machine(*DIAMOND)
    run.begin()
    run.succeeded("a", {})
    run.failed("b", "boom")
    run.succeeded("c", {})
    assert run.life.state is ExecutionState.FAILED
    assert started(run.run_again()) == ["b"]
    assert started(run.succeeded("b", {})) == ["d"]
    assert run.succeeded("d", {}) == (EndExecution(state=ExecutionState.COMPLETED, reason=""),)


def test_a_job_run_again_takes_all_that_depend_on_it_along() -> None:
    run = machine(*DIAMOND)
    run.begin()
    for id in "abcd":
        run.succeeded(id, {"round": 1})
    assert started(run.run_again(["b"])) == ["b"]
    assert states(run) == {"a": "succeeded", "b": "active", "c": "succeeded", "d": "waiting"}
    assert started(run.succeeded("b", {"round": 2})) == ["d"]
    assert run.succeeded("d", {}) == (EndExecution(state=ExecutionState.COMPLETED, reason=""),)


def test_of_a_fan_out_only_the_parts_that_failed_run_again() -> None:
    run = machine(job("a", forEach=[1, 2, 3]), job("b", "a"))
    run.begin()
    run.succeeded("a[0]", {"x": 1})
    run.failed("a[1]", "boom")
    run.succeeded("a[2]", {"x": 3})
    assert started(run.run_again()) == ["a[1]"]
    assert started(run.succeeded("a[1]", {"x": 2})) == ["b"]
    assert run.nodes["a"].outputs == {"x": [1, 2, 3]}


def test_a_fan_out_after_a_job_that_runs_again_is_made_anew() -> None:
    run = machine(job("list"), job("a", "list", forEach="${list.items}"))
    run.begin()
    run.succeeded("list", {"items": [1, 2]})
    run.succeeded("a[0]", {})
    run.failed("a[1]", "boom")
    run.run_again(["list"])
    assert started(run.succeeded("list", {"items": [1, 2, 3]})) == ["a[0]", "a[1]", "a[2]"]


def test_an_execution_with_a_failure_left_alone_fails_again() -> None:
    run = machine(job("a"), job("b"), parallelism=2)
    run.begin()
    run.failed("a", "boom")
    run.succeeded("b", {})
    assert started(run.run_again(["b"])) == ["b"]
    assert run.succeeded("b", {}) == (
        EndExecution(state=ExecutionState.FAILED, reason="job a failed: boom"),
    )


@pytest.mark.parametrize(
    ("jobs", "message"),
    [(["x"], "has no job 'x'"), (["b"], "b must end first"), ([], "none of its jobs failed")],
)
def test_what_cannot_run_again_is_said(jobs: list[str], message: str) -> None:
    run = machine(*DIAMOND)
    run.begin()
    run.succeeded("a", {})
    with pytest.raises(WorkflowError, match=message):
        run.run_again(jobs)
    assert states(run)["b"] == "active"


def test_a_job_that_has_no_task_cannot_end() -> None:
    run = machine(*DIAMOND)
    run.begin()
    with pytest.raises(WorkflowError, match="'d' has no task"):
        run.failed("d", "boom")
    run.succeeded("a", {})
    with pytest.raises(WorkflowError, match="'a' has no task"):
        run.succeeded("a", {})
