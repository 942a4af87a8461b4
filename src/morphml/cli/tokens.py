"""``morphml tokens``: where the tokens are, and copies of them for other machines."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from morphml.cli.cluster_options import TokenPath
from morphml.cli.guard import guard
from morphml.cli.options import AsJson
from morphml.cli.remote_extra import need_remote
from morphml.cli.screen import results, write_json


class ScopeName(StrEnum):
    """Scopes of tokens, as a person types them."""

    WORKER = "worker"
    SUBMIT = "submit"
    ADMIN = "admin"


Copy = Annotated[
    Path | None,
    typer.Argument(metavar="[FILE]", help="Write a copy here, to be taken to another machine."),
]
Scopes = Annotated[
    list[ScopeName] | None,
    typer.Option(
        "--scope", help="Whose secret the copy holds; may be repeated. By default worker alone."
    ),
]
Replace = Annotated[bool, typer.Option("--replace", help="Replace FILE when it is there.")]


def tokens(
    context: typer.Context,
    copy: Copy = None,
    scopes: Scopes = None,
    token_file: TokenPath = None,
    replace: Replace = False,
    as_json: AsJson = False,
) -> None:
    """Show where this machine's tokens are, or write a copy for another machine.

    The token file is made when it is not there. A copy holds the secrets of the scopes given, and
    of the others only fingerprints: a worker can tell an operator's call by them, and not make one.
    Take it to the other machine over a safe way, such as scp, and keep its mode 0600.
    """
    with guard(context, as_json=as_json):
        need_remote("tokens")
        # gRPC comes with it, and help and completion read this module.
        from morphml.cli.doors import token_path  # noqa: PLC0415
        from morphml.engines.remote.access import Scope, TokenFile  # noqa: PLC0415

        path = token_path(token_file, without=False)
        assert path is not None
        file = TokenFile(path)
        held = file.ensure().scopes
        wanted = [Scope(each) for each in scopes or (ScopeName.WORKER,)]
        if copy is not None:
            file.export(copy, wanted, replace=replace)
        shown: dict[str, object] = {"file": str(path), "scopes": [each.value for each in held]}
        if copy is not None:
            shown |= {"copy": str(copy), "copied": [each.value for each in wanted]}
        if as_json:
            write_json(shown)
            return
        lines = [f"{path}: {', '.join(held)}"]
        if copy is not None:
            lines.append(f"wrote {copy}: {', '.join(wanted)}")
            lines.append("take it to the other machine and give it with --token-file")
        results().print("\n".join(lines), markup=False, soft_wrap=True)
