"""An ensemble of small neural networks: their mean predicts, their disagreement is the doubt.

Deep ensembles (Lakshminarayanan et al., 2017) as BANANAS uses them (White et al., 2021), in plain
arrays: all networks are trained side by side, full batch, by Adam (Kingma and Ba, 2015), in single
precision. Each weighs the points differently (the Bayesian bootstrap, Rubin, 1981): from the first
weights alone they disagree too little where little is known. BLAS runs on one thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

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

Singles: TypeAlias = npt.NDArray[np.float32]
#: Weights and biases, layer by layer, each with the networks as first axis.
Parameters: TypeAlias = list[Singles]


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
            _, _, out = _forward(self.parameters, candidates.columns().astype(np.float32))
        predicted = out[:, :, 0].astype(np.float64)
        return predicted.mean(axis=0), np.maximum(predicted.std(axis=0), LEAST_DEVIATION)


class EnsembleRegression:
    """Trains the networks from scratch, from the same first weights each time.

    How much a point counts for a network is drawn by the numbers of points and columns alone.
    """

    def fit(self, points: Points, targets: Floats) -> Ensemble:
        """Networks for these points; O(steps x n x columns x networks)."""
        inputs, wanted = points.columns().astype(np.float32), targets.astype(np.float32)
        shapes = _shapes(inputs.shape[1])
        flat, decay = _first(shapes), _decay(shapes)
        counts = _bootstrap(inputs)
        gradient, mean = np.zeros_like(flat), np.zeros_like(flat)
        square = np.zeros_like(flat)
        parameters, gradients = _views(flat, shapes), _views(gradient, shapes)
        with single_thread():
            for step in range(1, STEPS + 1):
                _fill_gradients(gradients, parameters, (inputs, wanted, counts))
                gradient += decay * flat
                mean += np.float32(0.1) * (gradient - mean)
                square += np.float32(0.001) * (gradient * gradient - square)
                scale = np.sqrt(square / np.float32(1 - 0.999**step)) + np.float32(1e-8)
                flat -= np.float32(STEP_SIZE / (1 - 0.9**step)) * mean / scale
        return Ensemble(parameters=parameters)


def _shapes(columns: int) -> list[tuple[int, int, int]]:
    """Of the weights and biases of each layer."""
    layers = ((columns, UNITS), (UNITS, UNITS), (UNITS, 1))
    return [s for i, o in layers for s in ((NETWORKS, i, o), (NETWORKS, 1, o))]


def _views(flat: Singles, shapes: list[tuple[int, int, int]]) -> Parameters:
    """Parts of one array, in the order of the parameters."""
    ends = np.cumsum([networks * i * o for networks, i, o in shapes])
    parts = np.split(flat, ends[:-1])
    return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]


def _first(shapes: list[tuple[int, int, int]]) -> Singles:
    """Normal weights with variance 2 / inputs (He et al., 2015); biases 0."""
    rng = np.random.default_rng(shapes[0][1])
    flat = np.zeros(sum(networks * i * o for networks, i, o in shapes), dtype=np.float32)
    for weights in _views(flat, shapes)[::2]:
        scale = np.sqrt(2.0 / max(1, weights.shape[1]))
        weights[:] = rng.normal(0.0, scale, weights.shape)
    return flat


def _decay(shapes: list[tuple[int, int, int]]) -> Singles:
    """The decay of each parameter: that of weights, none of biases."""
    flat = np.zeros(sum(networks * i * o for networks, i, o in shapes), dtype=np.float32)
    for weights in _views(flat, shapes)[::2]:
        weights[:] = DECAY
    return flat


def _bootstrap(inputs: Singles) -> Singles:
    """How much each point counts for each network, (networks, n, 1): 1 on average."""
    rng = np.random.default_rng(inputs.shape)
    return rng.exponential(1.0, (NETWORKS, len(inputs), 1)).astype(np.float32)


def _forward(parameters: Parameters, inputs: Singles) -> tuple[Singles, Singles, Singles]:
    """Both hidden layers, each (networks, n, units), and the predictions, (networks, n, 1)."""
    w1, b1, w2, b2, w3, b3 = parameters
    first: Singles = inputs @ w1
    first += b1
    np.maximum(first, np.float32(0.0), out=first)
    second: Singles = first @ w2
    second += b2
    np.maximum(second, np.float32(0.0), out=second)
    out: Singles = second @ w3
    out += b3
    return first, second, out


def _fill_gradients(
    gradients: Parameters, parameters: Parameters, data: tuple[Singles, Singles, Singles]
) -> None:
    """Write those of the mean squared error, in the order of the parameters.

    Args:
        gradients: written to.
        parameters: of the networks.
        data: inputs (n, columns), targets (n,) and how much each counts (networks, n, 1).
    """
    inputs, targets, counts = data
    g1, c1, g2, c2, g3, c3 = gradients
    _, _, w2, _, w3, _ = parameters
    first, second, out = _forward(parameters, inputs)
    error = np.float32(2.0 / len(targets)) * counts * (out - targets[:, None])
    back_second = error @ w3.transpose(0, 2, 1)
    back_second *= second > 0
    back_first = back_second @ w2.transpose(0, 2, 1)
    back_first *= first > 0
    for weights, biases, into, back in (
        (g1, c1, inputs.T, back_first),
        (g2, c2, first.transpose(0, 2, 1), back_second),
        (g3, c3, second.transpose(0, 2, 1), error),
    ):
        np.matmul(into, back, out=weights)
        np.add.reduce(back, axis=1, keepdims=True, out=biases)
