"""What a master is told by its options, as the process that becomes it reads them."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass, replace
from typing import NoReturn, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterOrder:
    """The options of ``morphml master``; paths are texts, None and "" are those not given."""

    storage: str
    listen: str
    advertise: str
    name: str
    artifacts: str | None
    ahead: float
    policy: str
    beat: float
    token_file: str | None
    no_token: bool
    tls_cert: str | None
    tls_key: str | None
    tls_client_ca: str | None
    allow_pickle: bool
    #: Days.
    keep_executions: float
    metrics_port: int | None
    metrics_host: str
    rest: str
    ray: str | None
    ray_ca: str | None
    json_logs: bool
    verbose: bool
    #: Whether a fault ends with its traceback.
    debug: bool = False

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The order that ``become`` passed on."""
        return cls(**json.loads(text))

    def become(self, *, debug: bool) -> NoReturn:
        """Be the master from now on, as the same process, without what read the options.

        A master lives for months and needs none of it: 9 MB less.

        Args:
            debug: whether a fault is to end with its traceback.
        """
        sys.stdout.flush()
        sys.stderr.flush()
        flags = [f"-W{each}" for each in sys.warnoptions]
        # Without the current folder on the import path: who submits names installed packages only.
        words = [sys.executable, *flags, "-P", "-m", "morphml.cli.master_process"]
        os.execv(sys.executable, [*words, json.dumps(asdict(replace(self, debug=debug)))])  # noqa: S606  # no shell
