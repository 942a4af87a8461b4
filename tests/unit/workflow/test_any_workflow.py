"""Whatever the DAG, the order of ends and the failures: the machine agrees with a plain definition.

The definition looks at all parents of each job in topological order, which the machine never does.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.workflow.building import job, started, states, workflow

from morphml.workflow import EndExecution, ExecutionMachine, ExecutionState, Workflow


@st.composite
def workflows(draw: st.DrawFn) -> Workflow:
    count = draw(st.integers(1, 9))
    jobs = []
    for n in range(count):
        parents = draw(st.sets(st.integers(0, n - 1))) if n else set()
        fields: dict[str, object] = {
            "onFailure": draw(st.sampled_from(["fail", "skip", "continue", "skip"])),
            "priority": draw(st.integers(1, 10)),
        }
        if draw(st.integers(0, 4)) == 0:
            fields["when"] = "1 > 2"
        if draw(st.integers(0, 4)) == 0:
            fields["forEach"] = list(range(draw(st.integers(0, 3))))
        jobs.append(job(f"j{n}", *(f"j{p}" for p in sorted(parents)), **fields))
    return workflow(*jobs, parallelism=draw(st.none() | st.integers(1, 3)))


def expected(flow: Workflow, bad: set[str]) -> dict[str, str]:
    """How every job ends where nothing that must not fail does; ``bad`` are tasks that fail."""
    ends: dict[str, str] = {}
    barred: set[str] = set()
    for each in flow.jobs:
        good = []
        for parent in each.depends_on:
            survives = flow.by_id[parent].on_failure.value == "continue"
            if ends[parent] == "succeeded" or (ends[parent] == "failed" and survives):
                good.append(parent)
            elif ends[parent] == "failed" or parent in barred:
                barred.add(each.id)
        if each.id in barred or (each.depends_on and not good) or each.when:
            ends[each.id] = "skipped"
            continue
        tasks = [each.id]
        if each.for_each is not None:
            tasks = [f"{each.id}[{n}]" for n in range(len(each.for_each))]
        fails = bool(bad.intersection(tasks))
        if fails and each.for_each is not None and each.on_failure.value == "continue":
            fails = False
        ends[each.id] = "failed" if fails else "succeeded"
    return ends


def play(run: ExecutionMachine, flow: Workflow, bad: set[str], data: st.DataObject) -> list[str]:
    """Drive it to its end in any order; the ids in the order in which they were started."""
    commands = run.begin()
    begun = started(commands)
    running = list(begun)
    while running:
        assert flow.parallelism is None or len(running) <= flow.parallelism
        assert not any(isinstance(each, EndExecution) for each in commands)
        id = running.pop(data.draw(st.integers(0, len(running) - 1)))
        commands = run.failed(id, "boom") if id in bad else run.succeeded(id, {})
        running += started(commands)
        begun += started(commands)
    assert isinstance(commands[-1], EndExecution)
    return begun


@st.composite
def unlucky(draw: st.DrawFn, flow: Workflow, *, may_break: bool) -> set[str]:
    """Tasks that fail: about a third of all."""
    tasks = []
    for each in flow.jobs:
        if each.on_failure.value != "fail" or may_break:
            items = [""] if each.for_each is None else [f"[{n}]" for n in range(len(each.for_each))]
            tasks += [each.id + item for item in items]
    return {task for task in tasks if draw(st.integers(0, 2)) == 0}


@given(flow=workflows(), data=st.data())
def test_every_job_ends_as_its_parents_and_its_own_luck_say(
    flow: Workflow, data: st.DataObject
) -> None:
    bad = data.draw(unlucky(flow, may_break=False))
    run = ExecutionMachine(flow, "e")
    begun = play(run, flow, bad, data)
    assert len(begun) == len(set(begun))
    assert run.life.state is ExecutionState.COMPLETED
    assert states(run) == expected(flow, bad)


@given(flow=workflows(), data=st.data())
def test_an_execution_taken_up_until_nothing_fails_completes_and_repeats_no_success(
    flow: Workflow, data: st.DataObject
) -> None:
    bad = data.draw(unlucky(flow, may_break=True))
    run = ExecutionMachine(flow, "e")
    begun = play(run, flow, bad, data)
    if run.life.state is ExecutionState.COMPLETED:
        return
    reason = run.life.reason
    assert reason.partition(" failed")[0].removeprefix("job ") in bad
    kept = {id for id, state in states(run).items() if state == "succeeded"}
    failed = {id for id, state in states(run).items() if state in ("failed", "cancelled")}
    commands = run.run_again()
    running = started(commands)
    again = list(running)
    while running:
        commands = run.succeeded(running.pop(), {})
        running += started(commands)
        again += started(commands)
    assert run.life.state is ExecutionState.COMPLETED
    assert states(run) == expected(flow, set())
    whole = {id.partition("[")[0] for id in again}
    assert not whole & (kept - flow.descendants(failed))
    assert len(again) == len(set(again))
    assert begun or again or not failed
