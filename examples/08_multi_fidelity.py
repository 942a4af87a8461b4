"""Few epochs for many trials, all epochs for the best: asynchronous successive halving.

A trial that pauses at a rung holds no slot; where it is promoted it goes on from its checkpoint, on
any worker, in this run or in a later one.

python examples/08_multi_fidelity.py [TRIALS]
"""

import sys

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch.nn import functional as F

import morphml as mm
from morphml import layers as L

TRIALS = int(sys.argv[1]) if len(sys.argv) > 1 else 27

space = mm.SearchSpace(
    input=(64,),
    layers=[
        mm.repeat(
            L.dense(units=mm.choice(32, 64, 128)),
            mm.choice(L.relu(), L.silu()),
            times=mm.integer(1, 3),
        ),
        L.output(10),
    ],
    hyper={"lr": mm.real(1e-5, 1.0, log=True)},
)

images, labels = load_digits(return_X_y=True)
x = torch.from_numpy((images / 16).astype(np.float32))
y = torch.from_numpy(labels)
order = torch.randperm(len(y), generator=torch.Generator().manual_seed(0))
train, held_out = order[:1400], order[1400:]


def evaluate(arch, trial):
    torch.set_num_threads(1)  # networks as small as these train no faster with more
    torch.manual_seed(trial.seed)
    model = arch.build()
    optimizer = torch.optim.Adam(model.parameters(), lr=trial.params["lr"])
    accuracy = 0.0
    for epoch in trial.epochs(model=model, optimizer=optimizer):  # up to the next rung
        model.train()
        for batch in train[torch.randperm(len(train))].split(64):
            optimizer.zero_grad()
            F.cross_entropy(model(x[batch]), y[batch]).backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            accuracy = (model(x[held_out]).argmax(1) == y[held_out]).float().mean().item()
        trial.report(epoch, accuracy=accuracy)
    return {"accuracy": accuracy}


result = mm.search(
    space,
    evaluate,
    optimizer="evolution",
    fidelity="asha",
    fidelity_settings={"min_epochs": 1, "eta": 3},
    max_epochs=9,
    trials=TRIALS,
    storage="rungs.db",
    seed=1,
)

for rung in result.course.rungs:
    print(f"{rung.epochs} epochs: {rung.reached} trials, {rung.promoted} went on")
trained = sum(record.epochs for record in result.records)
print(f"{trained} epochs were trained instead of {9 * TRIALS}")
print("best:", result.best)
result.plot_curves().save("rungs.svg")
