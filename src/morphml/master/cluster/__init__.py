"""Masters on one store: each drives experiments, serves workers, and takes over from the dead."""
