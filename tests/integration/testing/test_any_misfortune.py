"""Whatever goes wrong, in whatever mixture: the invariants hold after every event, all tasks end.

Tasks, leases, workers, breakers, retries and policies are driven together, as on a real master.
"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from morphml.scheduling.policies import policy_names
from morphml.testing.simulator import (
    Fixed,
    Load,
    LogNormal,
    Pareto,
    Scenario,
    Troubles,
    WorkerKind,
    simulate,
)

SHARES = st.sampled_from((0.0, 0.0, 0.05, 0.3))
TROUBLES = st.builds(
    Troubles,
    churn_per_min=SHARES,
    silent_deaths=st.sampled_from((0.0, 0.5, 1.0)),
    replaced_s=st.sampled_from((0.0, 30.0)),
    partitions_per_min=SHARES,
    partition_s=st.sampled_from((1.0, 4.0, 30.0)),
    wave_every_s=st.sampled_from((0.0, 45.0)),
    notice_s=st.sampled_from((0.0, 10.0)),
    stragglers=SHARES,
    failures=st.sampled_from((0.0, 0.1)),
    broken=st.sampled_from((0.0, 0.2)),
    clock_skew_s=st.sampled_from((0.0, 100.0)),
)
#: Every worker can run every task, so that nothing may be left over.
KINDS = st.builds(
    WorkerKind,
    count=st.integers(2, 4),
    slots=st.integers(1, 3),
    speed=st.sampled_from((0.5, 1.0, 4.0)),
    capabilities=st.just({"gpu": 2.0, "cpu": 8.0, "ssd": 1.0}),
)
LOADS = st.builds(
    Load,
    count=st.integers(1, 25),
    durations=st.sampled_from(
        (Fixed(mean_s=5.0), LogNormal(mean_s=20.0, spread=1.0), Pareto(mean_s=10.0, longest=20.0))
    ),
    priority=st.integers(1, 10),
    arrives_s=st.sampled_from((0.0, 0.0, 20.0)),
    requirements=st.sampled_from(
        ({}, {"gpu": 0.5}, {"gpu": 2.0}, {"ssd": 1.0, "cpu": 3.0}, {"workers": 2.0})
    ),
    data_sets=st.sampled_from((0, 3)),
    skew=st.just(1.0),
)


@given(
    kinds=st.lists(KINDS, min_size=1, max_size=2),
    loads=st.lists(LOADS, min_size=1, max_size=3),
    troubles=TROUBLES,
    overhead_s=st.sampled_from((0.0, 0.2)),
    policy=st.sampled_from(policy_names()),
    seed=st.integers(0, 1_000),
)
@settings(
    max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
def test_invariants_hold_and_all_tasks_end(
    kinds: list[WorkerKind],
    loads: list[Load],
    troubles: Troubles,
    overhead_s: float,
    policy: str,
    seed: int,
) -> None:
    named = [replace(load, name=f"e{n}") for n, load in enumerate(loads)]
    scenario = Scenario(
        name="any",
        workers=tuple(kinds),
        loads=tuple(named),
        troubles=troubles,
        overhead_s=overhead_s,
        fetch_s=0.5,
    )
    outcome = simulate(scenario, policy, seed, check=True)
    assert outcome.succeeded <= outcome.tasks
    assert outcome.makespan_s + 1e-6 >= outcome.bound_s
