"""Docstrings of commands as help."""

from __future__ import annotations

import inspect
from collections.abc import Callable


def flowing(function: Callable[..., None]) -> str:
    """The docstring with each paragraph on one line: its width is the terminal's."""
    paragraphs = inspect.cleandoc(function.__doc__ or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split("\n")) for paragraph in paragraphs)
