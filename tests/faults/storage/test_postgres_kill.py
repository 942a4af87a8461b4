"""PostgreSQL killed and restarted under a driver, and drivers killed under PostgreSQL."""

from __future__ import annotations

import contextlib
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import psycopg
import pytest
from tests.faults.storage.postgres_child import LEASE_S

from morphml.errors import DriverLost, StoreInUse, StoreUnavailable
from morphml.ids import ExperimentId
from morphml.search.changes import AttemptResult
from morphml.search.experiment import TrialState
from morphml.storage import SqlStore, StoreOptions, open_store
from morphml.storage.hints import HintTopic
from morphml.testing.postgres import PrivateServer, private_server
from morphml.testing.store_contract import Ask, DriverScript, sample_spec

CHILD = Path(__file__).with_name("postgres_child.py")
KILLS = 5
#: Of who takes over; no busy machine makes its lease run out.
PATIENT = StoreOptions(session_lease_s=120.0)


@pytest.fixture(scope="module")
def server() -> Iterator[PrivateServer]:
    """A server that flushes each commit to the disk: it is killed here."""
    with private_server(fsync=True) as server:
        yield server


@pytest.fixture
def url(server: PrivateServer) -> str:
    return server.new_database()


def experiment_of(url: str) -> ExperimentId:
    with contextlib.closing(open_store(url)) as store:
        return store.create_experiment(sample_spec())


class Driving:
    """Commits result n and proposal n + 1 in turn; after a fault it folds and goes on."""

    def __init__(self, store: SqlStore, experiment: ExperimentId) -> None:
        self.store = store
        self.experiment = experiment
        self.session = store.open_session("driver")
        #: Numbers whose transaction was acknowledged.
        self.asked: list[int] = []
        self.told: list[int] = []
        self.faults: list[str] = []
        self.stop = threading.Event()

    @contextlib.contextmanager
    def on_a_thread(self) -> Iterator[None]:
        """Drive meanwhile."""
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield
        finally:
            self.stop.set()
            thread.join(120.0)

    def go_on(self) -> None:
        """Wait until five more results are stored."""
        before, until = len(self.told), time.monotonic() + 120.0
        while len(self.told) < before + 5:
            assert time.monotonic() < until, f"no progress after {self.faults}"
            time.sleep(0.005)

    def _run(self) -> None:
        while not self.stop.is_set():
            try:
                self._drive()
            except (StoreUnavailable, DriverLost) as error:
                self.faults.append(type(error).__name__)
                time.sleep(0.02)

    def _drive(self) -> None:
        script = DriverScript(self.store, self.experiment, self.session)
        while not self.stop.is_set():
            handed = script.ask()[0]
            self.asked.append(handed.number)
            script.tell(handed)
            self.told.append(handed.number)


def assert_whole(store: SqlStore, experiment: ExperimentId) -> list[int]:
    """No gap, nothing twice, counters that agree with the rows; the numbers told."""
    record = store.experiment(experiment)
    trials = list(store.trials(experiment))
    assert [trial.number for trial in trials] == list(range(record.next_number))
    entries = [entry.seq for entry in store.log(experiment)]
    assert entries == list(range(1, record.seq + 1))
    ends = [a.number for a in store.attempts(experiment) if a.result is AttemptResult.SUCCEEDED]
    assert len(ends) == len(set(ends)), "a result was stored twice"
    done = [trial.number for trial in trials if trial.state is TrialState.COMPLETED]
    assert sorted(ends) == done
    return done


