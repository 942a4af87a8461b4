"""The policy that an operator chose decides at real masters on a real store."""

from __future__ import annotations

import pytest
from tests.integration.engines.remote.scripted import eventually
from tests.integration.master.cluster.masters import LONG_S, Site, spec

from morphml.errors import SchedulingError
from morphml.master.workflows import Executions
from morphml.scheduling.policies import POLICIES
from morphml.search.experiment import ExperimentState
from morphml.testing.store.job_script import job


@pytest.mark.parametrize("policy", sorted(POLICIES))
def test_search_ends_under_every_policy(alone: Site, policy: str) -> None:
    master = alone.master("first", policy=policy)
    worker = alone.worker(master, slots=2)
    experiment = alone.submit(spec(trials=4))
    for number in range(4):
        task = worker.await_tasks(number + 1)[number]
        worker.start(task.attempt.token)
        worker.finish(task)
    alone.await_state(experiment, ExperimentState.COMPLETED)
    assert len(alone.attempts(experiment)) == 4


@pytest.mark.parametrize(("policy", "first"), [("fifo", 0), ("priority", 1)])
def test_jobs_are_ranked_by_the_policy_too(alone: Site, policy: str, first: int) -> None:
    master = alone.master("first", policy=policy)
    executions = Executions(master.store)
    begun = [
        executions.start({"workflowId": "w", "jobs": [job("a", priority=priority)]}).id
        for priority in (1, 10)
    ]
    (task,) = master.store.cluster.claim_jobs(master.life.keeper.session, 1)
    assert task.experiment == begun[first]


def test_masters_that_rank_otherwise_do_not_start_beside_each_other(shared: Site) -> None:
    shared.master("first", policy="fifo")
    eventually(
        lambda: any(each.report for each in shared.store.cluster.masters()), LONG_S, "its report"
    )
    with pytest.raises(SchedulingError, match="master first runs with 'fifo'"):
        shared.master("second", policy="adaptive")
    shared.master("third", policy="fifo")
