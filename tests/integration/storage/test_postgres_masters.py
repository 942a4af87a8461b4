"""Several masters on one PostgreSQL store, each of which has opened it for itself."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest

from morphml.errors import DriverLost, StorageError, StoreInUse, StoreUnavailable
from morphml.ids import SessionId
from morphml.search.experiment import ExperimentState
from morphml.storage import SqlStore, StoreOptions, open_store
from morphml.storage.database import Collision, again
from morphml.storage.sessions import check_live
from morphml.storage.statements import experiment_rows, session_rows
from morphml.testing.store_contract import Ask, DriverScript, sample_spec

#: Seconds; short enough to run out in a test, and long enough for what comes before.
LEASE_S = 6.0
#: Which no busy machine makes run out.
PATIENT = StoreOptions(session_lease_s=120.0)


@pytest.fixture
def stores(postgres_url: str) -> Iterator[list[SqlStore]]:
    with contextlib.ExitStack() as opened:
        yield [
            opened.enter_context(contextlib.closing(open_store(postgres_url, PATIENT)))
            for _ in range(3)
        ]


@pytest.fixture
def brief(postgres_url: str) -> Iterator[SqlStore]:
    """One whose leases are short, and with them its patience."""
    options = StoreOptions(session_lease_s=LEASE_S)
    with contextlib.closing(open_store(postgres_url, options)) as store:
        yield store


def run_out(url: str, session: SessionId) -> None:
    """Let the lease of a session have run out, as far as anybody can see."""
    with psycopg.connect(url) as connection:
        query = "UPDATE sessions SET expires_at = expires_at - 1000 WHERE id = %s"
        assert connection.execute(query, (session,)).rowcount == 1


def in_threads(calls: list[Callable[[], object]]) -> list[object]:
    """What the calls return, or the StorageError that they raise, all begun at once."""
    start = threading.Barrier(len(calls))
    results: list[object] = [None] * len(calls)

    def run(place: int) -> None:
        start.wait()
        try:
            results[place] = calls[place]()
        except StorageError as error:
            results[place] = error

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def held_by_nobody_alive(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM tasks WHERE holder IS NOT NULL AND holder NOT IN"
            " (SELECT id FROM sessions WHERE state = 'live')"
        ).fetchone()
        assert row is not None
        return int(row[0])


def test_masters_that_empty_one_queue_share_it_without_a_task_twice(
    stores: list[SqlStore],
) -> None:
    first = stores[0]
    experiment = first.create_experiment(sample_spec())
    sessions = [store.open_session(f"master-{n}") for n, store in enumerate(stores)]
    script = DriverScript(first, experiment, sessions[0])
    for rank, needs in ((1.0, {}), (2.0, {"gpu": 1.0}), (3.0, {"ssd": 1.0})):
        script.ask(100, Ask(leased=False, rank=rank, requirements=needs))
    taken: list[tuple[str, str]] = []

    def empty(place: int) -> None:
        store, misses = stores[place], 0
        # A queue whose head another master has locked looks empty for a moment.
        while misses < 3:
            tasks = store.claim(experiment, sessions[place], 7)
            misses = 0 if tasks else misses + 1
            taken.extend((task.id, task.token) for task in tasks)

    in_threads([lambda n=n: empty(n) for n in range(3)])
    assert len(taken) == 300
    assert len({task for task, _ in taken}) == 300
    live = first.live_attempts(experiment)
    assert sorted(live) == sorted(token for _, token in taken)


def test_one_of_two_takeovers_at_the_same_moment_succeeds(stores: list[SqlStore]) -> None:
    sessions = [store.open_session(f"master-{n}") for n, store in enumerate(stores)]
    for _ in range(10):
        experiment = stores[0].create_experiment(sample_spec())
        results = in_threads(
            [
                lambda s=store, who=session, what=experiment: s.acquire_driver(what, who)
                for store, session in zip(stores, sessions, strict=True)
            ]
        )
        refused = [result for result in results if isinstance(result, StorageError)]
        assert [type(error) for error in refused] == [StoreInUse, StoreInUse]


def test_session_under_which_a_claim_is_made_is_not_reaped_before_the_claim_ends(
    stores: list[SqlStore], postgres_url: str
) -> None:
    """Else its tasks would be held by a dead session, and nobody would put them back."""
    claiming, reaping, _ = stores
    session = claiming.open_session("claiming")
    run_out(postgres_url, session)
    reaped: list[object] = []
    with claiming._database.writing() as run:
        check_live(run, session)
        thread = threading.Thread(target=lambda: reaped.extend(reaping.leases.reap([session])))
        thread.start()
        thread.join(0.3)
        assert thread.is_alive(), "reaping waits"
    thread.join(60.0)
    assert reaped == [session]


def test_reaped_driver_stores_nothing_though_nobody_took_over(
    stores: list[SqlStore], postgres_url: str
) -> None:
    """Tasks that it would lease to itself would be lost."""
    driving, reaping, _ = stores
    session = driving.open_session("slow")
    script = DriverScript(driving, driving.create_experiment(sample_spec()), session)
    script.ask(2)
    run_out(postgres_url, session)
    assert reaping.leases.reap([session]) == [session]
    with pytest.raises(DriverLost, match="lease ran out"):
        script.ask()
    assert held_by_nobody_alive(postgres_url) == 0
    assert driving.experiment(script.right.experiment).next_number == 2


def test_reaping_beside_a_driver_that_commits_leaves_no_task_with_a_dead_holder(
    stores: list[SqlStore], postgres_url: str
) -> None:
    driving, reaping, _ = stores
    for _ in range(5):
        session = driving.open_session("driving")
        script = DriverScript(driving, driving.create_experiment(sample_spec()), session)
        run_out(postgres_url, session)

        def drive(script: DriverScript = script) -> None:
            while True:
                script.ask(3)

        lost, reaped = in_threads([drive, lambda s=session: reaping.leases.reap([s])])
        assert isinstance(lost, DriverLost)
        assert reaped == [session]
        assert held_by_nobody_alive(postgres_url) == 0
        counts = reaping.task_counts(script.right.experiment)
        assert sum(counts.values()) == reaping.experiment(script.right.experiment).next_number


def test_transaction_of_a_stopped_master_does_not_keep_the_others_out(
    stores: list[SqlStore], brief: SqlStore
) -> None:
    """It holds the experiment's row, says nothing more, and is ended by the server."""
    stopped, other = brief, stores[0]
    script = DriverScript(
        stopped, stopped.create_experiment(sample_spec()), stopped.open_session("stopped")
    )
    turn = stopped._database.writing()
    run = turn.__enter__()
    values = {
        "p_id": script.right.experiment,
        "p_epoch": script.right.epoch,
        "p_nonce": script.right.nonce,
        "p_taken": 1,
        "p_entries": 0,
    }
    assert run.row(experiment_rows.fence, values) is not None
    time.sleep(1.2 * LEASE_S)
    start = time.monotonic()
    new = DriverScript(other, script.right.experiment, other.open_session("other"))
    assert time.monotonic() - start < 30.0  # else it would have waited for good
    new.ask()
    with pytest.raises(StoreUnavailable):
        turn.__exit__(None, None, None)
    assert other.experiment(script.right.experiment).next_number == 1
    with pytest.raises(DriverLost):
        script.ask()


