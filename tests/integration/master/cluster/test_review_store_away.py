"""While a master's store is away: nothing that its workers tell is lost, and they are heard."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.engines.remote.scripted import eventually, named
from tests.integration.master.cluster.masters import LONG_S, SPACE, Site, site, spec

from morphml.cli.exit_codes import ExitCode
from morphml.master.cluster.watch import Watch
from morphml.search.experiment import ExperimentState
from morphml.testing.clock import FakeClock
from morphml.testing.postgres import PrivateServer, private_server


@pytest.fixture
def server() -> Iterator[PrivateServer]:
    with private_server(fsync=True) as made:
        yield made


def test_end_that_comes_while_the_store_is_away_reaches_the_driver_elsewhere(
    server: PrivateServer, tmp_path: Path
) -> None:
    with site(tmp_path, server.new_database()) as made:
        first = made.master("first")
        worker = made.worker(first, slots=1)
        experiment = made.submit(spec(trials=1))
        [task] = worker.await_tasks(1)
        worker.start(task.attempt.token)
        second = made.master("second")
        worker.hang_up()
        moved = made.worker(second, slots=1, attempts=(named(task),))
        eventually(lambda: task.attempt.token in moved.kept(), LONG_S, "its adoption")
        server.kill()
        moved.finish(task)
        time.sleep(2.0)  # the end is to be passed on now
        assert moved.acknowledged() == []
        server.start()
        made.await_state(experiment, ExperimentState.COMPLETED)
        eventually(lambda: moved.acknowledged() == [task.attempt.token], LONG_S, "its thanks")
        assert len(made.attempts(experiment)) == 1


def test_worker_that_comes_while_the_store_is_away_is_welcome(
    server: PrivateServer, tmp_path: Path
) -> None:
    with site(tmp_path, server.new_database()) as made:
        master = made.master("one")
        worker = made.worker(master, slots=1)
        experiment = made.submit(spec(trials=1))
        [task] = worker.await_tasks(1)
        worker.start(task.attempt.token)
        server.kill()
        worker.hang_up()
        back = made.worker(master, slots=1, attempts=(named(task),))
        eventually(lambda: task.attempt.token in back.kept(), LONG_S, "that it goes on")
        server.start()
        back.finish(task)
        made.await_state(experiment, ExperimentState.COMPLETED)
        assert len(made.attempts(experiment)) == 1


def test_workers_offer_again_what_they_know_after_a_failover_of_the_store(
    server: PrivateServer, tmp_path: Path
) -> None:
    with site(tmp_path, server.new_database()) as made:
        master = made.master("one")
        worker = made.worker(master, slots=1)
        experiment = made.submit(spec(trials=1))
        [task] = worker.await_tasks(1)
        worker.start(task.attempt.token)
        session, [welcome] = master.life.keeper.session, worker.of("welcome")
        server.stop()
        server.become_standby()
        server.start()
        server.promote()
        eventually(lambda: worker.status is not None, LONG_S, "its stream to end")
        back = made.worker(master, slots=1, attempts=(named(task),))
        eventually(lambda: task.attempt.token in back.kept(), LONG_S, "its adoption")
        assert master.life.keeper.session != session
        assert back.of("welcome")[0].welcome.store != welcome.welcome.store
        back.finish(task)
        made.await_state(experiment, ExperimentState.COMPLETED)
        assert len(made.attempts(experiment)) == 1


def test_who_watches_waits_out_an_outage_whenever_it_comes(
    server: PrivateServer, tmp_path: Path
) -> None:
    with site(tmp_path, server.new_database()) as made:
        experiment = made.submit(spec(trials=1))
        clock = FakeClock()
        waits: list[float] = []

        def wait(seconds: float) -> None:
            waits.append(seconds)
            server.start()
            made.store.set_state(experiment, ExperimentState.PAUSED, "a test")

        watch = Watch(made.store, experiment, SPACE, clock, wait)
        clock.advance(60.0)  # long enough to be told that nobody is there
        assert watch.until_over(lambda _: waits or server.kill()) is ExperimentState.PAUSED
        assert len(waits) == 1


def test_second_master_on_a_sqlite_store_is_told_why_it_cannot_be(alone: Site) -> None:
    alone.master("one")
    done = subprocess.run(
        [
            sys.executable, "-m", "morphml.cli", "master", "--storage", alone.storage,
            "--listen", "127.0.0.1:0", "--no-token",
        ],
        capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert done.returncode == ExitCode.STORAGE, done.stderr
    assert "PostgreSQL" in done.stderr
    assert "Traceback" not in done.stderr
