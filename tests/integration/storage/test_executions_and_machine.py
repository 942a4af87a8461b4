"""What a store does to an execution, a commit at a time, is what the machine does in memory."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from morphml.ids import SessionId
from morphml.search.changes import AttemptResult
from morphml.storage import SqlStore, open_store
from morphml.storage.workflows import JobEnd
from morphml.workflow import (
    ExecutionMachine,
    ExecutionState,
    JobState,
    StartJob,
    parse_workflow,
)

#: What each job puts out; its name decides.
OUTPUTS: Mapping[str, Any] = {"n": 3, "items": [1, 2], "none": []}


def random_document(chance: random.Random) -> dict[str, Any]:
    """Up to 14 jobs with conditions, parts, every answer to a failure, and limited room."""
    jobs: list[dict[str, Any]] = []
    for n in range(chance.randint(2, 14)):
        names = [job["id"] for job in jobs]
        parents = chance.sample(names, chance.randint(0, min(3, len(names))))
        made: dict[str, Any] = {"id": f"j{n}", "type": "preprocessing", "dependsOn": parents}
        made["maxRetries"] = 0
        made["onFailure"] = chance.choice(["fail", "skip", "skip", "continue", "continue"])
        made["priority"] = chance.randint(1, 10)
        if parents and chance.random() < 0.3:
            relation = chance.choice([">= 3", "< 3", "!= 3", "> 'a'"])
            made["when"] = f"${{{parents[0]}.n}} {relation}"
        if chance.random() < 0.3:
            fans = ["items", "none", "n"]
            made["forEach"] = f"${{{parents[0]}.{chance.choice(fans)}}}" if parents else [7, 8]
        jobs.append(made)
    document: dict[str, Any] = {"workflowId": "random", "jobs": jobs}
    if chance.random() < 0.3:
        document["parallelism"] = chance.randint(1, 3)
    return document


def in_memory(document: Mapping[str, Any], failing: set[str]) -> dict[str, JobState]:
    """How the machine ends, when one job after the other ends in the order of starts."""
    machine = ExecutionMachine(parse_workflow(document), "x")
    running = [each.id for each in machine.begin() if isinstance(each, StartJob)]
    while running:
        name = running.pop(0)
        ended = machine.failed(name, "it broke") if name in failing else None
        commands = machine.succeeded(name, OUTPUTS) if ended is None else ended
        running += [each.id for each in commands if isinstance(each, StartJob)]
    return {
        each.life.id: each.life.state
        for node in machine.nodes.values()
        for each in (node, *node.parts)
    } | {"": machine.life.state}  # type: ignore[dict-item]  # the execution's own


def in_store(
    store: SqlStore, session: SessionId, document: Mapping[str, Any], failing: set[str]
) -> dict[str, JobState]:
    """How the store ends it, when all claimed jobs end one by one."""
    stored = store.workflows
    execution = stored.running.start(document, None)
    while tasks := store.cluster.claim_jobs(session, 1_000):
        for task, call in zip(tasks, stored.running.calls(tasks), strict=True):
            assert call is not None
            failed = call.name in failing
            end = JobEnd(
                number=task.number,
                token=task.token,
                result=AttemptResult.FAILED if failed else AttemptResult.SUCCEEDED,
                worker="w",
                started_at=0.0,
                duration_s=0.0,
                outputs=orjson.dumps(OUTPUTS),
                reason="it broke",
            )
            stored.running.end_attempts(execution, [end], session)
    states: dict[str, Any] = {job.name: job.state for job in stored.reading.jobs(execution)}
    record = stored.reading.execution(execution)
    assert record.state.ended
    return states | {"": record.state}


@pytest.mark.parametrize("seed", range(2))
def test_random_workflow_ends_in_the_store_as_in_memory(seed: int) -> None:
    chance = random.Random(seed)
    with contextlib.closing(open_store(None)) as store:
        session = store.open_session("one")
        kinds = set()
        for _ in range(50):
            document = random_document(chance)
            names = [job["id"] for job in document["jobs"]]
            failing = set(chance.sample(names, chance.randint(0, len(names) // 2)))
            failing |= {f"{name}[0]" for name in names if chance.random() < 0.2}
            wanted = in_memory(document, failing)
            found = in_store(store, session, document, failing)
            kinds |= set(found.values())
            if wanted[""] is ExecutionState.COMPLETED:
                assert found == wanted, document
            else:
                # What has ended before one failed depends on who came first.
                assert found[""] == wanted[""] == ExecutionState.FAILED, document
        assert kinds >= {*JobState} - {
            JobState.WAITING,
            JobState.READY,
            JobState.ACTIVE,
            JobState.FANNED_OUT,
        }
