"""What no worker can run is said when it is submitted, and again for as long as it waits."""

from __future__ import annotations

import warnings

import pytest
from tests.integration.engines.remote.scripted import eventually
from tests.integration.master.cluster.masters import LONG_S, SPACE, Site

import morphml as mm
from morphml.clock import SystemClock
from morphml.errors import RequirementsError
from morphml.ids import ExperimentId
from morphml.master.cluster.master import Master
from morphml.master.cluster.status import status
from morphml.master.cluster.watch import Watch

BOX = {"cpu": 4.0, "gpu:0:tesla-t4": 16e9}
STORE = {"cpu": 64.0, "ssd": 1.0}


def made(shared: Site, **resources: float) -> mm.Experiment:
    """An experiment that is not yet submitted; its evaluator can be imported anywhere."""
    return mm.Experiment.create(
        SPACE,
        "operator:add",
        storage=shared.storage,
        engine="remote",
        objectives={"score": "max"},
        resources=resources,
    )


def with_workers(shared: Site) -> Master:
    """A master whose two workers have what this module says."""
    master = shared.master("first")
    shared.worker(master, "box", slots=2, capabilities=BOX)
    shared.worker(master, "store", slots=2, capabilities=STORE)
    eventually(
        lambda: len(shared.store.cluster.workers.all()) == 2, LONG_S, "the store to know both"
    )
    return master


def waits_for(shared: Site, experiment: ExperimentId) -> tuple[str, ...]:
    """What the status of the store says that it waits for."""
    (found,) = [each for each in status(shared.store).experiments if each.id == experiment]
    return found.waits_for


@pytest.mark.parametrize(
    ("resources", "said"),
    [
        ({"gpu": 2}, "gpu 2, and the most that any worker has is 1"),
        ({"gpu": 1, "ssd": 1}, "no worker has ssd and gpu together"),
        ({"nvme": 1}, "nvme, which no worker has"),
        ({"workers": 3}, "3 workers at once, and 2 could take part"),
        ({"workers": 2, "ssd": 1}, "2 workers at once, and 1 could take part"),
    ],
)
def test_what_is_missing_is_said_at_submit_and_while_it_waits(
    shared: Site, resources: dict[str, float], said: str
) -> None:
    with_workers(shared)
    with made(shared, **resources) as experiment:
        with pytest.warns(mm.InfeasibleWarning) as caught:
            experiment.submit()
        assert [said in str(each.message) for each in caught] == [True]
        assert waits_for(shared, experiment.id) == (said,)
        _, progress = Watch(shared.store, experiment.id, SPACE, SystemClock()).look()
        assert progress.waits_for == said


def test_strict_submit_refuses_and_leaves_it_as_it_was(shared: Site) -> None:
    with_workers(shared)
    with made(shared, gpu=2) as experiment:
        with pytest.raises(RequirementsError, match="gpu 2, and the most that any worker has is 1"):
            experiment.submit(strict=True)
        assert experiment.record.state == "created"
        assert shared.record(experiment.id).next_number == 0


def test_what_some_worker_can_run_is_submitted_in_silence(shared: Site) -> None:
    with_workers(shared)
    with made(shared, gpu=0.5, cpu=2) as experiment, warnings.catch_warnings():
        warnings.simplefilter("error")
        experiment.submit(strict=True)
        assert waits_for(shared, experiment.id) == ()


def test_wait_is_over_when_such_a_worker_joins(shared: Site) -> None:
    master = with_workers(shared)
    with made(shared, gpu=2) as experiment:
        with pytest.warns(mm.InfeasibleWarning):
            experiment.submit()
        shared.worker(master, "large", slots=1, capabilities={"gpu": 2.0})
        eventually(lambda: waits_for(shared, experiment.id) == (), LONG_S, "the wait to be over")


def test_nobody_is_warned_of_workers_before_one_is_there(shared: Site) -> None:
    with made(shared, gpu=2) as experiment:
        with pytest.raises(RequirementsError, match="there is no worker"):
            experiment.submit(strict=True)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            experiment.submit()
        assert waits_for(shared, experiment.id) == ("there is no worker",)
