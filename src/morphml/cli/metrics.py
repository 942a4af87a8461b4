"""Metrics of a master beside it, where they were asked for."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

from morphml.errors import MissingExtraError

if TYPE_CHECKING:
    from morphml.master.cluster.master import Master


def metrics_served(host: str, port: int | None) -> Callable[[Master], AbstractContextManager[str]]:
    """What serves metrics for as long as it is entered, and says where; nothing without a port.

    Raises:
        MissingExtraError: when the extra ``server`` is not installed.
    """
    if port is None:
        return lambda _: nullcontext("")
    if importlib.util.find_spec("prometheus_client") is None:
        raise MissingExtraError("morphml master --metrics-port", extra="server")

    @contextmanager
    def served(master: Master) -> Iterator[str]:
        # Only here: it takes a moment, and most masters serve none.
        from morphml.server.metrics import MetricsServer  # noqa: PLC0415

        with MetricsServer(master, host, port) as server:
            yield server.address

    return served
