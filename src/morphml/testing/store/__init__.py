"""The parts of the stores' contract suite, one file for each subject."""
