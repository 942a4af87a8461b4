"""Files that jobs put out. What travels between jobs is a reference; the bytes lie in a folder.

A reference is a JSON object ``{"artifact": digest, "name": "model.pt", "size": bytes}``. It may
stand anywhere in a job's outputs, and from there in the config of a later job.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from morphml.errors import WorkerError, WorkflowError
from morphml.evaluation.checkpoint import file_digest
from morphml.optimizers.events import JSON

_DIGEST = re.compile(r"[0-9a-f]{32}")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_FIELDS = {"artifact", "name", "size"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A file by what identifies its bytes."""

    #: blake2b, 16 bytes, in hexadecimal digits.
    digest: str
    #: Its name without a folder: letters, digits, ``-``, ``_`` and ``.``, not first.
    name: str
    #: Bytes.
    size: int

    def __post_init__(self) -> None:
        """Check the form: name and digest become parts of paths.

        Raises:
            WorkflowError: when one of them could not.
        """
        if not _DIGEST.fullmatch(self.digest) or not _NAME.fullmatch(self.name) or self.size < 0:
            raise WorkflowError(
                f"an artifact has a digest of 32 hexadecimal digits, a name of letters, digits, "
                f"'-', '_' and '.', and a size; got {self.digest[:40]!r}, {self.name[:140]!r}, "
                f"{self.size}"
            )

    def to_json(self) -> dict[str, JSON]:
        """The reference that jobs put out."""
        return {"artifact": self.digest, "name": self.name, "size": self.size}

    @classmethod
    def of(cls, value: JSON) -> Artifact | None:
        """The artifact that ``value`` refers to; None where it is no reference.

        Raises:
            WorkflowError: when it looks like one and its digest or name has another form.
        """
        if not isinstance(value, Mapping) or value.keys() != _FIELDS:
            return None
        found, name, size = value["artifact"], value["name"], value["size"]
        if not isinstance(found, str) or not isinstance(name, str) or not isinstance(size, int):
            return None
        return cls(digest=found, name=name, size=size)


def artifacts_in(value: JSON) -> Iterator[Artifact]:
    """All artifacts that ``value`` refers to, at any depth, in order; O(size of ``value``).

    Raises:
        WorkflowError: when a reference has a digest or name of another form.
    """
    found = Artifact.of(value)
    if found is not None:
        yield found
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from artifacts_in(each)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for each in value:
            yield from artifacts_in(each)


class ArtifactFolder:
    """The files of one execution's jobs, on one machine.

    Args:
        scratch: the execution's folder; files lie below ``artifacts/`` in it.
    """

    def __init__(self, scratch: Path) -> None:
        self._folder = scratch / "artifacts"

    def path(self, artifact: Artifact) -> Path:
        """Where the file lies, or is to be put."""
        return self._folder / artifact.digest / artifact.name

    def has(self, artifact: Artifact) -> bool:
        """Whether the file is here, as far as its size tells."""
        try:
            return self.path(artifact).stat().st_size == artifact.size
        except OSError:
            return False

    def keep(self, file: Path, name: str) -> Artifact:
        """Copy a file to its place, where it appears complete or not at all; O(bytes).

        Raises:
            WorkflowError: when the name has another form.
            WorkerError: when the file cannot be read, or the disk refuses.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, part = tempfile.mkstemp(prefix=".part-", dir=self._folder)
            try:
                with os.fdopen(handle, "wb") as copy, file.open("rb") as source:
                    shutil.copyfileobj(source, copy, 1 << 20)
                    copy.flush()
                    os.fsync(copy.fileno())
                    size = copy.tell()
                artifact = Artifact(digest=file_digest(Path(part)), name=name, size=size)
                self.path(artifact).parent.mkdir(exist_ok=True)
                Path(part).replace(self.path(artifact))
            finally:
                Path(part).unlink(missing_ok=True)
        except OSError as error:
            raise WorkerError(f"{file}: the artifact cannot be kept: {error}") from error
        return artifact
