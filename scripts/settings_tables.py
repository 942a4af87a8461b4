"""Tables of settings read off the code: each field's name, default, and the comment above it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: Title, module and class of each table, in the order of the page.
TABLES = (
    ("A master", "master/cluster/settings.py", "MasterSettings"),
    ("How a master listens to its workers", "engines/remote/hub/settings.py", "HubSettings"),
    ("A worker", "engines/remote/worker/settings.py", "WorkerSettings"),
    ("A Ray cluster", "engines/ray/settings.py", "RaySettings"),
    ("A slot on Ray", "engines/ray/planning.py", "SlotShape"),
    ("Sessions and the reaper", "scheduling/reaping.py", "ReaperRule"),
    ("When a broken worker is shut off", "scheduling/faults/workers.py", "WorkerFaultRule"),
    ("Its breaker", "scheduling/breaker.py", "BreakerRule"),
    ("When a sick worker is drained", "scheduling/health/thresholds.py", "HealthRule"),
    ("A store", "storage/options.py", "StoreOptions"),
)
#: Has a class for each part, whose fields name their variables first.
ENVIRONMENT = "settings.py"
HEAD = """\
# Settings of masters and workers

Made by `make docs` from the code. Operators set most of them by options of `morphml master` and
`morphml worker` (see [the command line](../cli.md)); all are fields of the classes named here.
Names that end in `_s` are seconds.
"""
ENVIRONMENT_HEAD = """
## From the environment

What an option or an argument says goes before these.

| variable | default | meaning |
|---|---|---|
"""


def settings_page() -> str:
    """The page with all tables."""
    return HEAD + "".join(_table(*table) for table in TABLES) + _environment()


def _table(title: str, module: str, name: str) -> str:
    rows = "".join(
        f"| `{field}` | {default} | {comment} |\n"
        for part, field, default, comment in _fields(module)
        if part == name
    )
    head = f"\n## {title}\n\n`{name}` in `src/morphml/{module}`\n\n"
    return f"{head}| setting | default | meaning |\n|---|---|---|\n{rows}"


def _environment() -> str:
    rows = []
    for _, _, default, comment in _fields(ENVIRONMENT):
        variable, _, rest = comment.partition("`")[2].partition("`")
        if variable.startswith("MORPHML_"):
            meaning = rest.removeprefix(":").removeprefix(";").strip()
            rows.append(f"| `{variable}` | {default} | {meaning[:1].upper()}{meaning[1:]} |\n")
    return ENVIRONMENT_HEAD + "".join(rows)


def _fields(module: str) -> Iterator[tuple[str, str, str, str]]:
    """Class, name, default and comment of each field of a module's classes."""
    source = (ROOT / "src" / "morphml" / module).read_text(encoding="utf-8")
    lines = source.splitlines()
    code = import_module(f"morphml.{module.removesuffix('.py').replace('/', '.')}")
    for part in ast.parse(source).body:
        for field in part.body if isinstance(part, ast.ClassDef) else ():
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                name, comment = field.target.id, _comment(lines, field.lineno)
                # That of a class with slots is no attribute of it.
                known = getattr(code, part.name).__dataclass_fields__[name].default
                yield part.name, name, _default(field.value, known), comment


def _default(written: ast.expr | None, known: object) -> str:
    """The default as it is written or, where that is only a name, as a text.

    One that has a table of its own is said to be there.
    """
    match written:
        case None:
            return "must be given"
        case ast.Call(func=ast.Name("field"), keywords=[ast.keyword(value=made)]):
            kind = ast.unparse(made)
            title = next((title for title, _, name in TABLES if name == kind), "")
            return f"see [below](#{title.lower().replace(' ', '-')})" if title else "empty"
        case _ if isinstance(known, str | Path):
            return f"`{str(known)!r}`"
        case _:
            return f"`{ast.unparse(written)}`"


def _comment(lines: list[str], number: int) -> str:
    """The ``#:`` lines above line ``number``, which counts from 1."""
    found: list[str] = []
    for line in reversed(lines[: number - 1]):
        text = line.strip()
        if not text.startswith("#:"):
            break
        found.append(text.removeprefix("#:").strip())
    return " ".join(reversed(found)).replace("``", "`").replace("|", "\\|")
