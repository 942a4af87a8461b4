"""A worker dies, or stands still: what it ran runs again elsewhere, and counts once."""

from __future__ import annotations

import signal
from collections import Counter

import psutil
from tests.faults.cluster.cluster import Cluster, Evaluation, Member, check_evaluations, check_whole

from morphml.engines.remote.hub import HubSettings
from morphml.master import Experiment
from morphml.master.cluster.status import status

#: Seconds of silence after which a worker is suspected, and after which it is given up.
SUSPECT_S, LOST_S = HubSettings(listen="").suspect_after_s, HubSettings(listen="").lost_after_s


def start_held(cluster: Cluster) -> tuple[Experiment, Member, Evaluation]:
    """A search of three held trials, and the worker that runs one of them; w2 has a slot left."""
    cluster.start_masters("m1")
    (first, _) = cluster.start_workers("w1", slots=1) + cluster.start_workers("w2", slots=3)
    cluster.hold("w1", "w2")
    experiment = cluster.submit(3)
    cluster.until_held(3)
    (there,) = [each for each in cluster.evaluations() if each.worker == "w1"]
    return experiment, first, there


def until_again(cluster: Cluster, lost: Evaluation, since: float) -> float:
    """Wait until the lost trial runs elsewhere; the seconds from ``since``."""

    def again() -> list[Evaluation]:
        return [e for e in cluster.evaluations() if e.number == lost.number and e.worker == "w2"]

    cluster.until(again, "it runs again")
    return again()[0].at - since


def status_of(cluster: Cluster, worker: str) -> str:
    """What the status of the store shows of a worker."""
    return next(str(each.state) for each in status(cluster.store).workers if each.name == worker)


def test_trial_of_a_killed_worker_runs_elsewhere_before_its_silence_tells(cluster: Cluster) -> None:
    experiment, worker, lost = start_held(cluster)
    before = cluster.log(experiment)
    children = psutil.Process(worker.pid).children(recursive=True)
    assert children
    killed = worker.kill()
    suspected = cluster.masters["m1"].said("worker w1: its connection broke; it is suspect")
    print(f"suspect {suspected - killed:.2f} s after kill -9")
    assert suspected - killed < SUSPECT_S
    cluster.until(lambda: status_of(cluster, "w1") in ("suspect", "lost"), "its status shows it")
    took = until_again(cluster, lost, killed)
    print(f"runs again {took:.2f} s after kill -9 of its worker")
    assert took < LOST_S
    cluster.until(lambda: not any(c.is_running() for c in children), "its children are gone")
    cluster.release("w1", "w2")
    cluster.until_over(experiment)
    check_whole(cluster, experiment, before)
    check_evaluations(cluster, Counter([0, 1, 2, lost.number]))


def test_trial_of_a_stopped_worker_runs_elsewhere_and_its_late_result_is_fenced_out(
    cluster: Cluster,
) -> None:
    experiment, worker, lost = start_held(cluster)
    before = cluster.log(experiment)
    stopped = worker.send(signal.SIGSTOP)
    cluster.release("w1")  # its child ends, and nobody hears of it
    took = until_again(cluster, lost, stopped)
    print(f"runs again {took:.2f} s after SIGSTOP of its worker")
    assert took <= 2 * LOST_S
    worker.send(signal.SIGCONT)
    cluster.until(lambda: "w1" in cluster.present(), "it is back")
    assert cluster.told(experiment) == 0
    cluster.release("w2")
    cluster.until_over(experiment)
    check_whole(cluster, experiment, before)
    ends = [e for e in cluster.store.attempts(experiment.id) if e.number == lost.number]
    assert [end.result for end in ends] == ["failed", "succeeded"]
    assert ends[0].failure is not None
    assert ends[0].failure["kind"] == "lost_worker"
    assert ends[1].worker.startswith("w2")
    check_evaluations(cluster, Counter([0, 1, 2, lost.number]))
    cluster.hold("w1", "w2")
    with cluster.submit(8, seed=8) as other:  # and the worker is as good as before
        both = {"w1", "w2"}
        cluster.until(lambda: {e.worker for e in cluster.evaluations()[4:]} == both, "both have")
        cluster.release("w1", "w2")
        cluster.until_over(other)
        check_whole(cluster, other, [])
