"""Every optimizer searches spaces of networks through the search machine, by graph identity."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from morphml import layers as L
from morphml.optimizers import JSON, OPTIMIZERS, create_optimizer
from morphml.search.experiment import (
    Budget,
    EvaluatorReference,
    ExperimentSpec,
    OptimizerReference,
    TrialState,
)
from morphml.search.machine import Ended, SearchMachine
from morphml.search.objectives import parse_objectives
from morphml.search.outcome import Outcome
from morphml.space import GraphSpace, SearchSpace, choice, integer, optional, real, repeat

TRIALS = 80
#: A proposal of this one takes tenths of a second: random draws, then some around the resumption.
SHORTER: dict[str, tuple[int, dict[str, JSON]]] = {"optuna_gp": (44, {"starts": 30})}
RESUMED = 40


def layered() -> SearchSpace:
    return SearchSpace(
        input=(1, 16, 16),
        layers=[
            repeat(
                L.conv2d(filters=choice(4, 8, 16), kernel_size=choice(1, 3)),
                choice(L.relu(), L.gelu()),
                optional(L.max_pool2d(2)),
                times=integer(1, 3),
            ),
            L.flatten(),
            L.output(10),
        ],
        hyper={"lr": real(1e-4, 1e-1, log=True)},
    )


def graphs() -> SearchSpace:
    return GraphSpace(
        input=(4, 8, 8),
        max_nodes=4,
        ops=[L.conv2d(filters=4, kernel_size=3), L.max_pool2d(3, stride=1, padding=1), L.relu()],
        head=[L.flatten(), L.output(3)],
    )


def machine_for(space: SearchSpace, optimizer: str, objectives: dict[str, str]) -> SearchMachine:
    trials, settings = SHORTER.get(optimizer, (TRIALS, {}))
    made = create_optimizer(optimizer, space, **settings)
    reference = OptimizerReference(name=made.name, version=made.version, settings=made.settings)
    spec = ExperimentSpec(
        name="graphs",
        space=None,
        space_digest=space.digest,
        objectives=parse_objectives(objectives),
        optimizer=reference,
        budget=Budget(trials=trials),
        evaluator=EvaluatorReference(kind="value", reference="none"),
        seed=3,
    )
    return SearchMachine(spec, space, made)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("space", [layered, graphs], ids=["layers", "graphs"])
def test_every_trial_is_another_network_and_the_fold_goes_on_alike(
    optimizer: str, space: Callable[[], SearchSpace]
) -> None:
    searched = space()
    objectives = {"accuracy": "max", "params": "min"}
    machine = machine_for(searched, optimizer, objectives)
    points, entries, running = [], [], []
    while not isinstance(taken := machine.ask(), Ended):
        assert searched.contains(taken.architecture).ok
        points.append(taken.architecture.point_id)
        running.append(taken)
        if len(running) == 4:
            ended = running.pop(0)
            accuracy = -abs(ended.architecture.params - 3_000) / 3_000
            failed = ended.number % 9 == 0
            state = TrialState.FAILED if failed else TrialState.COMPLETED
            metrics = {} if failed else {"accuracy": accuracy}
            machine.tell(ended.number, Outcome(state=state, metrics=metrics))
        entries += machine.drain().entries
        if len(points) == RESUMED:
            resumed = machine_for(space(), optimizer, objectives)
            resumed.fold(entries)
            following = resumed.ask()
            assert not isinstance(following, Ended)
        if len(points) == RESUMED + 1:
            assert taken.architecture.vector == following.architecture.vector
    assert len(points) == len(set(points)) == machine.spec.budget.trials
