"""NAS-Bench-201 as a table: 15,625 published cells with the errors measured for each.

The file is not part of the repository. It is looked for under the folder of data sets
(``MORPHML_DATA``) and in ``../shared/data`` beside the repository.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from morphml.optimizers import create_optimizer
from morphml.search.experiment import (
    Budget,
    EvaluatorReference,
    ExperimentSpec,
    OptimizerReference,
    TrialState,
)
from morphml.search.machine import Ended, SearchMachine
from morphml.search.objectives import Direction, Objective
from morphml.search.outcome import Outcome
from morphml.settings import read_settings
from morphml.space import SearchSpace, choice

FILE = Path("nas-bench-201") / "nb201.npz"
#: Columns of test accuracy in %, by the name of the data set.
DATA_SETS = {"CIFAR-10": "c10", "CIFAR-100": "c100", "ImageNet16-120": "in16"}
#: Evaluations after which regret is reported.
BUDGETS = (50, 100, 200)
EDGES = ("edge_0_1", "edge_0_2", "edge_1_2", "edge_0_3", "edge_1_3", "edge_2_3")


@dataclass(frozen=True, kw_only=True)
class Table:
    """One data set's column."""

    #: Decision vector -> regret in points of test accuracy; 0 for the best cell.
    regrets: Mapping[tuple[int, ...], float]
    #: Six edges, five operations each.
    space: SearchSpace


def find_table() -> Path | None:
    """The file, or None when it is not on this machine."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folders = [folder for folder in (read_settings().data.folder, beside) if folder is not None]
    return next((f / FILE for f in folders if (f / FILE).is_file()), None)


def read_table(path: Path, data_set: str) -> Table:
    """The column ``test_200`` of one of ``DATA_SETS`` as regrets."""
    with np.load(path, allow_pickle=False) as arrays:
        names = [str(name) for name in arrays["op_names"]]
        cells: npt.NDArray[np.uint8] = arrays["ops"]
        accuracy = arrays[f"test_200_{DATA_SETS[data_set]}"].astype(np.float64)
    regrets = (accuracy.max() - accuracy).tolist()
    vectors = (tuple(cell) for cell in cells.tolist())
    space = SearchSpace(decisions={edge: choice(*names) for edge in EDGES}, name="nb201")
    return Table(regrets=dict(zip(vectors, regrets, strict=True)), space=space)


def best_regrets(
    table: Table, optimizer: str, seed: int, budgets: tuple[int, ...] = BUDGETS
) -> list[float]:
    """Regret of the best cell seen after each of ``budgets`` evaluations of one search.

    Every number taken is one look-up. A known cell proposed again is answered by the search
    itself, without a look-up.
    """
    made = create_optimizer(optimizer, table.space)
    spec = ExperimentSpec(
        name="regret",
        space=None,
        space_digest="",
        objectives=(Objective(name="regret", direction=Direction.MIN),),
        optimizer=OptimizerReference(name=made.name, version=made.version, settings=made.settings),
        budget=Budget(trials=max(budgets)),
        evaluator=EvaluatorReference(kind="value", reference="table"),
        seed=seed,
    )
    machine = SearchMachine(spec, table.space, made)
    best, curve = float("inf"), []
    while not isinstance(taken := machine.ask(), Ended):
        regret = table.regrets[taken.architecture.vector]
        machine.tell(taken.number, Outcome(state=TrialState.COMPLETED, metrics={"regret": regret}))
        machine.drain()
        best = min(best, regret)
        curve.append(best)
    return [curve[budget - 1] for budget in budgets]
