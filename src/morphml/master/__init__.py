"""The shell that joins store, engine and the pure machines."""

from morphml.master.experiment import Experiment
from morphml.master.replaying import replay
from morphml.master.result import Result
from morphml.master.searching import resume, search
from morphml.search.progress import Observer, Progress

__all__ = ["Experiment", "Observer", "Progress", "Result", "replay", "resume", "search"]
