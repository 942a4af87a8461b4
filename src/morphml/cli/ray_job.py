"""A search on a cluster that is reached from outside only: its master becomes a job of Ray."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import typer

from morphml.errors import ExperimentError

#: How the address of a Ray client begins.
CLIENT = "ray://"
_PORT = 8265


def submit_search(
    file: Path, address: str, storage: str | None, options: Mapping[str, object]
) -> None:
    """Run ``morphml search`` on the head with this folder's files, and show its output.

    Args:
        file: the experiment, in this folder or below.
        address: ``ray://HOST:PORT``; jobs are taken at ``http://HOST:8265``.
        storage: where both the head and people reach it.
        options: of ``morphml search`` by name; those that are None or False are left out.

    Raises:
        MissingExtraError: without the extra ``ray``.
        ExperimentError: when the file or the store cannot be reached from there.
        typer.Exit: with the status of the job.
    """
    from morphml.engines.ray import need_ray  # noqa: PLC0415 reads the package's own folder

    need_ray(f"engine {address}")
    folder = Path.cwd()
    if not file.resolve().is_relative_to(folder):
        raise ExperimentError(
            f"{file}: this folder goes to the cluster with all below it, and the file is elsewhere"
        )
    if storage is None or "://" not in storage:
        raise ExperimentError(
            f"{address}: the search runs as a job on the cluster, and a file of results would go "
            "with it; give --storage postgresql://..., which the head and you both reach"
        )
    at = f"http://{address.removeprefix(CLIENT).partition(':')[0]}:{_PORT}"
    inner = file.resolve().relative_to(folder)
    ray = Path(sys.executable).with_name("ray")
    done = subprocess.run(  # noqa: S603  # Ray's own command, with what the person gave
        [str(ray), *job_command(at, folder, inner, storage, options)], check=False
    )
    raise typer.Exit(done.returncode)


def job_command(
    at: str, folder: Path, file: Path, storage: str, options: Mapping[str, object]
) -> list[str]:
    """What follows ``ray``: the search as a job.

    Args:
        at: where jobs are taken.
        folder: goes to the cluster.
        file: of the experiment, in that folder.
        storage: a URL.
        options: of ``morphml search``; those that are None or False are left out.
    """
    words = ["python", "-m", "morphml.cli", "search", str(file), "--engine", "ray:auto"]
    words += ["--storage", storage, *_words(options)]
    return ["job", "submit", "--address", at, "--working-dir", str(folder), "--", *words]


def _words(options: Mapping[str, object]) -> list[str]:
    given = [(f"--{name}", value) for name, value in options.items() if value not in (None, False)]
    return [
        word for name, value in given for word in ((name,) if value is True else (name, str(value)))
    ]
