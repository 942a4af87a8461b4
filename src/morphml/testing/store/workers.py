"""Checks of workers' rows and of source bundles."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from morphml.errors import StorageError
from morphml.scheduling.worker import WorkerState
from morphml.search.experiment import EvaluatorReference, ExperimentState
from morphml.storage.cluster import WorkerRow
from morphml.testing.store.case import Check, StoreCase, in_threads, refused
from morphml.testing.store.script import sample_spec

_MIB = 2**20


def _worker(id_: str, state: WorkerState = WorkerState.IDLE) -> WorkerRow:
    return WorkerRow(
        id=id_,
        name=f"host-{id_}",
        state=state,
        offers={"cpu": 8.0, "ssd": 1.0},
        figures={"slots": 4, "load": 0.5, "version": "1.2"},
        joined_at=1_000.0,
    )


def workers_come_back_as_their_master_saw_them(case: StoreCase) -> None:
    """Written over at each batch, by name; the first row says when they joined."""
    workers = case.store.cluster.workers
    assert workers.all() == []
    workers.put(case.session, [_worker("b"), _worker("a")])
    workers.put(case.session, [])
    busy = replace(_worker("b", WorkerState.BUSY), joined_at=2_000.0, silent_s=3.0, offers={})
    workers.put(case.session, [busy])
    first, second = workers.all()
    assert replace(first, silent_s=0.0) == replace(_worker("a"), master=case.session)
    assert (second.id, second.state, second.offers) == ("b", WorkerState.BUSY, {})
    assert second.joined_at == 1_000.0
    assert 3.0 <= second.silent_s < 3.0 + case.lease_s
    assert second.silent_s - first.silent_s > 2.0


def workers_of_a_dead_master_are_not_alive(case: StoreCase) -> None:
    """They are shown, until another master has them."""
    workers = case.store.cluster.workers
    other = case.store.open_session("second")
    workers.put(other, [_worker("a"), _worker("b")])
    assert [worker.live for worker in workers.all()] == [True, True]
    seen = (_worker("a").offers, _worker("a").figures)
    assert workers.elsewhere(case.session) == [seen] * 2
    assert workers.elsewhere(other) == []
    workers.put(other, [_worker("b", WorkerState.DRAINING)])
    assert workers.elsewhere(case.session) == [seen]
    case.store.close_session(other)
    assert [worker.live for worker in workers.all()] == [False, False]
    assert workers.elsewhere(case.session) == []
    workers.put(case.session, [_worker("b")])
    assert [(worker.id, worker.live) for worker in workers.all()] == [("a", False), ("b", True)]
    refused(StorageError, lambda: workers.put(other, [_worker("c")]))
    assert len(workers.all()) == 2


def worker_belongs_to_the_master_that_it_speaks_to(case: StoreCase) -> None:
    """The one that lost it writes nothing over what the new one wrote."""
    workers = case.store.cluster.workers
    other = case.store.open_session("second")
    workers.put(case.session, [_worker("a", WorkerState.SUSPECT)])
    workers.put(other, [_worker("a", WorkerState.BUSY)])
    for state in (WorkerState.SUSPECT, WorkerState.LOST, WorkerState.GONE):
        workers.put(case.session, [_worker("a", state)])
        (found,) = workers.all()
        assert (found.state, found.master) == (WorkerState.BUSY, other)
    workers.put(other, [_worker("a", WorkerState.GONE)])
    assert workers.all()[0].state is WorkerState.GONE


def word_that_a_worker_is_to_leave_goes_with_it(case: StoreCase) -> None:
    """From master to master; the last time counts, and a new life of its id was told nothing."""
    workers = case.store.cluster.workers
    other = case.store.open_session("second")
    workers.put(case.session, [_worker("a"), _worker("b")])
    assert workers.to_drain(case.session) == {}
    workers.drain(["a", "nobody"], None)
    assert (workers.to_drain(case.session), workers.to_drain(other)) == ({"a": None}, {})
    assert [(each.id, each.drains) for each in workers.all()] == [("a", True), ("b", False)]
    workers.put(other, [_worker("a", WorkerState.BUSY), _worker("b")])
    assert (workers.to_drain(case.session), workers.to_drain(other)) == ({}, {"a": None})
    workers.drain(["b", "a"], 0.5)
    workers.put(other, [_worker("a", WorkerState.GONE)])
    assert workers.to_drain(other) == {"a": 0.5, "b": 0.5}
    workers.put(other, [replace(_worker("a"), incarnation=1)])
    assert workers.to_drain(other) == {"b": 0.5}


def workers_not_heard_of_for_a_day_leave(case: StoreCase) -> None:
    """With the next batch."""
    workers = case.store.cluster.workers
    day = 86_400.0
    old = replace(_worker("old"), silent_s=day + 1.0)
    workers.put(case.session, [old, replace(_worker("new"), silent_s=day - 60.0)])
    workers.put(case.session, [])
    assert [worker.id for worker in workers.all()] == ["new"]


def bundle_comes_back_byte_by_byte(case: StoreCase) -> None:
    """In chunks of 1 MiB, whatever the pieces were that it was given in."""
    data = bytes(range(256)) * (10 * 1024 + 1)
    digest = hashlib.sha256(data).hexdigest()
    bundles = case.store.bundles
    assert bundles.chunks(digest) is None
    assert not bundles.has(digest)
    bundles.put(digest, (data[at : at + 300_007] for at in range(0, len(data), 300_007)))
    assert bundles.has(digest)
    chunks = bundles.chunks(digest)
    assert chunks is not None
    found = list(chunks)
    assert [len(chunk) for chunk in found] == [_MIB, _MIB, len(data) - 2 * _MIB]
    assert b"".join(found) == data


def bundle_is_stored_once(case: StoreCase) -> None:
    """However many send it; two bundles lie side by side."""
    data, other = b"a" * (_MIB + 1), b"b"
    digest, other_digest = (hashlib.sha256(one).hexdigest() for one in (data, other))
    in_threads([lambda: case.store.bundles.put(digest, [data]) for _ in range(4)])
    case.store.bundles.put(digest, _unread())
    case.store.bundles.put(other_digest, [other])
    for name, wanted in ((digest, data), (other_digest, other)):
        chunks = case.store.bundles.chunks(name)
        assert chunks is not None
        assert b"".join(chunks) == wanted


def bundle_with_another_digest_is_refused(case: StoreCase) -> None:
    """Nothing of it is stored; nor of one that is too large."""
    digest = hashlib.sha256(b"abc").hexdigest()
    for chunks in ([b"ab"], [b"abc", b"d"], []):
        error = refused(StorageError, partial(case.store.bundles.put, digest, chunks))
        assert digest[:12] in str(error)
    refused(StorageError, lambda: case.store.bundles.put(digest, (bytes(_MIB) for _ in range(65))))
    assert case.store.bundles.chunks(digest) is None


def bundles_that_no_open_experiment_names_are_pruned(case: StoreCase) -> None:
    """A young one stays; so does one of an experiment that may run again."""
    store, digests = case.store, {}
    for name in ("open", "completed", "nobody"):
        data = name.encode() * 400_000
        digests[name] = hashlib.sha256(data).hexdigest()
        store.bundles.put(digests[name], [data])
    for name in ("open", "completed"):
        reference = EvaluatorReference(kind="path", reference="a:b", bundle=digests[name])
        case.experiment = store.create_experiment(replace(sample_spec(), evaluator=reference))
        if name == "completed":
            case.script().finish(ExperimentState.COMPLETED)
    assert store.bundles.prune() == {}
    case.let_pass(0.1)
    sizes = {digests["completed"]: 9 * 400_000, digests["nobody"]: 6 * 400_000}
    assert store.bundles.prune(0.05) == sizes
    assert [store.bundles.has(digest) for digest in digests.values()] == [True, False, False]
    assert store.bundles.prune(0.05) == {}


def _unread() -> Iterator[bytes]:
    raise AssertionError("what is stored already is not read again")
    yield b""


CHECKS: tuple[Check, ...] = (
    workers_come_back_as_their_master_saw_them,
    workers_of_a_dead_master_are_not_alive,
    worker_belongs_to_the_master_that_it_speaks_to,
    word_that_a_worker_is_to_leave_goes_with_it,
    workers_not_heard_of_for_a_day_leave,
    bundle_comes_back_byte_by_byte,
    bundle_is_stored_once,
    bundle_with_another_digest_is_refused,
    bundles_that_no_open_experiment_names_are_pruned,
)
