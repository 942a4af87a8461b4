"""``morphml certs``: certificates to try TLS with."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from morphml.cli.guard import guard
from morphml.cli.options import AsJson
from morphml.cli.remote_extra import need_remote
from morphml.cli.screen import results, write_json

Folder = Annotated[
    Path, typer.Argument(metavar="DIR", help="Where to write them; nothing there is replaced.")
]
Hosts = Annotated[
    list[str] | None,
    typer.Option(
        "--host",
        metavar="NAME",
        help="Name or address that workers dial; may be repeated. By default this host's name, "
        "localhost, 127.0.0.1 and ::1.",
    ),
]
Days = Annotated[int, typer.Option(min=1, max=3650, help="How long they are valid, in days.")]


def certs(
    context: typer.Context,
    folder: Folder,
    hosts: Hosts = None,
    days: Days = 365,
    as_json: AsJson = False,
) -> None:
    """Make a test authority with a server's and a client's certificate.

    Writes ca.pem, server.pem and client.pem with their keys, all of mode 0600. Keep ca.key where it
    is made: who has it can make certificates. Workers need ca.pem, and for mutual TLS client.pem
    and client.key.
    """
    with guard(context, as_json=as_json):
        need_remote("certs")
        # OpenSSL's bindings, and help and completion read this module.
        from morphml.engines.remote.access.certificates import make_certificates  # noqa: PLC0415

        names = hosts or [platform.node(), "localhost", "127.0.0.1", "::1"]
        now = datetime.now(UTC)
        written = make_certificates(folder, hosts=names, days=days, now=now)
        if as_json:
            write_json({"written": [str(path) for path in written], "hosts": names})
            return
        lines = [
            *(f"wrote {path}" for path in written),
            f"valid for {days} days, for {', '.join(names)}",
            f"  morphml master ... --tls-cert {folder}/server.pem --tls-key {folder}/server.key",
            f"  morphml worker ... --tls-ca {folder}/ca.pem",
        ]
        results().print("\n".join(lines), markup=False, soft_wrap=True)
