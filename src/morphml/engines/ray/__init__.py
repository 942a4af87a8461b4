"""The Ray engine: attempts run at workers that Ray places on the nodes of a cluster.

Ray places and kills processes; the lease of the masters decides about attempts. So nothing of Ray
is imported here: a process of its own (``provider``) speaks with the cluster and keeps one worker
of the remote protocol on each node, and the workers dial the hub of this process.

Needs the extra ``ray``.
"""

from __future__ import annotations

import importlib.util

from morphml.errors import MissingExtraError

__all__ = ["need_ray"]

#: What the extra brings, as far as its absence stops the engine.
_NEEDED = ("ray", "grpc", "grpc_health", "google.protobuf", "cryptography")


def need_ray(feature: str) -> None:
    """Nothing when the packages are there; they are not imported.

    Raises:
        MissingExtraError: when one is not.
    """
    for name in _NEEDED:
        if importlib.util.find_spec(name.partition(".")[0]) is None:
            raise MissingExtraError(feature, extra="ray")
