"""What is set of a REST server, as it travels to the process that serves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import orjson

from morphml.scheduling.policies import DEFAULT_POLICY


@dataclass(frozen=True, slots=True, kw_only=True)
class RestSettings:
    """Settings of one REST server."""

    #: Path of a SQLite file, or ``postgresql://user:password@host/database``.
    storage: str
    #: The host that it listens on, as the operator wrote it.
    host: str
    #: Names under which it may be called, beside addresses, this machine's names and ``host``.
    names: tuple[str, ...] = ()
    #: Folder of the files of experiments; by default where the store's place says.
    artifacts: str | None = None
    #: Secrets by scope; None lets in everybody who reaches it.
    token_file: str | None = None
    #: PEM files; with a certificate TLS is spoken, with ``client_ca`` mutual TLS.
    certificate: str | None = None
    key: str | None = None
    client_ca: str | None = None
    #: Requests a second of one client, > 0; twice as many at once. Workers have no such limit.
    rate: float = 200.0
    #: Bytes of a file that an attempt puts; as much as workers of masters may send.
    most_file_bytes: int = 64 << 30
    #: Policy that ranks the jobs which begin here: that of the masters.
    policy: str = DEFAULT_POLICY

    def to_json(self) -> bytes:
        """The settings as one line, without a line end; the storage's password among them."""
        return orjson.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: bytes) -> Self:
        """What ``to_json`` wrote."""
        fields: Mapping[str, Any] = orjson.loads(line)
        return cls(**{**fields, "names": tuple(fields["names"])})

    def artifacts_folder(self) -> Path | None:
        """The folder of the files of experiments, where one was named."""
        return None if self.artifacts is None else Path(self.artifacts)
