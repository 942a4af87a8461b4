"""What routes work with: one store, and who may ask it."""

from __future__ import annotations

import platform
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, cast

from fastapi import Depends, Request

from morphml.clock import Clock, SystemClock
from morphml.engines.remote.access import Endpoint, TokenFile, is_loopback
from morphml.ids import ExperimentId
from morphml.master.cluster.fence import Fence
from morphml.master.cluster.outside import OutsideWorkers
from morphml.master.cluster.outside_files import OutsideFiles
from morphml.master.places import artifacts_folder
from morphml.master.workflows import Executions
from morphml.server.rest.answers import Answers
from morphml.server.rest.door import Door
from morphml.server.rest.rates import Rates
from morphml.server.rest.rendered import Rendered
from morphml.server.rest.settings import RestSettings
from morphml.server.rest.stats import SharedStats
from morphml.server.rest.tails import Tails
from morphml.storage import SqlStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One REST server."""

    settings: RestSettings
    store: SqlStore
    executions: Executions
    workers: OutsideWorkers
    files: OutsideFiles
    #: What was answered to requests with a key.
    answers: Answers
    door: Door
    rates: Rates
    stats: SharedStats
    tails: Tails
    rendered: Rendered
    clock: Clock

    @classmethod
    def of(cls, settings: RestSettings, store: SqlStore) -> Site:
        """The site of a store.

        Raises:
            AccessError: when the token file is missing, unsafe or wrong.
        """
        clock = SystemClock()
        executions = Executions(store, _folder(settings))
        file = settings.token_file
        fence = Fence(store)
        files = OutsideFiles(store, fence, _folder(settings))
        return cls(
            settings=settings,
            store=store,
            executions=executions,
            workers=OutsideWorkers(store, fence, files, clock),
            files=files,
            answers=Answers(store),
            door=Door(
                names=_names(settings),
                local=is_loopback(Endpoint(host=settings.host, port=0)),
                tokens=None if file is None else TokenFile(Path(file)).read(),
                most_file_bytes=settings.most_file_bytes,
            ),
            rates=Rates(settings.rate, clock),
            stats=SharedStats(executions, clock),
            tails=Tails(executions.events),
            rendered=Rendered(clock),
            clock=clock,
        )

    def folder(self, experiment: ExperimentId) -> Path:
        """Where the files of an experiment lie."""
        return _folder(self.settings) / experiment


def _folder(settings: RestSettings) -> Path:
    return settings.artifacts_folder() or artifacts_folder(settings.storage)


def _names(settings: RestSettings) -> frozenset[str]:
    """What this machine is called, as far as it knows."""
    found = (settings.host, platform.node(), socket.getfqdn(), *settings.names)
    return frozenset(name.lower() for name in found if name)


def site_of(request: Request) -> Site:
    """The site that serves a request."""
    return cast("Site", request.app.state.site)


#: What a route asks for to work with the site.
Here = Annotated[Site, Depends(site_of)]
