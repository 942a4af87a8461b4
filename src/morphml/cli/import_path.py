"""Where the modules that a user names are looked for."""

from __future__ import annotations

import sys
from pathlib import Path


def see_this_folder() -> None:
    """Let import paths of the user's own modules start here, as ``python -m`` does."""
    see_folder(Path.cwd())


def see_folder(folder: Path) -> None:
    """Let import paths of the user's own modules start in that folder as well."""
    place = str(folder.resolve())
    if place not in sys.path:
        sys.path.insert(0, place)