def test_killed_server_loses_nothing_that_was_acknowledged(server: PrivateServer, url: str) -> None:
    """The same open store works again by itself each time."""
    moments = random.Random(5)
    experiment = experiment_of(url)
    with contextlib.closing(open_store(url, StoreOptions(session_lease_s=60.0))) as store:
        driving = Driving(store, experiment)
        with driving.on_a_thread():
            for _ in range(KILLS):
                driving.go_on()
                time.sleep(moments.uniform(0.0, 0.05))
                server.kill()
                server.start()
            driving.go_on()
        assert len(driving.faults) >= KILLS, "the server was killed where nobody noticed"
        done = assert_whole(store, experiment)
        assert set(driving.told) <= set(done)
        assert max(driving.asked) < store.experiment(experiment).next_number
        # One transaction for each kill may be stored without its answer having come.
        assert len(done) <= len(driving.told) + KILLS
        assert store.renew_session(driving.session), "renewals come back too"


def test_outage_is_told_at_once_and_ends_by_itself(server: PrivateServer, url: str) -> None:
    experiment = experiment_of(url)
    with contextlib.closing(open_store(url)) as store:
        session = store.open_session("one")
        script = DriverScript(store, experiment, session)
        heard = store.hints.listen(HintTopic.WORK)
        assert heard.wait(120.0)
        handed = script.ask()[0]
        server.stop()
        for call in (
            lambda: script.tell(handed),
            lambda: store.renew_session(session),
            lambda: list(store.trials(experiment)),
            lambda: store.claim(experiment, session, 1),
            lambda: open_store(url),
        ):
            start = time.monotonic()
            with pytest.raises(StoreUnavailable) as caught:
                call()
            assert caught.value.retryable
            assert time.monotonic() - start < 40.0
        heard.wait(0.0)
        store.hints.send(HintTopic.WORK)
        assert heard.wait(0.0), "what this process says itself needs no server"
        server.start()
        script.tell(handed)
        assert store.renew_session(session)
        assert [t.state for t in store.trials(experiment)] == [TrialState.COMPLETED]
        assert heard.wait(120.0), "the connection for hints is back"


def test_restart_between_two_transactions_goes_unnoticed(server: PrivateServer, url: str) -> None:
    """Connections that the server closed in order are made again before they are used."""
    experiment = experiment_of(url)
    with contextlib.closing(open_store(url)) as store:
        script = DriverScript(store, experiment, store.open_session("one"))
        handed = script.ask()[0]
        server.restart()
        script.tell(handed)
        assert store.renew_session(script.right.session)
        assert_whole(store, experiment)


def test_failover_is_waited_for(server: PrivateServer, url: str) -> None:
    """A standby that takes no writes yet, then does; a first host that is dead is passed over."""
    experiment = experiment_of(url)
    both = url.replace("127.0.0.1", "127.0.0.1:1,127.0.0.1")
    with contextlib.closing(open_store(both)) as store:
        script = DriverScript(store, experiment, store.open_session("one"))
        handed = script.ask()[0]
        server.stop()
        server.become_standby()
        server.start()
        assert [trial.number for trial in store.trials(experiment)] == [0], "reads go on"
        with pytest.raises(StoreUnavailable, match="target_session_attrs"):
            script.tell(handed)
        server.promote()
        script.tell(handed)
        assert assert_whole(store, experiment) == [0]


def test_large_commit_that_the_server_dies_in_is_stored_whole_or_not_at_all(
    server: PrivateServer, url: str
) -> None:
    moments = random.Random(9)
    experiment = experiment_of(url)
    with contextlib.closing(open_store(url, StoreOptions(session_lease_s=60.0))) as store:
        session = store.open_session("one")
        stored = 0
        for _ in range(3):
            script = DriverScript(store, experiment, session)
            outcome: list[str] = []

            def ask(script: DriverScript = script, outcome: list[str] = outcome) -> None:
                try:
                    script.ask(2_000, Ask(leased=False))
                    outcome.append("acknowledged")
                except StoreUnavailable:
                    outcome.append("unknown")

            thread = threading.Thread(target=ask)
            thread.start()
            time.sleep(moments.uniform(0.02, 0.15))
            server.kill()
            server.start()
            thread.join(120.0)
            record = store.experiment(experiment)
            assert record.next_number - stored in (
                (2_000,) if outcome == ["acknowledged"] else (0, 2_000)
            )
            stored = record.next_number
            assert_whole(store, experiment)
            assert sum(store.task_counts(experiment).values()) == stored


