"""Write constraints.txt: the exact version of everything that any extra installs.

Resolves in an empty environment's sense (``--ignore-installed``) and installs nothing. torch keeps
its pin, which pip alone would move. Run it with the environment's Python after changing
pyproject.toml: ``.venv/bin/python scripts/pin.py``. Names only and versions only are written: no
address and no local path of the machine that resolved them.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TORCH = "2.13.0"
#: What the resolver sees as one package too many: ourselves.
OWN = {"morphml"}
HEADER = """\
# Exact versions of everything that any extra of MorphML installs; made by scripts/pin.py.
# Used as `pip install --constraint constraints.txt ...`. Install torch first and alone:
# pulled in by something else, it may come as a build with gigabytes of GPU libraries.
"""


def resolve(extras: str) -> dict[str, str]:
    """Version by normalised name of all that ``.[extras]`` would install."""
    with tempfile.TemporaryDirectory() as folder:
        report, pins = Path(folder, "report.json"), Path(folder, "pins.txt")
        pins.write_text(f"torch=={TORCH}\n", encoding="utf-8")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run"]
        command += ["--ignore-installed", "--constraint", str(pins), "--report", str(report)]
        subprocess.run([*command, f"{ROOT}[{extras}]"], check=True, cwd=ROOT)  # noqa: S603 own words
        found = json.loads(report.read_text(encoding="utf-8"))["install"]
    return {normal(item["metadata"]["name"]): item["metadata"]["version"] for item in found}


def normal(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> None:
    """Resolve and write."""
    versions = resolve("all,dev")
    # A local version (2.13.0+cpu) names one build; the pin has to fit them all.
    pins = [f"{name}=={v.split('+')[0]}" for name, v in sorted(versions.items()) if name not in OWN]
    (ROOT / "constraints.txt").write_text(HEADER + "\n".join(pins) + "\n", encoding="utf-8")
    print(f"{len(pins)} pins in constraints.txt")


if __name__ == "__main__":
    main()
