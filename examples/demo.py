"""`make demo`: search a network for handwritten digits, and show everything that comes of it.

A real search with real training in worker processes: about two minutes on two cores. Ends with a
table, demo/model.py (plain PyTorch), its trained weights, and demo/report.html.
"""

import runpy
import shutil
import sys
from pathlib import Path

from rich.console import Console

import morphml as mm
from morphml import layers as L
from morphml.cli.outcome import best_tables
from morphml.visualization.progress import progress_view

TRIALS = int(sys.argv[1]) if len(sys.argv) > 1 else 48
FOLDER = Path("demo")
STORE = FOLDER / "digits.db"

space = mm.SearchSpace(
    input=(1, 8, 8),
    layers=[
        mm.repeat(
            L.conv2d(filters=mm.choice(8, 16, 32, 48), kernel_size=mm.choice(3, 5)),
            L.batch_norm(),
            mm.choice(L.relu(), L.gelu(), L.silu()),
            mm.optional(L.max_pool2d(2)),
            times=mm.integer(1, 3),
        ),
        L.flatten(),
        mm.optional(L.dense(units=mm.choice(32, 64, 128))),
        L.dropout(rate=mm.choice(0.0, 0.2, 0.4)),
        L.output(10),
    ],
    hyper={"lr": mm.real(1e-4, 3e-2, log=True), "batch_size": mm.choice(32, 64, 128)},
)

shutil.rmtree(FOLDER, ignore_errors=True)  # an earlier demo
FOLDER.mkdir()
console = Console()
console.print(f"{TRIALS} networks for 8 x 8 handwritten digits, trained in 2 worker processes")
with progress_view(console) as observer:  # a terminal shows it by itself; a log wants it asked for
    result = mm.search(
        space,
        mm.Classification("digits"),
        objectives={"accuracy": "max", "params": "min"},
        constraints={"params": "<= 200_000"},
        optimizer="evolution",
        optimizer_settings={"population_size": 14, "sample_size": 5},
        trials=TRIALS,
        max_epochs=8,
        workers=2,
        storage=STORE,
        seed=7,
        name="digits",
        observer=observer,
    )

console.print(*best_tables(result), sep="\n")
result.best.to_python(FOLDER / "model.py")
result.report(FOLDER / "report.html")

# The exported file is plain PyTorch: load it without MorphML and run it once.
model = runpy.run_path(str(FOLDER / "model.py"))
console.print(
    f"\nThe best network ({result.best.metrics['accuracy']:.1%} of held-out digits right):"
)
for path in sorted(FOLDER.iterdir()):
    if path.is_file():
        console.print(f"  {path}  {path.stat().st_size / 1024:,.0f} KiB")
