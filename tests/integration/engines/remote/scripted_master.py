"""A master that does what a test tells it, over real gRPC; and what it hears, to be counted."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from pathlib import Path

import grpc
import grpc.aio
import orjson

import morphml as mm
from morphml import layers as L
from morphml.engines.remote.access import ServerAccess
from morphml.engines.remote.proto import worker_pb2 as pb
from morphml.engines.remote.proto import worker_pb2_grpc as rpc
from morphml.evaluation.checkpoint import file_digest
from morphml.ids import digest, new_token

SPACE = mm.SearchSpace(
    input=(4,),
    layers=[L.dense(units=mm.choice(8, 16)), L.output(2)],
    hyper={"seconds": mm.real(0.0, 100.0)},
)
EXPERIMENT = "e0123456"


class ScriptedMaster(rpc.MasterServiceServicer):
    """Welcomes every worker, acknowledges every result, unless told otherwise."""

    def __init__(
        self,
        port: int = 0,
        *,
        session: str = "m1",
        store: str = "s1",
        access: ServerAccess | None = None,
        kills: Iterable[str] = (),
    ) -> None:
        self.session, self.store = session, store
        self._access = access or ServerAccess()
        self.acknowledges = True
        self.answers_beats = True
        #: Seconds between two beats of a worker.
        self.beat_s = 0.2
        #: Seconds until a worker leaves a master that does not answer its beats.
        self.patience_s = 60.0
        self.refusal = ""
        #: Attempts that a worker has to end when it announces them.
        self.kills = set(kills)
        self.files: dict[str, bytes] = {}
        self.takes_uploads = True
        #: Everything heard, in order, with the time.
        self.heard: list[tuple[float, pb.WorkerEvent]] = []
        self._queue: asyncio.Queue[pb.MasterEvent] | None = None
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._listen = f"127.0.0.1:{port}"
        self.port = port
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._started.wait(60)

    # --- for tests -------------------------------------------------------------------------------

    def send(self, *events: pb.MasterEvent) -> None:
        assert self._queue is not None
        for event in events:
            self._loop.call_soon_threadsafe(self._queue.put_nowait, event)

    def of(self, kind: str) -> list[pb.WorkerEvent]:
        with self._changed:
            return [event for _, event in self.heard if event.HasField(kind)]

    def results(self) -> list[pb.Result]:
        return [event.result for event in self.of("result")]

    def ends(self) -> dict[str, pb.Result]:
        return {result.attempt.token: result for result in self.results()}

    def logs(self, token: str) -> str:
        return "".join(each.log.text for each in self.of("log") if each.log.token == token)

    def wait(self, condition: Callable[[], object], timeout_s: float = 90.0) -> float:
        """Until the condition holds; the seconds that took."""
        begun = time.monotonic()
        with self._changed:
            if not self._changed.wait_for(condition, timeout_s):
                last = "\n".join(str(event)[:300] for _, event in self.heard[-8:])
                raise TimeoutError(f"not within {timeout_s} s; heard last:\n{last}")
        return time.monotonic() - begun

    def wait_for(self, kind: str, count: int = 1, timeout_s: float = 90.0) -> float:
        return self.wait(lambda: len(self.of(kind)) >= count, timeout_s)

    def kill(self) -> None:
        """End at once, as a killed process does: connections break."""
        future = asyncio.run_coroutine_threadsafe(self._server.stop(None), self._loop)
        with contextlib.suppress(Exception):
            future.result(60)
        self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join(60)

    def __enter__(self) -> ScriptedMaster:
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread.is_alive():
            self.kill()

    # --- the server ------------------------------------------------------------------------------

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        access = self._access
        self._ending = asyncio.Event()
        self._server = access.server()
        rpc.add_MasterServiceServicer_to_server(self, self._server)
        self.port = access.bind(self._server, self._listen)
        await self._server.start()
        self._started.set()
        await self._ending.wait()

    async def Work(
        self, requests: AsyncIterator[pb.WorkRequest], context: grpc.aio.ServicerContext
    ) -> None:
        queue: asyncio.Queue[pb.MasterEvent] = asyncio.Queue()
        self._queue = queue
        sending = asyncio.create_task(self._send(queue, context))
        try:
            async for request in requests:
                for event in request.events:
                    self._hear(event, queue)
        finally:
            sending.cancel()

    async def _send(
        self, queue: asyncio.Queue[pb.MasterEvent], context: grpc.aio.ServicerContext
    ) -> None:
        while True:
            events = [await queue.get()]
            while not queue.empty():
                events.append(queue.get_nowait())
            await context.write(pb.WorkResponse(events=events))

    def _hear(self, event: pb.WorkerEvent, queue: asyncio.Queue[pb.MasterEvent]) -> None:
        if event.HasField("registration"):
            queue.put_nowait(pb.MasterEvent(welcome=self._welcome()))
            named = {each.token for each in event.registration.attempts}
            verdict = pb.Verdict(keep=named - self.kills, kill=named & self.kills)
            queue.put_nowait(pb.MasterEvent(verdict=verdict))
        elif event.HasField("beat") and self.answers_beats:
            seen = pb.BeatSeen(index=event.beat.index)
            queue.put_nowait(pb.MasterEvent(beat_seen=seen))
        elif event.HasField("result") and self.acknowledges:
            tokens = pb.Acknowledged(tokens=[event.result.attempt.token])
            queue.put_nowait(pb.MasterEvent(acknowledged=tokens))
        with self._changed:
            self.heard.append((time.monotonic(), event))
            self._changed.notify_all()

    def _welcome(self) -> pb.Welcome:
        return pb.Welcome(
            master=self.session,
            protocol=1,
            beat_s=self.beat_s,
            patience_s=self.patience_s,
            store=self.store,
            refusal=self.refusal,
        )

    async def UploadFile(
        self, parts: AsyncIterator[pb.UploadFileRequest], _context: grpc.aio.ServicerContext
    ) -> pb.UploadFileResponse:
        name, data = pb.FileName(), b""
        async for part in parts:
            if part.HasField("name"):
                name = part.name
            data += part.data
        if not self.takes_uploads:
            return pb.UploadFileResponse(stored=False, reason="not yours")
        assert name.digest == digest(data)
        assert name.size == len(data)
        self.files[f"{name.attempt.number}@{name.step}"] = data
        return pb.UploadFileResponse(stored=True)

    async def DownloadFile(
        self, request: pb.DownloadFileRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[pb.DownloadFileResponse]:
        key = request.bundle or f"{request.checkpoint.attempt.number}@{request.checkpoint.step}"
        if key not in self.files:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"no file {key}")
        data = self.files[key]
        for start in range(0, len(data), 1 << 20):
            yield pb.DownloadFileResponse(data=data[start : start + (1 << 20)])


def context(evaluator: str, *, experiment: str = EXPERIMENT, **fields: object) -> pb.MasterEvent:
    """An experiment whose evaluator is ``remote_evaluators:<evaluator>``, or an import path."""
    path = evaluator if ":" in evaluator else f"remote_evaluators:{evaluator}"
    message = pb.Context(
        experiment=experiment,
        space=SPACE.to_text(),
        evaluator=path,
        required=["score"],
        settings=b"{}",
        digest=digest(f"{experiment}{path}{fields}".encode()),
        **fields,  # type: ignore[arg-type]
    )
    return pb.MasterEvent(context=message)


def task(
    number: int,
    seconds: float = 0.0,
    *,
    experiment: str = EXPERIMENT,
    token: str | None = None,
    **fields: object,
) -> pb.MasterEvent:
    name = pb.AttemptName(token=token or new_token(), owner=experiment, number=number)
    vector = [0] * (len(SPACE.decisions) - 1)
    message = pb.Task(
        attempt=name,
        vector=orjson.dumps([*vector, seconds]),
        seed=number,
        repeats=1,
        **fields,  # type: ignore[arg-type]
    )
    return pb.MasterEvent(task=message)


def token_of(event: pb.MasterEvent) -> str:
    return event.task.attempt.token


def order(token: str, what: str) -> pb.MasterEvent:
    return pb.MasterEvent(order=pb.Order(token=token, order=what))


def kill(*tokens: str) -> pb.MasterEvent:
    return pb.MasterEvent(verdict=pb.Verdict(kill=tokens))


def saved(path: Path, step: int) -> pb.Saved:
    return pb.Saved(step=step, digest=file_digest(path), size=path.stat().st_size)


def outcomes(results: Iterable[pb.Result]) -> list[str]:
    return [result.WhichOneof("outcome") or "" for result in results]


def score(result: pb.Result) -> Mapping[str, float]:
    return dict(result.succeeded.metrics)
