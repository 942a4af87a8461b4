"""Workers that do nothing but beat, all in one process, each with a connection of its own.

    python -m benchmarks.idle_workers ADDRESS COUNT BEAT_S

Says ``all`` when every one has been welcomed, and goes on until it is killed.
"""

from __future__ import annotations

import asyncio
import platform
import random
import sys
from dataclasses import dataclass
from typing import Any

import grpc

import morphml
from morphml.engines.remote import announcing
from morphml.engines.remote.messages import Beat, Registration
from morphml.engines.remote.proto import worker_pb2 as pb

WORK = "/morphml.worker.v1.MasterService/Work"
#: Streams that are opened at the same time.
AT_ONCE = 50


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """What all of them share."""

    address: str
    beat_s: float
    doors: asyncio.Semaphore


async def main(address: str, count: int, beat_s: float) -> None:
    """Let them all in, say so, and beat until the end."""
    crowd = Crowd(address=address, beat_s=beat_s, doors=asyncio.Semaphore(AT_ONCE))
    inside = [asyncio.Event() for _ in range(count)]
    async with asyncio.TaskGroup() as group:
        for number, event in enumerate(inside):
            group.create_task(worker(crowd, number, event))
        for event in inside:
            await event.wait()
        sys.stdout.write("all\n")
        sys.stdout.flush()


async def worker(crowd: Crowd, number: int, inside: asyncio.Event) -> None:
    """One worker: registers, and beats at its own phase."""
    async with crowd.doors:
        options = [("grpc.use_local_subchannel_pool", 1)]
        channel = grpc.aio.insecure_channel(crowd.address, options=options)
        stream: Any = channel.stream_stream(
            WORK,
            request_serializer=pb.WorkRequest.SerializeToString,
            response_deserializer=pb.WorkResponse.FromString,
        )()
        registration = announcing.registration_to_proto(
            Registration(
                worker=f"{number:032x}",
                name=f"idle-{number}",
                morphml_version=morphml.__version__,
                python_version=platform.python_version(),
                slots=1,
            )
        )
        await stream.write(pb.WorkRequest(events=[pb.WorkerEvent(registration=registration)]))
        await stream.read()
    inside.set()
    await asyncio.sleep(random.uniform(0, crowd.beat_s))
    for index in range(1, sys.maxsize):
        beat = announcing.beat_to_proto(Beat(index=index))
        await stream.write(pb.WorkRequest(events=[pb.WorkerEvent(beat=beat)]))
        answer = await stream.read()
        if not isinstance(answer, pb.WorkResponse):
            raise RuntimeError(f"the stream of worker {number} ended: {await stream.details()}")
        await asyncio.sleep(crowd.beat_s)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
