"""A master's lease is renewed while all its loops are alive, and not a moment longer."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from tests.integration.engines.remote.scripted import eventually

from morphml.master.session import SessionKeeper
from morphml.scheduling.reaping import ReaperRule
from morphml.storage import open_store
from morphml.testing.clock import FakeClock

RULE = ReaperRule(renew_every_s=0.01, stuck_after_s=1.0, lease_s=3.0)


def test_lease_runs_out_when_the_loop_of_the_workers_stands_still(tmp_path: Path) -> None:
    clock, other = FakeClock(), [0.0]
    with (
        closing(open_store(str(tmp_path / "s.db"))) as store,
        closing(SessionKeeper(store, clock, "m", may_block=False, rule=RULE)) as keeper,
    ):
        keeper.watch(lambda: other[0])
        clock.advance(2.1)  # two thirds of the lease, and more than a loop may stand still
        keeper.tick()  # the driver's loop is alive, and the other has not ticked since the start
        assert keeper.lost
        with pytest.raises(AssertionError):
            eventually(lambda: not keeper.lost, 0.3)
        other[0] = clock.monotonic()
        eventually(lambda: not keeper.lost)