def test_transactions_that_lock_each_other_out_are_both_stored(postgres_url: str) -> None:
    """The server breaks one of them off, and it is run again."""
    with contextlib.ExitStack() as opened:
        stores = [
            opened.enter_context(contextlib.closing(open_store(postgres_url))) for _ in range(2)
        ]
        sessions = [store.open_session("one") for store in stores[:2]]
        collisions: list[Collision] = []
        met = threading.Barrier(2)

        def renew_both(place: int) -> None:
            tries = 0

            def transaction() -> None:
                nonlocal tries
                tries += 1
                try:
                    with stores[place]._database.writing() as run:
                        for number, session in enumerate(sessions[:: 1 - 2 * place]):
                            run.run(session_rows.renew, {"p_id": session, "p_lease_s": 60.0})
                            if tries == 1 and number == 0:
                                met.wait(60.0)
                except Collision as error:
                    collisions.append(error)
                    raise

            again(transaction)

        assert in_threads([lambda n=n: renew_both(n) for n in range(2)]) == [None, None]
        assert collisions, "else the test shows nothing"
        assert collisions[0].retryable
        assert stores[0].leases.late() == ([], 2)


def test_readers_do_not_wait_for_a_writer(stores: list[SqlStore]) -> None:
    writing, reading, _ = stores
    experiment = writing.create_experiment(sample_spec())
    script = DriverScript(writing, experiment, writing.open_session("one"))
    with writing._database.writing() as run:
        values = {"p_id": experiment, "p_state": ExperimentState.PAUSED, "p_reason": "now"}
        run.run(experiment_rows.set_idle_state, values)
        # Would hang: the writer ends behind it.
        assert reading.experiment(experiment).state is ExperimentState.RUNNING
    with pytest.raises(DriverLost):
        script.ask()


def test_renewal_that_is_kept_waiting_is_given_up_in_time(
    brief: SqlStore, postgres_url: str
) -> None:
    """After half a lease its master must know that it may have lost it."""
    session = brief.open_session("one")
    with psycopg.connect(postgres_url) as other:
        other.execute("SELECT 1 FROM sessions FOR SHARE")
        start = time.monotonic()
        with pytest.raises(StoreUnavailable):
            brief.renew_session(session)
        assert 0.4 * LEASE_S < time.monotonic() - start < 10.0 * LEASE_S
    assert brief.renew_session(session)
