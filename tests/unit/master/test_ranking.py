"""By what rule a master ranks tasks, and whether the masters of a store agree on it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from morphml.errors import SchedulingError
from morphml.ids import ExperimentId, SessionId
from morphml.master.cluster.agreement import check_agreement
from morphml.master.cluster.reports import MasterReport, report_from_json
from morphml.master.ranking import Ranking, rank_rule
from morphml.scheduling.policies import POLICIES
from morphml.storage.cluster import MasterRow

ME = SessionId("me")


def other(policy: str, **fields: object) -> MasterRow:
    report = MasterReport(policy=policy, rank_rule=rank_rule(policy))
    row = MasterRow(
        session=SessionId("other"),
        name="box-7",
        address="box:1",
        started_at=0.0,
        lease_left_s=8.0,
        experiments=(),
        report=report.to_json(),
    )
    return replace(row, **fields)  # type: ignore[arg-type]  # the row's own fields


def test_policy_decides_what_a_priority_is_worth() -> None:
    important, usual = Ranking(ExperimentId("a"), 10), Ranking(ExperimentId("b"), 5)
    assert important(100.0) == usual(100.0) - 5 * 60.0
    assert Ranking(ExperimentId("a"), 10, "fifo")(100.0) == 100.0


def test_costs_are_found_out_only_for_policies_that_look_at_them() -> None:
    weighs = {name for name in POLICIES if Ranking(ExperimentId("a"), 5, name).weighs}
    assert weighs == {"adaptive", "work_stealing"}


def test_all_policies_but_fifo_rank_alike() -> None:
    rules = {rank_rule(name) for name in POLICIES if name != "fifo"}
    assert len(rules) == 1
    assert rank_rule("fifo") not in rules


def test_rule_survives_its_way_through_the_store() -> None:
    told = MasterReport(policy="fifo", rank_rule=rank_rule("fifo"))
    assert report_from_json(told.to_json()) == told
    assert report_from_json({"rank_rule": "none", "policy": 3}).rank_rule == ()


def test_master_with_another_rule_is_refused_and_told_what_to_do() -> None:
    with pytest.raises(SchedulingError, match=r"box-7 runs with 'fifo'.*--policy fifo"):
        check_agreement([other("fifo")], ME, "adaptive")


@pytest.mark.parametrize(
    "row",
    [
        other("priority"),
        other("fifo", session=ME),
        other("fifo", lease_left_s=-1.0),
        other("fifo", report={}),
    ],
)
def test_master_that_agrees_or_does_not_live_is_no_hindrance(row: MasterRow) -> None:
    check_agreement([row], ME, "adaptive")


def test_unknown_policy_is_named_with_the_nearest_one() -> None:
    with pytest.raises(SchedulingError, match=r"no policy 'adaptve'.*did you mean 'adaptive'"):
        Ranking(ExperimentId("a"), 5, "adaptve")
