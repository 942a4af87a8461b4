"""``python -m morphml.cli``: the same as ``morphml``."""

from morphml.cli import main

main()
