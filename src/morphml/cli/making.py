"""What ``morphml bench make-table`` does: train every network of the package's table."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from morphml.benchmarks.cell_table import CellTable
from morphml.benchmarks.digits_cells import different_networks, digits_cells_space
from morphml.cli.running import progress_shown, terminable
from morphml.errors import CallerError
from morphml.evaluation.training.curves import Curves
from morphml.master import Experiment, Result
from morphml.space import Architecture
from morphml.storage import open_store
from morphml.version import __version__

#: Name of the experiment that trains the networks.
_NAME = "digits-cells"
#: Of the package's own table.
_EPOCHS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which table is to be made."""

    #: How many networks, from the first on; None for all.
    networks: int | None = None
    #: Of each training.
    epochs: int = _EPOCHS

    @property
    def name(self) -> str:
        """Of the experiment: one for each number of epochs."""
        return _NAME if self.epochs == _EPOCHS else f"{_NAME}-{self.epochs}"


def make_table(
    file: Path, storage: Path, asked: Wanted, *, workers: int | None, quiet: bool
) -> CellTable:
    """Train what the store does not hold yet, and write the table.

    Args:
        file: the ``.npz`` file to write.
        storage: a SQLite file; made where it is not there.
        asked: which table.
        workers: trainings at a time; half the processors by default.
        quiet: show no progress.

    Raises:
        CallerError: the store is that of other networks, or a training failed.
    """
    wanted = different_networks(digits_cells_space())[: asked.networks]
    curves = Curves(epochs=asked.epochs)
    with (
        _opened(storage, asked.name, wanted, curves) as experiment,
        terminable(),
        progress_shown(quiet=quiet) as shown,
    ):
        result = experiment.run(workers, shown)
    failed = {number: failure["message"] for number, failure in result.failures.items()}
    if failed or result.counts.get("completed", 0) < len(wanted):
        raise CallerError(
            f"{storage}: {len(failed)} of {len(wanted)} trainings failed, "
            f"{result.counts.get('completed', 0)} are done: {failed}"
        )
    table = table_of(result, wanted, curves)
    file.parent.mkdir(parents=True, exist_ok=True)
    table.save(file)
    return table


def summary(table: CellTable) -> dict[str, int | float]:
    """What a table holds, for people."""
    best = table.accuracy("test")[:, -1].max()
    return {
        "networks": len(table.params),
        "cells": len(table.cells),
        "trainings": table.test.shape[0] * table.test.shape[1],
        "epochs": table.epochs,
        "best test accuracy (%)": round(float(best), 2),
    }


def table_of(result: Result, wanted: Sequence[Architecture], curves: Curves) -> CellTable:
    """The table of trainings that are all done."""
    space = wanted[0].space
    places = {each.graph_id: place for place, each in enumerate(wanted)}
    cells = [(each.vector, each.graph_id) for each in space.members()]
    cells = [(vector, graph) for vector, graph in cells if graph in places]
    trained = {
        result.trial(record.number).architecture.vector: record.metrics for record in result.records
    }
    metrics = [trained[each.vector] for each in wanted]
    train, validation, test = curves.samples
    return CellTable(
        edges=tuple(decision.path.rpartition("/")[2] for decision in space.decisions),
        cells=np.array([vector for vector, _ in cells], dtype=np.uint8),
        network=np.array([places[graph] for _, graph in cells], dtype=np.uint16),
        validation=_right("validation", metrics, curves),
        test=_right("test", metrics, curves),
        held={"validation": validation, "test": test},
        params=np.array([each.params for each in wanted], dtype=np.int64),
        flops=np.array([each.flops for each in wanted], dtype=np.int64),
        seconds=np.array([each["seconds"] for each in metrics], dtype=np.float32),
        made={
            **curves.arguments,
            "samples": train,
            "space": space.to_text(),
            "morphml": __version__,
            "torch": version("torch"),
            "machine": platform.machine(),
        },
    )


def _right(
    part: Literal["validation", "test"], metrics: Sequence[Mapping[str, float]], curves: Curves
) -> npt.NDArray[np.uint16]:
    return np.array(
        [
            [
                [each[f"{part}_{number}_{epoch}"] for epoch in range(1, curves.epochs + 1)]
                for number in range(curves.seeds)
            ]
            for each in metrics
        ],
        dtype=np.uint16,
    )


def _opened(storage: Path, name: str, wanted: Sequence[Architecture], curves: Curves) -> Experiment:
    if not _holds(storage, name):
        return Experiment.create(
            wanted[0].space,
            curves,
            storage=storage,
            name=name,
            objectives={"accuracy": "max"},
            optimizer="random",
            trials=len(wanted),
            start=wanted,
        )
    experiment = Experiment.open(storage, name)
    if experiment.spec.start != tuple(each.vector for each in wanted):
        experiment.close()
        raise CallerError(f"{storage}: holds other networks; name another file, or remove it")
    return experiment


def _holds(storage: Path, name: str) -> bool:
    """Whether the trainings were begun; whoever was killed at once left a store without them."""
    if not storage.exists():
        return False
    with closing(open_store(storage)) as store:
        return any(record.name == name for record in store.experiments())
