"""An evaluator that counts its calls by a file each, and looks at what experiments shared."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from uuid import uuid4

import morphml as mm
from morphml.master import Experiment, Result, replay

GRID = mm.SearchSpace(decisions={"a": mm.integer(0, 4), "b": mm.integer(0, 4)})


class Bowl:
    """Scores a point of the grid; each call leaves a file."""

    version = "1"

    def __init__(self, folder: Path, slope: float = 1.0) -> None:
        self.folder = str(folder)
        self.slope = slope

    def __call__(self, arch, trial):
        (Path(self.folder) / f"call-{uuid4().hex}").write_text(f"{arch.point_id}\n")
        loss = (arch.decisions["a"] - 3) ** 2 + (arch.decisions["b"] - 1) ** 2
        return {"loss": self.slope * loss, "seed": float(trial.seed)}


class NewerBowl(Bowl):
    version = "2"


def calls(folder: Path) -> Counter[str]:
    """Point id to how often it was evaluated."""
    return Counter(path.read_text().strip() for path in folder.glob("call-*"))


def search(path: Path, evaluate: object, **options: object) -> Result:
    given = {"objectives": {"loss": "min"}, "trials": 15, "workers": 0, "reuse": True, **options}
    return mm.search(GRID, evaluate, storage=path, **given)  # type: ignore[arg-type]


def replays(path: Path) -> int:
    """How many experiments of the store pass their replay, which must be all."""
    with Experiment.open(path) as experiment:
        ids = [record.id for record in experiment.store.experiments()]
    for each in ids:
        with Experiment.open(path, each) as experiment:
            report = replay(experiment)
        assert report.passed, (report.difference, report.proposed)
    return len(ids)
