"""Two goals and a bound: accurate, small, and never above a number of FLOPs.

Parameters and FLOPs are counted on the model graph before anything is trained, so a proposal over a
bound costs nothing.

python examples/03_multi_objective_constraints.py [TRIALS]
"""

import sys

import morphml as mm
from morphml import layers as L

TRIALS = int(sys.argv[1]) if len(sys.argv) > 1 else 30

space = mm.SearchSpace(
    input=(1, 8, 8),
    layers=[
        mm.repeat(
            mm.choice(
                L.conv2d(filters=mm.choice(8, 16, 32), kernel_size=mm.choice(3, 5)),
                L.separable_conv2d(filters=mm.choice(16, 32, 64)),
            ),
            L.batch_norm(),
            L.relu(),
            times=mm.integer(1, 4),
        ),
        L.global_avg_pool(),
        L.output(10),
    ],
)

result = mm.search(
    space,
    mm.Classification("digits", lr=0.01),
    objectives={"accuracy": "max", "params": "min"},
    constraints={"flops": "<= 2_000_000"},
    trials=TRIALS,
    max_epochs=3,
    storage="two_goals.db",
    seed=3,
)
print(result)
for point in result.pareto_front:
    print(
        f"{point.metrics['accuracy']:.3f} accuracy with {point.metrics['params']:,.0f} parameters"
    )
result.plot_pareto().save("two_goals.png")
