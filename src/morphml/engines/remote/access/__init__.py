"""Who is let in: tokens by scope, TLS, and clear words for those who are not.

Needs the extra ``remote``.
"""

from morphml.engines.remote.access.client import (
    ClientAccess,
    client_access,
    share_with_masters_here,
)
from morphml.engines.remote.access.endpoints import Endpoint, is_loopback, parse_endpoint
from morphml.engines.remote.access.problems import Cause, Problem
from morphml.engines.remote.access.scopes import METHOD_SCOPES, Scope
from morphml.engines.remote.access.server import ServerAccess, guarded_by, server_access
from morphml.engines.remote.access.tls import ClientTls, KeyPair, ServerTls
from morphml.engines.remote.access.tokens import TokenFile, Tokens

__all__ = [
    "METHOD_SCOPES",
    "Cause",
    "ClientAccess",
    "ClientTls",
    "Endpoint",
    "KeyPair",
    "Problem",
    "Scope",
    "ServerAccess",
    "ServerTls",
    "TokenFile",
    "Tokens",
    "client_access",
    "guarded_by",
    "is_loopback",
    "parse_endpoint",
    "server_access",
    "share_with_masters_here",
]
