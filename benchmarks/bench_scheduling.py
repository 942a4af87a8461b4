"""Policies in the simulator, scenario by scenario, and the simulator against 50 real processes.

The tables and the picture of ``docs/distributed/scheduling.md`` are made of these rows.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from benchmarks.prediction import measure_predictions
from benchmarks.scheduling_page import Findings, write_page
from morphml.scheduling.policies import DEFAULT_POLICY, policy_names
from morphml.testing.simulator import (
    SCENARIOS,
    Case,
    Size,
    Summary,
    create_scenario,
    run_campaign,
)
from morphml.testing.simulator.summary import Mean

#: Runs of each policy in each scenario.
SEEDS = 20
#: Workers of the comparison of policies.
WORKERS = 32
#: Workers of the growth of decisions; the largest is the promise.
POOLS = (100, 1_000, 10_000)
#: Of those pools.
TASKS_PER_SLOT = 20
#: The pool of the comparison where the end is luck: the longest tasks die with their workers.
LUCKY = 1_000

Row = dict[str, object]


def compare_policies() -> list[Summary]:
    """Every policy in every scenario."""
    size = Size(workers=WORKERS)
    cases = [
        Case(scenario=create_scenario(name, size), policy=policy)
        for name in SCENARIOS
        for policy in policy_names()
    ]
    return run_campaign(cases, range(SEEDS), processes=_processes())


def grow(policies: Sequence[str]) -> list[Summary]:
    """Heavy tail and churn on ever larger pools, one run each; alone, since time is measured."""
    found = []
    for policy in policies:
        for workers in POOLS:
            size = Size(workers=workers, tasks=TASKS_PER_SLOT * workers)
            case = Case(scenario=create_scenario("heavy-tail", size), policy=policy)
            found += run_campaign([case], [1])
    return found


def endure(policies: Sequence[str]) -> list[Summary]:
    """Heavy tail and churn on a large pool, over all seeds: one run says nothing of the end."""
    size = Size(workers=LUCKY, tasks=TASKS_PER_SLOT * LUCKY)
    cases = [Case(scenario=create_scenario("heavy-tail", size), policy=each) for each in policies]
    return run_campaign(cases, range(SEEDS), processes=_processes())


def endurance_row(summaries: Sequence[Summary]) -> Row:
    """What is promised of them."""
    took = {each.policy: each.makespan_s.value for each in summaries}
    shorter = round(100 * (1 - took["adaptive"] / took["fifo"]), 2)
    return {
        "case": f"adaptive against fifo, heavy tail on {LUCKY} workers",
        "shorter_percent": shorter,
    }


def comparison_rows(summaries: Sequence[Summary]) -> list[Row]:
    """One row for each scenario and policy, and one for each promise about them."""
    found = {(each.scenario, each.policy): each for each in summaries}
    rows = [
        {
            "case": f"simulated {each.scenario}, {each.policy}",
            **_mean("over_bound_percent", each.over_bound, 100),
            **_mean("useful_percent", each.useful, 100),
            **_mean("makespan_s", each.makespan_s, 1),
            "us": round(each.decision_us.value, 1),
        }
        for each in summaries
    ]
    for name in ("heterogeneous", "homogeneous"):
        fifo = found[name, "fifo"].makespan_s.value
        adaptive = found[name, "adaptive"].makespan_s.value
        shorter = round(100 * (1 - adaptive / fifo), 2)
        rows.append({"case": f"adaptive against fifo, {name}", "shorter_percent": shorter})
    stolen = found["skewed-queues", "work_stealing"].over_bound
    case = "work_stealing against the bound, skewed-queues"
    rows.append({"case": case, **_mean("longer_percent", stolen, 100)})
    return rows


def growth_rows(summaries: Sequence[Summary]) -> list[Row]:
    """Slot use and time of a decision by the number of workers."""
    return [
        {
            "case": f"{each.workers} simulated workers, heavy tail, 1 % churn a minute, "
            f"{each.policy}",
            "slot_use": round(each.slot_use.value, 4),
            "useful": round(each.useful.value, 4),
            "us": round(each.decision_us.value, 1),
            "growth": round(each.decision_us.value / _smallest(each, summaries), 2),
        }
        for each in summaries
    ]


def _smallest(summary: Summary, summaries: Sequence[Summary]) -> float:
    """Microseconds of a decision of the same policy on the smallest pool."""
    alike = [each for each in summaries if each.policy == summary.policy]
    return min(alike, key=lambda each: each.workers).decision_us.value


def run() -> list[Row]:
    """All rows; the page is written anew."""
    predicted = measure_predictions()
    policies = list(dict.fromkeys((DEFAULT_POLICY, "fifo", "adaptive", "work_stealing")))
    large = grow(policies)
    long = endure(policies)
    compared = compare_policies()
    write_page(Findings(compared=compared, large=large, long=long, predicted=predicted))
    return [*predicted, *growth_rows(large), endurance_row(long), *comparison_rows(compared)]


def _mean(name: str, mean: Mean, factor: float) -> Row:
    return {
        name: round(factor * mean.value, 2),
        f"{name}_half": round(factor * mean.half, 2),
    }


def _processes() -> int:
    return os.cpu_count() or 1


if __name__ == "__main__":
    for row in run():
        print(row)
