"""The search machine: numbers, duplicates, constraints, the log, and its fold."""

from __future__ import annotations

import pytest

from morphml import layers as L
from morphml.errors import ConstraintError
from morphml.optimizers import create_optimizer
from morphml.search.constraints import parse_constraints
from morphml.search.experiment import (
    Budget,
    EvaluatorReference,
    ExperimentSpec,
    OptimizerReference,
    TrialState,
)
from morphml.search.log import EntryKind
from morphml.search.machine import Ended, SearchMachine, Taken
from morphml.search.meter import Meter
from morphml.search.objectives import parse_objectives
from morphml.search.outcome import Outcome
from morphml.search.replay import check_replay
from morphml.space import SearchSpace, choice, integer

GRID = SearchSpace(decisions={"a": integer(0, 4), "b": integer(0, 4)})
NETS = SearchSpace(
    input=(8,),
    layers=[
        L.dense(units=choice(4, 8, 16, 32, 64)),
        L.relu(),
        L.dense(units=choice(4, 8, 16, 32, 64)),
        L.output(3),
    ],
)


def spec_of(space: SearchSpace, **changes: object) -> ExperimentSpec:
    optimizer = create_optimizer(str(changes.pop("optimizer", "evolution")), space)
    fields: dict[str, object] = {
        "name": "test",
        "space": None,
        "space_digest": "",
        "objectives": parse_objectives({"loss": "min"}),
        "optimizer": OptimizerReference(
            name=optimizer.name, version=optimizer.version, settings=dict(optimizer.settings)
        ),
        "budget": Budget(trials=20),
        "evaluator": EvaluatorReference(kind="value", reference="f"),
        "seed": 3,
    }
    return ExperimentSpec(**{**fields, **changes})  # type: ignore[arg-type]


def machine_of(spec: ExperimentSpec, space: SearchSpace) -> SearchMachine:
    optimizer = create_optimizer(spec.optimizer.name, space, **spec.optimizer.settings)
    return SearchMachine(spec, space, optimizer)


def loss_of(taken: Taken) -> float:
    a, b = taken.architecture.decisions["a"], taken.architecture.decisions["b"]
    return float((a - 3) ** 2 + (b - 1) ** 2)


def run_to_end(machine: SearchMachine, in_flight: int = 1) -> tuple[list, str]:
    """Evaluate until the machine ends; all log entries and the reason."""
    entries, waiting = [], []
    while True:
        asked = machine.ask()
        if isinstance(asked, Taken):
            waiting.append(asked)
        if waiting and (isinstance(asked, Ended) or len(waiting) >= in_flight):
            done = waiting.pop(0)
            outcome = Outcome(state=TrialState.COMPLETED, metrics={"loss": loss_of(done)})
            machine.tell(done.number, outcome)
        entries.extend(machine.drain().entries)
        if isinstance(asked, Ended) and not waiting:
            return entries, asked.reason


def test_machine_takes_exactly_the_budget_of_numbers_without_gaps() -> None:
    entries, reason = run_to_end(machine_of(spec_of(GRID), GRID), in_flight=4)
    asked = [entry.number for entry in entries if entry.kind is EntryKind.ASKED]
    told = [entry.number for entry in entries if entry.kind is EntryKind.TOLD]
    assert asked == list(range(20))
    assert sorted(told) == list(range(20))
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    assert reason == "budget of trials spent"


def test_machine_never_evaluates_a_point_twice_and_ends_when_the_space_is_dry() -> None:
    spec = spec_of(GRID, budget=Budget(trials=100))
    machine = machine_of(spec, GRID)
    points = set()
    while isinstance(taken := machine.ask(), Taken):
        points.add(taken.architecture.point_id)
        machine.tell(
            taken.number, Outcome(state=TrialState.COMPLETED, metrics={"loss": loss_of(taken)})
        )
    assert taken == Ended("space exhausted")
    assert len(points) == machine.next_number == 25
    assert machine.standing.duplicates > 0


def test_machine_folded_from_its_log_proposes_what_the_running_one_proposes() -> None:
    spec = spec_of(GRID, budget=Budget(trials=15))
    running = machine_of(spec, GRID)
    entries: list = []
    for _ in range(10):
        taken = running.ask()
        assert isinstance(taken, Taken)
        if taken.number % 3:
            outcome = Outcome(state=TrialState.COMPLETED, metrics={"loss": loss_of(taken)})
            running.tell(taken.number, outcome)
        entries.extend(running.drain().entries)
        folded = machine_of(spec, GRID)
        folded.fold(entries)
        assert folded.seq == running.seq
        assert sorted(folded.pending) == sorted(running.pending)
        proposal = folded.ask()
        assert isinstance(proposal, Taken)
        expected = machine_of(spec, GRID)
        expected.fold(entries)
        again = expected.ask()
        assert isinstance(again, Taken)
        assert again.architecture == proposal.architecture


