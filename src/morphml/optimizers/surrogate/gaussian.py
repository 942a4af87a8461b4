"""Gaussian-process regression with a Laplace kernel over city-block distances.

For categorical decisions this is the exponential of the Hamming distance. Length scale and noise
are those of the greatest likelihood on a small grid (Rasmussen and Williams, 2006, 5.4.1), so a fit
has no starting point and no step size. BLAS runs on one thread: the last digits decide.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from morphml.optimizers.surrogate.points import Floats, Points, distances
from morphml.optimizers.surrogate.regression import Known
from morphml.optimizers.surrogate.single_thread import single_thread

#: Length scales in units of one unequal decision, and noise variances in units of the signal's.
SCALES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
NOISES = (1e-3, 1e-2, 1e-1, 0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class GaussianProcess:
    """The process with its three numbers chosen."""

    scale: float
    noise: float
    #: Of the signal.
    variance: float

    def predict(self, known: Known, candidates: Points) -> tuple[Floats, Floats]:
        """Posterior of the candidates; O((n + pending)^3 + candidates x n^2).

        Pending points are believed to come out as predicted (kriging believer, Ginsbourger et al.,
        2010), so that near them little is left to be learned.
        """
        with single_thread():
            points, targets = known.points, known.targets
            if len(known.pending):
                believed, _ = self._posterior(points, targets, known.pending)
                points = points.joined(known.pending)
                targets = np.concatenate([targets, believed])
            return self._posterior(points, targets, candidates)

    def _posterior(
        self, points: Points, targets: Floats, candidates: Points
    ) -> tuple[Floats, Floats]:
        kernel = np.exp(-distances(points, points) / self.scale)
        kernel[np.diag_indices(len(points))] += self.noise
        lower = np.linalg.cholesky(kernel)
        across = np.exp(-distances(points, candidates) / self.scale)
        solved = np.linalg.solve(lower, np.concatenate([across, targets[:, None]], axis=1))
        halves, whitened = solved[:, :-1], solved[:, -1]
        means: Floats = halves.T @ whitened
        left = np.maximum(1.0 - (halves * halves).sum(axis=0), 1e-9)
        deviations: Floats = np.sqrt(left * self.variance)
        return means, deviations


class GaussianRegression:
    """Chooses length scale, noise and variance by likelihood."""

    def fit(self, points: Points, targets: Floats) -> GaussianProcess:
        """The likeliest process on the grid; O(scales x n^3)."""
        with single_thread():
            apart = distances(points, points)
            found = [fit for scale in SCALES for fit in _likelihoods(apart, targets, scale)]
        _, best = max(found, key=lambda each: each[0])
        return best


def _likelihoods(
    apart: Floats, targets: Floats, scale: float
) -> list[tuple[float, GaussianProcess]]:
    """(log likelihood, process) for each noise; the variance is the likeliest in closed form."""
    values, vectors = np.linalg.eigh(np.exp(-apart / scale))
    rotated = vectors.T @ targets
    found = []
    for noise in NOISES:
        spectrum = np.maximum(values, 0.0) + noise
        variance = max(float((rotated * rotated / spectrum).mean()), 1e-12)
        fit = -0.5 * (len(targets) * np.log(variance) + np.log(spectrum).sum())
        process = GaussianProcess(scale=scale, noise=noise, variance=variance)
        found.append((round(float(fit), 6), process))
    return found
