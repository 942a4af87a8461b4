"""What waits in vain is said once in the log, with what is missing."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import pytest

from morphml.engines.remote.hub.hopeless import Hopeless
from morphml.engines.remote.hub.views import WaitingView
from morphml.ids import ExperimentId
from morphml.scheduling.resources import Capacity

GPU = {"gpu": 2.0, "ssd": 1.0}


def waiting(needs: Mapping[str, float], *, feasible: bool = False) -> WaitingView:
    return WaitingView(
        experiment=ExperimentId("e1"), requirements=needs, count=3, feasible=feasible
    )


def test_what_waits_in_vain_is_said_once_with_what_is_missing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    asked = []

    def workers() -> list[Capacity]:
        asked.append(1)
        return [Capacity.parse({"gpu": 1.0}), Capacity.parse({"ssd": 1.0})]

    hopeless = Hopeless(2.0, workers)
    with caplog.at_level(logging.WARNING):
        for now in (0.0, 1.9, 2.0, 3.0, 9.0):
            hopeless.look([waiting(GPU), waiting({}, feasible=True)], now)
        assert [record.getMessage() for record in caplog.records] == [
            "experiment e1: 3 attempts wait for a worker with gpu 2, ssd, and none of those here "
            "could run them: gpu 2, and the most that any worker has is 1; start one, or change "
            "the experiment's resources"
        ]
        hopeless.look([], 10.0)
        hopeless.look([waiting(GPU)], 11.0)
        hopeless.look([waiting(GPU)], 13.0)
    assert len(caplog.records) == len(asked) == 2, "it went away, and came back"
