"""What the log may say of a trial, state by state, and what the machine makes of it."""

from __future__ import annotations

import pytest

from morphml.errors import IllegalTransition
from morphml.optimizers import create_optimizer
from morphml.search.experiment import (
    Budget,
    EvaluatorReference,
    ExperimentSpec,
    FidelityReference,
    OptimizerReference,
    TrialState,
)
from morphml.search.fidelity import create_fidelity
from morphml.search.log import EntryKind, LogEntry, encode_body
from morphml.search.machine import SearchMachine
from morphml.search.objectives import Direction, Objective
from morphml.search.outcome import Outcome, Rest
from morphml.space import SearchSpace, real

SPACE = SearchSpace(decisions={"x": real(0.0, 1.0)})


def fresh(**budget: int) -> SearchMachine:
    spec = ExperimentSpec(
        name="t",
        space=SPACE.to_text(),
        space_digest=SPACE.digest,
        objectives=(Objective(name="loss", direction=Direction.MIN),),
        optimizer=OptimizerReference(name="random", version=1),
        budget=Budget(trials=10, **budget),
        evaluator=EvaluatorReference(kind="value", reference="t"),
        seed=0,
        max_epochs=9,
        fidelity=FidelityReference(name="asha"),
    )
    return SearchMachine(
        spec, SPACE, create_optimizer("random", SPACE), fidelity=create_fidelity("asha", 9)
    )


def rest(step: int, loss: float, spent: int) -> Rest:
    return Rest(step=step, metrics={"loss": loss}, duration_s=1.0, spent=spent, saved=step)


def at_rung(machine: SearchMachine, *losses: float) -> None:
    for loss in losses:
        number = machine.next_number
        machine.ask()
        machine.pause(number, rest(1, loss, 1))


def test_trials_pass_through_their_states_and_are_counted() -> None:
    machine = fresh()
    at_rung(machine, 0.3, 0.2, 0.1)
    counts = machine.standing.counts
    assert (counts[TrialState.PENDING], counts[TrialState.PAUSED]) == (0, 3)
    assert machine.promote() == (2, 1, 3)
    assert (counts[TrialState.PENDING], counts[TrialState.PAUSED]) == (1, 2)
    stage = machine.segments.stage(2)
    assert (stage.segment, stage.from_epoch, stage.to_epoch) == (1, 1, 3)
    machine.pause(2, rest(3, 0.05, 2))
    machine.cancel(0)
    machine.end_paused()
    assert {s: n for s, n in counts.items() if n} == {TrialState.CANCELLED: 1, TrialState.PRUNED: 2}
    assert machine.standing.epochs == 3 + 2
    updates = machine.drain().updates
    assert [u.duration_s for u in updates if u.number == 2] == [1.0, 1.0, 2.0, 2.0]


def test_results_of_more_epochs_are_the_best_whatever_their_value() -> None:
    machine = fresh()
    at_rung(machine, 0.3, 0.2, 0.1)
    assert machine.standing.best == (2, (0.1,))
    machine.promote()
    machine.pause(2, rest(3, 0.5, 2))
    assert (machine.standing.best, machine.standing.level) == ((2, (0.5,)), 3)
    at_rung(machine, 0.01)
    assert machine.standing.best == (2, (0.5,))
    machine.ask()
    machine.tell(4, Outcome(state=TrialState.COMPLETED, metrics={"loss": 0.9}, epochs=9))
    assert (machine.standing.best, machine.standing.level) == ((4, (0.9,)), 9)


def test_nothing_is_promoted_when_enough_was_spent() -> None:
    machine = fresh(epochs=3)
    at_rung(machine, 0.3, 0.2, 0.1)
    assert machine.promote() is None
    assert machine.over is not None


def test_fold_knows_what_the_live_machine_knew() -> None:
    live, folded = fresh(), fresh()
    at_rung(live, 0.3, 0.2, 0.1, 0.4)
    live.promote()
    folded.fold(live.drain().entries)
    assert folded.segments.counts == live.segments.counts
    assert folded.segments.paused.keys() == live.segments.paused.keys() == {0, 1, 3}
    assert folded.segments.stage(2) == live.segments.stage(2)
    for machine in (live, folded):
        machine.pause(2, rest(3, 0.05, 2))
        at_rung(machine, 0.0, 0.0)
    assert folded.promote() == live.promote()
    assert folded.drain() == live.drain()


@pytest.mark.parametrize("kind", [EntryKind.PAUSED, EntryKind.PROMOTED])
def test_log_that_no_search_wrote_is_refused(kind: EntryKind) -> None:
    machine = fresh()
    at_rung(machine, 0.3)
    bodies = {EntryKind.PAUSED: rest(1, 0.3, 1).body(), EntryKind.PROMOTED: {"segment": 1}}
    number = 0
    if kind is EntryKind.PROMOTED:
        machine.ask()
        number = 1
        bodies[kind] = {"segment": 1, "from": 1, "to": 3}
    entry = LogEntry(machine.seq + 1, kind, number, encode_body(bodies[kind]))
    with pytest.raises(IllegalTransition, match=f"trial {number}"):
        machine.fold([entry])
