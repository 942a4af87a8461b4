"""Ask and tell by hand: you evaluate, MorphML proposes and keeps the books.

For evaluations that run elsewhere: on a device on your desk, in a simulator, by a person.

python examples/05_ask_tell_by_hand.py [TRIALS]
"""

import sys

import morphml as mm
from morphml import layers as L

TRIALS = int(sys.argv[1]) if len(sys.argv) > 1 else 40

space = mm.SearchSpace(
    input=(16,),
    layers=[
        mm.repeat(L.dense(units=mm.integer(4, 64)), L.relu(), times=mm.integer(1, 3)),
        L.output(2),
    ],
    hyper={"lr": mm.real(1e-4, 1e-1, log=True)},
)


def measure(architecture, lr):
    """Stands for anything: here, how far a network is from 1,000 parameters and a rate of 0.01."""
    return abs(architecture.params - 1000) / 1000 + abs(lr - 0.01)


with mm.Experiment.create(
    space,
    None,  # nobody evaluates but you
    objectives={"distance": "min"},
    optimizer="evolution",
    trials=TRIALS,
    storage="by_hand.db",
    seed=11,
) as experiment:
    while (trial := experiment.ask()) is not None:
        distance = measure(trial.architecture, trial.params["lr"])
        experiment.tell(trial.number, {"distance": distance})
    result = experiment.result()

print(result)
print(f"best: {result.best.metrics['params']:.0f} parameters, lr {result.best.hyper['lr']:.4f}")
