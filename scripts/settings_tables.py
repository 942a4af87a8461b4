"""Tables of settings read off the code: each field's name, default, and the comment above it."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: Title, module and class of each table, in the order of the page.
TABLES = (
    ("A master", "master/cluster/settings.py", "MasterSettings"),
    ("How a master listens to its workers", "engines/remote/hub/settings.py", "HubSettings"),
    ("A worker", "engines/remote/worker/settings.py", "WorkerSettings"),
    ("A Ray cluster", "engines/ray/settings.py", "RaySettings"),
    ("Sessions and the reaper", "scheduling/reaping.py", "ReaperRule"),
    ("When a broken worker is shut off", "scheduling/faults/workers.py", "WorkerFaultRule"),
    ("Its breaker", "scheduling/breaker.py", "BreakerRule"),
    ("When a sick worker is drained", "scheduling/health/thresholds.py", "HealthRule"),
    ("A store", "storage/options.py", "StoreOptions"),
)
HEAD = """\
# Settings of masters and workers

Made by `make docs` from the code. Operators set most of them by options of `morphml master` and
`morphml worker` (see [the command line](../cli.md)); all are fields of the classes named here.
Names that end in `_s` are seconds.
"""


def settings_page() -> str:
    """The page with all tables."""
    return HEAD + "".join(_table(*table) for table in TABLES)


def _table(title: str, module: str, name: str) -> str:
    source = (ROOT / "src" / "morphml" / module).read_text(encoding="utf-8")
    lines = source.splitlines()
    tree = ast.parse(source)
    found = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == name)
    rows = "".join(
        f"| `{field.target.id}` | {_default(field)} | {_comment(lines, field.lineno)} |\n"
        for field in found.body
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
    )
    head = f"\n## {title}\n\n`{name}` in `src/morphml/{module}`\n\n"
    return f"{head}| setting | default | meaning |\n|---|---|---|\n{rows}"


def _default(field: ast.AnnAssign) -> str:
    if field.value is None:
        return "must be given"
    text = ast.unparse(field.value)
    if text.startswith("field("):
        return "empty" if "dict" in text or "tuple" in text else "see below"
    return f"`{text}`"


def _comment(lines: list[str], number: int) -> str:
    """The ``#:`` lines above line ``number``, which counts from 1."""
    found: list[str] = []
    for line in reversed(lines[: number - 1]):
        text = line.strip()
        if not text.startswith("#:"):
            break
        found.append(text.removeprefix("#:").strip())
    return " ".join(reversed(found)).replace("``", "`").replace("|", "\\|")
