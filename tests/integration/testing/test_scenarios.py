"""Every policy in every scenario, with the invariants checked after every event."""

from __future__ import annotations

import pytest

from morphml.scheduling.policies import policy_names
from morphml.testing.simulator import SCENARIOS, Size, create_scenario, simulate

SMALL = Size(workers=9, tasks=60, mean_s=60.0)
#: A quarter of all pairs, in which each policy and each scenario meets several of the others.
PAIRS = [
    pytest.param(name, policy, marks=() if (i + j) % 4 == 0 else pytest.mark.soak)
    for i, name in enumerate(SCENARIOS)
    for j, policy in enumerate(policy_names())
]


@pytest.mark.parametrize(("name", "policy"), PAIRS)
def test_every_task_ends_and_invariants_hold_after_every_event(name: str, policy: str) -> None:
    outcome = simulate(create_scenario(name, SMALL), policy, seed=3, check=True)
    assert outcome.succeeded >= 0.9 * outcome.tasks
    assert outcome.makespan_s >= outcome.bound_s > 0
    assert 0 < outcome.useful <= outcome.slot_use <= 1 + 1e-9
    assert outcome.attempts >= outcome.succeeded


@pytest.mark.parametrize("policy", policy_names())
def test_a_decision_looks_at_no_more_workers_where_there_are_more(policy: str) -> None:
    """Time grows with this and with the logarithm of the heaps; benchmarks measure it."""
    few, many = (
        simulate(create_scenario("churn", Size(workers=n, tasks=4 * n)), policy, seed=0)
        for n in (20, 200)
    )
    assert few.looked <= 4
    assert many.looked <= 1.5 * few.looked


def test_broken_workers_are_shut_off_and_fail_little() -> None:
    """Each of them could fail sixty attempts a minute; breakers leave it a few."""
    size = Size(workers=20, tasks=400)
    outcomes = [simulate(create_scenario("broken-nodes", size), "fifo", seed) for seed in range(3)]
    assert all(outcome.succeeded >= 0.98 * outcome.tasks for outcome in outcomes)
    assert all(outcome.attempts < 1.2 * outcome.tasks for outcome in outcomes)


@pytest.mark.parametrize(
    ("scenario", "policy", "most"),
    [
        # Where a third of the workers has what some tasks need, it is kept for these.
        ("labels", "work_stealing", 1.02),
        ("labels", "adaptive", 1.0),
        ("heterogeneous", "adaptive", 0.9),
    ],
)
def test_policy_takes_no_longer_than_fifo_over_some_seeds(
    scenario: str, policy: str, most: float
) -> None:
    size = Size(workers=12)
    runs = {
        name: [simulate(create_scenario(scenario, size), name, seed) for seed in range(4)]
        for name in ("fifo", policy)
    }
    took = {name: sum(run.makespan_s for run in found) for name, found in runs.items()}
    assert took[policy] <= most * took["fifo"]
