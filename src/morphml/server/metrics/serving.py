"""Answers scrapes over HTTP: ``GET /metrics``, and nothing else."""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any, Self
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, ProcessCollector, make_wsgi_app

from morphml.errors import WorkerError
from morphml.master.cluster.master import Master
from morphml.server.metrics.collector import MasterCollector

#: What a request for this very machine is addressed to.
_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


class MetricsServer:
    """Serves the metrics of one master, on threads of its own.

    Args:
        master: that runs.
        host: address to listen on. On a loopback address only requests for this machine are
            answered, so that no web page can read them by another name of it.
        port: 0 takes a free one.

    Raises:
        WorkerError: when the address is taken or not this machine's.
    """

    def __init__(self, master: Master, host: str, port: int) -> None:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(MasterCollector(master))
        ProcessCollector(registry=registry)
        app = _only_metrics(make_wsgi_app(registry), local=_is_loopback(host))
        try:
            self._server = make_server(host, port, app, _Server, _Quiet)
        except OSError as error:
            raise WorkerError(f"metrics cannot be served on {host}:{port}: {error}") from error
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="morphml-metrics", daemon=True
        )

    @property
    def address(self) -> str:
        """Where it is scraped."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}/metrics"

    def __enter__(self) -> Self:
        """Serve."""
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingMixIn, WSGIServer):
    """One slow reader does not keep the others waiting."""

    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    """Logs no requests."""

    timeout = 10

    def log_message(self, format: str, *args: Any) -> None:  # noqa: ANN401  # inherited
        """Say nothing."""


# What WSGI calls an application, in its own words.
_Respond = Callable[..., object]
_App = Callable[[dict[str, Any], _Respond], Iterable[bytes]]


def _only_metrics(app: _App, *, local: bool) -> _App:
    """The application behind one path, for readers that mean this machine."""

    def answer(request: dict[str, Any], respond: _Respond) -> Iterable[bytes]:
        host = str(request.get("HTTP_HOST", "")).rsplit(":", 1)[0].strip("[]").lower()
        if local and host not in _LOCAL_NAMES:
            return _refuse(respond, "403 Forbidden", "ask for localhost")
        if request.get("REQUEST_METHOD") != "GET":
            return _refuse(respond, "405 Method Not Allowed", "only GET")
        if request.get("PATH_INFO") != "/metrics":
            return _refuse(respond, "404 Not Found", "the metrics are at /metrics")
        return app(request, respond)

    return answer


def _refuse(respond: _Respond, status: str, words: str) -> Iterable[bytes]:
    respond(status, [("Content-Type", "text/plain; charset=utf-8")])
    return [f"{words}\n".encode()]


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
