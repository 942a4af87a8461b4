"""Optimizers that learn a model of the objective and ask where it promises most: their parts."""
