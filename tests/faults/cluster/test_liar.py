"""Somebody lies to the master of a running search: nothing of it is believed, and it goes on."""

from __future__ import annotations

from collections import Counter

import grpc
import psutil
from tests.faults.cluster.cluster import Cluster, check_evaluations, check_whole
from tests.faults.cluster.liar import (
    Liar,
    announce_a_gigabyte,
    lie_about_attempts,
    send_a_gigabyte,
    send_noise,
)

from morphml.engines.remote.access import Scope, TokenFile

TRIALS = 8
REPLACED = "\N{REPLACEMENT CHARACTER}"


def be_refused_as_strangers(cluster: Cluster) -> None:
    """Come without a token, with a wrong one, twice, and with one that allows something else."""
    submitter = TokenFile(cluster.tokens).read().secret(Scope.SUBMIT)
    for token in (None, "x" * 43, "x" * 43, submitter):
        stranger = Liar(cluster.addresses["m1"], token)
        stranger.register("stranger")
        refused = (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED)
        assert stranger.refusal() in refused
        stranger.close()
    said = cluster.masters["m1"].text()
    assert said.count("refused") == 3  # each fault once
    assert "stranger" not in said
    assert submitter not in said


def be_listed_in_spite_of_its_name(cluster: Cluster, secret: str) -> None:
    """Call oneself what no database takes, until that is written."""
    liar = Liar(cluster.addresses["m1"], secret)
    liar.register("bad\0\nname", capabilities={"cpu\0": 1.0})
    name, workers = f"bad{REPLACED * 2}name", cluster.store.cluster.workers
    cluster.until(lambda: name in {row.name for row in workers.all()}, "it was written")
    liar.close()


def test_lies_and_garbage_do_no_harm_to_a_running_search(cluster: Cluster) -> None:
    cluster.start_masters("m1")
    cluster.start_workers("w1", slots=2)
    cluster.hold("w1")
    experiment = cluster.submit(TRIALS)
    cluster.until_held(2)
    before = cluster.log(experiment)
    target, master = cluster.addresses["m1"], cluster.masters["m1"]
    memory = psutil.Process(master.pid).memory_info().rss
    secret = TokenFile(cluster.tokens).read().secret(Scope.WORKER)

    be_refused_as_strangers(cluster)
    rows = cluster.store.cluster.tasks(experiment.id)
    real = {row.number: row.token for row in rows if row.token is not None}
    assert len(real) == 2
    liar = Liar(target, secret)
    lie_about_attempts(liar, experiment.id, real)
    be_listed_in_spite_of_its_name(cluster, secret)
    for data, code in (
        (b"\xff" * 1000, grpc.StatusCode.INVALID_ARGUMENT),
        (bytes(8 << 20), grpc.StatusCode.RESOURCE_EXHAUSTED),
    ):
        garbage = Liar(target, secret)
        garbage.say_bytes(data)
        assert garbage.refusal() is code
        garbage.close()
    send_noise(target)
    announce_a_gigabyte(target, secret)
    taken = send_a_gigabyte(target, secret)
    print(f"of 1 GB the master read {taken / 1e6:.1f} MB, to throw them away")
    assert psutil.Process(master.pid).memory_info().rss - memory < 100e6

    lie = "worker liar sends results of attempts that it does not have"
    cluster.until(lambda: lie in master.text(), "it was noticed")
    assert cluster.told(experiment) == 0
    liar.close()
    cluster.release("w1")
    cluster.until_over(experiment)
    check_whole(cluster, experiment, before)
    check_evaluations(cluster, Counter(range(TRIALS)))
    assert min(trial.metrics["loss"] for trial in cluster.store.trials(experiment.id)) >= 0
    grown = psutil.Process(master.pid).memory_info().rss - memory
    print(f"the master has grown by {grown / 1e6:.1f} MB")
    assert grown < 100e6
    assert master.running
    assert "Traceback" not in master.text(), master.text()
    assert "the store is away" not in master.text(), master.text()
