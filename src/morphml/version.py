"""Which MorphML this is: masters, workers and files that were written say it."""

from __future__ import annotations

from typing import Final

#: As PEP 440 has it; the package's metadata takes it from here.
__version__: Final = "0.1.0"
