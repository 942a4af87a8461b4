"""Runs a worker until a signal; imports gRPC."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from morphml.cli.staying import keep_what_is_there
from morphml.clock import SystemClock
from morphml.engines.devices import chosen_gpus, default_workers, gpus, visible
from morphml.engines.remote.access import ClientAccess, ServerAccess
from morphml.engines.remote.worker import RemoteWorker, WorkerSettings
from morphml.errors import CallerError
from morphml.settings import read_settings

_log = logging.getLogger("morphml.cli.worker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the operator said; None where nothing."""

    masters: tuple[str, ...]
    slots: int | None
    name: str
    labels: tuple[str, ...]
    amounts: Mapping[str, float]
    gpus: str | None
    port: int | None
    folder: Path | None
    allow_pickle: bool
    refuse_jobs: frozenset[str]
    drain_grace_s: float


def settings_of(wishes: Wishes) -> WorkerSettings:
    """The settings of a worker, with what this machine has where nothing was said.

    Raises:
        CallerError: when one is not allowed.
    """
    devices = gpus() if wishes.gpus is None else chosen_gpus(wishes.gpus)
    return WorkerSettings(
        masters=wishes.masters,
        slots=default_workers(devices) if wishes.slots is None else wishes.slots,
        folder=wishes.folder or read_settings().worker.folder,
        name=wishes.name,
        labels=wishes.labels,
        capabilities=wishes.amounts,
        devices=devices,
        listen=None if wishes.port is None else f"127.0.0.1:{wishes.port}",
        allow_pickle=wishes.allow_pickle,
        refuse_jobs=wishes.refuse_jobs,
        drain_grace_s=wishes.drain_grace_s,
    )


def work(settings: WorkerSettings, access: ClientAccess, doors: ServerAccess) -> int:
    """Run a worker until it leaves; its exit status.

    Raises:
        CallerError: when the folder cannot be written.
    """
    try:
        worker = RemoteWorker(settings, access, SystemClock(), doors=doors)
    except OSError as error:
        raise CallerError(f"--folder {settings.folder}: {error.strerror or error}") from error
    _log.info(
        "worker%s: %d slots, %s, masters %s",
        f" {settings.name}" if settings.name else "",
        settings.slots,
        f"GPUs {', '.join(names)}" if (names := visible(settings.devices)) else "no GPU",
        ", ".join(settings.masters),
    )
    keep_what_is_there()
    code = worker.run()
    _log.info("left")
    return code
