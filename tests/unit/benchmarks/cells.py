"""A small made-up table in the form of the package's own, for tests of what reads it."""

from __future__ import annotations

import itertools

import numpy as np

from morphml.benchmarks.cell_table import CellTable

EPOCHS = 9


def made_up(cells: int = 256, seconds: float | None = None) -> CellTable:
    """Each cell is a network; the more often it has option 0, the better it gets."""
    vectors = np.array(list(itertools.product(range(4), repeat=6))[:cells], dtype=np.uint8)
    rng = np.random.default_rng(0)
    final = 0.4 + 0.1 * (vectors == 0).sum(1) + rng.uniform(0, 0.01, cells)
    growth = 1 - 0.5 ** np.arange(1, EPOCHS + 1)
    shares = np.clip(final[:, None, None] * growth * rng.uniform(0.9, 1, (cells, 3, 1)), 0, 1)
    took = np.full(cells, seconds) if seconds else rng.uniform(1, 3, cells)
    return CellTable(
        edges=tuple(f"edge_{n}" for n in range(6)),
        cells=vectors,
        network=np.arange(cells, dtype=np.uint16),
        validation=(600 * shares).astype(np.uint16),
        test=(500 * shares).astype(np.uint16),
        held={"validation": 600, "test": 500},
        params=np.arange(10, 10 + cells),
        flops=np.arange(cells) * 100,
        seconds=took.astype(np.float32),
        made={"seed": 0},
    )
