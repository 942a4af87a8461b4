"""Files of OpenML, fetched once and kept in a folder."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from morphml.errors import CallerError, WorkerError

#: Where OpenML answers.
SERVER = "https://www.openml.org"
#: Longest answer that is kept, in bytes.
_LARGEST = 2**31
_TIMEOUT_S = 60.0
_BLOCK = 2**20


class OpenMLCache:
    """A folder of what was fetched; another process may use it at the same time.

    Args:
        folder: made when the first file is fetched.
        server: where descriptions are asked for.
    """

    def __init__(self, folder: Path, server: str = SERVER) -> None:
        self._folder = folder
        self._server = server

    def description(self, kind: str, number: int) -> Mapping[str, Any]:
        """What OpenML says of a ``task`` or of ``data``.

        Raises:
            CallerError: it knows none of that number, or says something else.
            WorkerError: it cannot be reached, and nothing is kept.
        """
        path = self.file(f"{kind}-{number}.json", f"{self._server}/api/v1/json/{kind}/{number}")
        try:
            (answer,) = json.loads(path.read_bytes()).values()
            if isinstance(answer, dict):
                return answer
        except (ValueError, AttributeError):
            pass
        raise CallerError(f"{path}: is no description of OpenML; remove it to fetch it again")

    def file(self, name: str, url: str, md5: str | None = None) -> Path:
        """The file of that name; fetched where it is not kept.

        Args:
            name: in the folder.
            url: http or https.
            md5: digest that its contents must have, in hexadecimal; None: not known.

        Raises:
            CallerError: there is none at ``url``, or what is kept has another digest.
            WorkerError: it cannot be fetched, or is another than OpenML says.
        """
        path = self._folder / name
        if not path.is_file():
            self._fetch(url, path, md5)
        elif md5 is not None and _md5(path) != md5:
            raise CallerError(
                f"{path}: is another file than OpenML describes (md5 {_md5(path)}, not {md5}); "
                "remove it to fetch it again"
            )
        return path

    def _fetch(self, url: str, path: Path, md5: str | None) -> None:
        if not url.startswith(("https://", "http://")):
            raise CallerError(f"OpenML: {url!r} is no address of the web")
        self._folder.mkdir(parents=True, exist_ok=True)
        handle, unfinished = tempfile.mkstemp(dir=self._folder, prefix=f"{path.name}.")
        part = Path(unfinished)
        try:
            with os.fdopen(handle, "wb") as file:
                _copy(url, file.write)
            if md5 is not None and _md5(part) != md5:
                raise WorkerError(f"{url}: came with md5 {_md5(part)}, OpenML says {md5}")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def _copy(url: str, write: Any) -> None:  # noqa: ANN401 what a file's write takes and gives
    # Every process that names a data set imports this file, and few fetch anything.
    import urllib.error  # noqa: PLC0415
    import urllib.request  # noqa: PLC0415

    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:  # noqa: S310 checked above
            length = 0
            while block := answer.read(_BLOCK):
                length += len(block)
                if length > _LARGEST:
                    raise WorkerError(f"{url}: is longer than {_LARGEST:,} bytes")
                write(block)
    except urllib.error.HTTPError as error:
        # OpenML answers 412 where it has nothing of that number.
        if error.code in (404, 412):
            raise CallerError(f"OpenML has nothing at {url} (HTTP {error.code})") from None
        raise WorkerError(f"{url}: HTTP {error.code}; try again later") from None
    except OSError as error:
        raise WorkerError(
            f"{url}: cannot be reached: {error}; tasks that were fetched once need no network"
        ) from error


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
