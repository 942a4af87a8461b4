"""A channel whose every call bears the token.

gRPC's own interceptors of streams put two queues between caller and wire; adding the metadata where
a call starts costs nothing per message.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self, TypeVar, cast

import grpc
import grpc.aio

from morphml.engines.remote.access.interceptor import HEADER

Request = TypeVar("Request")
Response = TypeVar("Response")
Starter = TypeVar("Starter")
Metadata = Sequence[tuple[str, str | bytes]]


class TokenChannel(grpc.aio.Channel):
    """A channel that adds ``authorization: Bearer ...`` to every call; else the one given."""

    def __init__(self, channel: grpc.aio.Channel, token: str) -> None:
        self._channel = channel
        self._bearer = ((HEADER, f"Bearer {token}"),)

    def unary_unary(  # noqa: D102 see the class
        self,
        method: str,
        request_serializer: Callable[[Request], bytes] | None = None,
        response_deserializer: Callable[[bytes], Response] | None = None,
        _registered_method: bool = False,
    ) -> grpc.aio.UnaryUnaryMultiCallable[Request, Response]:
        return self._bearing(
            self._channel.unary_unary(method, request_serializer, response_deserializer)
        )

    def unary_stream(  # noqa: D102 see the class
        self,
        method: str,
        request_serializer: Callable[[Request], bytes] | None = None,
        response_deserializer: Callable[[bytes], Response] | None = None,
        _registered_method: bool = False,
    ) -> grpc.aio.UnaryStreamMultiCallable[Request, Response]:
        return self._bearing(
            self._channel.unary_stream(method, request_serializer, response_deserializer)
        )

    def stream_unary(  # noqa: D102 see the class
        self,
        method: str,
        request_serializer: Callable[[Request], bytes] | None = None,
        response_deserializer: Callable[[bytes], Response] | None = None,
        _registered_method: bool = False,
    ) -> grpc.aio.StreamUnaryMultiCallable[Request, Response]:
        return self._bearing(
            self._channel.stream_unary(method, request_serializer, response_deserializer)
        )

    def stream_stream(  # noqa: D102 see the class
        self,
        method: str,
        request_serializer: Callable[[Request], bytes] | None = None,
        response_deserializer: Callable[[bytes], Response] | None = None,
        _registered_method: bool = False,
    ) -> grpc.aio.StreamStreamMultiCallable[Request, Response]:
        return self._bearing(
            self._channel.stream_stream(method, request_serializer, response_deserializer)
        )

    async def close(self, grace: float | None = None) -> None:  # noqa: D102 see the class
        await self._channel.close(grace)

    def get_state(  # noqa: D102 see the class
        self, try_to_connect: bool = False
    ) -> grpc.ChannelConnectivity:
        return self._channel.get_state(try_to_connect)

    async def wait_for_state_change(  # noqa: D102 see the class
        self, last_observed_state: grpc.ChannelConnectivity
    ) -> None:
        await self._channel.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:  # noqa: D102 see the class
        await self._channel.channel_ready()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        await self.close()

    def _bearing(self, start: Starter) -> Starter:
        begin = cast("Callable[..., object]", start)
        bearer = self._bearer

        def bearing(*arguments: object, metadata: Metadata | None = None, **rest: object) -> object:
            return begin(*arguments, metadata=(*bearer, *(metadata or ())), **rest)

        return cast("Starter", bearing)
