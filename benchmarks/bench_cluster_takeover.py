"""How long an experiment stands still when the master that drives it is killed with SIGKILL.

Two masters share a store; workers dial the other one when theirs is gone. The log holds 10,000
trials, which the other master folds before it commits anything.
"""

from __future__ import annotations

import time

from benchmarks.cluster import Cluster, load, private_cluster
from benchmarks.instant_engine import InstantEngine
from benchmarks.searching import evaluate, layered_space
from morphml.evaluation import EvaluatorSource
from morphml.master import Experiment
from morphml.master.crew import Run
from morphml.master.runner import run as drive

TRIALS = 10_000
#: Seconds of driving before the kill.
DRIVEN_S = 5.0


def with_long_log(cluster: Cluster, trials: int) -> Experiment:
    """An experiment that has so many trials behind it and as many before it."""
    experiment = Experiment.create(
        layered_space(),
        "naps:still",
        storage=cluster.url,
        engine="remote",
        optimizer="evolution",
        trials=trials,
        seed=1,
    )
    drive(
        Run(
            store=experiment.store,
            experiment=experiment.id,
            spec=experiment.spec,
            space=experiment.space,
            source=EvaluatorSource.of(evaluate),
            folder=experiment.folder,
            workers=0,
            observer=lambda progress: None,
        ),
        engine=InstantEngine(experiment.space, evaluate, 64),
    )
    experiment.extend(2 * trials)
    return experiment


def measure(cluster: Cluster, trials: int) -> dict[str, object]:
    """From the kill to the first transaction of another driver."""
    with with_long_log(cluster, trials) as experiment:
        experiment.submit()
        cluster.until(lambda: experiment.record.seq > 2 * trials)
        time.sleep(DRIVEN_S)
        driver = cluster.driver(experiment.id)
        busy = load()
        killed_at = cluster.masters[driver].kill()
        time.sleep(0.1)  # what was under way when it died is stored by now
        seq = experiment.record.seq
        cluster.until(lambda: experiment.record.seq > seq, every_s=0.01)
        seconds = time.time() - killed_at
        assert cluster.driver(experiment.id) not in ("", driver)
    return {
        "case": f"takeover after kill -9, {trials:,} trials in the log",
        "seconds": round(seconds, 2),
        "load": busy,
    }


def run(trials: int = TRIALS) -> list[dict[str, object]]:
    """All rows of the table."""
    with private_cluster() as cluster:
        cluster.start_masters("m1", "m2")
        cluster.start_workers(2, slots=2)
        return [measure(cluster, trials)]


if __name__ == "__main__":
    for row in run():
        print(row)
