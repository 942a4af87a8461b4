"""The process that a master is: its order comes as the one word."""

from __future__ import annotations

import sys
from pathlib import Path

from morphml.cli.exit_codes import ExitCode, exit_code_of
from morphml.cli.logs import shown_log
from morphml.cli.master_order import MasterOrder
from morphml.cli.remote_extra import need_remote


def main(words: list[str]) -> int:
    """Run until a signal; the exit status."""
    order = MasterOrder.from_json(words[0])
    try:
        with shown_log(as_json=order.json_logs, verbose=order.verbose):
            need_remote("master")
            _serve(order)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except Exception as error:
        if order.debug:
            raise
        # rich is imported when something is to be shown.
        from morphml.cli.failures import show_failure  # noqa: PLC0415

        show_failure(error, as_json=False)
        return exit_code_of(error)
    return ExitCode.OK


def _serve(order: MasterOrder) -> None:
    # All of this needs the extra that was looked for first.
    from morphml.cli.doors import server_door, token_path  # noqa: PLC0415
    from morphml.cli.metrics import metrics_served  # noqa: PLC0415
    from morphml.cli.rest import RestDoor, rest_served  # noqa: PLC0415
    from morphml.cli.serving import serve_master  # noqa: PLC0415
    from morphml.cli.staffing import ray_staff  # noqa: PLC0415
    from morphml.master.cluster.settings import MasterSettings  # noqa: PLC0415

    served = metrics_served(order.metrics_host, order.metrics_port)
    settings = MasterSettings(
        storage=order.storage,
        listen=order.listen,
        advertise=order.advertise,
        name=order.name,
        artifacts=_path(order.artifacts),
        ahead=order.ahead,
        policy=order.policy,
        beat_s=order.beat,
        allow_pickle=order.allow_pickle,
        keep_executions_s=order.keep_executions * 86_400.0,
    )
    certificate, key = _path(order.tls_cert), _path(order.tls_key)
    authority = _path(order.tls_client_ca)
    tokens = token_path(_path(order.token_file), without=order.no_token)
    access = server_door(order.listen, tokens, certificate, key, authority)
    staff = ray_staff(order.ray, _path(order.ray_ca), tokens)
    door = RestDoor(tokens=tokens, certificate=certificate, key=key, client_ca=authority)
    called = rest_served(order.rest, door, as_json=order.json_logs, verbose=order.verbose)
    serve_master(settings, access, tokens, served, staff, called)


def _path(given: str | None) -> Path | None:
    return None if given is None else Path(given)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
