"""The standard health checks of a gRPC server, for load balancers and orchestrators."""

from __future__ import annotations

import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc


class HealthChecks:
    """Answers whether a server, and the one service that it is there for, serve.

    Args:
        server: not started yet.
        service: full name in the protocol.
    """

    def __init__(self, server: grpc.aio.Server, service: str) -> None:
        self._names = ("", service)
        self._checks = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._checks, server)

    async def serve(self) -> None:
        """From now on both serve."""
        for name in self._names:
            await self._checks.set(name, health_pb2.HealthCheckResponse.SERVING)

    async def stop(self) -> None:
        """Both serve no more, whatever is said later."""
        await self._checks.enter_graceful_shutdown()
