"""Your own training loop: any function of an architecture and a trial.

It runs in worker processes, where a trial that crashes, hangs or eats all memory harms nobody else;
no `if __name__ == "__main__"` is needed.

python examples/02_own_training_loop.py [TRIALS]
"""

import sys

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch.nn import functional as F

import morphml as mm
from morphml import layers as L

TRIALS = int(sys.argv[1]) if len(sys.argv) > 1 else 20

space = mm.SearchSpace(
    input=(64,),
    layers=[
        mm.repeat(
            L.dense(units=mm.choice(32, 64, 128)),
            mm.optional(L.batch_norm()),
            mm.choice(L.relu(), L.silu()),
            times=mm.integer(1, 4),
        ),
        L.dropout(rate=mm.choice(0.0, 0.2, 0.5)),
        L.output(10),
    ],
    hyper={"lr": mm.real(1e-4, 1e-1, log=True)},
)

images, labels = load_digits(return_X_y=True)
x = torch.from_numpy((images / 16).astype(np.float32))
y = torch.from_numpy(labels)
order = torch.randperm(len(y), generator=torch.Generator().manual_seed(0))
train, held_out = order[:1400], order[1400:]


def evaluate(arch, trial):
    torch.manual_seed(trial.seed)
    model = arch.build()  # a torch.nn.Module, shapes already checked
    optimizer = torch.optim.Adam(model.parameters(), lr=trial.params["lr"])
    accuracy = 0.0
    for epoch in trial.epochs(model=model, optimizer=optimizer):  # goes on after a lost attempt
        model.train()
        for batch in train[torch.randperm(len(train))].split(64):
            optimizer.zero_grad()
            F.cross_entropy(model(x[batch]), y[batch]).backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            accuracy = (model(x[held_out]).argmax(1) == y[held_out]).float().mean().item()
        trial.report(epoch, accuracy=accuracy)  # the search may stop a hopeless trial here
    return {"accuracy": accuracy}


result = mm.search(
    space,
    evaluate,
    objectives={"accuracy": "max"},
    optimizer="evolution",
    trials=TRIALS,
    max_epochs=4,
    storage="own_loop.db",
    seed=1,
)
print(result)
