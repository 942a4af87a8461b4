"""The shell that joins store, engine and the pure machines."""

from morphml.master.experiment import Experiment
from morphml.master.progress import Observer, Progress
from morphml.master.replay import replay
from morphml.master.result import Result
from morphml.master.search import resume, search

__all__ = ["Experiment", "Observer", "Progress", "Result", "replay", "resume", "search"]
