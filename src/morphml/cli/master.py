"""``morphml master``: drive what is submitted to a store, with workers on other machines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from morphml.cli.cluster_options import JsonLogs, Storage, TokenPath, Verbose
from morphml.cli.guard import guard, wants_traceback
from morphml.cli.master_order import MasterOrder

Listen = Annotated[
    str,
    typer.Option(
        metavar="HOST:PORT",
        help="Where workers dial; 0.0.0.0:50051 for all interfaces, port 0 takes a free one.",
    ),
]
Advertise = Annotated[
    str,
    typer.Option(
        metavar="HOST:PORT",
        help="What workers are told to dial when another master is gone; by default this host's "
        "name and the port.",
    ),
]
NodeName = Annotated[str, typer.Option(help="For people; by default host and process id.")]
Artifacts = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Checkpoints and captured output, shared by all masters; by default beside a SQLite "
        "file, else MORPHML_ARTIFACTS.",
    ),
]
Ahead = Annotated[
    float,
    typer.Option(
        min=0.0,
        max=10.0,
        help="Trials asked ahead of free slots, as a share of all slots; 0 for none.",
    ),
]
PolicyName = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="Who gets which task, and when: adaptive, batching, fair_share, fifo, load_balancing, "
        "priority, round_robin, work_stealing, or a plug-in's; by default MORPHML_POLICY, else "
        "fair_share. `morphml simulate --policy all` compares them.",
    ),
]
Beat = Annotated[
    float,
    typer.Option(
        min=0.1,
        max=60.0,
        help="Seconds between two signs of life of a worker; 10 for a thousand workers. Silence is "
        "borne longer then, and a broken connection is noticed as fast as ever.",
    ),
]
MetricsPort = Annotated[
    int | None,
    typer.Option(
        "--metrics-port",
        min=0,
        max=65535,
        metavar="PORT",
        help="Serve metrics for Prometheus at /metrics on this port; by default none.",
    ),
]
MetricsHost = Annotated[
    str,
    typer.Option(
        "--metrics-host",
        metavar="HOST",
        help="Where metrics are served. Whoever reaches the port reads them, without a token: "
        "names and figures of experiments and workers.",
    ),
]
Rest = Annotated[
    str,
    typer.Option(
        "--rest",
        metavar="HOST:PORT|off",
        help="Serve REST there, in a process of its own; by default MORPHML_REST, else "
        "127.0.0.1:3000 where that is free. Port 0 takes a free one.",
    ),
]
Ray = Annotated[
    str | None,
    typer.Option(
        "--ray",
        metavar="ADDRESS|local",
        help="Keep a worker on each node of the Ray cluster at HOST:PORT, of `auto`, or of one of "
        "this machine; with all slots that are free there. --listen must be an address that the "
        "nodes reach.",
    ),
]
RayCa = Annotated[
    Path | None,
    typer.Option(
        "--ray-ca",
        metavar="FILE",
        help="Authority of --tls-cert, which workers on Ray then check.",
    ),
]
NoToken = Annotated[
    bool, typer.Option("--no-token", help="Let everybody in; on a loopback address only.")
]
TlsCert = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Speak TLS with this certificate (PEM).")
]
TlsKey = Annotated[Path | None, typer.Option(metavar="FILE", help="Its private key, mode 0600.")]
TlsClientCa = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Take only workers with a certificate of this authority (mutual TLS)."
    ),
]
KeepExecutions = Annotated[
    float,
    typer.Option(
        "--keep-executions",
        min=0.0,
        max=36_500.0,
        metavar="DAYS",
        help="Days for which an execution of a workflow is kept after its end, with its files and "
        "logs.",
    ),
]
AllowPickle = Annotated[
    bool,
    typer.Option(
        "--allow-pickle",
        help="Send evaluators that were given by value to workers that allow it too.",
    ),
]


def master(  # noqa: PLR0913 one parameter per option
    context: typer.Context,
    storage: Storage,
    listen: Listen = "127.0.0.1:50051",
    advertise: Advertise = "",
    name: NodeName = "",
    artifacts: Artifacts = None,
    ahead: Ahead = 0.1,
    policy: PolicyName = "",
    beat: Beat = 1.0,
    token_file: TokenPath = None,
    no_token: NoToken = False,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    tls_client_ca: TlsClientCa = None,
    allow_pickle: AllowPickle = False,
    keep_executions: KeepExecutions = 7.0,
    metrics_port: MetricsPort = None,
    metrics_host: MetricsHost = "127.0.0.1",
    rest: Rest = "",
    ray: Ray = None,
    ray_ca: RayCa = None,
    json_logs: JsonLogs = False,
    verbose: Verbose = False,
) -> None:
    """Drive the experiments of a store, with workers on this and other machines.

    Runs until SIGTERM or Ctrl-C; it then hands over what it drives, and its workers dial other
    masters. A second signal ends it at once; nothing that is stored is lost. Work comes by `morphml
    submit` or `mm.search(..., engine="remote")`. Masters on one PostgreSQL database share the work.
    """
    with guard(context, as_json=False):
        MasterOrder(
            storage=storage,
            listen=listen,
            advertise=advertise,
            name=name,
            artifacts=_text(artifacts),
            ahead=ahead,
            policy=policy,
            beat=beat,
            token_file=_text(token_file),
            no_token=no_token,
            tls_cert=_text(tls_cert),
            tls_key=_text(tls_key),
            tls_client_ca=_text(tls_client_ca),
            allow_pickle=allow_pickle,
            keep_executions=keep_executions,
            metrics_port=metrics_port,
            metrics_host=metrics_host,
            rest=rest,
            ray=ray,
            ray_ca=_text(ray_ca),
            json_logs=json_logs,
            verbose=verbose,
        ).become(debug=wants_traceback(context))


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
