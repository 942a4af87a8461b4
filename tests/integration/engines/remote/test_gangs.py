"""Attempts that run at three worker processes at once: what ran is counted by what ran."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from tests.integration.engines.remote.scripted import KeptRecords
from tests.integration.engines.remote.test_worker_with_hub import (
    EXPERIMENT,
    Master,
    message,
    serving,
)
from tests.integration.engines.remote.worker_processes import WorkerProcess, Workers

from morphml.engines.port import (
    Assignment,
    Cancelled,
    Checkpointed,
    Failed,
    Logged,
    Reported,
    Returned,
    Started,
    Succeeded,
)
from morphml.engines.remote import meeting
from morphml.engines.remote.messages import AttemptName
from morphml.evaluation.orders import Order
from morphml.ids import AttemptToken
from morphml.scheduling.failures import FailureKind

SIZE = 3
GANG = {"requirements": {"workers": float(SIZE)}}


class ByToken(KeptRecords):
    """Checkpoints lie under the token of their attempt."""

    def checkpoint_path(self, attempt: AttemptName, step: int) -> Path:
        return self.folder / attempt.token / f"{step}.pt"


def stored(folder: Path) -> list[Path]:
    return sorted((folder / "artifacts").rglob("*.pt"))


@contextmanager
def crew(
    folder: Path, workers: Workers, evaluator: str, count: int = SIZE
) -> Iterator[tuple[Master, list[WorkerProcess]]]:
    """A hub and so many workers with one slot each."""
    records = ByToken(folder / "artifacts")
    records.contexts[EXPERIMENT] = message(f"gang_evaluators:{evaluator}")
    with serving(records) as master:
        started = [workers.start(master.hub.port, slots=1) for _ in range(count)]
        master.pump(lambda: master.hub.slots() == count)
        yield master, started


def ranks(started: list[WorkerProcess], word: str = "began") -> Counter[tuple[str, str]]:
    """How often a rank of an attempt ran: (number, rank)."""
    return Counter((line[0], line[2]) for worker in started for line in worker.lines(word))


def meeting_place() -> tuple[AttemptToken, socket.socket]:
    """A token, and a server on the port that its ranks would meet at."""
    for number in range(meeting.PORTS):
        token = AttemptToken(f"{number:08x}" + "a" * 24)
        port = int(meeting.rendezvous("127.0.0.1", token, ()).rpartition(":")[2])
        with suppress(OSError):  # somebody else listens there
            return token, socket.create_server(("127.0.0.1", port))
    raise AssertionError("no port is free")


def failure(end: object) -> Failed:
    assert isinstance(end, Failed)
    return end


@pytest.mark.parametrize("evaluator", ["talking", "reducing"])
def test_ranks_find_each_other_and_one_result_is_told(
    evaluator: str, tmp_path: Path, workers: Workers
) -> None:
    with crew(tmp_path, workers, evaluator) as (master, started):
        tokens = [master.submit(number, **GANG) for number in range(4)]
        ends = master.finish(*tokens)
        assert [end.outcome for end in ends] == [Succeeded(metrics={"score": 3.0})] * 4
        # Rank 0 has told the end of all; others may still be on their way out.
        master.pump(lambda: master.hub.free() == SIZE)
    assert ranks(started) == Counter((str(n), str(r)) for n in range(4) for r in range(SIZE))
    for worker in started:  # one member of each attempt
        assert Counter(line[0] for line in worker.lines("began")) == Counter("0123")
    assert Counter(master.started()) == Counter(tokens)
    reports = [each for each in master.events if isinstance(each, Reported)]
    assert all(each.metrics == {"score": 0.0} for each in reports)
    assert len(reports) == (4 if evaluator == "talking" else 0)
    if evaluator == "talking":  # logs of all until rank 0 has ended, under the one attempt
        logs = Counter(each.token for each in master.events if isinstance(each, Logged))
        lines = "".join(each.text for each in master.events if isinstance(each, Logged))
        assert logs.keys() == set(tokens)
        written = Counter(lines.splitlines())
        assert written <= Counter({f"[rank {r}] rank {r}": 4 for r in range(SIZE)})
        assert written["[rank 0] rank 0"] == 4


def test_member_that_dies_ends_the_others_and_frees_all_slots(
    tmp_path: Path, workers: Workers
) -> None:
    with crew(tmp_path, workers, "dying") as (master, started):
        (end,) = master.finish(master.submit(0, **GANG))
        failed = failure(end.outcome)
        assert failed.kind is FailureKind.CRASH
        assert failed.message.startswith("rank 2 of 3: ")
        assert master.hub.free() == SIZE  # when the end is told, all have ended
        master.finish(master.submit(1, **GANG))
        begun = ranks(started)
        # The others may be ended before they come to write that they began.
        assert begun <= Counter((n, r) for n in "01" for r in "012")
        assert begun["0", "2"] == begun["1", "2"] == 1


def test_lost_worker_is_the_reason_though_its_partners_raise_first(
    tmp_path: Path, workers: Workers
) -> None:
    with crew(tmp_path, workers, "waiting") as (master, started):
        token = master.submit(0, **GANG)
        master.pump(lambda: sum(ranks(started, "met").values()) == SIZE)
        (victim,) = [w for w in started if w.lines("began")[0][2] == "2"]
        victim.process.kill()
        (end,) = master.finish(token)
        assert failure(end.outcome).kind is FailureKind.LOST_WORKER
        assert master.hub.free() == SIZE - 1
        again = master.submit(1, **GANG)
        master.pump(lambda: any(not view.feasible for view in master.hub.waiting()))
        workers.start(master.hub.port, slots=1)
        master.pump(lambda: again in master.started())
        master.lane.order(again, Order.CANCEL)
        assert master.finish(again)[0].outcome == Cancelled()


def test_time_limit_of_one_is_that_of_all(tmp_path: Path, workers: Workers) -> None:
    with crew(tmp_path, workers, "waiting") as (master, _):
        (end,) = master.finish(master.submit(0, time_limit_s=0.7, **GANG))
        assert failure(end.outcome).kind is FailureKind.TIME_LIMIT
        assert master.hub.free() == SIZE


def test_checkpoints_of_rank_0_alone_are_stored(tmp_path: Path, workers: Workers) -> None:
    with crew(tmp_path, workers, "saving") as (master, _):
        token = master.submit(0, **GANG)
        (end,) = master.finish(token)
        assert end.outcome == Succeeded(metrics={"score": 0.0})
        saved = [each for each in master.events if isinstance(each, Checkpointed)]
        assert [(each.token, each.step) for each in saved] == [(token, 1)]
        assert [each.relative_to(tmp_path / "artifacts") for each in stored(tmp_path)] == [
            Path(token) / "1.pt"  # by the name that the store knows
        ]


def test_members_of_a_dead_master_are_ended_by_its_successor(
    tmp_path: Path, workers: Workers
) -> None:
    with crew(tmp_path, workers, "waiting") as (master, started):
        master.submit(0, **GANG)
        master.pump(lambda: sum(ranks(started, "met").values()) == SIZE)
        port, records = master.hub.port, master.records
    with serving(records, port) as successor:
        successor.pump(lambda: len(records.asked) >= SIZE and successor.hub.slots() == SIZE)
        assert not set(records.asked) & records.adoptable  # it is asked for members only
        successor.pump(lambda: successor.hub.free() == SIZE)
        token = successor.submit(1, **GANG)
        successor.pump(lambda: token in successor.started())
    assert ranks(started)["1", "0"] == 1


def test_worker_whose_port_is_taken_sends_the_gang_back(tmp_path: Path, workers: Workers) -> None:
    with crew(tmp_path, workers, "talking") as (master, started):
        token, server = meeting_place()
        with server:
            master.lane.submit(
                Assignment(token=token, experiment=EXPERIMENT, number=0, vector=(), seed=0, **GANG)
            )
            (end,) = master.finish(token)
        assert end.outcome == Returned()
        (end,) = master.finish(master.submit(1, **GANG))
        assert end.outcome == Succeeded(metrics={"score": 3.0})
    assert ranks(started)["1", "0"] == 1
    assert not [each for each in master.events if isinstance(each, Started) and each.token == token]
