"""Files that a person names on the command line."""

from __future__ import annotations

from pathlib import Path

from morphml.errors import CallerError


def text_of(path: Path, refuse: type[CallerError]) -> str:
    """The text of a file.

    Raises:
        CallerError: of the kind ``refuse``, when it cannot be read as UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise refuse(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise refuse(f"{path}: is no text in UTF-8: {error}") from error
