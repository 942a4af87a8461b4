"""What becomes of an attempt that failed, of its task, its worker and its experiment.

``failures.ANSWERS`` says what each kind of failure means, ``retry`` what becomes of the task;
``faults.workers`` shuts off workers that only fail, ``faults.devices`` single GPUs of a worker, and
``faults.experiment`` ends an experiment that only fails. ``FaultToleranceManager`` joins them.
"""

from morphml.scheduling.faults.devices import DeviceBreakers, DeviceFailure
from morphml.scheduling.faults.experiment import ExperimentBreaker, StopExperiment
from morphml.scheduling.faults.manager import FaultToleranceManager
from morphml.scheduling.faults.workers import WorkerBreakers, WorkerFaultRule

__all__ = [
    "DeviceBreakers",
    "DeviceFailure",
    "ExperimentBreaker",
    "FaultToleranceManager",
    "StopExperiment",
    "WorkerBreakers",
    "WorkerFaultRule",
]
