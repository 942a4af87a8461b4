"""Whether the packages for many machines are there; said before an import fails."""

from __future__ import annotations

import importlib.util

from morphml.errors import MissingExtraError
from morphml.settings import quieten_grpc

#: What the extra ``remote`` brings, as far as its absence stops a command.
_NEEDED = ("grpc", "grpc_health", "google.protobuf", "cryptography")


def need_remote(command: str) -> None:
    """Nothing when the packages are there; gRPC then keeps its own log lines to itself.

    Raises:
        MissingExtraError: when one is not.
    """
    for name in _NEEDED:
        top = name.partition(".")[0]
        if importlib.util.find_spec(top) is None:
            raise MissingExtraError(f"morphml {command}", extra="remote")
    quieten_grpc()
