"""Drivers that come and go; attempts of experiments that are driven elsewhere; files."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import grpc
import pytest
from tests.integration.engines.remote.scripted import (
    E1,
    E2,
    PATIENT,
    Driver,
    ScriptedWorker,
    Site,
    attempt,
    eventually,
    name_of,
    site,
)

from morphml.engines.port import Checkpointed, Finished, Returned, Started, Succeeded
from morphml.engines.remote import wire
from morphml.engines.remote.proto import worker_pb2 as pb
from morphml.engines.remote.proto import worker_pb2_grpc as rpc
from morphml.ids import digest, new_token

# --- coming and going -----------------------------------------------------------------------------


def submit(driver: Driver, worker: ScriptedWorker, number: int = 0) -> pb.Task:
    before = len(worker.tasks())
    driver.lane.submit(attempt(driver.lane._experiment, number))
    return worker.await_tasks(before + 1)[-1]


def test_end_that_was_not_acknowledged_is_told_to_the_next_lane(place: Site) -> None:
    worker, driver = place.worker(), place.driver()
    taken, untaken = submit(driver, worker), submit(driver, worker, 1)
    worker.finish(taken)
    driver.await_ends(1)
    worker.finish(untaken)
    eventually(lambda: place.hub.free() == 2)
    driver.lane.close()
    following = place.driver()
    ends = following.await_ends(2)
    assert {end.token for end in ends} == {taken.attempt.token, untaken.attempt.token}
    following.quiet()
    assert worker.acknowledged() == []
    following.lane.acknowledge([end.token for end in ends])
    eventually(lambda: len(worker.acknowledged()) == 2)
    following.lane.close()
    third = place.driver()
    third.quiet()


def test_attempts_go_on_without_a_lane_and_their_events_are_passed_on(place: Site) -> None:
    worker, driver = place.worker(slots=1), place.driver()
    task = submit(driver, worker)
    waiting = attempt(number=1)
    driver.lane.submit(waiting)
    driver.lane.close()
    eventually(lambda: place.records.told_ends() == [waiting.token])
    assert place.records.told[0][1].outcome == Returned()  # type: ignore[union-attr]  # an end
    worker.start(task.attempt.token)
    worker.finish(task)
    eventually(lambda: len(place.records.told) == 3)
    experiment, event, name = place.records.told[1]
    assert (experiment, type(event), name.token) == (E1, Started, task.attempt.token)
    assert place.records.told_ends() == [waiting.token, task.attempt.token]
    assert worker.acknowledged() == []
    place.hub.acknowledge(place.records.told_ends())
    eventually(lambda: worker.acknowledged() == [task.attempt.token])
    assert place.hub.running(E1) == frozenset()


def test_end_is_passed_on_when_the_store_is_back(place: Site) -> None:
    worker, driver = place.worker(), place.driver()
    task = submit(driver, worker)
    driver.lane.close()
    place.records.down = True
    worker.finish(task)
    time.sleep(0.2)
    assert place.records.told == []
    place.records.down = False
    eventually(lambda: place.records.told_ends() == [task.attempt.token])


def test_attempt_for_another_master_runs_here_and_its_end_goes_to_the_records(place: Site) -> None:
    worker = place.worker()
    sent = attempt(E2, requirements={"cpu": 0})
    place.hub.place(sent)
    (task,) = worker.await_tasks(1)
    assert worker.of("context")[0].context.experiment == E2
    worker.finish(task)
    eventually(lambda: place.records.told_ends() == [sent.token])
    place.hub.kill([sent.token])  # the other master did not want it any more
    eventually(lambda: worker.acknowledged() == [sent.token])
    assert (place.hub.running(E2), place.hub.free()) == (frozenset(), 2)


def test_attempt_whose_context_cannot_be_had_goes_back(place: Site) -> None:
    place.records.down = True
    sent = attempt(E2)
    place.hub.place(sent)
    place.records.down = False
    eventually(lambda: place.records.told_ends() == [sent.token])
    assert place.records.told[0][1].outcome == Returned()  # type: ignore[union-attr]  # an end


def test_newer_lane_of_an_experiment_replaces_the_older(place: Site) -> None:
    worker, old = place.worker(), place.driver()
    task = submit(old, worker)
    new = place.driver()
    old.lane.close()  # late; takes nothing away from the new one
    worker.finish(task)
    assert [end.token for end in new.await_ends(1)] == [task.attempt.token]
    assert place.records.told == []


def test_lost_session_forgets_everything_and_workers_announce_themselves_again(
    place: Site,
) -> None:
    worker, driver = place.worker(), place.driver()
    kept, dropped = submit(driver, worker), submit(driver, worker, 1)
    worker.start(kept.attempt.token)
    worker.accept(dropped.attempt.token)
    worker.beat(running=[kept.attempt.token], queued=[dropped.attempt.token])
    driver.events += driver.lane.events(0.0)
    place.hub.drop_all()
    assert worker.wait_for_end()[0] == grpc.StatusCode.UNAVAILABLE
    assert (place.hub.running(E1), place.hub.workers()) == (frozenset(), [])
    driver.quiet()
    place.records.adoptable.add(kept.attempt.token)  # type: ignore[arg-type]  # a text is a token
    names = [wire.attempt_from_proto(task.attempt) for task in (kept, dropped)]
    back = place.again(worker, attempts=tuple(names))
    eventually(lambda: back.killed() == [dropped.attempt.token])
    assert place.hub.running(E1) == {kept.attempt.token}
    back.finish(kept)
    assert isinstance(driver.await_ends(1)[0].outcome, Succeeded)


def test_mail_is_told_to_the_lane(place: Site) -> None:
    driver = place.driver()
    mail = Started(token=new_token(), worker="far/slot-1", at=1.0)
    driver.lane.push([mail])
    driver.pump(lambda: driver.events == [mail])


def test_ends_wake_a_driver_at_once(place: Site) -> None:
    worker, driver = place.worker(), place.driver()
    for number in range(20):
        task = submit(driver, worker, number)
        worker.finish(task)
        began = time.monotonic()
        while len(driver.ends()) <= number:
            driver.events += driver.lane.events(60.0)
        assert time.monotonic() - began < 30.0  # nothing but a wake ends such a wait before


# --- files ----------------------------------------------------------------------------------------


def upload(
    place: Site, name: pb.AttemptName, step: int, data: bytes, **fields: object
) -> pb.UploadFileResponse:
    plain: dict[str, object] = {"digest": digest(data), "size": len(data)}
    file = pb.FileName(attempt=name, step=step, **{**plain, **fields})  # type: ignore[arg-type]  # its own
    parts = [pb.UploadFileRequest(name=file)]
    parts += [
        pb.UploadFileRequest(data=data[i : i + (1 << 20)]) for i in range(0, len(data), 1 << 20)
    ]
    with grpc.insecure_channel(f"127.0.0.1:{place.hub.port}") as channel:
        answer = rpc.MasterServiceStub(channel).UploadFile(iter(parts))
        assert isinstance(answer, pb.UploadFileResponse)
        return answer


def download(place: Site, request: pb.DownloadFileRequest) -> bytes:
    with grpc.insecure_channel(f"127.0.0.1:{place.hub.port}") as channel:
        pieces = [p.data for p in rpc.MasterServiceStub(channel).DownloadFile(request)]
    assert all(0 < len(piece) <= 1 << 20 for piece in pieces)
    return b"".join(pieces)


def saved(token: str, step: int, data: bytes) -> pb.WorkerEvent:
    return pb.WorkerEvent(
        saved=pb.Saved(token=token, step=step, digest=digest(data), size=len(data))
    )


def test_uploaded_checkpoint_is_told_when_the_worker_names_it(place: Site) -> None:
    worker, driver = place.worker(), place.driver()
    task = submit(driver, worker, 5)
    data = bytes(range(256)) * 20_000
    assert upload(place, task.attempt, 3, data) == pb.UploadFileResponse(stored=True)
    path = place.records.folder / "5-0" / "3.pt"
    assert path.read_bytes() == data
    worker.say(saved(task.attempt.token, 3, data))
    driver.pump(lambda: driver.of(Checkpointed))
    (event,) = driver.of(Checkpointed)
    assert (event.path, event.step, event.digest) == (path, 3, digest(data))


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"digest": "ab" * 16}, "digest"),
        ({"size": 10}, "10 bytes"),
        ({"size": 10**9}, "of 1000000000 bytes"),
        ({"size": 2**60}, "more than"),
    ],
)
def test_upload_that_is_not_what_it_says_leaves_nothing(
    place: Site, fields: dict[str, object], word: str
) -> None:
    worker, driver = place.worker(), place.driver()
    task = submit(driver, worker)
    answer = upload(place, task.attempt, 1, b"x" * 1000, **fields)
    assert not answer.stored
    assert word in answer.reason
    assert [p for p in place.records.folder.rglob("*") if p.is_file()] == []
    worker.say(saved(task.attempt.token, 1, b"x" * 1000))
    worker.beat(queued=[task.attempt.token])
    assert driver.lane.events(0.05) == []


def test_upload_for_an_attempt_that_is_not_here_is_refused(place: Site) -> None:
    stranger = wire.attempt_to_proto(name_of(attempt()))
    answer = upload(place, stranger, 1, b"x")
    assert (answer.stored, "not one of this master's" in answer.reason) == (False, True)
    assert list(place.records.folder.iterdir()) == []


def test_checkpoint_to_go_on_from_is_downloaded(place: Site, tmp_path: Path) -> None:
    worker, driver = place.worker(), place.driver()
    path = tmp_path / "mine.pt"
    path.write_bytes(data := b"abc" * 1_000_000)
    driver.lane.submit(attempt(checkpoint=path, from_epoch=4))
    (task,) = worker.await_tasks(1)
    assert task.from_epoch == 4
    file = wire.checkpoint_from_proto(task.checkpoint)
    assert (file.step, file.digest, file.size) == (4, digest(data), len(data))
    name = pb.FileName(attempt=task.attempt, step=4, digest=file.digest, size=file.size)
    assert download(place, pb.DownloadFileRequest(checkpoint=name)) == data
    name.attempt.token = new_token()
    with pytest.raises(grpc.RpcError) as caught:
        download(place, pb.DownloadFileRequest(checkpoint=name))
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND


def test_bundle_is_downloaded_by_its_digest_and_by_nothing_else(place: Site) -> None:
    place.records.bundles["cd" * 32] = data = b"tar" * 1_000_000
    assert download(place, pb.DownloadFileRequest(bundle="cd" * 32)) == data
    for bundle, code in (
        ("ef" * 32, grpc.StatusCode.NOT_FOUND),
        ("../../etc/passwd", grpc.StatusCode.INVALID_ARGUMENT),
        ("", grpc.StatusCode.INVALID_ARGUMENT),
    ):
        with pytest.raises(grpc.RpcError) as caught:
            download(place, pb.DownloadFileRequest(bundle=bundle))
        assert caught.value.code() == code


def test_upload_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    with site(tmp_path, replace(PATIENT)) as place:
        worker, driver = place.worker(), place.driver()
        task = submit(driver, worker)
        file = pb.FileName(attempt=task.attempt, step=1, digest="ab" * 16, size=100)

        def parts() -> object:
            yield pb.UploadFileRequest(name=file)
            yield pb.UploadFileRequest(data=b"x")
            time.sleep(0.3)
            raise RuntimeError("the worker dies")

        with (
            grpc.insecure_channel(f"127.0.0.1:{place.hub.port}") as channel,
            pytest.raises(grpc.RpcError),
        ):
            rpc.MasterServiceStub(channel).UploadFile(parts())
        folder = place.records.folder
        eventually(lambda: [p for p in folder.rglob("*") if p.is_file()] == [])
        worker.finish(task)
        driver.pump(lambda: driver.of(Finished))


def test_nothing_of_an_experiment_is_kept_when_it_is_over(place: Site) -> None:
    worker, driver = place.worker(), place.driver()
    task = submit(driver, worker)
    worker.finish(task)
    driver.await_ends(1)
    driver.lane.acknowledge(driver.ends())
    driver.lane.close()
    assert place.hub._switchboard.contexts == {}
    assert place.hub._switchboard.book.ledger.groups == {}
    sent = attempt(E1)
    place.hub.place(sent)  # its context is asked for again
    worker.await_tasks(2)
    assert (place.hub.slots(), place.hub.slots(under_way=True), place.hub.free()) == (2, 2, 1)
