"""The shortest search: a space, a built-in training, and the best architecture as a Python file.

python examples/01_quickstart.py [TRIALS]
"""

import sys

import morphml as mm
from morphml import layers as L

TRIALS = int(sys.argv[1]) if len(sys.argv) > 1 else 20

space = mm.SearchSpace(
    input=(1, 8, 8),
    layers=[
        mm.repeat(
            L.conv2d(filters=mm.choice(8, 16, 32), kernel_size=mm.choice(3, 5)),
            mm.choice(L.relu(), L.gelu()),
            times=mm.integer(1, 3),
        ),
        mm.optional(L.max_pool2d(2)),
        L.flatten(),
        L.output(10),
    ],
    hyper={"lr": mm.real(1e-3, 1e-1, log=True)},
)

result = mm.search(
    space,
    mm.Classification("digits"),  # scikit-learn's handwritten digits
    objectives={"accuracy": "max"},
    trials=TRIALS,
    max_epochs=3,
    storage="quickstart.db",
    seed=7,
)
print(result)
result.best.to_python("quickstart_model.py")  # standalone PyTorch, no MorphML import
