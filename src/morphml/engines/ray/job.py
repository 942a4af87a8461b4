"""A program that a Ray cluster runs as a job, sent there from outside by Ray's own command."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from morphml.engines.ray import need_ray

#: How the address of a Ray client begins.
CLIENT = "ray://"
#: Ray's own variable for the server that takes jobs, and the port that it usually has.
_SERVER, _PORT = "RAY_API_SERVER_ADDRESS", 8265
#: What does not travel with a folder, beside what ``.gitignore`` names.
STAYS = (".env", ".git", ".venv")
#: What Ray says while a cluster that has begun cannot take jobs yet, and for how many seconds it is
#: asked again.
_NOT_YET, _ASK_FOR_S = "No available agent", 60.0
#: Ray's own command.
_RAY = Path(sys.executable).with_name("ray")
#: Seconds for the command that stops a job.
_STOP_S = 60.0
#: Lines of Ray's command for itself, places in code, and colours.
_NOT_SHOWN = re.compile(
    r"^(?:\d{4}-\d\d-\d\d [\d:,]+\t?\s*[A-Z]+ |Traceback |Running entrypoint| ).*\n?|\x1b\[\d+m",
    re.M,
)
#: Characters of what remains that people are shown: its end.
_SHOWN = 1200


class RayJob:
    """A job from its sending to its end; a context manager, which stops it where it still runs.

    Args:
        address: ``ray://HOST:PORT``; jobs are taken at ``RAY_API_SERVER_ADDRESS``, or where that is
            not set at ``http://HOST:8265``.
        folder: where it runs; goes to the cluster with all below it that git does not ignore.
        package: a folder that it can import; goes along.
        words: its command.
        log: file for what it says; is made.

    Raises:
        MissingExtraError: without the extra ``ray``.
    """

    def __init__(
        self, address: str, folder: Path, package: Path, words: Sequence[str], log: Path
    ) -> None:
        need_ray(f"engine {address}")
        self._environment = job_environment(address, os.environ)
        carried = {"working_dir": str(folder), "py_modules": [str(package)], "excludes": STAYS}
        self._words = ["--runtime-env-json", json.dumps(carried), "--", *words]
        self._log = log
        self._ask_until = time.monotonic() + _ASK_FOR_S
        self._send()

    def _send(self) -> None:
        #: As the cluster names it.
        self.id = f"morphml-{secrets.token_hex(6)}"
        with self._log.open("wb") as out:
            self._process = subprocess.Popen(  # noqa: S603  # Ray's own command
                [str(_RAY), "job", "submit", "--submission-id", self.id, *self._words],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for whoever waits
            )

    def over(self, within_s: float) -> bool:
        """Whether it ends within so many seconds."""
        try:
            self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            return False
        if self.succeeded or _NOT_YET not in self.said() or time.monotonic() > self._ask_until:
            return True
        self._send()
        return False

    @property
    def succeeded(self) -> bool:
        """Whether it has ended with status 0."""
        return self._process.returncode == 0

    def said(self) -> str:
        """The end of what it wrote, or of why it was not taken."""
        return heard(self._log.read_text(errors="replace"))

    def stop(self) -> None:
        """End it on the cluster, if it runs there, and hear of it no more."""
        if self._process.poll() is None:
            subprocess.run(  # noqa: S603  # as above
                [str(_RAY), "job", "stop", "--no-wait", self.id],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
                timeout=_STOP_S,
            )
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        """The job itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()


def job_environment(address: str, known: Mapping[str, str]) -> dict[str, str]:
    """What Ray's commands are told about where jobs are taken.

    Args:
        address: ``ray://HOST:PORT``.
        known: the variables there are; who has named the server is obeyed.
    """
    host = address.removeprefix(CLIENT).rpartition(":")[0] or address.removeprefix(CLIENT)
    return {_SERVER: f"http://{host}:{_PORT}", **known}


def heard(log: str) -> str:
    """The end of a log, without what Ray's command says for itself and where in code it was."""
    return _NOT_SHOWN.sub("", log).strip()[-_SHOWN:]
