"""``morphml simulate`` as a person types it."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import morphml as mm
from morphml.cli import simulating
from morphml.cli.app import app
from morphml.scheduling.policies import policy_names
from morphml.testing.simulator import Size, gaps

SCENARIOS_IN_HELP = ("heavy-tail", "preemption", "skewed-queues")


def simulate(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["simulate", *arguments], env={"COLUMNS": "160"})


def figures(*arguments: str) -> list[dict[str, object]]:
    result = simulate(*arguments, "--json")
    assert result.exit_code == 0, result.output
    found: list[dict[str, object]] = json.loads(result.stdout)
    return found


def without_times(row: dict[str, object]) -> dict[str, object]:
    """All but what is measured rather than simulated."""
    return {key: value for key, value in row.items() if not key.startswith("decision")}


def test_without_a_scenario_it_says_what_one_more_worker_brings() -> None:
    arguments = ("--workers", "4", "--slots", "2", "--tasks", "80", "--duration", "100")
    now, more, twice = figures(*arguments, "--spread", "0", "--policy", "fifo")
    assert [row["workers"] for row in (now, more, twice)] == [4, 5, 8]
    assert [row["makespan_s"] for row in (now, more, twice)] == [[1000, 0], [800, 0], [500, 0]]
    shown = simulate(*arguments, "--spread", "0", "--policy", "fifo")
    assert "one more worker saves 3 min 20 s" in " ".join(shown.stdout.split())


def test_several_policies_are_compared_where_they_differ_with_a_table_and_bars() -> None:
    arguments = ("--workers", "6", "--tasks", "30", "--seeds", "1", "--policy", "all")
    rows = figures(*arguments)
    names = list(policy_names())
    assert [(row["scenario"], row["policy"]) for row in rows] == [
        (scenario, policy) for scenario in ("heavy-tail", "priorities") for policy in names
    ]
    shown = simulate(*arguments).stdout
    bars = [line for line in shown.splitlines() if "░" in line]
    assert [line.split()[0] for line in bars] == [*names, *names]
    for word in ("use %", "over %", "wait, ", "prio 8", "prio 2", "fair", "per s"):
        assert word in shown


def test_large_pools_run_less_often_where_nobody_says_how_often() -> None:
    names = simulating.policies("all")
    assert simulating.seeds_for(simulating.cases(Size(workers=10_000), names, None)) == 1
    assert simulating.seeds_for(simulating.cases(Size(workers=100), names[:1], None)) == 5


def test_the_same_call_gives_the_same_figures() -> None:
    arguments = ("--workers", "10", "--scenario", "churn,heavy-tail", "--policy", "fifo,adaptive")
    first, again = figures(*arguments), figures(*arguments)
    assert [without_times(row) for row in first] == [without_times(row) for row in again]
    pairs = [(row["scenario"], row["policy"]) for row in first]
    assert pairs == [(s, p) for s in ("churn", "heavy-tail") for p in ("fifo", "adaptive")]


@pytest.mark.parametrize("ending", ["html", "svg", "png"])
def test_a_picture_is_written(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"out.{ending}"
    arguments = ("--workers", "6", "--scenario", "priorities", "--policy", "all", "--seeds", "2")
    result = simulate(*arguments, "--plot", str(path), "--quiet")
    assert result.exit_code == 0, result.output
    content = path.read_bytes()
    assert len(content) > 5_000
    if ending == "html":
        assert b"work_stealing" in content
        assert b"<script" not in content


def test_what_cannot_be_is_said_on_one_screen(tmp_path: Path) -> None:
    for arguments, said in (
        (("--scenario", "heavytail"), "did you mean 'heavy-tail'"),
        (("--policy", "adaptiv"), "did you mean 'adaptive'"),
        (("--duration", "-1"), "seconds above 0"),
        (("--plot", str(tmp_path / "out.pdf"), "--tasks", "4"), ".png or .svg"),
    ):
        result = simulate("--quiet", *arguments)
        assert result.exit_code == 2, result.output
        assert said in " ".join(result.output.replace("│", " ").split())


def test_durations_come_from_a_finished_experiment(tmp_path: Path) -> None:
    def evaluate(arch: mm.Architecture, trial: object) -> float:
        time.sleep(0.02 * arch.decisions["a"])
        return 1.0

    store = tmp_path / "s.db"
    space = mm.SearchSpace(decisions={"a": mm.integer(1, 4), "b": mm.integer(0, 99)})
    mm.search(
        space, evaluate, objectives={"score": "max"}, trials=12, workers=0, storage=store, seed=1
    )
    now, _, _ = figures("--from", str(store), "--workers", "2", "--policy", "fifo")
    assert now["tasks"] == 12
    makespan, _ = now["makespan_s"]
    assert 12 * 0.02 / 2 < makespan < 12 * 0.2
    refused = simulate("--from", str(store), "--duration", "5")
    assert refused.exit_code == 2
    missing = simulate("--from", f"{store}#nobody")
    assert missing.exit_code == 2
    assert "no experiment 'nobody'" in missing.output


def test_gaps_are_taken_slot_by_slot() -> None:
    spans = [("a", 0.0, 1.0), ("b", 0.5, 1.0), ("a", 1.25, 1.0), ("b", 1.5, 2.0), ("a", 3.0, 1.0)]
    assert sorted(gaps(spans)) == [0.0, 0.25, 0.75]