@pytest.mark.parametrize("optimizer", ["random", "evolution", "genetic", "local_search"])
@pytest.mark.parametrize("in_flight", [1, 5])
def test_replay_passes_on_an_own_log_and_fails_on_a_changed_one(
    optimizer: str, in_flight: int
) -> None:
    spec = spec_of(GRID, optimizer=optimizer)
    entries, _ = run_to_end(machine_of(spec, GRID), in_flight)
    report = check_replay(machine_of(spec, GRID), entries)
    assert report.passed
    assert report.asked >= 20
    other = spec_of(GRID, optimizer=optimizer, seed=4)
    changed = check_replay(machine_of(other, GRID), entries)
    assert not changed.passed
    assert changed.difference is not None


def test_machine_rejects_by_cheap_constraint_before_a_number_is_taken() -> None:
    spec = spec_of(
        NETS, constraints=parse_constraints({"params": "<= 300"}), budget=Budget(trials=8)
    )
    machine = machine_of(spec, NETS)
    entries = []
    for number in range(8):
        taken = machine.ask()
        assert isinstance(taken, Taken)
        assert taken.number == number
        assert taken.architecture.params <= 300
        entries.extend(machine.drain().entries)
    rejected = [entry for entry in entries if entry.kind is EntryKind.REJECTED]
    assert len(rejected) == machine.standing.rejections > 0


def test_machine_names_the_constraint_that_rejects_a_thousand_draws_in_a_row() -> None:
    spec = spec_of(NETS, constraints=parse_constraints({"params": "<= 10"}))
    with pytest.raises(ConstraintError, match="params <= 10") as caught:
        machine_of(spec, NETS).ask()
    assert caught.value.constraint == "params <= 10"


def test_machine_gives_a_failed_trial_no_number_and_keeps_it_from_being_best() -> None:
    machine = machine_of(spec_of(GRID), GRID)
    first, second = machine.ask(), machine.ask()
    assert isinstance(first, Taken)
    assert isinstance(second, Taken)
    failure = {"kind": "user_error", "error_type": "ValueError", "message": "no"}
    machine.tell(first.number, Outcome(state=TrialState.FAILED, failure=failure))
    assert machine.standing.best is None
    machine.tell(second.number, Outcome(state=TrialState.COMPLETED, metrics={"loss": 5.0}))
    assert machine.standing.best == (second.number, (5.0,))
    assert machine.standing.counts[TrialState.FAILED] == 1


def test_machine_tries_start_points_first_in_order() -> None:
    start = tuple(GRID.member({"a": a, "b": 0}).vector for a in (4, 2, 0))
    machine = machine_of(spec_of(GRID, start=start), GRID)
    tried = [machine.ask() for _ in range(4)]
    assert [t.architecture.vector for t in tried[:3] if isinstance(t, Taken)] == list(start)


def test_machine_stops_at_the_target() -> None:
    spec = spec_of(GRID, budget=Budget(trials=25, target=1.0))
    entries, reason = run_to_end(machine_of(spec, GRID))
    assert reason == "target reached"
    assert sum(entry.kind is EntryKind.ASKED for entry in entries) < 25


def test_machine_keeps_a_front_of_several_objectives() -> None:
    spec = spec_of(NETS, objectives=parse_objectives({"accuracy": "max", "params": "min"}))
    machine = machine_of(spec, NETS)
    for accuracy in (0.5, 0.9, 0.7, 0.9):
        taken = machine.ask()
        assert isinstance(taken, Taken)
        outcome = Outcome(state=TrialState.COMPLETED, metrics={"accuracy": accuracy})
        machine.tell(taken.number, outcome)
    front = machine.standing.front
    assert machine.standing.best is not None
    assert machine.standing.best[1][0] == -0.9
    for number, values in front.items():
        assert not any(
            o != number and v[0] <= values[0] and v[1] < values[1] for o, v in front.items()
        )


def test_meter_counts_what_ended_in_this_run_and_remembers_the_most_slots() -> None:
    machine = machine_of(spec_of(GRID), GRID)
    first = machine.ask()
    assert isinstance(first, Taken)
    machine.tell(first.number, Outcome(state=TrialState.COMPLETED, metrics={"loss": 5.0}))
    meter = Meter(machine, began=100.0)
    for loss in (4.0, 2.0):
        taken = machine.ask()
        assert isinstance(taken, Taken)
        machine.tell(taken.number, Outcome(state=TrialState.COMPLETED, metrics={"loss": loss}))
    assert isinstance(machine.ask(), Taken)
    assert meter.progress(102.0, busy=1, slots=4).slots == 4
    seen = meter.progress(104.0, busy=1, slots=2, reason="interrupted")
    assert (seen.taken, seen.ended, seen.elapsed_s, seen.rate) == (4, 2, 4.0, 0.5)
    assert (seen.slots, seen.most_slots, seen.busy) == (2, 4, 1)
    assert (seen.best_number, seen.best_value) == (2, 2.0)
    assert (seen.counts["completed"], seen.counts["pending"]) == (3, 1)
    assert (seen.budget, seen.reason) == (20, "interrupted")
