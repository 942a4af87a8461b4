"""The experiment machine: budget, dedupe, log and replay, decided in pure code."""
