"""Random-forest regression by SMAC: the mean over trees predicts, their spread is the doubt.

The forest is that of SMAC (Hutter et al., 2011; Lindauer et al., 2022) with its defaults for
hyperparameters. It is grown from a seed that depends on its data's size alone, by one thread.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from morphml.optimizers.surrogate.points import Floats, Points
from morphml.optimizers.surrogate.regression import Known

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace
    from smac.model.random_forest import RandomForest

TREES = 10
#: Doubt that remains where all trees agree, in deviations of the targets.
LEAST_DEVIATION = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Forest:
    """A forest that was grown."""

    trees: RandomForest

    def predict(self, known: Known, candidates: Points) -> tuple[Floats, Floats]:
        """Mean and deviation over the trees; O(candidates x trees x depth).

        What is pending has no part in it; random proposals in between keep slots apart.
        """
        means, variances = self.trees.predict(candidates.columns())
        assert variances is not None
        deviations: Floats = np.maximum(np.sqrt(variances[:, 0]), LEAST_DEVIATION)
        return means[:, 0].astype(np.float64), deviations


class ForestRegression:
    """Grows a forest."""

    def fit(self, points: Points, targets: Floats) -> Forest:
        """A forest over these points; O(trees x n log n x columns)."""
        from smac.model.random_forest import RandomForest  # noqa: PLC0415 takes a second

        columns = points.columns()
        trees = RandomForest(
            configspace=_cube(columns.shape[1]),
            n_trees=TREES,
            ratio_features=1.0,
            min_samples_split=2,
            min_samples_leaf=1,
            # No tree has more leaves than points; the default makes room for a million each time.
            max_leaf_nodes=max(2, len(columns)),
            bootstrapping=True,
            n_jobs=1,
            seed=len(columns),
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trees.train(columns, targets)
        return Forest(trees=trees)


def _cube(columns: int) -> ConfigurationSpace:
    """As many numbers from 0 to 1: SMAC's model asks for nothing else of a space."""
    from ConfigSpace import ConfigurationSpace, Float  # noqa: PLC0415 as above

    cube = ConfigurationSpace()
    cube.add([Float(f"x{index}", (0.0, 1.0)) for index in range(columns)])
    return cube
