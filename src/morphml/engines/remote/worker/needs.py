"""Which heavy packages an evaluator will import, read off its file without importing it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

#: What tells of torch: its import, and building a model of an architecture.
_TORCH = re.compile(rb"^\s*(?:import|from)\s+torch\b|\bmorphml\.nn\b|\.build\(", re.MULTILINE)
_MOST_BYTES = 1 << 20


def needs_of_path(evaluator: str, folders: Iterable[str]) -> tuple[str, ...]:
    """Packages worth importing before processes are forked; a guess, never wrong to follow.

    Args:
        evaluator: import path ``package.module:attribute``.
        folders: where modules are looked for, in order.
    """
    parts = evaluator.partition(":")[0].split(".")
    if not all(part.isidentifier() for part in parts):
        return ()
    for folder in folders:
        place = Path(folder or ".").joinpath(*parts)
        for file in (place / "__init__.py", place.with_suffix(".py")):
            if (source := _read(file)) is not None:
                own_training = parts[:3] == ["morphml", "evaluation", "training"]
                return ("torch",) if own_training or _TORCH.search(source) else ()
    return ()


def _read(file: Path) -> bytes | None:
    try:
        with file.open("rb") as opened:
            return opened.read(_MOST_BYTES)
    except OSError:
        return None
