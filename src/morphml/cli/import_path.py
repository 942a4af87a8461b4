"""Where the modules that a user names are looked for."""

from __future__ import annotations

import sys
from pathlib import Path


def see_this_folder() -> None:
    """Let import paths of the user's own modules start here, as ``python -m`` does."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
