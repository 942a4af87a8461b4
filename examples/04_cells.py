"""A cell space: small graphs whose edges are operations, stacked into a network.

Many cells are the same network once zero edges and identities are taken away; MorphML builds and
counts that canonical form, and never trains one network twice.

python examples/04_cells.py [TRIALS]
"""

import sys

import morphml as mm
from morphml import layers as L

TRIALS = int(sys.argv[1]) if len(sys.argv) > 1 else 20

cell = mm.cell(
    on="edges",
    nodes=4,
    ops=[
        L.zero(),
        L.identity(),
        L.conv2d(filters=16, kernel_size=1),
        L.avg_pool2d(3, stride=1, padding="same"),
    ],
    name="cell",
)
space = mm.SearchSpace(
    input=(1, 8, 8),
    layers=[
        L.conv2d(filters=16),
        L.batch_norm(),
        L.relu(),
        cell,
        L.max_pool2d(2),
        cell,  # the same name: the same decisions, other weights
        L.global_avg_pool(),
        L.output(10),
    ],
)
print(f"{space.size} decision vectors")

result = mm.search(
    space,
    mm.Classification("digits", lr=0.01),
    objectives={"accuracy": "max"},
    trials=TRIALS,
    max_epochs=2,
    storage="cells.db",
    seed=5,
)
print(result)
