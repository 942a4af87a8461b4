"""Data sets for the built-in training, as numpy arrays; loaded once per process."""

from morphml.evaluation.data.dataset import Dataset, Part
from morphml.evaluation.data.loading import load_dataset

__all__ = ["Dataset", "Part", "load_dataset"]
