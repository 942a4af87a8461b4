"""Workers of a master on the nodes of a Ray cluster, where they were asked for."""

from __future__ import annotations

import logging
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from morphml.clock import SystemClock
from morphml.errors import CallerError, StorageError

if TYPE_CHECKING:
    from morphml.master.cluster.master import Master

_log = logging.getLogger("morphml.cli.master")


def _has_others(master: Master) -> bool:
    """Whether another master may take over what runs."""
    try:
        return len(master.store.cluster.masters()) > 1
    except StorageError:
        return False


#: What is said instead of an address for a cluster of this machine alone.
HERE = "local"


def ray_staff(
    address: str | None, authority: Path | None, tokens: Path | None
) -> Callable[[Master], AbstractContextManager[str]]:
    """What keeps a worker on each node for as long as it is entered; nothing without an address.

    Args:
        address: of the cluster, or ``local``.
        authority: certificate of the authority that signed the master's, where it speaks TLS.
        tokens: the master's token file; None where it wants none.

    Raises:
        MissingExtraError: when the extra ``ray`` is not installed.
        CallerError: when the options do not go together.
    """
    if address is None:
        if authority is not None:
            raise CallerError("--ray-ca goes with --ray")
        return lambda _: nullcontext("")
    from morphml.engines.ray import need_ray  # noqa: PLC0415 gRPC takes a second to import

    need_ray("morphml master --ray")
    from morphml.engines.ray.settings import RaySettings  # noqa: PLC0415 as above

    settings = RaySettings(address="" if address == HERE else address)

    @contextmanager
    def staffed(master: Master) -> Iterator[str]:
        from morphml.engines.ray.orders import Summons  # noqa: PLC0415 as above
        from morphml.engines.ray.steward import Steward  # noqa: PLC0415 as above
        from morphml.engines.ray.supply import Supply  # noqa: PLC0415 as above
        from morphml.engines.remote.access import Scope, TokenFile  # noqa: PLC0415 as above

        supply = Supply(settings)
        grows = supply.connected.grows

        def wanted() -> float:
            return float(master.hub.fitting.demand()) if grows else math.inf

        try:
            supply.serve(
                Summons(
                    masters=(master.address,),
                    token="" if tokens is None else TokenFile(tokens).read().secret(Scope.WORKER),
                    authority="" if authority is None else authority.read_text(),
                    path=tuple(str(Path(entry or ".").resolve()) for entry in sys.path),
                    give_up_after_s=settings.give_up_after_s,
                    allow_pickle=master.settings.allow_pickle,
                    adoptable=True,
                ),
                Steward(master.hub, wanted, settings.idle_s, SystemClock()),
            )
            yield "of this machine" if supply.connected.own else address
        finally:
            supply.close(leave=_has_others(master))

    return staffed
