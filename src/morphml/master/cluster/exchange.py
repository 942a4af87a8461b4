"""Checkpoints of trials that wait, for masters that do not share a folder.

Files of an experiment lie in a master's folder. Where another master has a folder of its own, a
checkpoint at which a trial waits goes into the store too, so that any master can let the trial go
on from there; whoever hands the trial out next fetches it.
"""

from __future__ import annotations

import logging
import os
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from morphml.errors import StorageError, StoreUnavailable
from morphml.ids import SessionId
from morphml.master.cluster.reports import report_from_json
from morphml.storage import SqlStore

log = logging.getLogger(__name__)

#: Holds the name of a folder: masters that read the same one share it.
_NAME = ".morphml-folder"
_PIECE = 1 << 20


class CheckpointExchange:
    """The store as a place for checkpoints. Thread-safe.

    Args:
        store: takes them.
        session: of this master.
        place: name of this master's folder, as `folder_name` tells it.
    """

    def __init__(self, store: SqlStore, session: SessionId, place: str) -> None:
        self._store = store
        self._session = session
        self.place = place
        self._refused = False

    @property
    def apart(self) -> bool:
        """Whether another master has another folder. One query."""
        others = (each for each in self._store.cluster.masters() if each.session != self._session)
        return any(report_from_json(each.report).place not in ("", self.place) for each in others)

    def put(self, digest: str, path: Path) -> bool:
        """Keep a file for other masters, if there is one that does not see it here.

        Returns:
            whether the store has it now.

        Raises:
            StoreUnavailable: when the store cannot be asked.
        """
        if not self.apart:
            return False
        try:
            self._store.bundles.put(digest, _pieces(path))
        except StoreUnavailable:
            raise
        except (OSError, StorageError) as error:
            if not self._refused:
                self._refused = True
                log.warning(
                    "%s cannot go to other masters, where its trial would begin anew: %s; let all "
                    "masters share one folder (--artifacts)",
                    path,
                    error,
                )
            return False
        return True

    def get(self, digest: str, path: Path) -> bool:
        """Fetch a file to its place; False where the store does not have it.

        Raises:
            StoreUnavailable: when the store cannot be asked.
            OSError: when it cannot be written.
        """
        pieces = self._store.bundles.chunks(digest)
        if pieces is None:
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".fetch-", dir=path.parent)
        part = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.writelines(pieces)
            part.replace(path)
        except StoreUnavailable:
            raise
        except StorageError:
            return False  # deleted meanwhile
        finally:
            part.unlink(missing_ok=True)
        return True

    def drop(self, digests: Sequence[str]) -> None:
        """Nobody needs these any more.

        Raises:
            StoreUnavailable: when the store cannot be asked.
        """
        self._store.bundles.drop(digests)


def folder_name(folder: Path) -> str:
    """The name of a folder, the same for all who see it; "" where it can be given none."""
    path = folder / _NAME
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        own = folder / f"{_NAME}-{secrets.token_hex(8)}"
        own.write_text(secrets.token_hex(16), encoding="ascii")
        try:
            with suppress(FileExistsError):
                path.hardlink_to(own)  # complete at once, and never changed
        finally:
            own.unlink()
        return path.read_text(encoding="ascii")
    return ""


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece
