"""Built-in training: evaluators that need no code of the user.

This file imports nothing heavy; torch comes with the first training, or with ``setup``.
"""

from morphml.evaluation.training.classification import Classification
from morphml.evaluation.training.regression import Regression

__all__ = ["Classification", "Regression"]
