"""A search on a Ray cluster: your own training, with data that each machine loads once.

Without an address, and without RAY_ADDRESS, Ray is started on this machine for the search; with
one, such as auto or HOST:6379, the search runs where nodes can dial back to it, best on the head.
See docs/distributed/ray.md. Needs the extras ray and torch.

python examples/09_ray_search.py [TRIALS [ADDRESS]]
"""

import sys

import morphml as mm
from morphml import layers as L

TRIALS = int(sys.argv[1]) if len(sys.argv) > 1 else 24
ENGINE = f"ray:{sys.argv[2]}" if len(sys.argv) > 2 else "ray"

space = mm.SearchSpace(
    input=(64,),
    layers=[
        mm.repeat(
            L.dense(units=mm.integer(8, 64)),
            mm.choice(L.relu(), L.gelu(), L.tanh()),
            times=mm.integer(1, 3),
        ),
        L.output(10),
    ],
    hyper={"lr": mm.real(1e-3, 1e-1, log=True)},
)


def load():
    """Called once on each machine; all trials there share what it returns, without a copy."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    return {"x": digits.data.astype("float32") / 16.0, "y": digits.target}


def evaluate(arch, trial):
    import torch

    data = trial.dataset(load)
    x, y = torch.from_numpy(data["x"]), torch.from_numpy(data["y"])
    model = arch.build()
    optimizer = torch.optim.Adam(model.parameters(), lr=trial.params["lr"])
    for epoch in trial.epochs(5, model=model, optimizer=optimizer):
        for start in range(0, 1400, 100):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(
                model(x[start : start + 100]), y[start : start + 100]
            )
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            accuracy = (model(x[1400:]).argmax(1) == y[1400:]).float().mean().item()
        trial.report(epoch, accuracy=accuracy)
    return {"accuracy": accuracy}


if __name__ == "__main__":
    result = mm.search(
        space,
        evaluate,
        objectives={"accuracy": "max"},
        trials=TRIALS,
        storage="ray_search.db",
        engine=ENGINE,
        seed=1,
    )
    print(result)
    print("on", *sorted({each.worker.partition("/")[0] for each in result.attempts}))
