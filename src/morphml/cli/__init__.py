"""The ``morphml`` command: parse, call, render."""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """The ``morphml`` command."""
    from morphml.cli.app import app  # noqa: PLC0415 parts of this room are used without all commands

    app()
