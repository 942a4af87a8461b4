"""The same search with fewer epochs a trial, for when there are fewer workers than there were.

Values at three epochs and values at thirty are not of one kind: in one experiment the older trials
would win for ever, and an optimizer would learn from the difference. So it is another experiment,
with the same space, evaluator, optimizer and seed, which tries the best architectures of the first
one again before any other.
"""

from __future__ import annotations

import shutil
from dataclasses import replace

from morphml.errors import ExperimentError
from morphml.master.artifacts import RunArtifacts
from morphml.master.experiment import Experiment
from morphml.master.places import experiment_folder
from morphml.search.experiment import ExperimentSpec
from morphml.search.given import check_count

#: Architectures that the lighter search tries first.
BEST = 10


def lighter(heavy: Experiment, max_epochs: int, *, trials: int | None = None) -> Experiment:
    """A new experiment in the same store; run or submit it as any other.

    Args:
        heavy: the experiment so far, which stays as it is; stop it first where it runs.
        max_epochs: epochs of one trial, fewer than those of ``heavy``.
        trials: how many in all; by default those that ``heavy`` has left, and the ones tried again.

    Raises:
        ExperimentError: when there would be no fewer epochs, or no trials.
    """
    spec, record = heavy.spec, heavy.record
    check_count("max_epochs", max_epochs, 1)
    if max_epochs >= spec.max_epochs:
        raise ExperimentError(
            f"max_epochs: fewer than the {spec.max_epochs} of experiment {record.name!r}, "
            f"got {max_epochs}"
        )
    start = tuple(trial.architecture.vector for trial in heavy.result().ranked()[:BEST])
    left = spec.budget.trials - record.next_number
    wanted = left + len(start) if trials is None else trials
    if wanted < 1 or (trials is None and left < 1):
        raise ExperimentError(
            f"experiment {record.name!r} has used up its {spec.budget.trials} trials; say how many "
            "the lighter one may have with trials"
        )
    light = replace(
        spec,
        name=f"{record.name} at {max_epochs} epochs",
        max_epochs=max_epochs,
        start=start,
        budget=replace(spec.budget, trials=wanted),
    )
    return _store(heavy, light)


def _store(heavy: Experiment, light: ExperimentSpec) -> Experiment:
    experiment = heavy.store.create_experiment(light)
    is_kept = heavy.folder.name == heavy.id
    folder = heavy.folder.with_name(experiment) if is_kept else experiment_folder(None, experiment)
    RunArtifacts(folder)
    for code in heavy.folder.glob("evaluator-*.pkl"):
        shutil.copy2(code, folder / code.name)
    return heavy.beside(experiment, folder)
