"""Serves a store over HTTP until it is told to leave."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import warnings
from collections.abc import Callable

import uvicorn

from morphml.master.resources import InfeasibleWarning
from morphml.server.rest.app import create_app
from morphml.server.rest.settings import RestSettings
from morphml.server.rest.site import Site
from morphml.settings import read_settings
from morphml.storage import StoreOptions, open_store

log = logging.getLogger(__name__)

#: Seconds that requests under way have when it is told to leave.
GRACE_S = 2


class RestServer:
    """A server on a socket that listens already.

    Args:
        settings: of the server.
        listening: the socket; closed by whoever made it.

    Raises:
        StorageError: when the store cannot be opened.
        AccessError: when the token file is missing, unsafe or wrong.
    """

    def __init__(self, settings: RestSettings, listening: socket.socket) -> None:
        # What is missing for an experiment is told in the answer.
        warnings.simplefilter("ignore", InfeasibleWarning)
        options = StoreOptions(durability=read_settings().store.durability, policy=settings.policy)
        self._store = open_store(settings.storage, options, create=False)
        try:
            app = create_app(Site.of(settings, self._store))
        except BaseException:
            self._store.close()
            raise
        self._socket = listening
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_config=None,
                log_level="warning",
                access_log=False,
                server_header=False,
                lifespan="off",
                timeout_graceful_shutdown=GRACE_S,
                ssl_certfile=settings.certificate,
                ssl_keyfile=settings.key,
                ssl_ca_certs=settings.client_ca,
                ssl_cert_reqs=ssl.CERT_NONE if settings.client_ca is None else ssl.CERT_REQUIRED,
            )
        )

    def serve(self, ready: Callable[[], None] = lambda: None) -> None:
        """Serve until `leave`; ``ready`` is called when requests are answered."""
        try:
            asyncio.run(self._serve(ready))
        finally:
            self._store.close()

    def leave(self) -> None:
        """Answer what is under way, and end; may be called from another thread, and twice."""
        self._server.should_exit = True

    async def _serve(self, ready: Callable[[], None]) -> None:
        ready()  # the socket listens: who connects now is answered in a moment
        await self._server.serve(sockets=[self._socket])
