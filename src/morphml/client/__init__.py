"""A client for programs that ask a master over REST; needs the extra ``client``."""

from __future__ import annotations

import importlib.util

from morphml.errors import MissingExtraError

if importlib.util.find_spec("httpx") is None:
    raise MissingExtraError("morphml.Client", extra="client")

from morphml.client.asynchronous import AsyncClient
from morphml.client.synchronous import Client

__all__ = ["AsyncClient", "Client"]
