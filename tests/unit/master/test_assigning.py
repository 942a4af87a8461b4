"""What an engine is told of an attempt."""

from __future__ import annotations

from morphml.ids import AttemptToken, ExperimentId, TaskId
from morphml.master.assigning import Assigner, Standing
from morphml.master.flights import Flight
from morphml.search.experiment import (
    Budget,
    EvaluatorReference,
    ExperimentSpec,
    OptimizerReference,
)
from morphml.search.objectives import parse_objectives


def test_assignment_names_the_data_and_the_trial_that_it_reads() -> None:
    spec = ExperimentSpec(
        name="e",
        space=None,
        space_digest="d",
        objectives=parse_objectives({"score": "max"}),
        optimizer=OptimizerReference(name="random", version=1),
        budget=Budget(trials=1),
        evaluator=EvaluatorReference(kind="path", reference="a.b:c"),
        seed=0,
        resources={"gpu": 0.5},
        data_sets=("imagenet",),
    )
    assert ExperimentSpec.from_json(spec.to_json()) == spec
    flight = Flight(AttemptToken("t"), TaskId("k"), 7, 1, 3)
    made = Assigner(spec, ExperimentId("e1"), lambda _: None).assignment(
        flight, (1,), Standing(rank=2.0)
    )
    assert made.affinity == ("trial:e1/7", "data:imagenet")
    assert made.requirements == {"gpu": 0.5}