@contextlib.contextmanager
def child(url: str, what: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-W", "error", str(CHILD), url, what],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


def line(stream: IO[str] | None) -> str:
    assert stream is not None
    return stream.readline().strip()


def taken_over(store: SqlStore, experiment: ExperimentId) -> DriverScript:
    """The experiment, driven by another master as soon as the last one's lease has run out."""
    session = store.open_session("next")
    deadline = time.monotonic() + 120.0
    while True:
        assert store.renew_session(session)
        try:
            return DriverScript(store, experiment, session)
        except StoreInUse:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_killed_drivers_experiment_goes_on_elsewhere(url: str) -> None:
    experiment = experiment_of(url)
    with contextlib.closing(open_store(url, PATIENT)) as store, child(url, "drive") as process:
        assert line(process.stdout) == "1"
        for _ in range(3):  # it is in the middle of its commits
            line(process.stdout)
        time.sleep(0.3)
        process.kill()
        assert process.stdout is not None
        said = [int(word) for word in process.stdout.read().split("\n")[:-1] if word]
        process.wait()
        died = time.monotonic()
        script = taken_over(store, experiment)
        assert time.monotonic() - died < LEASE_S + 20.0
        assert script.number >= max([1, *said])
        assert_whole(store, experiment)
        running = store.experiment(experiment).next_number - len(assert_whole(store, experiment))
        claimed = store.claim(experiment, script.right.session, 10)
        assert len(claimed) == running, "what it held is to be had again"


def test_stopped_driver_can_commit_nothing_when_it_wakes(url: str) -> None:
    experiment = experiment_of(url)
    with contextlib.closing(open_store(url, PATIENT)) as store, child(url, "hold") as process:
        assert line(process.stdout) == "1"
        process.send_signal(signal.SIGSTOP)
        script = taken_over(store, experiment)
        script.ask(2)
        process.send_signal(signal.SIGCONT)
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
        assert line(process.stdout) == "DriverLost renewed=False"
        assert store.experiment(experiment).next_number == 3
        script.ask()
        assert_whole(store, experiment)


def test_driver_stopped_in_the_middle_of_its_commits_is_replaced_in_time(url: str) -> None:
    """Wherever it stands still: what it has locked comes free with its lease."""
    moments = random.Random(3)
    experiment = experiment_of(url)
    with contextlib.closing(open_store(url, PATIENT)) as store:
        for _ in range(3):
            with child(url, "drive") as process:
                line(process.stdout)
                time.sleep(moments.uniform(0.05, 0.15))
                process.send_signal(signal.SIGSTOP)
                start = time.monotonic()
                script = taken_over(store, experiment)
                assert time.monotonic() - start < 2 * LEASE_S + 30.0
                script.ask()
                stored = store.experiment(experiment).next_number
                process.send_signal(signal.SIGCONT)
                assert process.stdout is not None
                last = process.stdout.read().strip().split("\n")[-1]
                assert "DriverLost" in last or process.wait() != 0
                assert store.experiment(experiment).next_number == stored
                assert_whole(store, experiment)
                store.close_session(script.right.session)


def test_killed_masters_transaction_is_undone(server: PrivateServer, url: str) -> None:
    """Its connection breaks, and with it what it had not committed."""
    experiment = experiment_of(url)
    with child(url, "hold") as process, psycopg.connect(url) as raw:
        assert line(process.stdout) == "1"
        raw.execute("SELECT 1 FROM experiments WHERE id = %s FOR UPDATE", (experiment,))
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
        # Its commit waits for the row, or has not come that far.
        time.sleep(0.3)
        process.kill()
        process.wait()
        raw.rollback()
    with contextlib.closing(open_store(url)) as store:
        assert store.experiment(experiment).next_number == 1
        assert_whole(store, experiment)
