"""The ``morphml`` command: parse, call, render."""

from morphml.cli.app import main

__all__ = ["main"]
