"""``morphml replay --check``: ask a stored experiment's proposals again and compare."""

from __future__ import annotations

from morphml.errors import ExperimentError
from morphml.master.experiment import Experiment
from morphml.master.recovery import fresh_machine
from morphml.search.replay import ReplayReport, check_replay
from morphml.search.sharing import sharing_of_log


def replay(experiment: Experiment) -> ReplayReport:
    """Ask every proposal of an experiment again, each from its own prefix of the log.

    Raises:
        ExperimentError: when the optimizer's rule has changed since the experiment was made.
    """
    spec = experiment.spec
    # What was known then stands in the log; the store may know more by now.
    known = sharing_of_log(experiment.store.log(experiment.id)) if spec.reuse else None
    machine = fresh_machine(spec, experiment.space, known)
    now = machine.optimizer_version
    if now != spec.optimizer.version:
        raise ExperimentError(
            f"optimizer {spec.optimizer.name!r} is version {now} here, the log was written by "
            f"version {spec.optimizer.version}: it can be folded and resumed, but not compared"
        )
    return check_replay(machine, experiment.store.log(experiment.id))
