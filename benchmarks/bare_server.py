"""A ``grpc.aio`` server that answers each message of the workers' stream with a short one.

    python -m benchmarks.bare_server

Says the address that it listens on, and goes on until it is killed.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import grpc

from morphml.engines.remote.proto import worker_pb2 as pb


async def work(_: Any, call: Any) -> None:
    """One stream."""
    answer = pb.WorkResponse(events=[pb.MasterEvent(beat_seen=pb.BeatSeen(index=1))])
    while isinstance(await call.read(), pb.WorkRequest):
        await call.write(answer)


async def main() -> None:
    """Listen."""
    server = grpc.aio.server()
    method = grpc.stream_stream_rpc_method_handler(
        work, pb.WorkRequest.FromString, pb.WorkResponse.SerializeToString
    )
    service = "morphml.worker.v1.MasterService"
    handler = grpc.method_handlers_generic_handler(service, {"Work": method})
    server.add_generic_rpc_handlers((handler,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    sys.stdout.write(f"127.0.0.1:{port}\n")
    sys.stdout.flush()
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(main())
