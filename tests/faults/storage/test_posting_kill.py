"""Masters that run attempts for another one are killed: no end is lost, none is told twice."""

from __future__ import annotations

import contextlib
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from morphml.search.changes import AttemptResult
from morphml.search.experiment import TrialState
from morphml.storage import SqlStore, StoreOptions, TaskState, open_store
from morphml.storage.cluster import MailKind
from morphml.testing.store_contract import Ask, DriverScript, Handed, sample_spec

CHILD = Path(__file__).with_name("posting_child.py")
#: Of those that are killed; seconds.
LEASE_S = 2.0
KILLS = 4
TRIALS = 150
PATIENCE_S = 150.0


class Posting:
    """A child that posts, and the tokens that it says are stored."""

    def __init__(self, url: str) -> None:
        self.tokens: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", str(CHILD), url, str(LEASE_S)],
            stdout=subprocess.PIPE,
            text=True,
        )
        self._ready = threading.Event()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def wait_ready(self) -> None:
        assert self._ready.wait(PATIENCE_S)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            # A line that the kill has cut acknowledges nothing.
            if line.startswith("ready"):
                self._ready.set()
            elif len(line) == 33:
                self.tokens.append(line.strip())


@contextlib.contextmanager
def posting(url: str, count: int) -> Iterator[list[Posting]]:
    children = [Posting(url) for _ in range(count)]
    try:
        yield children
    finally:
        for child in children:
            child.kill()


def tell_what_is_posted(script: DriverScript) -> int:
    """One turn of the driver: commit the ends that wait as mail."""
    told = 0
    store: SqlStore = script.store
    experiment = script.right.experiment
    assert store.renew_session(script.right.session)
    mails = store.cluster.mail.waiting([experiment], 200)
    store.cluster.mail.take_away(
        [one.id for one in mails if one.mail.kind is not MailKind.FINISHED]
    )
    tasks = {task.number: task for task in store.cluster.tasks(experiment)}
    for mail in (one.mail for one in mails if one.mail.kind is MailKind.FINISHED):
        task = tasks[mail.number]
        assert (task.token, task.holder) == (mail.token, None)
        script.tell(Handed(number=task.number, task=task.id, token=mail.token))
        told += 1
    return told


def test_killed_masters_lose_no_end_and_none_is_told_twice(postgres_url: str) -> None:
    moments = random.Random(5)
    store = open_store(postgres_url, StoreOptions(session_lease_s=PATIENCE_S))
    with contextlib.closing(store), posting(postgres_url, 2 + KILLS) as children:
        for child in children:
            child.wait_ready()
        experiment = store.create_experiment(sample_spec())
        store.cluster.submit(experiment)
        script = DriverScript(store, experiment, store.open_session("driver"))
        script.ask(TRIALS, Ask(leased=False))
        told = kills = 0
        until = time.monotonic() + PATIENCE_S
        while told < TRIALS and time.monotonic() < until:
            told += tell_what_is_posted(script)
            if kills < KILLS and told >= TRIALS * kills // (KILLS + 1):
                # Somewhere between two of its commits, or within one.
                time.sleep(moments.uniform(0.0, 0.05))
                children[kills].kill()
                kills += 1
            late, _ = store.leases.late()
            store.leases.reap([one for one in late if one != script.right.session])
        assert (told, kills) == (TRIALS, KILLS)
        succeeded = {
            attempt.number
            for attempt in store.attempts(experiment)
            if attempt.result is AttemptResult.SUCCEEDED
        }
        assert succeeded == set(range(TRIALS))
        states = [trial.state for trial in store.trials(experiment)]
        assert states == [TrialState.COMPLETED] * TRIALS
        assert store.cluster.mail.waiting([experiment], 10_000) == []
        assert store.task_counts(experiment).get(TaskState.ENDED, 0) == 0
    said = [token for child in children for token in child.tokens]
    assert len(said) == len(set(said))
    with contextlib.closing(open_store(postgres_url)) as again:
        results = [attempt.result for attempt in again.attempts(experiment)]
        assert results.count(AttemptResult.SUCCEEDED) == TRIALS
        # What a child said is stored, and of what is stored each could leave one unsaid: all are
        # killed in the end.
        assert TRIALS - len(children) <= len(said) <= TRIALS
