"""A master and a worker, here in one script; on a cluster each runs on a machine of its own.

The same by commands: `morphml master`, `morphml worker`, `morphml submit` and `morphml status`; see
docs/distributed/README.md.

python examples/07_many_machines.py [TRIALS]
"""

import sys

import morphml as mm
from morphml import layers as L

TRIALS = int(sys.argv[1]) if len(sys.argv) > 1 else 24

space = mm.SearchSpace(
    input=(1, 8, 8),
    layers=[
        L.flatten(),
        mm.repeat(
            L.dense(units=mm.integer(4, 64)),
            mm.choice(L.relu(), L.gelu()),
            times=mm.integer(1, 2),
        ),
        L.output(10),
    ],
    hyper={"lr": mm.real(1e-3, 1e-1, log=True)},
)

if __name__ == "__main__":
    config = {
        "host": "127.0.0.1",  # "0.0.0.0" lets workers of other machines dial in
        "port": 0,  # any free one; on a cluster leave it at 50051
        "storage": "many_machines.db",  # or postgresql://..., for several masters
        # Your own training is a function in a module beside the script; workers get its folder.
        "evaluator": mm.Classification("digits"),
        "objectives": {"accuracy": "max"},
    }
    optimizer = mm.GeneticAlgorithm(space, population_size=12)
    with mm.MasterNode(optimizer, config) as master:
        # On another machine this is the whole script: its name in "master_host", and start().
        worker = mm.WorkerNode({"master_port": master.port, "num_slots": 2, "num_gpus": 0})
        worker.start(wait=False)
        best = master.run_experiment(num_generations=2, trials=TRIALS, max_epochs=2, seed=7)
        worker.stop()
    print(f"best is trial {best.number}: accuracy {best.metrics['accuracy']:.3f}")
    print(dict(best.decisions))
