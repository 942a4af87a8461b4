"""The machine of this room, as the page of states shows it."""

from __future__ import annotations

from morphml.scheduling.diagrams import Machine, plain
from morphml.search import trial_life
from morphml.search.experiment import TrialState

MACHINES = (
    Machine(
        title="Trial",
        purpose="Whether a trial runs, waits at a rung, or how it ended; retries change nothing.",
        table=plain(trial_life.TRANSITIONS),
        first=TrialState.PENDING,
    ),
)
