"""``morphml worker``: offer this machine's slots to masters."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from morphml.cli.cluster_options import JsonLogs, TokenPath, Verbose
from morphml.cli.guard import guard
from morphml.cli.logs import shown_log
from morphml.cli.remote_extra import need_remote
from morphml.errors import CallerError

Masters = Annotated[
    list[str],
    typer.Option(
        "--master",
        metavar="HOST[:PORT]",
        help="A master to dial, port 50051 by default; several with commas or by repeating it. Of "
        "a name with several addresses each is tried.",
    ),
]
Slots = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Trials at a time, each in a process of its own; by default one for each GPU, without "
        "any half the cores.",
    ),
]
NodeName = Annotated[str, typer.Option(help="For people; by default host and process id.")]
Labels = Annotated[
    list[str] | None,
    typer.Option(
        "--label",
        metavar="LABEL",
        help="What tasks may ask for beside what is found (cpu, gpu, high-memory, ssd, network); "
        "may be repeated.",
    ),
]
Offers = Annotated[
    list[str] | None,
    typer.Option(
        "--offer",
        metavar="NAME=AMOUNT",
        help="An amount instead of the one found, such as gpu=1 or memory=8e9 (bytes); may be "
        "repeated.",
    ),
]
Devices = Annotated[
    str | None,
    typer.Option(
        "--gpus",
        metavar="NUMBERS|none",
        help="The GPUs to use, such as 0,2, or none; by default all that CUDA_VISIBLE_DEVICES "
        "allows.",
    ),
]
Port = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=65535,
        help="Offer operators of this machine a service on this port (status, cancel, shutdown); "
        "none by default.",
    ),
]
Folder = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Checkpoints and code of what runs; by default MORPHML_WORKER_FOLDER, else "
        "~/.cache/morphml/worker.",
    ),
]
NoToken = Annotated[
    bool, typer.Option("--no-token", help="Show no token, to a master that wants none.")
]
Tls = Annotated[
    bool, typer.Option("--tls", help="Speak TLS, with the authorities that this system trusts.")
]
TlsCa = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Speak TLS, with the authority of the master's certificate (ca.pem)."
    ),
]
TlsCert = Annotated[
    Path | None, typer.Option(metavar="FILE", help="This worker's certificate, for mutual TLS.")
]
TlsKey = Annotated[Path | None, typer.Option(metavar="FILE", help="Its private key, mode 0600.")]
TlsServerName = Annotated[
    str | None,
    typer.Option(help="Name in the master's certificate, where it is dialled by another."),
]
AllowPickle = Annotated[
    bool,
    typer.Option(
        "--allow-pickle",
        help="Run code that masters send as a pickle. It can do whatever you can.",
    ),
]
RefuseJobs = Annotated[
    str,
    typer.Option(
        "--refuse-jobs",
        metavar="TYPES",
        help="Types of workflow jobs that are not run here, with commas between: shell, or python "
        "for all that call a function named by the workflow.",
    ),
]
DrainGrace = Annotated[
    float,
    typer.Option(
        min=0.0, help="Seconds that running trials get to end when the worker is asked to leave."
    ),
]


def worker(  # noqa: PLR0913 one parameter per option
    context: typer.Context,
    masters: Masters,
    slots: Slots = None,
    name: NodeName = "",
    labels: Labels = None,
    offers: Offers = None,
    gpus: Devices = None,
    port: Port = None,
    folder: Folder = None,
    token_file: TokenPath = None,
    no_token: NoToken = False,
    tls: Tls = False,
    tls_ca: TlsCa = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    tls_server_name: TlsServerName = None,
    allow_pickle: AllowPickle = False,
    refuse_jobs: RefuseJobs = "",
    drain_grace: DrainGrace = 30.0,
    json_logs: JsonLogs = False,
    verbose: Verbose = False,
) -> None:
    """Run trials that masters send, until SIGTERM or Ctrl-C.

    It dials out, so that no port of this machine need be open, and dials again by itself when a
    master is gone: what runs goes on meanwhile. SIGTERM or Ctrl-C lets running trials end within
    the grace, hands the others back, and exits with status 0; a second signal ends it at once.
    For masters on other machines copy the token file here first, see `morphml tokens --help`.
    """
    with guard(context, as_json=False), shown_log(as_json=json_logs, verbose=verbose):
        amounts = dict(amount_of(each) for each in offers or ())
        need_remote("worker")
        # gRPC takes a while to import, and help and completion read this module.
        from morphml.cli import working  # noqa: PLC0415
        from morphml.cli.doors import client_door, client_tls, own_door, token_path  # noqa: PLC0415
        from morphml.engines.remote.access import share_with_masters_here  # noqa: PLC0415

        tokens = token_path(token_file, without=no_token)
        wishes = working.Wishes(
            masters=split(masters),
            slots=slots,
            name=name,
            labels=tuple(labels or ()),
            amounts=amounts,
            gpus=gpus,
            port=port,
            folder=folder,
            allow_pickle=allow_pickle,
            refuse_jobs=frozenset(split([refuse_jobs])),
            drain_grace_s=drain_grace,
        )
        settings = working.settings_of(wishes)
        if tokens is not None and token_file is None:
            share_with_masters_here(tokens, settings.masters)
        secure = client_tls(tls, tls_ca, tls_cert, tls_key, tls_server_name)
        raise typer.Exit(working.work(settings, client_door(tokens, secure), own_door(tokens)))


def split(given: list[str]) -> tuple[str, ...]:
    """All that an option was given, such as ``--master``, split at commas."""
    return tuple(part.strip() for each in given for part in each.split(",") if part.strip())


def amount_of(offer: str) -> tuple[str, float]:
    """The two sides of ``name=amount``.

    Raises:
        CallerError: when it is not of that form, or the amount is not finite and above 0.
    """
    name, _, amount = offer.partition("=")
    try:
        value = float(amount)
    except ValueError:
        value = 0.0
    if not name.strip() or not 0 < value < float("inf"):
        raise CallerError(f"--offer {offer}: expected a name and an amount, such as gpu=1")
    return name.strip(), value
