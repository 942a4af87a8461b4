"""Generate the parts of docs/ that come from the code; ``--check`` only compares.

Generated: state diagrams from the transition tables, the JSON schema of the experiment file.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def pages() -> dict[Path, str]:
    """Content by path of every generated file."""
    return {}


def main() -> int:
    """Write all pages, or with ``--check`` tell which differ; 0 when all is in step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when stale")
    check: bool = parser.parse_args().check
    stale = [p for p, text in pages().items() if not p.is_file() or p.read_text("utf-8") != text]
    for path in stale:
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(pages()[path], encoding="utf-8")
        print(f"{'stale' if check else 'written'}: {path.relative_to(ROOT)}")
    if check and stale:
        print("Run `make docs` and commit what it writes.")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
