"""What a program can do to a master that wants to do harm, or does not know better."""

from __future__ import annotations

import queue
import secrets
import socket
import struct
import time
from collections.abc import Iterator

import grpc

import morphml
from morphml.engines.remote.proto import worker_pb2 as pb
from morphml.ids import ExperimentId, new_token

WORK = "/morphml.worker.v1.MasterService/Work"


class Liar:
    """A worker's stream on which anything may be said.

    Args:
        target: address of the master.
        token: what it shows; None for nothing.
    """

    def __init__(self, target: str, token: str | None) -> None:
        self._channel = grpc.insecure_channel(
            target, [("grpc.max_send_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
        )
        self._out: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        work = self._channel.stream_stream(WORK, lambda data: data, pb.WorkResponse.FromString)
        metadata = [] if token is None else [("authorization", f"Bearer {token}")]
        self._call = work(self._say_all(), metadata=metadata, timeout=120.0)

    def _say_all(self) -> Iterator[bytes]:
        while (data := self._out.get()) is not None:
            yield data

    def say(self, *events: pb.WorkerEvent) -> None:
        """Send a message."""
        self._out.put(pb.WorkRequest(events=events).SerializeToString())

    def say_bytes(self, data: bytes) -> None:
        """Send what need not be one."""
        self._out.put(data)

    def register(self, name: str, **fields: object) -> None:
        """Say what a worker says first."""
        registration = pb.Registration(
            worker_id=secrets.token_hex(16),
            name=name,
            morphml_version=morphml.__version__,
            python_version="3.11.0",
            protocol=1,
            slots=1,
            **fields,
        )
        self.say(pb.WorkerEvent(registration=registration))

    def finish(self, token: str, experiment: ExperimentId, number: int, loss: float) -> None:
        """Claim that an attempt has ended."""
        name = pb.AttemptName(token=token, owner=experiment, number=number)
        won = pb.Succeeded(metrics={"loss": loss})
        result = pb.Result(
            attempt=name, slot="liar/slot-0", started_at=time.time(), duration_s=1.0, succeeded=won
        )
        self.say(pb.WorkerEvent(result=result))

    def hear(self) -> pb.WorkResponse:
        """The next message of the master."""
        return next(self._call)

    def refusal(self) -> grpc.StatusCode:
        """How the master ended the stream; waits for it."""
        try:
            for _ in self._call:
                pass
        except grpc.RpcError as error:
            return error.code()
        return grpc.StatusCode.OK

    def close(self) -> None:
        self._out.put(None)
        self._channel.close()


def lie_about_attempts(liar: Liar, experiment: ExperimentId, real: dict[int, str]) -> None:
    """Offer results of attempts that others run, and of some that nobody runs."""
    liar.register(
        "liar", results=[pb.AttemptName(token=t, owner=experiment) for t in real.values()]
    )
    assert liar.hear().events[0].HasField("welcome")
    for number, token in real.items():
        liar.finish(token, experiment, number, -1e9)
        liar.finish(new_token(), experiment, number, -1e9)
        liar.finish(token, experiment, number + 1, -1e9)
        liar.say(
            pb.WorkerEvent(returned=pb.Returned(tokens=[token])),
            pb.WorkerEvent(report=pb.Report(token=token, step=99, metrics={"loss": -1e9})),
        )
    liar.finish(new_token(), ExperimentId("nothing"), 0, -1e9)


def announce_a_gigabyte(target: str, token: str) -> None:
    """Say that a message of 1 GB begins; the call is to be ended for that alone."""
    with _call_by_hand(target, token, timeout_s=60.0) as line, line.makefile("rb") as answers:
        while True:
            head = answers.read(9)
            assert len(head) == 9, "it hung up"
            said = answers.read(int.from_bytes(head[:3]))
            if head[3] == 1 and head[4] & 1:  # headers that end the stream
                assert b"larger than max" in said, said
                return


def send_a_gigabyte(target: str, token: str) -> int:
    """Send a message of 1 GB, as if no window limited it; the bytes until the master hung up."""
    sent = 0
    with _call_by_hand(target, token, timeout_s=2.0) as line:
        try:
            while sent < 1 << 30:
                line.sendall(_frame(0, 0, 1, b"\x00" * 16384))
                sent += 16384
        except OSError:
            pass  # it takes no more
    return sent


def _call_by_hand(target: str, token: str, timeout_s: float) -> socket.socket:
    """A connection on which a worker's stream has begun, with the length of a message of 1 GB."""
    host, _, port = target.rpartition(":")
    headers = [
        (":method", "POST"), (":scheme", "http"), (":path", WORK), (":authority", target),
        ("content-type", "application/grpc"), ("te", "trailers"),
        ("authorization", f"Bearer {token}"),
    ]  # fmt: skip
    block = b"".join(
        b"\x00" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()
        for name, value in headers
    )
    line = socket.create_connection((host, int(port)), timeout=timeout_s)
    line.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _frame(4, 0, 0) + _frame(1, 4, 1, block))
    line.sendall(_frame(0, 0, 1, b"\x00" + struct.pack(">I", 1 << 30)))
    return line


def send_noise(target: str) -> None:
    """Bytes that are not even HTTP/2."""
    host, _, port = target.rpartition(":")
    for data in (b"\x00" * 4096, secrets.token_bytes(4096), b"GET / HTTP/1.1\r\n\r\n"):
        with socket.create_connection((host, int(port)), timeout=2.0) as line:
            line.sendall(data)


def _frame(kind: int, flags: int, stream: int, body: bytes = b"") -> bytes:
    return (
        struct.pack(">I", len(body))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + body
    )
