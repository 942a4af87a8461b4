"""The engine's side of the provider: starts it, hears it, and starts it again when it has died."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from morphml.engines.ray.orders import Line, Summons, settings_to_json
from morphml.engines.ray.settings import RaySettings
from morphml.engines.ray.steward import Steward
from morphml.errors import WorkerError

_LOG = logging.getLogger(__name__)

#: First and longest pause in seconds before a provider is started again.
_BACKOFF_S = (0.5, 10.0)
#: Seconds that a provider has to end what it started.
_CLOSE_S = 20.0
#: Ray's key for how long a provider holds on to a head that is gone; its own default is a minute.
_GIVE_UP, _GIVE_UP_AFTER_S = "RAY_gcs_rpc_server_reconnect_timeout_s", "10"
#: Characters of the provider's own output that are shown when it ends.
_SHOWN = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """What a provider has found."""

    #: Address of this machine as the cluster's nodes reach it.
    here: str
    #: Whether the cluster was started for this engine alone.
    own: bool
    #: Whether somebody adds nodes to it by demand, and takes them away.
    grows: bool
    #: What a worker on each node could offer, were it alone there.
    offers: Sequence[Mapping[str, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSeen:
    """A live node as the provider saw it last."""

    id: str
    name: str
    #: Its resources in all, by Ray's names.
    total: Mapping[str, float]


class Supply:
    """Workers for a hub, as long as it is open.

    Args:
        settings: of the engine.

    Raises:
        WorkerError: when no cluster is reached or started; the message has Ray's reason.
    """

    def __init__(self, settings: RaySettings) -> None:
        self._settings = replace(settings, crew=secrets.token_hex(6))
        self._steward: Steward | None = None
        self._summons: Summons | None = None
        #: The workers that there are, in the form in which the provider told of them.
        self._posted: Sequence[Mapping[str, Any]] = ()
        self._closing = threading.Event()
        self._output = Path(tempfile.mkdtemp(prefix="morphml-ray-log-")) / "provider.log"
        #: Live nodes, as they were seen last.
        self.nodes: Sequence[NodeSeen] = ()
        self._process, self._line = self._start()
        try:
            #: Where the cluster is reached.
            self.connected = self._await_connection()
        except BaseException:
            self._end()
            raise
        self._thread = threading.Thread(target=self._run, name="morphml-ray", daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        """Process id of the provider that is there now."""
        return self._process.pid

    def serve(self, summons: Summons, steward: Steward) -> None:
        """From now on workers may be started, and dial the masters that are named.

        Args:
            summons: for the workers.
            steward: says how many are of use; called by the thread of the supply.
        """
        self._steward = steward
        self._summons = summons
        self._line.say(summons=summons.fields())

    def close(self, *, leave: bool = False) -> None:
        """End the provider and all workers; a cluster of our own ends too. May be called twice.

        Args:
            leave: let the workers live: they end by themselves unless another master takes them.
        """
        if not self._closing.is_set():
            self._closing.set()
            self._line.say(bye=leave)
            self._line.close()
            self._thread.join(_CLOSE_S)
            self._end()

    # --- the provider's process ------------------------------------------------------------------

    def _start(self) -> tuple[subprocess.Popen[bytes], Line]:
        ours, theirs = socket.socketpair()
        with theirs, self._output.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603  # this interpreter, our own module
                [sys.executable, "-P", "-m", "morphml.engines.ray.provider", str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        line = Line(ours)
        line.say(settings=settings_to_json(self._settings))
        return process, line

    def _await_connection(self) -> Connected:
        until = time.monotonic() + self._settings.connect_within_s
        while (left := until - time.monotonic()) > 0:
            news = self._line.hear(left)
            if news is None:
                said = self._said()
                raise WorkerError(f"no Ray cluster: the provider ended: {said}{_advice(said)}")
            for message in news:
                if "failed" in message:
                    why = str(message["failed"])
                    raise WorkerError(f"no Ray cluster: {why}{_advice(why)}")
                if "connected" in message:
                    return Connected(
                        here=message["connected"],
                        own=message["own"],
                        grows=message["grows"],
                        offers=message["offers"],
                    )
        raise WorkerError(
            f"no Ray cluster within {self._settings.connect_within_s:g} s: {self._said()}"
        )

    def _end(self) -> None:
        """End the provider's process; what it started ends with it."""
        self._line.close()
        try:
            self._process.wait(_CLOSE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._output.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self._output.parent.rmdir()

    def _said(self) -> str:
        text = self._output.read_text(errors="replace").strip()
        return text[-_SHOWN:] or f"it ended with status {self._process.poll()}"

    # --- the thread ------------------------------------------------------------------------------

    def _run(self) -> None:
        pause_s = _BACKOFF_S[0]
        while True:
            self._hear_until_it_ends()
            self._process.wait()
            if self._closing.wait(pause_s):
                return
            _LOG.warning("Ray's provider has gone, the next one begins: %s", self._said())
            pause_s = min(2 * pause_s, _BACKOFF_S[1])
            if self._begin_again():
                pause_s = _BACKOFF_S[0]

    def _begin_again(self) -> bool:
        """Start another provider; whether it has reached a cluster."""
        self.nodes = ()
        self._line.close()
        self._process, self._line = self._start()
        try:
            self._await_connection()
        except WorkerError as error:
            if not self._closing.is_set():
                _LOG.warning("%s", error)
            return False
        if self._summons is not None:  # together: no worker is started before the others are known
            self._line.say(summons=self._summons.fields(), posted=self._posted)
        return True

    def _hear_until_it_ends(self) -> None:
        while (news := self._line.hear(1.0)) is not None and not self._closing.is_set():
            for message in news:
                self._take(message)

    def _take(self, message: Mapping[str, Any]) -> None:
        if "nodes" in message:
            self.nodes = tuple(
                NodeSeen(id=node, name=name, total=total) for node, name, total in message["nodes"]
            )
            self._posted = message["workers"]
        if (steward := self._steward) is None:
            return
        if "nodes" in message:
            own = [each["name"] for each in self._posted]
            look = steward.look(own, thrifty=self.connected.grows)
            self._line.say(wanted=look.wanted, spare=list(look.spare))
        if "orphan" in message:
            _LOG.warning("worker %s: %s", message["orphan"], message["why"])
            steward.release(message["orphan"])
        if "leaving" in message:
            _LOG.warning("worker %s leaves: Ray drains its node", message["leaving"])
            steward.release(message["leaving"], message["within"])
        if "ended" in message:
            _LOG.warning("worker %s has ended: %s", message["ended"], message["why"])


def _environment() -> dict[str, str]:
    """This process's environment, with room to find morphml."""
    source = str(Path(__file__).resolve().parents[3])
    known = os.environ.get("PYTHONPATH")
    path = os.pathsep.join([source, known] if known else [source])
    return {_GIVE_UP: _GIVE_UP_AFTER_S, **os.environ, "PYTHONPATH": path}


def _advice(said: str) -> str:
    """What to look at, where Ray does not come through: it seldom says that it was not let in."""
    if "connect" not in said.lower() and "auth" not in said.lower():
        return ""
    return (
        "; see that its head is there, that the token is its own (RAY_AUTH_TOKEN, "
        "RAY_AUTH_TOKEN_PATH or ~/.ray/auth_token), and that RAY_USE_TLS is set here as it is there"
    )
