"""The check at the door: no call's body is read before its token was judged."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar
from urllib.parse import unquote

import grpc
import grpc.aio

from morphml.engines.remote.access.once import MOST_PEERS, Once
from morphml.engines.remote.access.scopes import METHOD_SCOPES, Scope, allows, scope_needed
from morphml.engines.remote.access.tokens import Tokens

_log = logging.getLogger(__name__)

#: Metadata key of the token.
HEADER = "authorization"
_PREFIX = "Bearer "

Request = TypeVar("Request")
Response = TypeVar("Response")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a call is not let in."""

    code: grpc.StatusCode
    #: For the caller: one line.
    message: str
    #: For the master's log: a few words.
    reason: str


class TokenInterceptor(grpc.aio.ServerInterceptor):
    """Lets in calls whose metadata bear a token of the scope that the method needs.

    A refused call ends with `UNAUTHENTICATED` (no token, or none of ours) or `PERMISSION_DENIED` (a
    token of another scope); its messages are never read. Each peer is logged once for each reason,
    however often it tries.
    """

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._logged = Once(MOST_PEERS)

    async def intercept_service(
        self,
        continuation: Callable[
            [grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Request, Response] | None]
        ],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler[Request, Response] | None:
        """The method's own handler, or one that refuses."""
        method = handler_call_details.method
        refusal = judge(self._tokens, method, _presented(handler_call_details))
        if refusal is None:
            return await continuation(handler_call_details)
        return grpc.stream_stream_rpc_method_handler(self._refusing(method, refusal))

    def _refusing(self, method: str, refusal: Refusal) -> Callable[..., Any]:
        """What ends the call; as a stream's, since a handler of one message would wait for it."""

        async def refuse(_: object, context: grpc.aio.ServicerContext[Any, Any]) -> NoReturn:
            host = host_of(context.peer())
            if self._logged.first((host, refusal.reason)):
                name = method if method in METHOD_SCOPES else "an unknown method"
                _log.warning(
                    "refused %s to %s: %s (token file here: %s); not logged again for this peer",
                    name,
                    host,
                    refusal.reason,
                    self._tokens.file,
                )
            await context.abort(refusal.code, refusal.message)

        return refuse


def judge(tokens: Tokens, method: str, presented: str | None) -> Refusal | None:
    """Why a call of ``method`` with that token is refused; None when it is let in.

    Args:
        tokens: those of this side.
        method: full name, such as ``/package.Service/Method``.
        presented: the token of the call, or None when it had none.
    """
    needed = scope_needed(method)
    if needed is None:
        return None
    if presented is None:
        return Refusal(
            code=grpc.StatusCode.UNAUTHENTICATED,
            message=f"no token given: a token of scope '{needed}' is needed; {_copy(needed)}",
            reason="no token",
        )
    held = tokens.scope_of(presented)
    if held is None:
        return Refusal(
            code=grpc.StatusCode.UNAUTHENTICATED,
            message=f"the token given is not one of this side's; {_copy(needed)}",
            reason="a token that is not in the token file",
        )
    if not allows(held, needed):
        return Refusal(
            code=grpc.StatusCode.PERMISSION_DENIED,
            message=f"a token of scope '{held}' may not do this: '{needed}' is needed; "
            f"{_copy(needed)}",
            reason=f"a token of scope {held} where {needed} is needed",
        )
    return None


def host_of(peer: str) -> str:
    """The address in what gRPC calls a peer, such as ``ipv4:10.0.0.7:53422``, without the port."""
    kind, _, rest = peer.partition(":")
    if kind not in ("ipv4", "ipv6"):
        return peer
    return unquote(rest).rpartition(":")[0].strip("[]")


def _copy(needed: Scope) -> str:
    return (
        f"copy the master's token file (by default ~/.config/morphml/tokens.json), or one made "
        f"there with `morphml tokens FILE --scope {needed}`, and give it with --token-file"
    )


def _presented(details: grpc.HandlerCallDetails) -> str | None:
    """The token in the metadata; None without one, or with two that differ."""
    found = {
        value.removeprefix(_PREFIX)
        for key, value in details.invocation_metadata or ()
        if key == HEADER and isinstance(value, str) and value.startswith(_PREFIX)
    }
    return found.pop() if len(found) == 1 else None
