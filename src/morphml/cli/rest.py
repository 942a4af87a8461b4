"""REST beside a master: a process of its own, where its address is, and that it lives."""

from __future__ import annotations

import importlib.util
import logging
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from morphml.errors import CallerError, MissingExtraError
from morphml.settings import read_settings

if TYPE_CHECKING:
    from morphml.master.cluster.master import Master
    from morphml.server.rest.settings import RestSettings

log = logging.getLogger("morphml.cli.master")

OFF = "off"
#: Connections that wait while the process starts, or starts again.
BACKLOG = 1024
#: Seconds between two starts of a process that does not stay, at first and at most.
AGAIN_S, MOST_AGAIN_S = 1.0, 30.0
#: Seconds that it has to leave.
LEAVE_WITHIN_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RestDoor:
    """Who may come in, as for the master's own port."""

    tokens: Path | None
    certificate: Path | None = None
    key: Path | None = None
    client_ca: Path | None = None


def rest_served(
    asked: str, door: RestDoor, *, as_json: bool, verbose: bool
) -> Callable[[Master], AbstractContextManager[str]]:
    """What serves REST for as long as it is entered, and says where; "" where it does not.

    Args:
        asked: ``HOST:PORT``, ``off``, or "" for the usual place, where a port that is taken or a
            package that is missing is told and no more.
        door: who may come in.
        as_json: whether its log is JSON.
        verbose: whether its log has details.

    Raises:
        CallerError: when the address is none, or others reach it and there is no token.
        MissingExtraError: when the extra ``server`` is not installed and REST was asked for.
    """
    address = asked or read_settings().rest.address
    if address == OFF:
        return lambda _: nullcontext("")
    if importlib.util.find_spec("fastapi") is None or importlib.util.find_spec("uvicorn") is None:
        if asked:
            raise MissingExtraError("morphml master --rest", extra="server")
        log.info("REST is not served: pip install 'morphml[server]'")
        return lambda _: nullcontext("")
    # gRPC takes a moment to import, and help and completion read this module.
    from morphml.engines.remote.access import parse_endpoint  # noqa: PLC0415
    from morphml.engines.remote.access.server import refuse_open_door  # noqa: PLC0415

    endpoint = parse_endpoint(address, default_port=None)
    if door.tokens is None:
        refuse_open_door(endpoint)

    @contextmanager
    def served(master: Master) -> Iterator[str]:
        try:
            listening = _listen(endpoint.host, endpoint.port)
        except OSError as error:
            if asked:
                raise CallerError(
                    f"REST cannot be served on {endpoint}: {error.strerror}; choose another "
                    "address with --rest"
                ) from error
            log.warning("REST is not served: %s: %s; see --rest", endpoint, error.strerror)
            yield ""
            return
        settings = _settings(master, endpoint.host, door)
        scheme = "http" if door.certificate is None else "https"
        host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
        with listening, RestProcess(settings, listening, as_json=as_json, verbose=verbose):
            yield f"{scheme}://{host}:{listening.getsockname()[1]}"

    return served


class RestProcess:
    """The process that serves REST, started again when it dies; a context manager.

    It ends with this one, whatever becomes of it: it reads a pipe that then closes.

    Args:
        settings: of the server.
        listening: the socket that it serves.
        as_json: whether its log is JSON.
        verbose: whether its log has details.
    """

    def __init__(
        self, settings: RestSettings, listening: socket.socket, *, as_json: bool, verbose: bool
    ) -> None:
        self._settings = settings.to_json()
        self._listening = listening
        words = ["--json-logs"] * as_json + ["--verbose"] * verbose
        # Without the current folder on the import path: who submits names installed packages only.
        self._command = [sys.executable, "-P", "-m", "morphml.cli.rest_process"]
        self._command += [str(listening.fileno()), *words]
        self._closing = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep, name="morphml-rest", daemon=True)

    def __enter__(self) -> Self:
        """Start it; whoever connects is answered once it is up."""
        self._process = self._start()
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Have it leave."""
        self._closing.set()
        self._let_go()
        self._thread.join()

    def _start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(  # noqa: S603  # our own program
            self._command,
            stdin=subprocess.PIPE,
            pass_fds=(self._listening.fileno(),),
            start_new_session=True,  # Ctrl-C is the master's to hear
        )
        assert process.stdin is not None, "a pipe was asked for"
        process.stdin.write(self._settings + b"\n")
        process.stdin.flush()
        return process

    def _keep(self) -> None:
        pause_s = AGAIN_S
        while not self._closing.is_set():
            assert self._process is not None, "it was started first"
            status = self._process.wait()
            if self._closing.is_set():
                return
            log.warning("the REST process ended with status %d; starting it again", status)
            if self._closing.wait(pause_s):
                return
            pause_s = min(2.0 * pause_s, MOST_AGAIN_S)
            self._process = self._start()

    def _let_go(self) -> None:
        process = self._process
        assert process is not None, "it was started first"
        assert process.stdin is not None, "a pipe was asked for"
        process.stdin.close()
        try:
            process.wait(LEAVE_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _listen(host: str, port: int) -> socket.socket:
    family, *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    return socket.create_server((host, port), family=family, backlog=BACKLOG)


def _settings(master: Master, host: str, door: RestDoor) -> RestSettings:
    # The extra `server` may be missing where no REST is asked for.
    from morphml.server.rest.settings import RestSettings  # noqa: PLC0415

    usual = read_settings().rest
    folder = master.settings.artifacts
    return RestSettings(
        storage=str(master.settings.storage),
        host=host,
        names=usual.names,
        artifacts=None if folder is None else str(folder.resolve()),
        token_file=_path(door.tokens),
        certificate=_path(door.certificate),
        key=_path(door.key),
        client_ca=_path(door.client_ca),
        rate=usual.rate,
        policy=master.settings.policy,
    )


def _path(given: Path | None) -> str | None:
    return None if given is None else str(given)
