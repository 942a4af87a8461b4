"""Executions outlive masters and workers: each job is recorded once, whoever died."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from pathlib import Path

import psutil
from tests.faults.cluster.cluster import LONG_S, Cluster
from tests.faults.cluster.proxy import Line, Proxy

from morphml.master.workflows import Executions
from morphml.workflow import ExecutionState, JobState

LAYERS, WIDTH = 4, 3


def pipeline(folder: Path, seconds: float) -> dict[str, object]:
    """Layers of programs that each write a line, sleep, and put something out.

    While their worker is held they do not end.
    """
    write = (
        f'echo "$MORPHML_JOB_ID $MORPHML_ATTEMPT_ID $COUNTED_WORKER" >> {folder}/ran; '
        f"sleep {seconds}; while [ -e {folder}/hold-$COUNTED_WORKER ]; do sleep 0.1; done"
    )
    jobs = []
    for layer in range(LAYERS):
        before = [f"j{layer - 1}-{n}" for n in range(WIDTH)] if layer else []
        for n in range(WIDTH):
            said = f"echo {layer} ${{{before[0]}.stdout}}" if before else "echo 0"
            command = ["sh", "-c", f"{write}; {said}"]
            jobs.append(
                {
                    "id": f"j{layer}-{n}",
                    "type": "shell",
                    "dependsOn": before,
                    "config": {"command": command},
                }
            )
    return {"workflowId": "pipeline", "jobs": jobs}


def ran(folder: Path) -> list[tuple[str, str]]:
    """Job and attempt of each program that began."""
    path = folder / "ran"
    lines = path.read_text().splitlines() if path.exists() else []
    return [(line.split()[0], line.split()[1]) for line in lines]


def ran_at(folder: Path, worker: str) -> list[str]:
    """Jobs of the programs that began at a worker."""
    path = folder / "ran"
    lines = path.read_text().splitlines() if path.exists() else []
    return [job for job, _, at in map(str.split, lines) if at == worker]


def is_alive(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def sleeps(process: psutil.Process) -> bool:
    """Whether it is the program ``sleep``; False for one that has just gone."""
    with suppress(psutil.NoSuchProcess):
        return process.name() == "sleep"
    return False


def check_recorded_once(cluster: Cluster, executions: Executions, id: str) -> None:
    """All jobs succeeded, once each; every program that began was an attempt of its own."""
    shown = executions.show(id)
    assert shown.state is ExecutionState.COMPLETED, (shown, cluster.report())
    ends = Counter(event.job for event in executions.events(id) if event.state == "succeeded")
    jobs = {job.id: job for job in executions.jobs(id)}
    assert ends == dict.fromkeys(jobs, 1)
    assert all(job.state is JobState.SUCCEEDED for job in jobs.values())
    began = ran(cluster.folder)
    assert {job for job, _ in began} == set(jobs)
    assert len(set(began)) == len(began), "an attempt has one id, and begins once"
    last = jobs[f"j{LAYERS - 1}-0"].outputs["stdout"]
    assert str(last).split() == [str(layer) for layer in reversed(range(LAYERS))]


def test_execution_outlives_its_master_a_worker_and_both(cluster: Cluster) -> None:
    cluster.start_masters("m1", "m2")
    cluster.start_workers("w1", "w2", slots=2)
    executions = Executions(cluster.store)
    id = executions.start(pipeline(cluster.folder, 0.6)).id
    cluster.until(lambda: len(ran(cluster.folder)) >= 2, "jobs run")
    cluster.masters["m1"].kill()
    cluster.until(lambda: len(ran(cluster.folder)) >= 5, "the other master goes on")
    cluster.workers["w1"].kill()
    cluster.start_masters("m1")
    cluster.until(lambda: len(ran(cluster.folder)) >= 8, "the other worker goes on")
    cluster.masters["m2"].kill()
    cluster.workers["w2"].kill()
    cluster.start_workers("w3", slots=2)
    cluster.until(lambda: executions.show(id).state.ended, "it ends", 2 * LONG_S)
    check_recorded_once(cluster, executions, id)


def test_paused_execution_goes_on_after_everything_was_killed(cluster: Cluster) -> None:
    cluster.start_masters("m1", "m2")
    cluster.start_workers("w1", "w2", slots=2)
    executions = Executions(cluster.store)
    id = executions.start(pipeline(cluster.folder, 0.6)).id
    cluster.until(lambda: len(ran(cluster.folder)) >= 4, "jobs of the second layer run")
    cluster.hold("w1", "w2")
    executions.pause(id)
    theirs = [
        child
        for worker in cluster.workers.values()
        for child in psutil.Process(worker.pid).children(recursive=True)
    ]
    for member in (*cluster.workers.values(), *cluster.masters.values()):
        member.kill()
    cluster.until(lambda: not any(map(is_alive, theirs)), "what would begin a program is gone")
    cluster.release("w1", "w2")
    began = len(ran(cluster.folder))
    assert not executions.show(id).state.ended
    cluster.start_masters("m1", "m2")
    cluster.start_workers("w3", "w4", slots=2)
    cluster.until(lambda: executions.queue.stats().active == 0, "what was lost is taken back")
    assert len(ran(cluster.folder)) == began, "nothing begins while it is paused"
    assert executions.show(id).state is ExecutionState.PAUSED
    executions.resume(id)
    cluster.until(lambda: executions.show(id).state.ended, "it ends", 2 * LONG_S)
    check_recorded_once(cluster, executions, id)


def test_other_master_completes_what_a_master_without_its_database_has(cluster: Cluster) -> None:
    with Proxy(cluster.database) as line:
        cluster.start_master_through("m1", line.address)
        cluster.start_workers("w1", slots=2)
        cluster.hold("w1")
        executions = Executions(cluster.store)
        id = executions.start(pipeline(cluster.folder, 0.1)).id
        cluster.until(lambda: len(ran_at(cluster.folder, "w1")) == 2, "jobs run at the first")
        cluster.start_masters("m2")
        cluster.start_workers("w2", slots=2, at=[cluster.addresses["m2"]])
        line.become(Line.SILENT)
        cluster.release("w1")  # they end, and their master cannot store it
        cluster.until(lambda: executions.show(id).state.ended, "the other completes it", 2 * LONG_S)
        line.become(Line.CUT)  # so that the master notices now, and not only after its patience
        line.become(Line.WHOLE)
        cluster.until(lambda: {"w1", "w2"} <= cluster.present(), "the first is back", 2 * LONG_S)
    check_recorded_once(cluster, executions, id)
    again = Counter(job for job, _ in ran(cluster.folder)) - Counter(
        job.id for job in executions.jobs(id)
    )
    assert again == Counter(ran_at(cluster.folder, "w1")), "only what the first had ran again"
    assert {job.worker.partition("/")[0] for job in executions.jobs(id)} == {"w2"}


def test_cancel_ends_programs_within_seconds(cluster: Cluster) -> None:
    cluster.start_masters("m1")
    cluster.start_workers("w1", slots=3)
    executions = Executions(cluster.store)
    command = ["sh", "-c", f'echo "$MORPHML_JOB_ID x" >> {cluster.folder}/ran; exec sleep 600']
    jobs = [{"id": f"j{n}", "type": "shell", "config": {"command": command}} for n in range(3)]
    id = executions.start({"workflowId": "sleepers", "jobs": jobs}).id

    def asleep() -> int:
        children = psutil.Process(cluster.workers["w1"].pid).children(recursive=True)
        return sum(sleeps(child) for child in children)

    cluster.until(lambda: len(ran(cluster.folder)) == asleep() == 3, "all sleep")
    executions.cancel_job(id, "j0")
    cluster.until(lambda: asleep() == 2, "one was killed", 30.0)
    executions.cancel(id)
    cluster.until(lambda: asleep() == 0, "all were killed", 30.0)
    assert executions.show(id).counts == {JobState.CANCELLED: 3}
    assert executions.queue.stats().active == 0
