"""An ensemble of small neural networks: their mean predicts, their disagreement is the doubt.

Deep ensembles (Lakshminarayanan et al., 2017) as BANANAS uses them (White et al., 2021), in plain
arrays: all networks are trained side by side, full batch, by Adam. BLAS runs on one thread.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from morphml.optimizers.surrogate.points import Floats, Points
from morphml.optimizers.surrogate.regression import Known
from morphml.optimizers.surrogate.single_thread import single_thread

#: Networks, and units of each of their two hidden layers.
NETWORKS = 5
UNITS = 32
#: Steps of Adam with its step size, and the decay of weights that keeps few points from being
#: learned by heart.
STEPS = 120
STEP_SIZE = 0.02
DECAY = 1e-3
#: Doubt that remains where all networks agree, in deviations of the targets.
LEAST_DEVIATION = 0.02

#: Weights and biases, layer by layer, each with the networks as first axis.
Parameters = list[Floats]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ensemble:
    """Trained networks."""

    parameters: Parameters

    def predict(self, known: Known, candidates: Points) -> tuple[Floats, Floats]:
        """Mean and deviation over the networks; O(candidates x columns x networks).

        What is pending has no part in it: searches with an ensemble draw from its predictions, so
        that slots that ask at the same time look in different places.
        """
        with single_thread():
            _, _, predicted = _forward(self.parameters, candidates.columns())
        return predicted.mean(axis=0), np.maximum(predicted.std(axis=0), LEAST_DEVIATION)


class EnsembleRegression:
    """Trains the networks from scratch, from the same first weights each time."""

    def fit(self, points: Points, targets: Floats) -> Ensemble:
        """Networks for these points; O(steps x n x columns x networks)."""
        inputs = points.columns()
        parameters = _first_parameters(inputs.shape[1])
        means = [np.zeros_like(each) for each in parameters]
        squares = [np.zeros_like(each) for each in parameters]
        with single_thread():
            for step in range(1, STEPS + 1):
                gradients = _gradients(parameters, inputs, targets)
                for place, gradient in enumerate(gradients):
                    means[place] += 0.1 * (gradient - means[place])
                    squares[place] += 0.001 * (gradient * gradient - squares[place])
                    ahead = means[place] / (1 - 0.9**step)
                    scale = np.sqrt(squares[place] / (1 - 0.999**step)) + 1e-8
                    parameters[place] -= STEP_SIZE * ahead / scale
        return Ensemble(parameters=parameters)


def _first_parameters(columns: int) -> Parameters:
    """Normal weights with variance 2 / inputs (He et al., 2015); biases 0."""
    rng = np.random.default_rng(columns)
    parameters: Parameters = []
    for inputs, outputs in ((columns, UNITS), (UNITS, UNITS), (UNITS, 1)):
        scale = np.sqrt(2.0 / max(1, inputs))
        parameters.append(rng.normal(0.0, scale, (NETWORKS, inputs, outputs)))
        parameters.append(np.zeros((NETWORKS, 1, outputs)))
    return parameters


def _forward(parameters: Parameters, inputs: Floats) -> tuple[Floats, Floats, Floats]:
    """Both hidden layers, each (networks, n, units), and the predictions, (networks, n)."""
    w1, b1, w2, b2, w3, b3 = parameters
    first = np.maximum(inputs @ w1 + b1, 0.0)
    second = np.maximum(first @ w2 + b2, 0.0)
    return first, second, (second @ w3 + b3)[:, :, 0]


def _gradients(parameters: Parameters, inputs: Floats, targets: Floats) -> Parameters:
    """Of the mean squared error and the decay, in the order of the parameters."""
    w1, _, w2, _, w3, _ = parameters
    first, second, predicted = _forward(parameters, inputs)
    error = (2.0 / len(targets)) * (predicted - targets)[:, :, None]
    back_second = (error @ w3.transpose(0, 2, 1)) * (second > 0)
    back_first = (back_second @ w2.transpose(0, 2, 1)) * (first > 0)
    return [
        inputs.T @ back_first + DECAY * w1,
        back_first.sum(axis=1, keepdims=True),
        first.transpose(0, 2, 1) @ back_second + DECAY * w2,
        back_second.sum(axis=1, keepdims=True),
        second.transpose(0, 2, 1) @ error + DECAY * w3,
        error.sum(axis=1, keepdims=True),
    ]
