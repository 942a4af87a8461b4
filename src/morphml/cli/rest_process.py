"""The process that serves REST beside a master: settings come in over standard input.

It ends when that closes, and so with the master.
"""

from __future__ import annotations

import logging
import socket
import sys
import threading

from morphml.cli.logs import shown_log
from morphml.cli.staying import keep_what_is_there
from morphml.server.rest.serving import RestServer
from morphml.server.rest.settings import RestSettings
from morphml.settings import quieten_grpc

log = logging.getLogger("morphml.server.rest")


def main(words: list[str]) -> None:
    """Serve the socket whose number is the first word."""
    quieten_grpc()
    descriptor, *flags = words
    with shown_log(as_json="--json-logs" in flags, verbose="--verbose" in flags):
        settings = RestSettings.from_json(sys.stdin.buffer.readline())
        with socket.socket(fileno=int(descriptor)) as listening:
            server = RestServer(settings, listening)
            keep_what_is_there()
            threading.Thread(target=_follow, args=(server,), daemon=True).start()
            server.serve(lambda: log.debug("REST is ready"))


def _follow(server: RestServer) -> None:
    """Leave when the master has let go of the pipe."""
    while sys.stdin.buffer.read(1):
        pass
    server.leave()


if __name__ == "__main__":
    main(sys.argv[1:])
