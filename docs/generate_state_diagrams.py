"""Write docs/states.md from the transition tables; ``--check`` only compares."""

from __future__ import annotations

import sys
from pathlib import Path

from morphml.scheduling.diagrams import states_page

PAGE = Path(__file__).resolve().parent / "states.md"


def main() -> int:
    """Write the page, or with ``--check`` tell whether it is stale; 0 when all is in step."""
    page = states_page()
    stale = not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != page
    if "--check" in sys.argv[1:]:
        return int(stale)
    PAGE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
